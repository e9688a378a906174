"""The kernel walk: real activations from a child process, stepped through by keyboard."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input

from cifartui.dataset.pictures import picture_order
from cifartui.dataset.store import DatasetFacts, save_dataset
from cifartui.tui.app import CifarApp
from cifartui.tui.screens.activations import picture_and_weights
from cifartui.tui.screens.kernel_walk import KernelWalkScreen
from tests.conftest import noise
from tests.training.running import plan, train_here
from tests.tui.driving import LARGE, SMALL, shown, text_of, wait_for_text, wait_until


def walk(pilot: Pilot[None]) -> KernelWalkScreen:
    """The screen in view."""
    screen = pilot.app.screen
    assert isinstance(screen, KernelWalkScreen)
    return screen


def assert_shows_the_modules_value(pilot: Pilot[None]) -> None:
    """The sum that is written out is what torch's module gave at that place."""
    screen = walk(pilot)
    assert screen.file
    output = screen.file.output_of(screen.looked_at, screen.picture)[screen.filter]
    row, column = divmod(screen.position, output.shape[1])
    found = re.search(r"(-?[\d.]+) at row (\d+), col (\d+)", text_of(pilot, "#numbers"))
    assert found
    assert (int(found[2]), int(found[3])) == (row, column)
    assert float(found[1]) == pytest.approx(float(output[row, column]), abs=6e-4)


def is_whole(pilot: Pilot[None]) -> bool:
    """Whether all 24 lines are as they should be: title, 16 of pictures, 5 of numbers, their sum, the keys."""
    title, *_, upper, middle, _, _, total, keys = shown(pilot).splitlines()
    return (
        "conv1 conv2d" in title
        and len(upper.split()) == 15
        and middle.split()[5::6] == ["×", "="]
        and "at row 0, col 0" in total
        and "space play" in keys
    )


def test_step_of_the_checkpoint_is_always_in_the_title() -> None:
    """Where there is little room the picture's name is cut, then the recipe goes; the step stays."""
    assert picture_and_weights("cat #4", "tutorial-2qyx@12500", 40) == "cat #4 · tutorial-2qyx@12500"
    assert picture_and_weights("automobile #1234", "tutorial-2qyx@12500", 30) == "automob… · tutorial-2qyx@12500"
    assert picture_and_weights("cat #4", "tutorial-2qyx@12500", 22) == "cat #4 · 2qyx@12500"
    assert picture_and_weights("automobile #1234", "tutorial-2qyx@12500", 22) == "automobi… · 2qyx@12500"


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_steps_show_the_modules_values(sketches: DatasetFacts, size: tuple[int, int]) -> None:
    """Steps, rows, filters, channels, layers: always the module's own number, and the place under the kernel."""
    async with CifarApp().run_test(size=size) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "w")
        await wait_for_text(pilot, "conv1 conv2d 5×5 · filter 1/6 · step 1/784")
        text = await wait_for_text(pilot, " + bias ")
        assert "[red " in text
        assert_shows_the_modules_value(pilot)
        for key in ("right", "right", "pagedown", "down", "c", "end", "left", "home", "up", "up"):
            await pilot.press(key)
            assert_shows_the_modules_value(pilot)
        for layer in ("pool1", "conv2", "pool2"):
            await pilot.press("s")
            await wait_for_text(pilot, f"{layer} ")
            for key in ("pagedown", "right", "down"):
                await pilot.press(key)
                assert_shows_the_modules_value(pilot)
        await pilot.press("s")
        await wait_for_text(pilot, "conv1 conv2d 5×5")
        await pilot.press("escape")
        await wait_for_text(pilot, "62,006 parameters")


async def test_play_fills_the_output_and_stops_at_its_end(sketches: DatasetFacts) -> None:
    """space walks by itself, stands still on the second press, and ends with the last position."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "w")
        await wait_for_text(pilot, "step 1/784")
        await pilot.press("space")
        await wait_until(pilot, lambda: walk(pilot).position > 3)
        await pilot.press("space")
        stopped = walk(pilot).position
        await pilot.pause(0.3)
        assert walk(pilot).position == stopped
        await pilot.press("end", "left", "left", "space")
        await wait_for_text(pilot, "step 784/784")
        await pilot.pause(0.2)
        await pilot.press("space")
        await wait_until(pilot, lambda: 0 < walk(pilot).position < 100)


async def test_pictures_and_weights_change(sketches: DatasetFacts, tmp_path: Path) -> None:
    """n takes the next picture, i one of the user's own, o the weights of a real checkpoint."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    order = picture_order(sketches.name, "test", None)
    async with CifarApp().run_test(size=SMALL, notifications=True) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "w")
        await wait_for_text(pilot, f"#{order[0]} · untrained")
        fresh = text_of(pilot, "#numbers")
        await pilot.press("n")
        await wait_for_text(pilot, f"#{order[1]} · untrained")
        assert_shows_the_modules_value(pilot)
        await pilot.press("N", "N", "o")
        await wait_for_text(pilot, "step 50")
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: f"#{order[0]} · {run.id[14:]}@50" in text_of(pilot, "#title"))
        assert_shows_the_modules_value(pilot)
        assert text_of(pilot, "#numbers") != fresh
        await pilot.press("i")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "none.png")
        await pilot.press("enter")
        await wait_for_text(pilot, "There is no file")
        await pilot.press("escape")
        Image.fromarray(np.full((50, 70, 3), 128, np.uint8)).save(tmp_path / "mine.png")
        await pilot.press("i")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "mine.png")
        await pilot.press("enter")
        await wait_for_text(pilot, "mine.png")
        assert_shows_the_modules_value(pilot)
        await pilot.press("escape")
        await wait_for_text(pilot, "62,006 parameters")
        await pilot.press("l")
        await wait_for_text(pilot, f"mine.png · {run.id[14:]}@50")


async def test_what_was_asked_for_last_is_shown(sketches: DatasetFacts, tmp_path: Path) -> None:
    """Keys pressed while a network runs are not lost: the picture asked for stays, with the weights chosen then."""
    Image.fromarray(np.full((32, 32, 3), 200, np.uint8)).save(tmp_path / "mine.png")
    async with CifarApp().run_test(size=SMALL, notifications=True) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "w")
        await wait_for_text(pilot, "running the network")
        await pilot.press("i")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "mine.png")
        await pilot.press("enter", "o")
        await wait_for_text(pilot, "that training starts with")
        await pilot.press("enter")
        await wait_for_text(pilot, "mine.png · untrained")
        assert "There is no data set" not in shown(pilot)
        assert_shows_the_modules_value(pilot)


async def test_without_a_data_set_it_asks_for_a_picture(tmp_path: Path) -> None:
    """A sentence says what to do; a picture of one's own is enough."""
    Image.fromarray(np.full((32, 32, 3), 200, np.uint8)).save(tmp_path / "mine.png")
    async with CifarApp().run_test(size=SMALL, notifications=True) as pilot:
        await pilot.press("2", "down", "w")
        await wait_for_text(pilot, "There is no data set")
        await pilot.press("space", "right", "s", "i")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "mine.png")
        await pilot.press("enter")
        await wait_for_text(pilot, "mine.png")
        assert_shows_the_modules_value(pilot)


async def test_it_fits_again_after_a_dialog_and_a_resize(sketches: DatasetFacts) -> None:
    """At 80×24 all five lines of numbers and their sum are there, also after something lay over them."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "w")
        await wait_until(pilot, lambda: is_whole(pilot))
        await pilot.press("question_mark", "tab")
        await wait_for_text(pilot, "on this screen")
        await pilot.press("escape")
        await pilot.resize_terminal(40, 12)
        await pilot.resize_terminal(*SMALL)
        await wait_until(pilot, lambda: is_whole(pilot))


async def test_pictures_larger_than_the_screen_are_walked_with_trained_weights() -> None:
    """Two classes of 64×64 pictures: a run's weights are offered, the numbers are the module's, nothing is cut."""
    facts = save_dataset("pets", noise(4, 64, 2), noise(4, 64, 2, seed=1), ("cat", "dog"), "noise for the tests")
    run, _ = train_here(plan(facts.name, "epochs=1"))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "pets · training images")
        await pilot.press("2", "down", "w")
        await wait_for_text(pilot, "step 1/3600, at 1/2 · ")
        await pilot.press("o")
        await wait_for_text(pilot, "step 1")
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: text_of(pilot, "#title").endswith(f"{run.id[14:]}@1"))
        await pilot.press("end")
        assert_shows_the_modules_value(pilot)
        lines = shown(pilot).splitlines()
        assert "? explain" in lines[-1]
        assert "at row 59, col 59 " in lines[-2]


async def test_walk_needs_a_window(sketches: DatasetFacts) -> None:
    """On the other layers the key is not there."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "down")
        await wait_for_text(pilot, "relu1 · relu")
        assert not pilot.app.screen.check_action("walk", ())
        await pilot.press("w")
        assert not isinstance(pilot.app.screen, KernelWalkScreen)


async def test_opening_computes_once(sketches: DatasetFacts) -> None:
    """One file of activations for one walk: a second child process would be started for nothing."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2", "down", "w")
        await wait_for_text(pilot, "step 1/784")
        file = pilot.app.activations.last and pilot.app.activations.have(pilot.app.activations.last)
        assert file
        assert file.path.name == "activations-1.safetensors"
