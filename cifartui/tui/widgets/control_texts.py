"""What became of the commands to a run, in a line; and the commands that are typed."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import msgspec
from textual.content import Content

from cifartui.errors import UsageError
from cifartui.text import printable
from cifartui.training.run.controls import AnyControl, ChangeEpochs, ChangeRate, TakeSteps
from cifartui.training.run.history import ControlAnswer, RunHistory

NAMES = {
    "pause": "pause",
    "resume": "go on",
    "step": "steps",
    "checkpoint": "checkpoint",
    "rate": "learning rate",
    "epochs": "epochs",
    "rollback": "roll back",
    "accumulate": "go on in parts",
    "stop": "stop",
}
"""What the commands are called here."""
SENT, TAKEN, DONE, REFUSED = "…", "▸", "✓", "✗"
SHOWN = 3
"""So many commands are told of at once, the newest first."""

Typed = TypeVar("Typed", ChangeRate, ChangeEpochs, TakeSteps)


def controls_text(history: RunHistory, sent: Sequence[AnyControl], columns: int) -> Content:
    """The newest command and how far it has come, and those before it as far as they fit into the line.

    `sent` are those that the run has not answered yet.
    """
    waiting = [Content(f"{SENT} {_name(control.command)} sent") for control in reversed(sent)]
    answered = [_answer_text(answer, history) for answer in reversed(history.controls)]
    texts = waiting + answered
    line = Content("").join(texts[:1])
    for text in texts[1:SHOWN]:
        longer = Content.assemble(line, "   ", text.stylize("$text-muted"))
        if longer.cell_length > columns:
            break
        line = longer
    return line


def _answer_text(answer: ControlAnswer, history: RunHistory) -> Content:
    name = _name(answer.command)
    if answer.outcome == "refused":
        return Content.styled(f"{REFUSED} {name} refused: {printable(answer.reason)}", "$error")
    if answer.outcome == "taken":
        return Content(f"{TAKEN} {name} taken at step {answer.step:,}")
    return Content(f"{DONE} {_what(answer, history) or name}, done at step {answer.step:,}")


def _what(answer: ControlAnswer, history: RunHistory) -> str:
    """What a command that was carried out has changed, where that is known."""
    if answer.command == "rate":
        same = [other for other in history.controls if (other.command, other.step) == ("rate", answer.step)]
        since = [other for other in same[same.index(answer) + 1 :] if other.outcome == "done"]
        changes = [change for change in history.rate_changes if change.step == answer.step]
        place = len(changes) - 1 - len(since)
        return f"learning rate {changes[place].before:.4g} → {changes[place].after:.4g}" if place >= 0 else ""
    return f"{history.epochs_asked:,} epochs" if answer.command == "epochs" else ""


def _name(command: str) -> str:
    return NAMES.get(command, printable(command, 40))


# TYPED


def _typed(kind: type[Typed], field: str, allowed: str, text: str) -> Typed:
    """A command with the value that was typed.

    Raises:
        UsageError: it cannot have that value.
    """
    try:
        return msgspec.convert({field: text.strip().replace(",", "")}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{printable(text, 40)!r} is not allowed: {allowed} is expected.") from error


rate_of = partial(_typed, ChangeRate, "to", "a number above 0 and at most 100, up or down")
epochs_of = partial(_typed, ChangeEpochs, "epochs", "a whole number, at least 1 and at most 100,000,")
steps_of = partial(_typed, TakeSteps, "steps", "a whole number, at least 1,")
