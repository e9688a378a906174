"""Draw the README's pictures: the program itself, really training on its sketches, each screen as an SVG here."""

import asyncio
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"  # read when textual is imported

from cifartui.dataset.sketches import prepare_sketches
from cifartui.progress import finish
from cifartui.tui.app import CifarApp
from cifartui.tui.guide import remember_welcome
from cifartui.tui.screens.evaluation import EvaluationScreen
from cifartui.tui.screens.kernel_walk import KernelWalkScreen

SIZE = (112, 38)
LARGE = (136, 44)
"""Room for pictures twice their size."""
SECONDS = 300


async def draw(folder: Path) -> None:
    """Walk through the four screens by keyboard and draw each."""
    app = CifarApp()
    async with app.run_test(size=SIZE) as pilot:

        async def until(condition: Callable[[], object]) -> None:
            async with asyncio.timeout(SECONDS):
                while not condition():
                    await asyncio.sleep(0.1)
            await asyncio.sleep(1)

        def save(name: str) -> None:
            svg = app.export_screenshot(title="cifartui")
            (folder / f"{name}.svg").write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL))

        await until(lambda: app.dataset_name)
        save("dataset")
        await pilot.press("2", "down", "down", "down")
        await until(lambda: True)
        save("model")
        await pilot.resize_terminal(*LARGE)
        await pilot.press("up", "up", "w")
        await until(lambda: isinstance(app.screen, KernelWalkScreen) and app.screen.file)
        await pilot.press(*["pagedown"] * 14, *["right"] * 12)
        await until(lambda: True)
        save("walk")
        await pilot.resize_terminal(*SIZE)
        await pilot.press("escape", "3")
        await until(lambda: True)
        await pilot.press("right", "v", "end", "backspace", "8", "enter")  # epochs
        await pilot.press("enter")
        await until(lambda: app.run_view and app.run_view.history.fraction > 0.8)
        save("training")
        await until(lambda: app.run_view and app.run_view.history.finished)
        await pilot.press("4", "enter")
        await until(lambda: isinstance(app.screen, EvaluationScreen) and app.screen.evaluation)
        save("evaluation")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["CIFARTUI_HOME"] = home
        finish(prepare_sketches())
        remember_welcome()
        asyncio.run(draw(Path(__file__).parent))
