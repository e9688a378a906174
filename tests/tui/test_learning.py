"""What a network learned, on screen: its filters as large as they fit, and its answers with bars and marks."""

import msgspec
import numpy as np
import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.training.run.events import RunFinished
from cifartui.training.run.glimpse import Answer, Filters, Glimpse, Guess, write_glimpse
from cifartui.tui.app import CifarApp
from cifartui.tui.graphics.ability import Graphics
from cifartui.tui.widgets.filter_grid import COLUMN_GAP, LINE_GAP, FilterGrid, lay_out
from cifartui.tui.widgets.learning import Learning
from tests.tui.driving import LARGE, SMALL, scripted_run, shown, wait_for_text, wait_until

GUESSES = (Guess(5, "dog", 0.52), Guess(3, "cat", 0.38), Guess(7, "horse", 0.06))


def glimpse_of(weights: np.ndarray[tuple[int, ...], np.dtype[np.float32]], step: int = 6_000) -> Glimpse:
    """A cat that is taken for a dog, a dog that is known, and filters `[N, C, k, k]` of twelve."""
    count, channels, kernel, _ = weights.shape
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8).tobytes()
    return Glimpse(
        step=step,
        filters=Filters("conv1", 12, (count, channels, kernel, kernel), weights.astype("<f2").tobytes()),
        answers=(Answer(3, "cat", GUESSES, (32, 32), pixels), Answer(5, "dog", GUESSES, (32, 32), pixels)),
        source="test images",
    )


def noise(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Weights as they are before the first step."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("filters", [1, 6, 16, 64, 300])
@pytest.mark.parametrize("kernel", [1, 3, 5, 16])
@pytest.mark.parametrize("room", [(41, 13), (20, 4), (120, 40), (3, 1)])
def test_filters_are_as_large_as_all_of_them_fit(filters: int, kernel: int, room: tuple[int, int]) -> None:
    """They do not overlap or stand out; fewer than all are shown only where their own pixels have no more room."""
    width, height = room
    grid = lay_out(filters, kernel, width, height)
    assert grid.side >= kernel
    assert grid.columns * (grid.side + COLUMN_GAP) <= width + COLUMN_GAP
    assert grid.rows * (-(-grid.side // 2) + LINE_GAP) <= height + LINE_GAP
    assert grid.capacity >= filters or grid.side == kernel


async def test_what_a_run_learned_is_drawn_and_follows_it(sketches: DatasetFacts) -> None:
    """Filters and answers come with the first glimpse, change with the next, and stay when the run has ended."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=LARGE) as pilot:
            await wait_for_text(pilot, "● running")
            assert not pilot.app.screen.query_one(Learning).display
            write_glimpse(run, glimpse_of(noise(12, 3, 5, 5)))
            await wait_for_text(pilot, "conv1: its twelve filters, learning")
            await wait_for_text(pilot, "✓ dog")
            await wait_until(pilot, lambda: shown(pilot).count("▇▇▇") >= 6)
            text = shown(pilot)
            assert "what it says of two pictures" in text
            assert text.count("✗ dog") == text.count("✓ cat") == text.count("✓ dog") == 1
            assert text.count("52%") == 2
            assert "test images · step 6,000" in text
            before = pilot.app.screen.query_one(FilterGrid).render_line(0)
            write_glimpse(run, glimpse_of(-noise(12, 3, 5, 5), step=7_000))
            await wait_for_text(pilot, "test images · step 7,000")
            assert pilot.app.screen.query_one(FilterGrid).render_line(0) != before
            journal.append(RunFinished(reason="finished"))
            await wait_for_text(pilot, "conv1: its twelve filters, as learned")


async def test_a_network_without_convolutions_or_answers_says_so(sketches: DatasetFacts) -> None:
    """Names come as text, whatever is in them; few of many filters are counted; one channel is grey."""
    run, _ = scripted_run(sketches.name)
    filters = glimpse_of(noise(12, 1, 16, 16)).filters
    assert filters
    write_glimpse(
        run, Glimpse(step=1, is_average=True, filters=msgspec.structs.replace(filters, layer="[red]\x1b[2J", total=64))
    )
    with run.lock():
        async with CifarApp().run_test(size=LARGE) as pilot:
            text = await wait_for_text(pilot, "A network in code of your own is not asked while it trains.")
            assert "[red]" in text
            assert "\x1b" not in text
            grid = pilot.app.screen.query_one(FilterGrid)
            await wait_until(pilot, lambda: f"{grid.drawn} of 64 · step 1 · average" in shown(pilot))
            colours = {
                segment.style.color.triplet
                for segment in grid.render_line(0)
                if segment.style and segment.style.color and segment.text == "▀"
            }
            assert len(colours) > 4
            assert all(colour and colour.red == colour.green == colour.blue for colour in colours)
            write_glimpse(run, Glimpse(step=2))
            await wait_for_text(pilot, "This network has no convolution")
            await pilot.resize_terminal(*SMALL)
            await wait_until(pilot, lambda: not pilot.app.screen.query_one(Learning).display)


async def test_real_pixels_are_sent_once(sketches: DatasetFacts) -> None:
    """Of pictures that stay the same while the answers to them change; the terminal forgets them when the app ends."""
    run, _ = scripted_run(sketches.name)
    sent: list[str] = []
    with run.lock():
        async with CifarApp().run_test(size=LARGE) as pilot:
            assert isinstance(pilot.app, CifarApp)
            pilot.app.to_terminal = sent.append  # type: ignore[method-assign]
            pilot.app.graphics = Graphics("kitty", (10, 20))
            await wait_for_text(pilot, "● running")
            write_glimpse(run, glimpse_of(noise(12, 3, 5, 5)))
            await wait_for_text(pilot, "✓ dog")
            await wait_until(pilot, lambda: pictures(sent) >= 2)
            before = pictures(sent)
            write_glimpse(run, glimpse_of(noise(12, 3, 5, 5), step=7_000))
            await wait_for_text(pilot, "test images · step 7,000")
            assert pictures(sent) == before
    assert any("a=d" in commands for commands in sent)


def pictures(sent: list[str]) -> int:
    """How many were sent to be kept."""
    return sum(commands.count("s=32,v=32") for commands in sent)
