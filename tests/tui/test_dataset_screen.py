"""The dataset screen: counts, pictures, paging, and importing by path."""

from pathlib import Path

import pytest
from textual.widgets import Input

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
from cifartui.tui.widgets.picture_wall import PictureWall
from tests.conftest import CLASSES
from tests.dataset.sources import Source, serve, table
from tests.dataset.test_importing import make_folders, pack_tar
from tests.dataset.test_official import write_python
from tests.tui.driving import LARGE, SMALL, shown, wait_for_text, wait_until


@pytest.fixture(autouse=True)
def prepared_sketches(sketched: tuple[LabelledImages, LabelledImages]) -> DatasetFacts:
    """The sketches are there already, in a small number."""
    return save_dataset(SKETCHES, *sketched, CLASSES, "drawn", drawn=True)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_counts_statistics_and_pictures_are_shown(size: tuple[int, int]) -> None:
    """Every class with its counts, mean and std, and a wall of captioned pictures, at both sizes."""
    async with CifarApp().run_test(size=size) as pilot:
        text = await wait_for_text(pilot, " #")
        assert "▌1 dataset▐" in text
        assert all(name in text for name in CLASSES)
        assert "mean 0." in text
        assert "training images · all classes · page 1 of" in text
        assert text.count("▀") > 200


async def test_keys_turn_pages_and_choose_class_and_split() -> None:
    """Arrows page, c walks through the classes, s changes the split, w gives the wall the screen."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("right")
        await wait_for_text(pilot, "page 2 of")
        await pilot.press("left")
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("c")
        text = await wait_for_text(pilot, "training images · airplane · page 1 of")
        assert "airplane #" in text
        await pilot.press("s")
        await wait_for_text(pilot, "test images · airplane")
        before = pilot.app.screen.query_one(PictureWall).size.height
        await pilot.press("w")
        await wait_until(pilot, lambda: pilot.app.screen.query_one(PictureWall).size.height > before + 8)


async def test_import_by_path_chooses_the_new_data_set(tmp_path: Path) -> None:
    """i, a path, a name: the data set is imported in a child process, listed, chosen, and looked at."""
    root = make_folders(tmp_path / "pets")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("i")
        pilot.app.screen.query_one("#path", Input).value = str(root)
        await pilot.press("enter")
        assert pilot.app.screen.query_one("#name", Input).value == "pets"
        await pilot.press("enter")
        await wait_for_text(pilot, "pets · training images · all classes")
        assert isinstance(pilot.app, CifarApp)
        assert pilot.app.dataset_name == "pets"
        assert is_prepared("pets")


async def test_bad_import_keeps_the_dialog_open_with_the_sentence(tmp_path: Path) -> None:
    """The sentence of the command is shown in the dialog; escape goes back to the screen."""
    root = make_folders(tmp_path / "pets")
    (root / "train" / "cat" / "bad.png").write_bytes(b"text")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("i")
        pilot.app.screen.query_one("#path", Input).value = str(root)
        await pilot.press("enter", "enter")
        await wait_for_text(pilot, "not an image that")
        assert not is_prepared("pets")
        await pilot.press("escape")
        await wait_until(pilot, lambda: "▌1 dataset▐" in shown(pilot))


async def test_first_start_draws_the_sketches(home: Path) -> None:
    """On a machine without data sets the sketches are drawn in a child process, then shown and chosen."""
    for file in (home / "datasets").iterdir():
        file.unlink()
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "sketches · training images · all classes")
        assert isinstance(pilot.app, CifarApp)
        assert pilot.app.dataset_name == SKETCHES


async def test_damaged_data_set_is_marked_and_told(home: Path) -> None:
    """A pixel file of the wrong length is a mark in the list and a sentence, not a crash."""
    (home / "datasets" / f"{SKETCHES}.safetensors").write_bytes(b"short")
    async with CifarApp().run_test(size=LARGE, notifications=True) as pilot:
        text = await wait_for_text(pilot, "is damaged")
        assert f"✗ {SKETCHES} · damaged" in text


async def test_fetch_shows_progress_and_can_be_cancelled(home: Path, tmp_path: Path) -> None:
    """f, enter: a row shows source, bytes, rate; x cancels and keeps what came; the next fetch goes on from there."""
    content = pack_tar(write_python(tmp_path / "official", images=200), ".tar.gz").read_bytes()
    source = Source(content, slow_from=0, slow_rate=1_500_000)
    with serve(source):
        table(home, content, (source.url,))
        async with CifarApp().run_test(size=SMALL, notifications=True) as pilot:
            await wait_for_text(pilot, "page 1 of")
            await pilot.press("f")
            await wait_for_text(pilot, "cifar100")
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
            assert pilot.app.dataset_name == "cifar10"  # type: ignore[attr-defined]
    assert have > 0
    assert source.asked[-1] == f"bytes={have}-"


async def test_data_sets_are_verified_renamed_and_removed() -> None:
    """v hashes, r asks for a name and refuses a wrong one, delete asks first."""
    async with CifarApp().run_test(size=LARGE, notifications=True) as pilot:
        await wait_for_text(pilot, "page 1 of")
        await pilot.press("v")
        await wait_until(pilot, lambda: load_facts(SKETCHES).verified is not None)
        await pilot.press("r")
        pilot.app.screen.query_one(Input).value = "../mine"
        await pilot.press("enter")
        await wait_for_text(pilot, "cannot name a data set")
        pilot.app.screen.query_one(Input).value = "mine"
        await pilot.press("enter")
        await wait_for_text(pilot, "mine · training images")
        await pilot.press("delete")
        await wait_for_text(pilot, "Remove mine from this machine?")
        await pilot.press("n")
        assert prepared_names() == ["mine"]
        await pilot.press("delete")
        await wait_for_text(pilot, "Remove mine from this machine?")
        await pilot.press("y")
        await wait_until(pilot, lambda: prepared_names() == [])
