"""Settings are there again at the next start, as far as they make sense; the file can be anything."""

import os
from pathlib import Path

import msgspec
import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.training.recipes.files import load_recipe, own_recipe_file, save_recipe
from cifartui.training.recipes.settings import override
from cifartui.tui.app import CifarApp
from cifartui.tui.in_hand import InHand
from cifartui.tui.messages import Notice
from cifartui.tui.remembering import recall, remember, remembered_file, write_remembered
from cifartui.tui.widgets.plan_panel import PlanPanel
from tests.tui.driving import SMALL, wait_for_text, wait_until

TUTORIAL = load_recipe("tutorial")


def in_hand(*changes: str, name: str = "tutorial") -> InHand:
    own = load_recipe(name)
    return InHand(name, own, override(own, changes))


def test_everything_asked_for_comes_back() -> None:
    """Recipe, changes (also a kind of optimizer with its own), what was set to stay, seed, device and data set."""
    changed = in_hand("optimizer.name=adamw", "optimizer.betas=[0.8, 0.9]", "epochs=7")
    asked = msgspec.structs.replace(changed, seed="7", device="cpu", kept=frozenset(changed.changed) | {"log_every"})
    write_remembered(remember(asked, "few"))
    assert recall() == (asked, "few", "")


def test_first_start_has_the_tutorial_and_nothing_to_say() -> None:
    """There is no file yet."""
    assert recall() == (in_hand(), None, "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"version": 2}',
        b'{"seed": 1}',
        b'{"device": "abacus"}',
        b'{"changes": [{"key": "epochs"}]}',
        b'{"recipe": "' + b"x" * 200_000 + b'"}',
    ],
)
def test_file_that_cannot_be_used_is_one_sentence(content: bytes) -> None:
    """Empty, cut, no text, of another version or shape, endless: the tutorial is in hand."""
    remembered_file().parent.mkdir(exist_ok=True)
    remembered_file().write_bytes(content)
    asked, dataset, problem = recall()
    assert (asked, dataset) == (in_hand(), None)
    assert problem.startswith(f"{remembered_file()} cannot be used (")
    assert problem.count("\n") == 0


def test_pipe_in_the_place_of_the_file_is_not_waited_for() -> None:
    """What is no file is one sentence as well."""
    remembered_file().parent.mkdir(exist_ok=True)
    os.mkfifo(remembered_file())
    assert "it is a pipe, not a file" in recall().problem


def test_changes_of_another_recipe_are_left_out() -> None:
    """A recipe that has other values than when it was changed brings no nonsense back; what still fits stays."""
    save_recipe("mine", override(TUTORIAL, ["epochs=5"]))
    asked = in_hand("epochs=7", "batch_size=8", "optimizer.learning_rate=0.01", "optimizer.momentum=0.5", name="mine")
    write_remembered(remember(asked, None))
    save_recipe("mine", override(TUTORIAL, ["epochs=20", "optimizer.name=adamw"]))
    recalled, _, problem = recall()
    assert recalled.assignments == ["batch_size=8", "optimizer.learning_rate=0.01"]
    assert "do not fit today: epochs=7, optimizer.momentum=0.5." in problem


def test_values_that_are_not_allowed_are_left_out() -> None:
    """As another program, or a person, may have written them; what stands in them reaches no terminal unfiltered."""
    remembered = remember(msgspec.structs.replace(in_hand("epochs=7"), seed="minus one"), None)
    (change,) = remembered.changes
    changes = (msgspec.structs.replace(change, value="-7\x1b[2J"), msgspec.structs.replace(change, key="\x1b"))
    write_remembered(msgspec.structs.replace(remembered, changes=changes))
    recalled, _, problem = recall()
    assert (recalled.changed, recalled.seed) == ((), "1")
    assert problem.endswith("do not fit today: seed=minus one, epochs=-7�[2J, �=7.")


def test_recipe_that_is_gone_gives_the_tutorial() -> None:
    """And says so; the data set stays chosen."""
    save_recipe("mine", TUTORIAL)
    write_remembered(remember(in_hand(name="mine"), "few"))
    own_recipe_file("mine").unlink()
    asked, dataset, problem = recall()
    assert (asked, dataset) == (in_hand(), "few")
    assert "recipe is gone: There is no recipe 'mine'" in problem


def test_files_are_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipe and network are remembered by their full paths."""
    save_recipe("mine", TUTORIAL)
    own_recipe_file("mine").rename(tmp_path / "there.toml")
    monkeypatch.chdir(tmp_path)
    remembered = remember(in_hand("network=net.toml", name="there.toml"), None)
    assert remembered.recipe == str(tmp_path / "there.toml")
    assert remembered.changes[0].value == str(tmp_path / "net.toml")


async def test_settings_outlive_the_program(sketches: DatasetFacts) -> None:
    """Changed on the screen, they are in hand at the next start; what was wrong with them is said."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel = pilot.app.screen.query_one(PlanPanel)
        panel.set_value("epochs", "7")
        await wait_until(pilot, lambda: b'"epochs"' in remembered_file().read_bytes())
        panel.set_value("seed", "5")
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        assert pilot.app.recipe.epochs == 7
        await pilot.press("3")
        await wait_for_text(pilot, "● 2 changed")
        assert pilot.app.screen.query_one(PlanPanel).asked.seed == "5"


async def test_what_cannot_be_remembered_is_said_once(sketches: DatasetFacts) -> None:
    """A folder stands in place of the file: the first change says it, the next ones do not."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await wait_until(pilot, remembered_file().exists)
        await wait_until(pilot, lambda: all(worker.is_finished for worker in pilot.app.workers))
        remembered_file().unlink()
        remembered_file().mkdir()
        said: list[Notice | None] = []
        pilot.app.watch(pilot.app, "notice", lambda notice: said.append(notice))
        for epochs in (7, 8):
            pilot.app.recipe = override(TUTORIAL, [f"epochs={epochs}"])
            await wait_until(pilot, lambda: all(worker.is_finished for worker in pilot.app.workers))
            await wait_until(pilot, lambda: any(notice and "not be remembered" in notice.sentence for notice in said))
        await pilot.pause()
        assert sum("will not be remembered" in notice.sentence for notice in said if notice) == 1
