"""The charts of a run: loss and accuracy over the steps, looked at closely by keys."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from cifartui.training.run.history import RunHistory
from cifartui.tui.widgets.dot_canvas import Ink
from cifartui.tui.widgets.figure import LABEL_CELLS, Figure, Foot, Level, Look, Points, Series, Upright, reading
from cifartui.tui.widgets.plot import Plot

RAW, TRAINING = Ink("primary", is_faint=True), Ink("primary", is_bold=True)
HELD_OUT, BEST, GUESSING = Ink("warning"), Ink("success", is_bold=True), Ink("secondary")
TURN, EPOCH, CHECKPOINT, NOT_FINITE = Ink("warning"), Ink("secondary", is_faint=True), Ink("success"), Ink("error")
RAW_MARK, TRAINING_MARK, HELD_OUT_MARK, BEST_MARK, GUESSING_MARK = "⠐", "━", "●", "★", "╌"
TURN_MARK, EPOCH_MARK, CHECKPOINT_MARK, NOT_FINITE_MARK = "┆", "┊", "▲", "✗"
"""What a chart shows differs in its marks as in its colours, since colours may not be seen."""
SMOOTHING = 0.02
"""Of a run's steps, over which the smoothed curve averages."""
MOST_EPOCHS = 12
"""Of a chart, that are told apart by lines: of more, only every second, fifth, tenth … is."""
ZOOMS = (1, 4, 16)
FINEST_ZOOM = 64
PAN_SHARE = 0.25
"""Of the chart's width, by which it moves on."""


def smoothed(points: Points, span: float) -> list[tuple[float, float]]:
    """The mean of the values so far, each weighing less by a factor of e for every `span` that it lies back.

    A value that is not finite is a gap, after which the mean begins anew.
    """
    means: list[tuple[float, float]] = []
    total = weight = 0.0
    before: float | None = None
    for place, value in points:
        if not math.isfinite(value):
            total, weight, before = 0.0, 0.0, None
            means.append((place, math.nan))
            continue
        kept = 0.0 if before is None else math.exp((before - place) / span)
        total, weight, before = total * kept + value, weight * kept + 1, place
        means.append((place, total / weight))
    return means


def loss_figure(history: RunHistory, guessing: float | None) -> Figure:
    """The losses of a run; `guessing` is that of a network that gives all classes the same probability."""
    training = [(point.step, math.nan if point.loss is None else point.loss) for point in history.curve]
    held_out = [(point.step, math.nan if point.loss is None else point.loss) for point in history.validation]
    levels = () if guessing is None else (Level(guessing, GUESSING_MARK, GUESSING),)
    return _figure(history, training, held_out, levels)


def accuracy_figure(history: RunHistory) -> Figure:
    """The accuracies of a run, in per cent."""
    training = [(point.step, 100 * point.accuracy) for point in history.curve]
    held_out = [(point.step, 100 * point.accuracy) for point in history.validation]
    return _figure(history, training, held_out)


def rate_plan_figure(rates: Points, steps: int) -> Figure:
    """The learning rates of a run that is planned, over its steps."""
    return Figure((Series("learning rate", tuple(rates), TRAINING),), end=float(steps), floor=0.0)


def _figure(history: RunHistory, training: Points, held_out: Points, levels: tuple[Level, ...] = ()) -> Figure:
    best = history.best
    uprights = [Upright(change.step, TURN_MARK, TURN, f"lr {change.after:.3g}") for change in history.rate_changes]
    uprights += [Upright(step, EPOCH_MARK, EPOCH) for step in epoch_ends(history)]
    feet = [Foot(saved.step, CHECKPOINT_MARK, CHECKPOINT) for saved in history.checkpoints]
    feet += [Foot(place, NOT_FINITE_MARK, NOT_FINITE) for place, value in training if not math.isfinite(value)]
    series = [
        Series("raw", training, RAW, "dots"),
        Series("held-out", held_out, HELD_OUT, "dashes"),
        Series("training", smoothed(training, max(1.0, SMOOTHING * history.steps)), TRAINING),
        Series("held-out", held_out, HELD_OUT, "marks", HELD_OUT_MARK),
        Series("best", [point for point in held_out if best and point[0] == best.step], BEST, "marks", BEST_MARK),
    ]
    return Figure(
        tuple(each for each in series if each.points),
        tuple(uprights) if training else (),
        levels if training else (),
        tuple(feet),
        end=float(history.steps),
    )


def epoch_ends(history: RunHistory) -> list[int]:
    """The steps at which epochs end that others follow, or of many epochs every second, fifth, tenth … of them."""
    if history.started is None:
        return []
    each = 1
    while history.epochs_asked / each > MOST_EPOCHS:
        each = each * 5 // 2 if str(each).startswith("2") else each * 2
    return [history.started.steps_per_epoch * epoch for epoch in range(each, history.epochs_asked, each)]


def legend(figure: Figure, cells: int) -> Content:
    """What a chart's marks stand for, in the inks in which they are drawn; of these as many as fit into `cells`."""
    names = {each.name for each in figure.series}
    marks = [
        (f"{RAW_MARK} raw", RAW, "raw" in names),
        (f"{TRAINING_MARK} smoothed", TRAINING, "training" in names),
        (f"{HELD_OUT_MARK} held-out", HELD_OUT, "held-out" in names),
        (f"{BEST_MARK} best", BEST, "best" in names),
        (f"{TURN_MARK} rate", TURN, any(each.mark == TURN_MARK for each in figure.uprights)),
        *((f"{GUESSING_MARK} guessing {level.value:.3f}", GUESSING, True) for level in figure.levels),
        (f"{NOT_FINITE_MARK} not finite", NOT_FINITE, any(each.mark == NOT_FINITE_MARK for each in figure.feet)),
        (f"{CHECKPOINT_MARK} checkpoint", CHECKPOINT, any(each.mark == CHECKPOINT_MARK for each in figure.feet)),
    ]
    text = Content("")
    for mark, ink, is_there in marks:
        part = Content.styled(mark, f"${ink.colour}{' dim' * ink.is_faint}")
        if is_there and text.cell_length + part.cell_length + 2 <= cells:
            text = Content.assemble(text, "  " if text.plain else "", part)
    return text


def reading_text(figure: Figure, place: float) -> Content:
    """The values at a place, of each curve the nearest."""
    parts: list[Content] = [Content.styled(f"step {place:,.0f}", "bold")]
    named: Sequence[str] = ()
    for series, at, value in reading(figure, place):
        if series.name in (*named, "best"):
            continue
        named = (*named, series.name)
        told = "not finite" if not math.isfinite(value) else f"{value:.4g}"
        where = f" at {at:,.0f}" if series.name == "held-out" and at != place else ""
        parts.append(
            Content.styled(f"{series.name} {told}{where}", f"${series.ink.colour}{' dim' * series.ink.is_faint}")
        )
    return Content("  ").join(parts)


class CurveChart(Plot, can_focus=True):
    """A chart whose values are read, and which is looked at closely, by keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left",
            "move_cursor(-1)",
            "read",
            tooltip="Read the values under a cursor, and move it back",
            id="chart.back",
            key_display="←→",
        ),
        Binding("right", "move_cursor(1)", "read", show=False, tooltip="Move the cursor on", id="chart.on"),
        Binding(
            "z",
            "zoom",
            "zoom",
            tooltip="Look at a quarter of the steps, then at a sixteenth, then at all; at the cursor if there is one",
            id="chart.zoom",
        ),
        Binding("up", "scale(2)", "closer", show=False, tooltip="Look at half as many steps", id="chart.closer"),
        Binding("down", "scale(0.5)", "wider", show=False, tooltip="Look at twice as many steps", id="chart.wider"),
        Binding("shift+left", "pan(-1)", "earlier", show=False, tooltip="Look at earlier steps", id="chart.earlier"),
        Binding("shift+right", "pan(1)", "later", show=False, tooltip="Look at later steps", id="chart.later"),
        Binding(
            "L",
            "log",
            "log scale",
            tooltip="Draw the values along their logarithms, or as they are: small differences of small losses show",
            id="chart.log",
        ),
        Binding(
            "escape",
            "rest",
            "whole chart",
            show=False,
            tooltip="Take the cursor away and look at all steps",
            id="chart.rest",
        ),
    ]

    @dataclass
    class Looked(Message):
        """It is looked at otherwise."""

        chart: "CurveChart"
        look: Look

        @property
        def control(self) -> "CurveChart":
            return self.chart

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not there."""
        if action == "rest":
            return self.look._replace(is_log=False) != Look()
        if action == "pan":
            return self.look.zoom > 1
        return super().check_action(action, parameters)

    def action_move_cursor(self, way: int) -> None:
        """Move the cursor by a cell, or to the next value if that is farther; at first it is at the last in sight."""
        figure, look = self.figure, self.look
        places = self._places
        if not places:
            return
        low, high = look.window(figure)
        if look.cursor is None:
            cursor = max((place for place in places if place <= high), default=places[0])
        else:
            wanted = look.cursor + way * (high - low) / max(1, self.size.width - LABEL_CELLS)
            if way > 0:
                cursor = min((place for place in places if place >= wanted), default=places[-1])
            else:
                cursor = max((place for place in places if place <= wanted), default=places[0])
        look = look._replace(cursor=cursor)
        self._look_as(look if low <= cursor <= high else _centred(look, figure, cursor))

    @property
    def _places(self) -> list[float]:
        """At which values can be read."""
        return [place for series in self.figure.series[:1] for place, _ in series.points]

    def action_zoom(self) -> None:
        """Look closer, or in the end at all again."""
        following = [zoom for zoom in ZOOMS if zoom > self.look.zoom]
        self._zoom_to(following[0] if following else 1)

    def action_scale(self, factor: float) -> None:
        """Look at half or twice as many steps."""
        self._zoom_to(int(min(FINEST_ZOOM, max(1, self.look.zoom * factor))))

    def _zoom_to(self, zoom: int) -> None:
        figure, look = self.figure, self.look
        low, high = look.window(figure)
        middle = (low + high) / 2 if look.zoom > 1 or not self._places else self._places[-1]
        self._look_as(_centred(look._replace(zoom=zoom), figure, middle if look.cursor is None else look.cursor))

    def action_pan(self, way: int) -> None:
        """Look at earlier or later steps."""
        left = self.look.left + way * PAN_SHARE / self.look.zoom
        self._look_as(self.look._replace(left=min(max(0.0, left), 1 - 1 / self.look.zoom)))

    def action_log(self) -> None:
        """Draw values along their logarithms, or as they are."""
        self._look_as(self.look._replace(is_log=not self.look.is_log))

    def action_rest(self) -> None:
        """Look at all, without the cursor."""
        self._look_as(Look(is_log=self.look.is_log))

    def _look_as(self, look: Look) -> None:
        self.look = look
        self.refresh_bindings()
        self.post_message(self.Looked(self, look))


def _centred(look: Look, figure: Figure, place: float) -> Look:
    """A look with a place in its middle, as far as the figure goes."""
    length = figure.end - figure.start
    share = (place - figure.start) / length if length > 0 else 0.0
    return look._replace(left=min(max(0.0, share - 0.5 / look.zoom), 1 - 1 / look.zoom))
