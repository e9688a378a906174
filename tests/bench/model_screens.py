"""How fast the model screens answer: a summary, the network's drawing, a step of the kernel walk, a key in the editor.

`python -m tests.bench.model_screens --dataset NAME [--steps N]`.
The drawing is that of 160×45 with each of its lines marked in turn. The step is timed in a real pty of that size, from
the key to the last line that changes; the key in the editor from the typed character to the shape of the last of 100
layers in the table.
"""

import argparse
import asyncio
import gc
import os
import tempfile
import time
from pathlib import Path

import msgspec
import tomli_w
from textual.coordinate import Coordinate
from textual.widgets import Input

from cifartui.model.editing import inserted
from cifartui.model.memory import training_bytes
from cifartui.model.network import Network, load_network, sequences
from cifartui.model.summary import summarize
from cifartui.tui.app import CifarApp
from cifartui.tui.guide import remember_welcome
from cifartui.tui.widgets.layer_rows import layer_rows
from cifartui.tui.widgets.layer_table import LayerTable
from cifartui.tui.widgets.network_drawing import NetworkDrawing
from cifartui.tui.widgets.volumes import volumes_of
from tests.bench.training import prepared, spread
from tests.tui.driving import wait_for_text
from tests.tui.terminal import Terminal

RIGHT = "\x1b[C"
LAYERS = 100
COLUMNS_OF_CONV1 = 28


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="sketches")
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    prepared(options.dataset)
    for name in ("tutorial", "resnet18"):
        print(f"summary of {name}: {spread(summary_milliseconds(name), 2)} ms")
    for name in ("tutorial", "resnet18"):
        print(f"drawing of {name}: {spread(asyncio.run(drawing_milliseconds(name)), 1)} ms")
    print(f"step of the kernel walk at 160×45, truecolor: {spread(walk_milliseconds(options.steps), 0)} ms")
    print(f"key in the editor to the last of {LAYERS} layers: {spread(asyncio.run(edit_milliseconds()), 1)} ms")


def summary_milliseconds(name: str) -> list[float]:
    """All arithmetic of a network, and the memory that training takes."""
    network = load_network(name)
    milliseconds = []
    for _ in range(50):
        started = time.perf_counter()
        training_bytes(summarize(network), 128)
        milliseconds.append(1000 * (time.perf_counter() - started))
    return milliseconds


async def drawing_milliseconds(name: str) -> list[float]:
    """Mark each line of a network's table, all sequences opened, and make every line of the drawing."""
    network = load_network(name)
    summary = summarize(network)
    rows = layer_rows(summary, frozenset(sequence for sequence, _ in sequences(network.layers)))
    milliseconds = []
    async with CifarApp().run_test(size=(160, 45)) as pilot:
        await pilot.press("2")
        await wait_for_text(pilot, "62,006")
        drawing = pilot.app.screen.query_one(NetworkDrawing)
        for row in rows:
            started = time.perf_counter()
            drawing.show(volumes_of(rows, summary), row.name)
            for line in range(drawing.size.height):
                drawing.render_line(line)
            milliseconds.append(1000 * (time.perf_counter() - started))
    return milliseconds


def walk_milliseconds(steps: int) -> list[float]:
    """Step through conv1's output on the first picture."""
    os.environ["COLORTERM"] = "truecolor"
    gc.disable()  # of this process, which only watches
    remember_welcome()
    terminal = Terminal(160, 45, emulated=False)
    terminal.wait_until(lambda: b"training images" in terminal.output)
    terminal.press("2")
    terminal.wait_until(lambda: b"62,006" in terminal.output)
    terminal.press("\x1b[B")
    time.sleep(0.5)
    terminal.press("w")
    terminal.wait_until(lambda: b" at row 0, col 0" in terminal.output)
    time.sleep(1)
    milliseconds = []
    for step in range(1, steps + 1):
        row, column = divmod(step, COLUMNS_OF_CONV1)
        reached = f" at row {row}, col {column}".encode()
        before = terminal.written
        started = time.perf_counter()
        os.write(terminal.descriptor, RIGHT.encode())
        while reached not in terminal.output_since(before):
            time.sleep(0.001)
        milliseconds.append(1000 * (time.perf_counter() - started))
        time.sleep(0.1)
    terminal.press("\x1b")
    time.sleep(1)
    terminal.press("q")
    terminal.process.wait()
    return milliseconds


async def edit_milliseconds() -> list[float]:
    """Type a padding into the first of many convolutions, and back."""
    network = load_network("tutorial")
    network = Network(name="hundred", layers=network.layers[:1])
    while len(network.layers) < LAYERS:
        network = inserted(network, len(network.layers), "conv2d", (6, 28, 28))
    app = CifarApp()
    milliseconds = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hundred.toml"
        file.write_text(tomli_w.dumps(msgspec.to_builtins(network)))
        async with app.run_test(size=(160, 45)) as pilot:
            await pilot.press("2", "o", "tab", *str(file), "enter")
            await wait_for_text(pilot, "hundred ·")
            await pilot.press("down", "enter")
            table, edit = app.screen.query_one(LayerTable), app.screen.query_one(Input)
            for repetition in range(40):
                before = table.get_cell_at(Coordinate(LAYERS, 2))
                started = time.perf_counter()
                edit.value = f"in_channels=3 out_channels=6 kernel_size=5 padding={repetition % 2 + 1}"
                while table.get_cell_at(Coordinate(LAYERS, 2)) == before:
                    await asyncio.sleep(0)
                milliseconds.append(1000 * (time.perf_counter() - started))
                await pilot.pause(0.05)
    return milliseconds


if __name__ == "__main__":
    main()
