"""Charts: round numbers at the axes, curves drawn to them, gaps, marks, logarithms, zoom, and values read."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region

from cifartui.training.run.curves import Point, ValidationPoint
from cifartui.training.run.events import CheckpointSaved, LearningRateChanged
from cifartui.training.run.history import RunHistory
from cifartui.tui.theme import themes
from cifartui.tui.widgets.axes import Tick, clock_ticks, log_ticks, round_ticks, rounded_scale, short_label
from cifartui.tui.widgets.charts import (
    CurveChart,
    accuracy_figure,
    legend,
    loss_figure,
    reading_text,
    smoothed,
)
from cifartui.tui.widgets.dot_canvas import DotCanvas, Ink
from cifartui.tui.widgets.figure import LABEL_CELLS, Figure, Look, Series, draw
from tests.tui.driving import scripted_events

INK, OTHER = Ink("primary"), Ink("warning")
COLUMNS, LINES = 60, 14


def lines_of(figure: Figure, look: Look | None = None) -> list[str]:
    """What is drawn, as text."""
    return ["".join(cell.character for cell in line) for line in draw(figure, look or Look(), COLUMNS, LINES)]


def history_of(steps: int = 1_000, **changed: object) -> RunHistory:
    """A run of 20 epochs, half of which are done: a loss that falls from 2 to 1, with one that is no number."""
    started = scripted_events("a-run", 0)[1].__class__(
        run="a-run",
        recipe="tutorial",
        dataset="few",
        network="tutorial",
        device="a CPU",
        device_reason="",
        epochs=20,
        steps_per_epoch=steps // 20,
        batch_size=4,
        train_images=100,
        validation_images=10,
        parameters=1,
        learning_rate=0.1,
        seed=1,
        host_pid=1,
    )
    curve = tuple(
        Point(step, None if step == steps // 4 else 2 - 2 * step / steps, step / steps)
        for step in range(10, steps // 2 + 1, 10)
    )
    return RunHistory(
        started=started,  # type: ignore[arg-type]
        epochs_asked=20,
        curve=curve,
        validation=tuple(ValidationPoint(step, step / steps, 2.2 - step / steps) for step in (100, 200, 300)),
        rate_changes=(LearningRateChanged(step=300, before=0.1, after=0.05),),
        checkpoints=(CheckpointSaved(step=200, epoch=4, file="one", bytes=1),),
    )


@pytest.mark.parametrize(
    ("low", "high", "wanted", "ticks"),
    [
        (8.6, 82.2, 4, [20, 40, 60, 80]),
        (0.03, 2.4, 4, [0.5, 1, 1.5, 2]),
        (0, 25_000, 3, [0, 10_000, 20_000]),
        (86.2, 93.1, 3, [88, 90, 92]),
    ],
)
def test_numbers_at_the_axes_are_round(low: float, high: float, wanted: int, ticks: list[float]) -> None:
    """Multiples of 1, 2 or 5 times a power of ten."""
    assert round_ticks(low, high, wanted) == pytest.approx(ticks)


@given(
    st.floats(-1e6, 1e6, allow_nan=False), st.floats(1e-3, 1e6, allow_nan=False), st.integers(min_value=0, max_value=20)
)
def test_numbers_at_the_axes_lie_on_them(low: float, width: float, wanted: int) -> None:
    """Whatever the values are: within the axis, two at least, and not many more than wanted."""
    ticks = round_ticks(low, low + width, wanted)
    slack = 1e-6 * (abs(low) + width)
    assert all(low - slack <= tick <= low + width + slack for tick in ticks)
    assert 2 <= len(ticks) <= 2 * max(3, wanted) + 1
    gaps = [after - before for before, after in pairwise(ticks)]
    assert max(gaps) - min(gaps) <= slack


@given(st.floats(1e-4, 1e4), st.floats(1, 1e4), st.booleans())
def test_values_fill_their_axis(low: float, factor: float, is_log: bool) -> None:
    """The ends are rounded outwards, and by little: no part of a chart stays empty."""
    scale = rounded_scale(low, low * factor, 6, is_log=is_log)
    assert scale.share(low) >= -1e-6
    assert scale.share(low * factor) <= 1 + 1e-6
    if factor > 1.5:
        assert scale.share(low * factor) - scale.share(low) > 0.6


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.01, 2.5, ["0.01", "0.1", "1"]),
        (0.3, 6.0, ["0.5", "1", "2", "5"]),
        (1.1, 1.9, ["1.2", "1.4", "1.6", "1.8"]),
    ],
)
def test_logarithmic_axis_has_numbers_that_read_well(low: float, high: float, labels: list[str]) -> None:
    """Powers of ten with their double and five-fold; as on any axis where it is short."""
    assert [tick.label for tick in log_ticks(low, high, 4)] == labels


@pytest.mark.parametrize(
    ("end", "wanted", "ticks"),
    [
        (7.0, 4, [0, 2, 4, 6]),
        (355.0, 6, [0, 60, 120, 180, 240, 300]),
        (5_400.0, 6, [0, 900, 1_800, 2_700, 3_600, 4_500, 5_400]),
        (1e6, 3, [0, 345_600, 691_200]),
        (9.0, 0, [0]),
    ],
)
def test_times_at_an_axis_read_well_on_a_clock(end: float, wanted: int, ticks: list[float]) -> None:
    """Whole seconds, minutes, quarters of an hour, hours, days."""
    assert [tick.value for tick in clock_ticks(0, end, wanted)] == ticks
    assert clock_ticks(0, 2, 4)[-1] == Tick(2, "2 s")


@pytest.mark.parametrize(
    ("value", "label"), [(0.0002, "0.0002"), (0.00025, "2.5e-4"), (25_000.0, "25,000"), (2e6, "2e6"), (0.5, "0.5")]
)
def test_long_numbers_beside_a_chart_are_shortened_not_cut(value: float, label: str) -> None:
    """Small rates and losses that have run away are told by powers of ten."""
    assert short_label(Tick(value, f"{value:,.10g}"), 6) == label


@given(*[st.floats(-1e9, 1e9)] * 4)
def test_lines_are_drawn_as_far_as_they_are_inside(x0: float, y0: float, x1: float, y1: float) -> None:
    """Whatever the ends, in bounded time and without leaving the canvas."""
    canvas = DotCanvas(10, 5)
    canvas.line(x0, y0, x1, y1, INK)
    assert [len(canvas.cells(line)) for line in range(5)] == [10] * 5


def test_dots_of_one_ink_join_and_others_cover() -> None:
    """A cell has one colour: what is drawn last is seen, and what is written covers dots."""
    canvas = DotCanvas(3, 1)
    canvas.line(0, 0, 5, 0, INK)
    canvas.line(0, 3, 1, 3, INK)
    canvas.dot(2, 3, OTHER)
    canvas.write(2, 0, "★", OTHER)
    assert "".join(cell.character for cell in canvas.cells(0)) == "⣉⡀★"
    assert [cell.ink for cell in canvas.cells(0)] == [INK, OTHER, OTHER]


def test_curve_goes_from_corner_to_corner() -> None:
    """A falling line fills its panel: from the first line of the chart to the last, from the axis to the edge."""
    drawn = lines_of(Figure((Series("loss", [(0, 2.0), (100, 1.0)], INK),), end=100))
    assert drawn[0][LABEL_CELLS + 1] != " "
    assert drawn[-3][-1] != " "
    assert [line[LABEL_CELLS] for line in drawn[:-2]].count("┤") == 6
    assert drawn[-1].split() == ["0", "20", "40", "60", "80", "100"]


def test_gap_stays_a_gap_and_is_marked() -> None:
    """Where a loss was no number the line is broken, and the axis has a mark."""
    history = history_of()
    figure = loss_figure(history, None)
    drawn = lines_of(figure)
    assert "✗" in drawn[-2]
    raw, training = figure.series[0], next(each for each in figure.series if each.name == "training")
    assert math.isnan(dict(training.points)[250])
    assert raw.form == "dots"
    joined = Figure((Series("training", [(0, 1.0), (40, 1.0), (50, math.nan), (60, 1.0), (100, 1.0)], INK),), end=100)
    row = next(line for line in lines_of(joined) if "⣀" in line or "⠤" in line or "⠒" in line or "⠉" in line)
    assert " " in row[LABEL_CELLS + 1 :].strip()


def test_smoothed_curve_begins_at_the_values_and_follows_them_slowly() -> None:
    """An average without a pull to zero at its beginning, which begins anew after a gap."""
    curve = smoothed([(1, 4.0), (2, 2.0), (3, math.nan), (4, 1.0)], 1.0)
    assert curve[0] == (1, 4.0)
    assert curve[1][1] == pytest.approx((4 / math.e + 2) / (1 / math.e + 1))
    assert curve[3] == (4, 1.0)


def test_figure_of_a_run_marks_what_happened() -> None:
    """Epochs, checkpoints, a new learning rate, held-out images and the best of them, each with its mark and name."""
    figure = loss_figure(history_of(), math.log(10))
    text = "\n".join(lines_of(figure))
    assert all(mark in text for mark in "┊┆▲✗★●╌")
    assert "lr 0.05" in text
    words = legend(figure, 200).plain
    assert all(word in words for word in ("raw", "smoothed", "held-out", "best", "rate", "checkpoint", "not finite"))
    assert "guessing 2.303" in words
    assert legend(figure, 30).cell_length <= 30
    assert "╌" not in "\n".join(lines_of(accuracy_figure(history_of())))


def test_values_are_read_at_a_place() -> None:
    """Of each curve the value next to the cursor; those of the held-out images are told with their step."""
    text = reading_text(loss_figure(history_of(), None), 390).plain
    assert text.startswith("step 390")
    assert "raw 1.22" in text
    assert "held-out 1.9 at 300" in text


class ChartApp(App[None]):
    """Nothing but a chart."""

    def on_mount(self) -> None:
        for theme in themes("truecolor"):
            self.register_theme(theme)
        self.theme = "dark"

    def compose(self) -> ComposeResult:
        yield CurveChart(widget_id="chart")


async def test_keys_look_closer_and_read() -> None:
    """The cursor begins at the last value, zoom centres on it, pan moves, y takes logarithms, esc shows all again."""
    async with ChartApp().run_test(size=(COLUMNS, LINES)) as pilot:
        chart = pilot.app.query_one(CurveChart)
        chart.show(loss_figure(history_of(), None))
        chart.focus()
        await pilot.press("left")
        assert chart.look.cursor == 500
        await pilot.press("left", "left", "right")
        assert chart.look.cursor == 480
        await pilot.press("z")
        assert chart.look.zoom == 4
        low, high = chart.look.window(chart.figure)
        assert low < 480 < high
        await pilot.press("shift+left", "L")
        assert chart.look.window(chart.figure)[0] < low
        assert chart.look.is_log
        await pilot.press("escape")
        assert chart.look == Look(is_log=True)


async def test_only_what_changed_is_sent() -> None:
    """At rest nothing is drawn; a new point costs the cells beside the last one."""
    async with ChartApp().run_test(size=(COLUMNS, LINES)) as pilot:
        chart = pilot.app.query_one(CurveChart)
        history = history_of()
        chart.show(loss_figure(history, None))
        await pilot.pause()
        sent: list[Region] = []
        chart.refresh = lambda *regions, **_: sent.extend(regions)  # type: ignore[method-assign,assignment,return-value]
        chart.show(loss_figure(history_of(), None))
        assert sent == []
        later = RunHistory(
            started=history.started,
            epochs_asked=20,
            curve=(*history.curve, Point(510, 1.0, 0.5)),
            validation=history.validation,
            rate_changes=history.rate_changes,
            checkpoints=history.checkpoints,
        )
        chart.show(loss_figure(later, None))
        assert 0 < sum(region.area for region in sent) < 12
