"""What there is to say of a run: its facts, what its curves show, and what to press next."""

from typing import NamedTuple

import msgspec
from textual.content import Content

from cifartui.text import bar, clock, printable
from cifartui.training.run.events import EpochFinished, RunStarted
from cifartui.training.run.follow import why_interrupted
from cifartui.training.run.history import RunHistory
from cifartui.training.run.states import LIVING
from cifartui.training.verdict import SpeedVerdict
from cifartui.tui.view import MARKS, RunView, short_id
from cifartui.tui.widgets.trouble_texts import trouble_text

BAR_CELLS, NARROW_BAR_CELLS = 16, 8
RISE = 1.02
"""Held-out losses of the last two epochs both higher than the lowest by so much are no chance ups and downs."""


class Parting(msgspec.Struct, frozen=True):
    """Where the loss on the held-out images was lowest, and how both losses went on."""

    epoch: int
    lowest: float
    held_out: float
    """Now."""
    training_then: float
    training: float
    """Now."""


def facts_text(view: RunView) -> Content:
    """State, progress, speed and settings of a run."""
    history, started = view.history, view.history.started
    living = view.state in LIVING
    lines = [Content.assemble((f"{MARKS[view.state]} {view.state}", "bold"), f"  {view.short_id}")]
    if history.parent:
        lines.append(Content.styled(f"from {printable(short_id(history.parent))}", "$text-muted"))
    if view.state == "queued" and history.behind:
        lines.append(Content(printable(f"waits for {', '.join(map(short_id, history.behind))}")))
    elif started is None and living and not view.problem:
        lines.append(Content.styled("loading torch and the images …", "$text-muted"))
    if started is None:
        return Content("\n").join(lines)
    left = ""
    if living and not view.stalled and history.seconds_left:
        left = f" {clock(history.seconds_left)} left"
    lines += [
        Content.assemble(
            (bar(history.fraction, BAR_CELLS).replace(" ", "░"), "$primary"), f" {history.fraction:.0%}{left}"
        ),
        Content(f"epoch {history.epoch:,}/{history.epochs_asked:,} · step {history.step:,}/{history.steps:,}"),
        *(_now(view, started) if living else _in_the_end(history)),
    ]
    rate, turned = history.learning_rate, history.rate_multiplier()
    if turned != 1:
        lines.append(Content(f"lr {rate:.4g} = {history.scheduled_rate:.4g} × {turned:.3g}"))
    lines += [
        Content(printable(f"{started.network} · batch {started.batch_size}{f' · lr {rate:.4g}' * (turned == 1)}")),
        Content.styled(printable(f"{started.dataset} · seed {started.seed}"), "$text-muted"),
    ]
    return Content("\n").join(lines)


def facts_lines(view: RunView, columns: int) -> Content:
    """The same in two lines of so many columns."""
    history, started = view.history, view.history.started
    if started is None:
        return Content("\n").join(facts_text(view).split("\n")[:2])
    left = ""
    if view.state in LIVING and not view.stalled and history.seconds_left:
        left = f" {clock(history.seconds_left)} left"
    first = [
        Content.styled(f"{MARKS[view.state]} {view.state}", "bold"),
        Content.assemble(
            (bar(history.fraction, NARROW_BAR_CELLS).replace(" ", "░"), "$primary"), f" {history.fraction:.0%}{left}"
        ),
        Content(f"epoch {history.epoch:,}/{history.epochs_asked:,}"),
        Content(f"step {history.step:,}/{history.steps:,}"),
        Content(view.short_id),
    ]
    if view.state in LIVING:
        second = _now(view, started)
    else:
        second = [Content(f"{row.what} {_loss(row.loss)} {row.accuracy:.1%}") for row in _results(history)]
    second.append(Content(f"lr {history.learning_rate:.4g}"))
    return Content("\n").join([_fitted(first, columns), _fitted(second, columns)])


def _fitted(parts: list[Content], columns: int) -> Content:
    """As many parts beside each other as fit, the first in any case."""
    line = parts[0]
    for part in parts[1:]:
        if line.cell_length + 3 + part.cell_length > columns:
            break
        line = Content.assemble(line, " · ", part)
    return line


def _now(view: RunView, started: RunStarted) -> list[Content]:
    """Speed and loss of a run that lives."""
    images, latest = view.history.images_per_second, view.history.latest
    if view.stalled:
        speed = Content.styled(view.silence, "bold $warning")
    elif images is None:
        speed = Content("– images/s")
    else:
        speed = Content(f"{images:,.0f} images/s · {images / started.batch_size:,.0f} steps/s")
    loss = "–"
    if latest and not latest.finite:
        loss = "not finite"
    elif latest and latest.running_loss is not None:
        loss = f"{latest.running_loss:.3f} since the log line"
    return [speed, Content(f"loss {loss}")]


def _in_the_end(history: RunHistory) -> list[Content]:
    """What a run that has ended came to: its last whole epoch, and its best by the held-out images."""
    if not history.epochs:
        return [Content("its first epoch was not done")]
    return [
        Content.styled(f"{f'epoch {history.epochs[-1].epoch:,}':<17}  loss  right", "$text-muted"),
        *(Content(f"{what:<17} {_loss(loss):>5} {accuracy:>6.1%}") for what, loss, accuracy in _results(history)),
        Content(f"trained for {clock(history.trained_seconds)}"),
    ]


class _Result(NamedTuple):
    what: str
    loss: float | None
    accuracy: float


def _results(history: RunHistory) -> list[_Result]:
    """Of the last whole epoch, and the best by the held-out images where that is another; none before the first."""
    if not history.epochs:
        return []
    last, best = history.epochs[-1], history.best
    rows = [_Result("training", last.loss, last.accuracy)]
    rows += [_Result("held-out", each.loss, each.accuracy) for each in history.validation if each.step == last.step]
    if best and best.step != last.step:
        rows.append(_Result(f"★ at step {best.step:,}", best.loss, best.accuracy))
    return rows


def _loss(loss: float | None) -> str:
    return "nan" if loss is None else f"{loss:.3f}"


def notes_text(view: RunView) -> Content:
    """What the curves show, what is wrong, and what to press next; empty while there is nothing to say."""
    notes = []
    if view.history.trouble and view.state != "failed":  # which says it itself
        notes.append(trouble_text(view.history, living=view.state in LIVING))
    parting = parted(view.history)
    if parting:
        notes.append(
            Content.styled(
                f"Overfitting since epoch {parting.epoch}, its images are learnt by heart: held-out loss "
                f"{parting.lowest:.3f} → {parting.held_out:.3f}, training loss {parting.training_then:.3f} → "
                f"{parting.training:.3f}.",
                "$warning",
            )
        )
    if view.speed and view.state in LIVING:
        notes.append(_speed_text(view.speed))
    for warning in filter(None, (view.stalled, view.history.warning)):
        notes.append(Content.styled(f"warning: {printable(warning)}", "$warning"))
    problem = _problem(view)
    if problem:
        notes.append(Content.styled(printable(problem), "$error"))
    steps = _next(view)
    if steps:
        notes.append(Content.assemble(("next  ", "bold $primary"), steps))
    return Content("\n").join(notes)


def _speed_text(speed: SpeedVerdict) -> Content:
    """What limits the speed, and what to do."""
    next_time = f" (y: {', '.join(speed.settings)})" if speed.settings else ""
    verdict = f"{speed.verdict[0].upper()}{speed.verdict[1:]}: {speed.why}; "
    return Content.assemble(("speed ", "bold $primary"), verdict, (f"{speed.remedy}{next_time}", "$text-muted"))


def _problem(view: RunView) -> str:
    """Why a run is not what it was meant to be."""
    if view.problem:
        return view.problem
    if view.state == "interrupted":
        return why_interrupted(view.run)
    if view.state == "failed" and view.history.finished:
        return f"The run failed: {view.history.finished.message}"
    return ""


def _next(view: RunView) -> str:
    if view.problem:
        return "a another run · o all runs"
    if view.state == "queued":
        return "x takes it out of the queue · o all runs"
    if view.history.trouble and view.state in LIVING:
        return ""  # said with its answers
    if view.state == "paused":
        return "space lets it go on · . one step · > steps · + − rate · x stops it"
    if view.state in LIVING:
        return ""
    goes_on = "g trains it for more epochs" if view.state == "finished" else f"g goes on{_from(view.history)}"
    saved = view.history.checkpoints
    if not saved:
        return f"{goes_on} · a another run · o all runs · it saved no checkpoint, so there is nothing to evaluate"
    which = "" if saved[-1].step == view.history.step else f" (saved at step {saved[-1].step:,})"
    return f"4 evaluates it{which} on the test images · {goes_on} · A forks it · a another run · o all runs"


def _from(history: RunHistory) -> str:
    """Where a run would go on, unless that is where it was."""
    if not history.checkpoints:
        return " from its beginning"
    step = history.checkpoints[-1].step
    return "" if step == history.step else f" from step {step:,}"


# QUESTIONS


class StopQuestion(NamedTuple):
    """What to know before a run is stopped."""

    warning: str
    """What it has warned of; else empty."""
    saving: str
    """What it means to stop it with a checkpoint."""
    not_saving: str
    """And without."""


def stop_question(history: RunHistory) -> StopQuestion:
    """What stopping a run would mean."""
    saved = history.checkpoints[-1].step if history.checkpoints else 0
    if history.paused and saved == history.step:
        not_saving = f"stop it without another; that of step {saved:,} has it all"
    else:
        since = f"since step {saved:,}" if history.checkpoints else "so far"
        not_saving = f"stop it without; what it learned {since} is lost"
    return StopQuestion(
        f"It has warned: {history.warning.rstrip('.')}." if history.warning else "",
        "stop it with a checkpoint, from which it can go on as if nothing had been",
        not_saving,
    )


def rate_question(history: RunHistory) -> str:
    """What to know before another learning rate is typed."""
    rate, multiplier = history.learning_rate, history.rate_multiplier()
    turned = f", {multiplier:.3g} times the recipe's" if multiplier != 1 else ""
    return f"It is {rate:.4g} now{turned}. A checkpoint is saved with it."


def epochs_question(history: RunHistory) -> str:
    """What to know before another number of epochs is typed."""
    return f"Epoch {history.epoch:,} of {history.epochs_asked:,} is in hand; it cannot have fewer than that."


# OVERFITTING


def parted(history: RunHistory) -> Parting | None:
    """Whether training and held-out loss have parted: one went on falling while the other has risen.

    The training loss of an epoch is measured while the weights change, so only its fall is looked at.
    """
    training: dict[int, EpochFinished] = {epoch.step: epoch for epoch in history.epochs if epoch.loss is not None}
    both = [
        (training[point.step], point.loss)
        for point in history.validation
        if point.loss is not None and point.step in training
    ]
    if len(both) < 3:
        return None
    (then, lowest), (now, held_out) = min(both, key=lambda pair: pair[1]), both[-1]
    assert then.loss is not None
    assert now.loss is not None
    if min(loss for _, loss in both[-2:]) <= lowest * RISE or now.loss >= then.loss:
        return None
    return Parting(then.epoch, lowest, held_out, then.loss, now.loss)
