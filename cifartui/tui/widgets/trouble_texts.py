"""What a run is held for, in words to act on, and the answers with their keys."""

from textual.content import Content

from cifartui.text import printable
from cifartui.training.run.events import MemoryExhausted, NotFiniteFound
from cifartui.training.run.history import RunHistory

KEY_CELLS = 7


def trouble_text(history: RunHistory, *, living: bool = True) -> Content:
    """What happened and at which step, and while the run lives a line for each answer; empty where there is nothing."""
    match history.trouble:
        case NotFiniteFound() as found:
            what, answers = _not_finite_text(found), _not_finite_answers(history)
        case MemoryExhausted() as exhausted:
            what, answers = _memory_text(exhausted), _memory_answers(exhausted)
        case None:
            return Content("")
    lines = [Content.styled(f"✗ {printable(what)}", "bold $error")]
    lines += [Content.assemble((f"{key:<{KEY_CELLS}}", "bold $primary"), meaning) for key, meaning in answers if living]
    return Content("\n").join(lines)


def _not_finite_text(found: NotFiniteFound) -> str:
    skipped = "Its update was not applied" if found.skipped == 1 else f"{found.skipped:,} updates were not applied"
    return (
        f"Step {found.step:,} (epoch {found.epoch:,}, batch {found.batch:,}) made {found.what} nan or infinite. "
        f"{skipped}; the weights are as they were before."
    )


def _not_finite_answers(history: RunHistory) -> list[tuple[str, str]]:
    answers = [("space", "go on with the next batch; such steps are left out"), ("x", "stop")]
    if not history.checkpoints:
        return [answers[0], ("x", "stop; then a sets up another run, with a lower learning rate")]
    rate = history.learning_rate
    back = f"back to the checkpoint of step {history.checkpoints[-1].step:,}, on with half the rate: {rate / 2:.4g}"
    return [("b", back), *answers]


def _memory_text(exhausted: MemoryExhausted) -> str:
    fits = f"{exhausted.fits:,} at once fit" if exhausted.fits else "not even one fits"
    return (
        f"Out of memory after step {exhausted.step:,}: a step with {exhausted.batch_size:,} images needs more than "
        f"the device has; {fits}. That step was not taken."
    )


def _memory_answers(exhausted: MemoryExhausted) -> list[tuple[str, str]]:
    answers = [("space", "try again as it is, if others gave memory back"), ("x", "stop")]
    if not exhausted.fits:
        return answers
    parts = f"on in parts of {exhausted.fits:,} images, one update for all {exhausted.batch_size:,}: the same training"
    return [("y", parts), *answers]
