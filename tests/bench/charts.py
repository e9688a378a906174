"""What a chart costs: milliseconds of the processor to draw two lines of 2,000 points into 100×20 cells.

`python -m tests.bench.charts [--times N]`; with `pip install textual-plotext textual-plot` beside the program, those
two draw the same lines, too. textual-plot has no logarithmic axis, joins what a gap parts, and needs numpy, for which
the first frame would wait; plotext has no cursor and redraws all cells. Both draw every frame anew.
"""

import argparse
import asyncio
import importlib
import math
import random
import time
from collections.abc import Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget

from cifartui.processor import cpu_name
from cifartui.tui.widgets.dot_canvas import Ink
from cifartui.tui.widgets.figure import Figure, Look, Series, draw, reading
from tests.bench.training import spread

COLUMNS, LINES, POINTS = 100, 20, 2_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    numbers = random.Random(1)
    raw = [(10.0 * n, 2.3 * math.exp(-n / 900) + 0.6 + numbers.gauss(0, 0.12)) for n in range(POINTS)]
    strong = [(place, 2.3 * math.exp(-place / 9_000) + 0.6) for place, _ in raw]
    figure = Figure((Series("raw", raw, Ink("primary")), Series("smoothed", strong, Ink("warning"))), end=10.0 * POINTS)
    print(f"two lines of {POINTS:,} points, {COLUMNS}×{LINES} cells, CPU: {cpu_name()}")
    print(f"this chart      {milliseconds(lambda: draw(figure, Look(), COLUMNS, LINES), options.times)}")
    print(f"  as dots       {milliseconds(lambda: draw(_as_dots(figure), Look(), COLUMNS, LINES), options.times)}")
    print(f"  a value       {milliseconds(lambda: reading(figure, 7_000.0), options.times)}")
    for name, drawing in (("textual_plotext", _plotext), ("textual_plot", _textual_plot)):
        try:
            library = importlib.import_module(name)
        except ImportError:
            print(f"{name:<16}not here")
        else:
            print(f"{name:<16}{asyncio.run(_measured(*drawing(library, raw, strong), options.times))}")


def milliseconds(call: Callable[[], object], times: int) -> str:
    """The processor's time for a call."""
    taken = []
    for _ in range(times):
        begin = time.process_time()
        call()
        taken.append(1_000 * (time.process_time() - begin))
    return f"{spread(taken, 2)} ms"


def _as_dots(figure: Figure) -> Figure:
    first, *others = figure.series
    return figure._replace(series=(first._replace(form="dots"), *others))


class _Alone(App[None]):
    """One widget in the whole terminal."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget

    def compose(self) -> ComposeResult:
        yield self._widget


async def _measured(widget: Widget, call: Callable[[], object], times: int) -> str:
    async with _Alone(widget).run_test(size=(COLUMNS, LINES)) as pilot:
        await pilot.pause()
        return milliseconds(call, times)


def _plotext(library: Any, *curves: list[tuple[float, float]]) -> tuple[Widget, Callable[[], object]]:
    widget = library.PlotextPlot()

    def call() -> None:
        widget.plt.clear_figure()
        for curve in curves:
            widget.plt.plot(*zip(*curve, strict=True), marker="braille")
        widget.render()

    return widget, call


def _textual_plot(library: Any, *curves: list[tuple[float, float]]) -> tuple[Widget, Callable[[], object]]:
    widget = library.PlotWidget()

    def call() -> None:
        widget.clear()
        for curve in curves:
            widget.plot(*zip(*curve, strict=True), hires_mode=library.HiResMode.BRAILLE)
        widget._render_plot()

    return widget, call


if __name__ == "__main__":
    main()
