"""Paths completed as they are typed."""

import os
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Input

from cifartui.tui.widgets.paths import WEIGHTS, PathInput, completions, names_line
from tests.tui.driving import shown, wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders that begin alike, files, a hidden one, and names that no terminal may be shown."""
    made = tmp_path / "here"
    for name in ("pets", "pets-large", ".secret"):
        (made / name).mkdir(parents=True)
    for name in ("pets.zip", "notes.txt", "bad\x1b[31m.zip", "turn‮gnp.zip"):
        (made / name).write_bytes(b"")
    (made / "loop").symlink_to(made / "loop")
    return made


def test_completions_are_what_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted, folders marked, hidden ones only when asked for, nothing that cannot be shown; `~` stays as typed."""
    assert completions(f"{folder}/pe") == [f"{folder}/pets-large/", f"{folder}/pets.zip", f"{folder}/pets/"]
    assert completions(f"{folder}/") == [
        f"{folder}/{name}" for name in ("loop", "notes.txt", "pets-large/", "pets.zip", "pets/")
    ]
    assert completions(f"{folder}/.s") == [f"{folder}/.secret/"]
    monkeypatch.setenv("HOME", str(folder))
    assert completions("~") == ["~/"]
    assert completions("~/no") == ["~/notes.txt"]
    monkeypatch.chdir(folder)
    assert completions("no") == ["notes.txt"]


def test_files_of_other_kinds_are_not_offered(folder: Path) -> None:
    """Where weights are asked for: folders, and files that can be weights, however their suffix is written."""
    for name in ("net.pth", "NET.PT", "net.py", "net.png"):
        (folder / name).write_bytes(b"")
    offered = [Path(path).name for path in completions(f"{folder}/", WEIGHTS)]
    assert offered == ["NET.PT", "net.pth", "pets-large", "pets"]
    assert completions(f"{folder}/", ()) == [f"{folder}/pets-large/", f"{folder}/pets/"]


@pytest.mark.parametrize("typed", ["/no/such/folder/", "~nobody-of-this-name/x", "a\0b/", "/etc/passwd/x"])
def test_nothing_there_is_no_error(typed: str) -> None:
    """A folder that is not there, a user who is not, a zero byte, a file taken for a folder."""
    assert completions(typed) == []


def test_line_of_names_says_how_many_more_there_are() -> None:
    """As many as fit, and the rest counted."""
    assert names_line(["cat/", "dog/"], 40) == "cat/  dog/"
    line = names_line([f"img{number:04}.png" for number in range(5_000)], 40)
    assert line == "img0000.png  img0001.png  … 4,998 more"
    assert len(line) <= 40


class Asking(App[None]):
    """A path and a line after it."""

    def compose(self) -> ComposeResult:
        yield PathInput(widget_id="path")
        yield Input(id="after")


async def test_tab_completes_and_then_goes_on(folder: Path) -> None:
    """What all have in common, then the first; at the end of a path tab goes to the next field."""
    async with Asking().run_test(size=(120, 10)) as pilot:
        path = pilot.app.query_one("#path", Input)
        path.value = f"{folder}/p"
        await wait_until(pilot, lambda: "pets-large/  pets.zip  pets/" in shown(pilot))
        await pilot.press("tab")
        await wait_until(pilot, lambda: path.value == f"{folder}/pets")
        await pilot.press("tab")
        await wait_until(pilot, lambda: path.value == f"{folder}/pets-large/")
        assert path.has_focus
        await pilot.press("tab")
        await wait_until(pilot, lambda: pilot.app.query_one("#after").has_focus)


def test_large_folders_are_looked_through_quickly(tmp_path: Path) -> None:
    """5,000 files, of which one is wanted: found without asking the system about each."""
    for number in range(5_000):
        os.mknod(tmp_path / f"{number:05}.png")
    assert completions(f"{tmp_path}/04321") == [f"{tmp_path}/04321.png"]
