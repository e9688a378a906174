"""Importing pictures of one's own on the screen: looked at before they come in, and refused where it can be mended."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input

from cifartui.dataset.store import SKETCHES, LabelledImages, LeftOut, PictureSize, is_prepared, load_facts, save_dataset
from cifartui.dataset.surveying import Survey, SurveyedClass
from cifartui.tui.app import CifarApp
from cifartui.tui.widgets.dialogs.survey import size_choices, suggested_name, summary_text
from cifartui.tui.widgets.picture_wall import PictureWall
from tests.conftest import CLASSES
from tests.tui.driving import LARGE, SMALL, text_of, wait_for_text, wait_until


@pytest.fixture(autouse=True)
def prepared_sketches(sketched: tuple[LabelledImages, LabelledImages]) -> None:
    """The sketches are there already, in a small number."""
    save_dataset(SKETCHES, *sketched, CLASSES, "drawn", drawn=True)


def make_pets(root: Path, *sizes: tuple[int, int], pictures: int = 6) -> Path:
    """Two classes of pictures, red cats and blue dogs, whose sizes (width, height) take turns; and a text."""
    for name, colour in (("cat", "red"), ("dog", "blue")):
        (root / name).mkdir(parents=True)
        for number in range(pictures):
            Image.new("RGB", sizes[number % len(sizes)], colour).save(root / name / f"{number}.png")
    (root / "cat" / "notes.txt").write_text("the cats of the street")
    return root


async def ask(pilot: Pilot[None], path: Path) -> None:
    """Press i and give a path."""
    await wait_for_text(pilot, "page 1 of")
    await pilot.press("i")
    await wait_for_text(pilot, "looks what is there")
    pilot.app.screen.query_one("#path", Input).value = str(path)
    await pilot.press("enter")


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_pictures_of_several_sizes_are_shown_before_they_come_in(size: tuple[int, int], tmp_path: Path) -> None:
    """Counts, sizes, what is left out; previews follow size and fit; the import runs among the data sets, is chosen."""
    async with CifarApp().run_test(size=size) as pilot:
        await ask(pilot, make_pets(tmp_path / "pets", (300, 200), (64, 64)))
        text = await wait_for_text(pilot, "as they come in: 32×32")
        if size == SMALL:
            assert (
                max(map(len, re.findall("▀+", text))) == 32
            )  # as many cells as pixels; the screen below shines through
            assert ", at 1/" not in text
        assert "pets: 12 pictures in 2 classes" in text
        assert "300×200" in text
        assert "64×64 (6)" in text
        assert "notes.txt" in text
        assert "▀" in text
        assert pilot.app.focused
        assert pilot.app.focused.id == "size"
        name = pilot.app.screen.query(".field Label").first()
        assert not name.styles.text_style.reverse
        await pilot.press("up")
        assert name.styles.text_style.reverse
        await pilot.press("down")
        await pilot.press("right")
        text = await wait_for_text(pilot, "as they come in: 64×64")
        assert (", at 1/2" in text) == (size == SMALL)
        await pilot.press("right", "down", *"24x48", "down", "right")
        await wait_for_text(pilot, "as they come in: 48×24")
        assert pilot.app.screen.query_one("#previews", PictureWall).capacity
        await pilot.press("enter")
        await wait_for_text(pilot, "pets · training images · all classes")
        assert isinstance(pilot.app, CifarApp)
        assert pilot.app.dataset_name == "pets"
    assert load_facts("pets").image_size == (24, 48)


async def test_pictures_of_one_small_size_need_a_name_only(tmp_path: Path) -> None:
    """32×32 come in as they are; a name that is taken is refused where it can be changed, esc keeps the path."""
    root = make_pets(tmp_path / SKETCHES, (32, 32))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await ask(pilot, root)
        text = await wait_for_text(pilot, "12 pictures in 2 classes")
        assert "crop" not in text
        await pilot.press("enter")
        await wait_for_text(pilot, "There is a data set named sketches here already")
        await pilot.press("escape")
        await wait_for_text(pilot, "looks what is there")
        assert pilot.app.screen.query_one("#path", Input).value == str(root)
        await pilot.press("enter")
        await wait_for_text(pilot, "12 pictures in 2 classes")
        await pilot.press("2", "enter")
        await wait_for_text(pilot, "sketches2 · training images")
    assert load_facts("sketches2").image_size == (32, 32)


async def test_what_cannot_be_used_is_said_where_the_path_is_asked_for(tmp_path: Path) -> None:
    """A folder without pictures, and no folder at all; the dialog stays with what was typed."""
    (tmp_path / "empty").mkdir()
    async with CifarApp().run_test(size=SMALL) as pilot:
        await ask(pilot, tmp_path / "empty")
        await wait_until(pilot, lambda: "no images" in text_of(pilot, ".problem"))
        pilot.app.screen.query_one("#path", Input).value = str(tmp_path / "nothing")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "nothing" in text_of(pilot, ".problem"))
        await pilot.press("escape")
        await wait_for_text(pilot, "page 1 of")


async def test_import_that_fails_asks_again(tmp_path: Path) -> None:
    """What goes wrong after the look is shown with the path to be corrected."""
    root = make_pets(tmp_path / "pets", (32, 32))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await ask(pilot, root)
        await wait_for_text(pilot, "12 pictures in 2 classes")
        shutil.rmtree(root)
        await pilot.press("enter")
        await wait_for_text(pilot, "looks what is there")
        assert str(root.name) in text_of(pilot, ".problem")
        assert pilot.app.screen.query_one("#path", Input).value == str(root)
        assert not is_prepared("pets")


def survey(
    *sizes: tuple[int, int], classes: int = 2, left_out: tuple[LeftOut, ...] = (), official: bool = False
) -> Survey:
    """What would have been found."""
    return Survey(
        images=30 * classes,
        classes=tuple(SurveyedClass(f"class {number}", 20, 0, 10) for number in range(classes)),
        sizes=tuple(PictureSize(*size, 5) for size in sizes),
        left_out=left_out,
        official=official,
    )


def test_sizes_are_offered_where_something_has_to_be_decided() -> None:
    """Nothing for 32×32 or CIFAR's own files; as they are only where all are equal."""
    assert size_choices(survey((32, 32))) == []
    assert size_choices(survey((32, 32), official=True)) == []
    assert [value for value, _ in size_choices(survey((300, 200)))] == ["", "32", "64", "other"]
    assert [value for value, _ in size_choices(survey((300, 200), (32, 32)))] == ["32", "64", "other"]


def test_summary_counts_what_does_not_fit() -> None:
    """Classes beyond the last line are counted, and so is what is left out for further reasons."""
    reasons = tuple(LeftOut(f"for reason {number}", number + 1, f"file{number}.txt") for number in range(9))
    lines = summary_text(survey((32, 32), classes=102, left_out=reasons), 40, 12).plain.splitlines()
    assert len(lines) == 12
    assert "… and 97 more" in lines[-1] or "more" in lines[-1]
    assert any("more kinds of files left out" in line for line in lines)
    assert all(len(line) <= 40 for line in lines)
    assert "… and 9" not in summary_text(survey((32, 32), classes=5), 40, 12).plain


def test_names_are_suggested_from_the_path() -> None:
    """Without suffixes, and only with characters that can name a data set."""
    assert suggested_name("/home/me/my pets.tar.gz") == "my-pets"
    assert suggested_name("/home/me/Tiere (neu)") == "Tiere-neu"
