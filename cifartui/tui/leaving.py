"""What the shell is told when the screens are left while a run lives."""

from cifartui.errors import CifartuiError
from cifartui.text import printable
from cifartui.training.run.folder import living_run
from cifartui.training.run.follow import read_history
from cifartui.training.run.states import LIVING
from cifartui.tui.view import RunView


def farewell(view: RunView | None) -> str:
    """The run in view, or another that lives, and the commands to see and to end it, in lines; empty if none lives."""
    if view is None or view.state not in LIVING:
        view = _living()
    if view is None or view.state not in LIVING:
        return ""
    run = printable(view.short_id)
    how = "is paused" if view.state == "paused" else "goes on"
    return (
        f"Run {run} {how} ({view.history.fraction:.0%}).\n"
        "  see it again:  cifartui\n"
        f"  end it:        cifartui runs stop {run}"
    )


def _living() -> RunView | None:
    try:
        run = living_run()
        return RunView(run, *read_history(run)) if run else None
    except (CifartuiError, OSError):  # nothing may keep the screens from ending
        return None
