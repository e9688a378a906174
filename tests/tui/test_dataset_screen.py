"""The dataset screen: counts, pictures, paging, and importing by path."""

import re
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Input, OptionList

from cifartui.dataset.store import (
    SKETCHES,
    DatasetFacts,
    LabelledImages,
    is_prepared,
    load_facts,
    prepared_names,
    save_dataset,
)
from cifartui.tui.app import CifarApp
from cifartui.tui.widgets.dataset_texts import class_choices, dataset_line
from cifartui.tui.widgets.panel import Panel
from cifartui.tui.widgets.picture_wall import PictureWall
from cifartui.tui.widgets.quadrants import CHARACTERS
from tests.conftest import CLASSES, noise
from tests.dataset.sources import Source, serve, table
from tests.dataset.test_importing import pack_tar
from tests.dataset.test_official import write_python
from tests.tui.driving import LARGE, SMALL, shown, text_of, wait_for_text, wait_until


@pytest.fixture(autouse=True)
def prepared_sketches(sketched: tuple[LabelledImages, LabelledImages]) -> DatasetFacts:
    """The sketches are there already, in a small number."""
    return save_dataset(SKETCHES, *sketched, CLASSES, "drawn", drawn=True)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_counts_statistics_and_pictures_are_shown(size: tuple[int, int]) -> None:
    """Every class with its counts, mean and std, and a wall of captioned pictures; at 80×24 behind a key."""
    async with CifarApp().run_test(size=size) as pilot:
        await wait_until(pilot, lambda: sum(shown(pilot).count(block) for block in CHARACTERS) > 200)
        text = shown(pilot)
        assert "▌1 dataset▐" in text
        assert "training images · all classes" in text
        assert "page 1 of" in text
        if size == SMALL:
            await pilot.press("c")
            text = await wait_for_text(pilot, "■ truck")
        assert all(f"■ {name}" in text for name in CLASSES)
        assert "mean 0." in text
        assert "▇" in text


async def test_keys_turn_pages_and_choose_class_and_split() -> None:
    """Arrows page, / lists the classes with their counts, s changes the split, Z gives the wall the screen."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("right")
        await wait_for_text(pilot, "page 2 of")
        await pilot.press("left")
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("slash")
        text = await wait_for_text(pilot, "look at one class (training + test images)")
        assert re.search(r"automobile +20 \+ +10", text)
        await pilot.press("down", "enter")
        text = await wait_for_text(pilot, "training images · airplane · page 1 of")
        assert "■ airplane" in text
        await pilot.press("s")
        await wait_for_text(pilot, "test images · airplane")
        await pilot.press("slash")
        await wait_for_text(pilot, "look at one class")
        assert pilot.app.screen.query_one(OptionList).highlighted == 1
        await pilot.press("escape")
        before = pilot.app.screen.query_one(PictureWall).size.height
        await pilot.press("Z")
        await wait_until(pilot, lambda: pilot.app.screen.query_one(PictureWall).size.height > before)


async def test_keys_stand_on_their_line_where_there_is_room() -> None:
    """At 160 columns those for split, size, check and wall, too."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        text = await wait_for_text(pilot, "page 1 of")
        assert all(key in text.splitlines()[-1] for key in ("s split", "z size", "h verify", "Z wall", "q leave"))


def test_lines_that_are_highlighted_have_no_colours_of_their_own() -> None:
    """Grey upon the highlight could not be read."""
    facts = load_facts(SKETCHES)
    lines = [dataset_line(SKETCHES, chosen=True), *(line for _, line in class_choices(facts, 40))]
    assert [line.spans for line in lines] == [[]] * len(lines)


async def test_messages_leave_the_pages_as_they_are() -> None:
    """A message of two lines stands over the wall: the same pictures, the same number of pages, when it goes too."""
    pictures = noise(60, size=64)
    save_dataset("large", pictures, pictures, CLASSES, "made for the tests")
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await wait_for_text(pilot, "large · training images · all classes · page 1 of 8, at 1/2")
        before = pilot.app.screen.query_one(PictureWall).size
        pilot.app.tell("large is imported, and chosen for training: 2 shows the network, 3 trains it. " * 2)
        await wait_for_text(pilot, "✓ large is imported")
        await pilot.pause()
        assert pilot.app.screen.query_one(PictureWall).size == before
        assert "page 1 of 8, at 1/2" in shown(pilot)
        assert "? explain" in shown(pilot).splitlines()[-1]


async def test_first_start_draws_the_sketches(home: Path) -> None:
    """On a machine without data sets the sketches are drawn in a child process, then shown and chosen."""
    for file in (home / "datasets").iterdir():
        file.unlink()
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "sketches · training images · all classes")
        assert isinstance(pilot.app, CifarApp)
        assert pilot.app.dataset_name == SKETCHES


async def test_damaged_data_set_is_marked_and_told_where_its_facts_would_stand(home: Path) -> None:
    """A pixel file of the wrong length is a mark in the list and a sentence that stays; delete removes it."""
    (home / "datasets" / f"{SKETCHES}.safetensors").write_bytes(b"short")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, f"✗ {SKETCHES} · damaged")
        assert "it has 5 bytes" in " ".join(text_of(pilot, "#classes").split())
        await wait_for_text(pilot, f" {SKETCHES} · damaged")
        await pilot.press("slash", "s", "right", "o", "enter", "c")
        assert "delete removes what is damaged" in text_of(pilot, "#next")
        await pilot.press("delete", "y")
        await wait_until(pilot, lambda: not is_prepared(SKETCHES))


async def test_first_screen_says_what_it_is_and_what_comes_next() -> None:
    """What a data set is, how to get one, and where to go on, for the chosen set and for another."""
    save_dataset("noise", noise(20), noise(10), CLASSES, "made for the tests")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "noise · training images")
        assert "Training will use ●. Next: 2 shows the network, 3 trains it." in text_of(pilot, "#next")
        assert "A data set is labelled pictures" in text_of(pilot, "#next")
        await pilot.press("down")
        await wait_for_text(pilot, "sketches · training images")
        assert "enter: train on this one." in text_of(pilot, "#next")
        assert "f fetches CIFAR-10, i imports your own pictures." in text_of(pilot, "#next")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "Training will use ●" in text_of(pilot, "#next"))


async def test_held_out_images_are_counted_and_looked_at() -> None:
    """s goes from training to held-out to test images; facts and list have all counts."""
    save_dataset("split", noise(40), noise(20), CLASSES, "made for the tests", validation=noise(10))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "sketches · training images")
        await pilot.press("down")
        text = await wait_for_text(pilot, "split · training images")
        assert "40 + 10 + 20" in text
        await pilot.press("s")
        await wait_for_text(pilot, "split · held-out images · all classes")
        await wait_for_text(pilot, "■ ")
        await pilot.press("s")
        await wait_for_text(pilot, "split · test images")
        await pilot.press("s")
        await wait_for_text(pilot, "split · training images")


@pytest.mark.parametrize(
    ("pixels", "size", "shrunk"),
    [
        ((8, 8), SMALL, False),
        ((224, 224), SMALL, True),
        ((224, 224), LARGE, True),
        ((100, 40), SMALL, True),
        ((33, 97), LARGE, True),
        ((64, 48), LARGE, False),
    ],
)
async def test_pictures_of_any_size_are_looked_at(pixels: tuple[int, int], size: tuple[int, int], shrunk: bool) -> None:
    """Small ones are enlarged and large ones shrunk, so that several are in view; z shows a part pixel by pixel."""
    height, width = pixels
    pictures = noise(30, classes=2)
    images = np.zeros((30, 3, *pixels), dtype=np.uint8) + pictures.labels.astype(np.uint8)[:, None, None, None] * 100
    same = LabelledImages(images, pictures.labels)
    save_dataset("any", same, same, ("cat", "a class with a long name"), "made for the tests")
    async with CifarApp().run_test(size=size) as pilot:
        await wait_for_text(pilot, "any · training images · all classes")
        await wait_for_text(pilot, "a class")
        if size == SMALL:
            await pilot.press("c")
        await wait_for_text(pilot, f"{width}×{height} pixels" if width == height else f"{width} wide, {height} high")
        if size == SMALL:
            await pilot.press("c")
        assert pilot.app.screen.query_one(PictureWall).capacity >= 4
        await pilot.press("o")
        await wait_for_text(pilot, f"pixel ({width // 2}, {height // 2})")
        text = await wait_for_text(pilot, "? explain")
        assert "Normalize" in text
        assert ("z zoom" in text) == shrunk
        await pilot.press("z", "right", "down")
        await wait_for_text(pilot, f"pixel ({width // 2 + 1}, {height // 2 + 1})")


async def test_hundreds_of_classes_are_listed_with_their_counts() -> None:
    """More classes than lines: the rest is counted, and / lists all; long names are cut with a mark."""
    names = tuple(f"a_class_with_a_long_name_{number}" for number in range(300))
    pictures = noise(900, size=8, classes=300)
    save_dataset("many", pictures, LabelledImages(pictures.images[:301], pictures.labels[:301]), names, "made")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "many · training images")
        await pilot.press("c")
        text = await wait_for_text(pilot, "more: / lists them")
        assert "a_class_with_…" in text
        await pilot.press("slash")
        await wait_for_text(pilot, "look at one class")
        await pilot.press("end", "enter")
        await wait_until(
            pilot,
            lambda: (
                "a_class_with_a_long_name_299 · page 1"
                in str(pilot.app.screen.query_one("#pictures", Panel).border_title)
            ),
        )


async def test_return_finds_everything_as_it_was() -> None:
    """Data set under the cursor, class, split and page are kept while other screens are looked at."""
    save_dataset("noise", noise(400), noise(400), CLASSES, "made for the tests")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "noise · training images")
        await pilot.press("down")
        await wait_for_text(pilot, "sketches · training images")
        await pilot.press("s")
        await wait_for_text(pilot, "sketches · test images")
        await pilot.press("slash", "down", "down", "enter")
        await wait_for_text(pilot, "sketches · test images · automobile · page 1")
        await pilot.press("right")
        await wait_for_text(pilot, "automobile · page 2")
        save_dataset("added", noise(20), noise(10), CLASSES, "made meanwhile")
        await pilot.press("2", "1")
        await wait_for_text(pilot, "  added")
        text = await wait_for_text(pilot, "sketches · test images · automobile · page 2")
        assert "added · training" not in text


async def test_fetch_shows_progress_and_can_be_cancelled(home: Path, tmp_path: Path) -> None:
    """f, enter: a row shows source, bytes, rate; x cancels and keeps what came; the next fetch goes on from there."""
    content = pack_tar(write_python(tmp_path / "official", images=200), ".tar.gz").read_bytes()
    source = Source(content, slow_from=0, slow_rate=1_500_000)
    with serve(source):
        table(home, content, (source.url,))
        async with CifarApp().run_test(size=SMALL, notifications=True) as pilot:
            await wait_for_text(pilot, "page 1 of")
            await pilot.press("f")
            text = await wait_for_text(pilot, "cifar100")
            assert "from the best of 1 source" in text
            assert "1 sources" not in text
            await pilot.press("enter")
            await wait_for_text(pilot, "… fetching from localhost")
            await wait_for_text(pilot, "MB/s")
            part = home / "downloads" / "archive.tar.gz.part"
            await wait_until(pilot, lambda: part.stat().st_size)
            await pilot.press("x")
            await wait_until(pilot, lambda: "fetching" not in shown(pilot))
            have = part.stat().st_size
            source.slow_rate = 50_000_000
            await pilot.press("f", "enter")
            await wait_for_text(pilot, "cifar10 · training images")
            assert pilot.app.dataset_name == "cifar10"
    assert have > 0
    assert source.asked[-1] == f"bytes={have}-"


async def test_fetch_that_fails_asks_again_with_the_reason(tmp_path: Path) -> None:
    """A source that is no file: the sentence stands where another one can be given, with what was typed."""
    missing = tmp_path / "nothing.tar.gz"
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("f")
        await wait_for_text(pilot, "cifar100")
        await pilot.press("down")
        pilot.app.screen.query_one("#source", Input).value = str(missing)
        await pilot.press("tab", "enter")
        await wait_until(pilot, lambda: bool(pilot.app.screen.query(".problem")) and text_of(pilot, ".problem"))
        assert "nothing.tar.gz" in text_of(pilot, ".problem")
        assert pilot.app.screen.query_one("#source", Input).value == str(missing)
        await wait_until(pilot, lambda: pilot.app.screen.query_one("#archives", OptionList).highlighted == 1, 5)
        await pilot.press("escape")
        await wait_for_text(pilot, "page 1 of")


async def test_data_sets_are_verified_renamed_and_removed() -> None:
    """h hashes, v asks for a name and refuses a wrong one, delete asks first."""
    async with CifarApp().run_test(size=LARGE, notifications=True) as pilot:
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("h")
        await wait_until(pilot, lambda: load_facts(SKETCHES).verified is not None)
        await pilot.press("v")
        pilot.app.screen.query_one(Input).value = "../mine"
        await pilot.press("enter")
        await wait_for_text(pilot, "cannot name a data set")
        pilot.app.screen.query_one(Input).value = "mine"
        await pilot.press("enter")
        await wait_for_text(pilot, "mine · training images")
        await pilot.press("delete")
        await wait_for_text(pilot, "Remove mine from this machine")
        await pilot.press("n")
        assert prepared_names() == ["mine"]
        await pilot.press("delete")
        await wait_for_text(pilot, "Remove mine from this machine")
        await pilot.press("y")
        await wait_until(pilot, lambda: prepared_names() == [])
