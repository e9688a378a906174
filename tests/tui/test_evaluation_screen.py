"""The evaluation screen, and the whole path by keyboard on a run that really trains."""

import re
import threading
from pathlib import Path

import pytest
import torch
from textual.widgets import Input

from cifartui.dataset.store import DatasetFacts, save_dataset
from cifartui.evaluation.results import Evaluation, from_confusion, weights_file_name
from cifartui.evaluation.store import JudgedCheckpoint, judged_checkpoints, keep_evaluation
from cifartui.model.module import build_module
from cifartui.model.network import load_network
from cifartui.model.source import loading_source
from cifartui.training.fitting import fit_network
from cifartui.training.run.checkpoints import CheckpointFacts, facts_file, list_checkpoints
from cifartui.training.run.events import CheckpointPruned
from cifartui.training.run.folder import Run
from cifartui.training.run.journal import Journal
from cifartui.tui.app import CifarApp
from cifartui.tui.screens import evaluation as evaluation_screen
from cifartui.tui.view import RunView
from cifartui.tui.widgets.checkpoint_list import CheckpointList
from tests.conftest import CLASSES, noise
from tests.training.running import plan, train_here
from tests.tui.driving import LARGE, MIDDLE, SMALL, shown, text_of, wait_for_notice, wait_for_text, wait_until


async def test_whole_path_by_keyboard_on_real_training(sketches: DatasetFacts) -> None:
    """Choose the data set, start, watch it finish, evaluate its last checkpoint: real host, real child process."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("enter", "3")
        await wait_for_text(pilot, "data set few")
        await pilot.press("enter")
        await wait_for_text(pilot, "loading torch")
        await wait_for_text(pilot, "step 100/100")
        await wait_for_text(pilot, "✓ finished")
        await pilot.press("4")
        await wait_for_text(pilot, "100 last")
        text = await wait_for_text(pilot, "@100 · not evaluated yet")
        assert "enter evaluates it on the test images" in text
        await pilot.press("enter")
        text = await wait_for_text(pilot, " of 100   (95 %:")
        assert all(name in text for name in CLASSES)
        await pilot.press("c")
        text = await wait_for_text(pilot, "rows: true")
        assert all(name in text for name in CLASSES)
        await pilot.press("c", "down")
        await wait_for_text(pilot, "@50 · not evaluated yet")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("4")
        text = await wait_for_text(pilot, " of 100   (95 %:")
        assert re.search(r"100 last +\d+\.\d%", text)


async def test_file_that_does_not_fit_is_a_sentence(sketches: DatasetFacts, tmp_path: Path) -> None:
    """f, a path: the sentence of the command is shown, and the screen goes on."""
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "odd.pth")
    async with CifarApp().run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("4")
        await wait_for_text(pilot, "no checkpoints yet")
        await pilot.press("i")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "odd.pth")
        await pilot.press("enter")
        await wait_for_notice(pilot, "conv1.weight is 1 and should be 6×3×5×5")
        assert "no checkpoints yet" in shown(pilot)


async def test_export_writes_the_tutorials_file_and_says_how_to_load_it(
    sketches: DatasetFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """p writes the checkpoint under the cursor as a .pth file; the code on the screen loads it in plain PyTorch."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    async with CifarApp().run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("4")
        await wait_for_text(pilot, "50 last")
        monkeypatch.chdir(tmp_path)
        await pilot.press("p")
        await wait_for_text(pilot, "A name without a folder is a file in")
        assert pilot.app.screen.query_one(Input).value == "few_net.pth"
        pilot.app.screen.query_one(Input).value = "net.pth"
        await pilot.press("enter")
        text = await wait_for_text(pilot, "the state_dict of")
        assert "p export" not in text
        code = loading_source(run.config().network, str(tmp_path / "net.pth"))
        assert all(line in shown(pilot) for line in code.splitlines()[2:4])
        await pilot.press("escape")
        await wait_for_text(pilot, "not evaluated yet")
    steps, _, definition = code.partition("# with the class\n")
    scope: dict[str, object] = {}
    exec(f"{definition}\n{steps}", scope)
    net = scope["net"]
    assert isinstance(net, torch.nn.Module)
    assert torch.equal(net.get_parameter("fc3.bias"), torch.load(tmp_path / "net.pth", weights_only=True)["fc3.bias"])


def test_tutorials_name_of_the_file_is_for_cifar10_only() -> None:
    """Weights trained on another data set are named after it."""
    assert weights_file_name("cifar10") == weights_file_name("cifar10-jpeg") == "cifar_net.pth"
    assert weights_file_name("cifar100") == "cifar100_net.pth"
    assert weights_file_name("pets") == "pets_net.pth"


def judged(checkpoint: CheckpointFacts, right: int) -> Evaluation:
    """A result on the sketches: `right` of ten of each class are known, the others are taken for the next class."""
    confusion = [[0] * 10 for _ in range(10)]
    for index in range(10):
        confusion[index][index], confusion[index][(index + 1) % 10] = right, 10 - right
    name = f"{checkpoint.run}@{checkpoint.step}"
    return from_confusion(confusion, CLASSES, checkpoint=name, dataset="few", seconds=0.0)


async def test_checkpoints_are_not_read_on_the_thread_of_the_screens(
    sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are and however slow the disk is, keys are answered."""
    train_here(plan(sketches.name, "epochs=1"))
    readers = set()

    def read(run: Run) -> list[JudgedCheckpoint]:
        readers.add(threading.current_thread())
        return judged_checkpoints(run)

    monkeypatch.setattr(evaluation_screen, "judged_checkpoints", read)
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("4")
        await wait_for_text(pilot, "50 last")
    assert readers
    assert threading.main_thread() not in readers


async def test_checkpoints_are_compared_with_the_arrows(sketches: DatasetFacts) -> None:
    """Each line has its accuracy; the arrows bring another checkpoint's matrix; what has none says so."""
    run, _ = train_here(plan(sketches.name, "epochs=3"))
    first, second, _ = list_checkpoints(run)
    keep_evaluation(run, first, sketches.sha256, judged(first, 3))
    keep_evaluation(run, second, sketches.sha256, judged(second, 6))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("4")
        text = await wait_for_text(pilot, "@150 · not evaluated yet")
        assert re.search(r"100 +60\.0%", text)
        assert re.search(r"50 +30\.0%", text)
        assert not pilot.app.screen.check_action("confusion", ())
        await pilot.press("down")
        await wait_for_text(pilot, "@100 · tested on few")
        await pilot.press("c")
        text = await wait_for_text(pilot, "airplane taken for automobile: 4 of 10 (40.0%)")
        assert re.search(r"airplane +6 +4 ", text)
        assert "checkpoints" not in text
        await pilot.press("down", "left")
        await wait_for_text(pilot, "automobile taken for airplane: 0 of 10 (0.0%) · the other way 4")
        await pilot.resize_terminal(*MIDDLE)
        await wait_until(pilot, lambda: "taken for " in shown(pilot) and "rows: true" in shown(pilot))
        assert "automobile taken for airplane: 0 of 10" in shown(pilot)
        assert not pilot.app.screen.check_action("confusion", ())
        pilot.app.screen.query_one(CheckpointList).focus()
        await pilot.press("down")
        text = await wait_for_text(pilot, "@50 · tested on few")
        assert re.search(r"airplane +3 +7 ", text)


async def test_a_checkpoint_that_goes_keeps_its_result_and_says_why(sketches: DatasetFacts) -> None:
    """Pruned while it is looked at: its line stays, marked, with the journal's reason; it is not evaluated again."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    (facts,) = list_checkpoints(run)
    keep_evaluation(run, facts, sketches.sha256, judged(facts, 7))
    app = CifarApp()
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("4")
        await wait_for_text(pilot, "50 last")
        facts_file(run, facts).unlink()
        Journal(run.journal_file).append(CheckpointPruned(step=50, epoch=1, reason="the three newest are kept"))
        app.run_view = RunView(run)
        await wait_until(pilot, lambda: re.search(r"50 gone +70\.0%", shown(pilot)))
        reason = "its file is gone (the three newest are kept); its result is kept"
        await wait_until(pilot, lambda: reason in " ".join(text_of(pilot, "#summary").split()))
        assert "end of epoch 1" in text_of(pilot, "#summary")
        assert not app.screen.check_action("export", ())
        await pilot.press("enter")
        await wait_for_notice(pilot, "cannot be evaluated again")


async def test_checkpoint_is_pinned_and_let_go_again(sketches: DatasetFacts) -> None:
    """k marks it in the list, and on disk; k again takes the mark away."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("4")
        await wait_for_text(pilot, "last")
        await pilot.press("k")
        await wait_for_text(pilot, "◆ pinned: stays")
        assert any(line.strip().startswith("◆ ") and "last" in line for line in shown(pilot).splitlines())
        assert [facts.pinned for facts in list_checkpoints(run)] == [True]
        await pilot.press("k")
        await wait_until(pilot, lambda: "◆" not in shown(pilot), seconds=10)
        assert [facts.pinned for facts in list_checkpoints(run)] == [False]


async def test_checkpoint_is_removed_and_the_last_whole_one_after_a_second_question(sketches: DatasetFacts) -> None:
    """A result that there is stays; no answer but yes removes anything."""
    run, _ = train_here(plan(sketches.name, "epochs=2"))
    first, second = list_checkpoints(run)
    keep_evaluation(run, first, sketches.sha256, judged(first, 3))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("4")
        await wait_for_text(pilot, "100 last")
        await pilot.press("down", "delete")
        await wait_for_text(pilot, f"@{first.step}? Its result is kept.")
        await pilot.press("y")
        await wait_for_text(pilot, "50 gone")
        await pilot.press("up", "delete")
        await wait_for_text(pilot, f"@{second.step}?")
        await pilot.press("y")
        await wait_for_text(pilot, "nothing will be left")
        await pilot.press("n", "delete")
        await wait_for_text(pilot, f"@{second.step}?")
        assert list_checkpoints(run) == [second]
        await pilot.press("y")
        await wait_for_text(pilot, "nothing will be left")
        await pilot.press("y")
        await wait_until(pilot, lambda: not list_checkpoints(run), seconds=10)


async def test_damaged_runs_break_nothing(sketches: DatasetFacts, home: Path) -> None:
    """Folders in which things are missing, of another kind or nonsense: what is whole is listed."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    (facts,) = list_checkpoints(run)
    keep_evaluation(run, facts, sketches.sha256, judged(facts, 7))
    (run.folder / "config.toml").write_bytes(b"\xff\x00 = [")
    (run.folder / "evaluations" / "step-nonsense.json").write_bytes(b"\xff")
    (run.folder / "evaluations" / "step-folder.json").mkdir()
    (run.checkpoints_folder / "step-1.json").mkdir()
    for name, content in (("no-folder", None), ("\x1b[31mcoloured", "")):
        (home / "runs" / name).mkdir()
        if content is not None:
            (home / "runs" / name / "checkpoints").write_text(content)
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("4")
        text = await wait_for_text(pilot, "tested on few")
        assert re.search(r"50 last +70\.0%", text)


async def test_many_classes_are_paged_through(sketches: DatasetFacts) -> None:
    """With 100 classes the page keys show further classes, the arrows further columns; the keys are told then only."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    (facts,) = list_checkpoints(run)
    names = [f"class {number}" for number in range(100)]
    confusion = [[int(row == other) for other in range(100)] for row in range(100)]
    name = f"{run.id}@50"
    result = from_confusion(confusion, names, checkpoint=name, dataset="hundred", seconds=0.0)
    keep_evaluation(run, facts, "other", result)
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("4")
        await wait_for_text(pilot, "classes 1–17 of 100")
        assert "columns" not in shown(pilot)
        await pilot.press("pagedown")
        await wait_for_text(pilot, "classes 18–34 of 100")
        await pilot.press("c")
        await wait_for_text(pilot, "columns 1–13 of 100")
        await pilot.press("pagedown", *["right"] * 13)
        text = await wait_for_text(pilot, "columns 2–14 of 100")
        assert "class 17 taken for" in text
        await pilot.press(*["pagedown"] * 5, "end")
        await wait_for_text(pilot, "classes 84–100, columns 88–100 of 100")
        await pilot.press("home")
        await wait_for_text(pilot, "classes 84–100, columns 1–13 of 100")


async def test_a_file_is_judged_as_weights_of_the_network_in_hand(tmp_path: Path) -> None:
    """Weights for two classes of 64×64: the network on the model screen follows the data set, and takes them."""
    train, test = noise(20, 64, 2), noise(6, 64, 2, seed=1)
    facts = save_dataset("pets", train, test, ("cat", "dog"), "noise for the tests")
    network = fit_network(load_network("compact"), facts).network
    torch.save(build_module(network).state_dict(), tmp_path / "compact.pth")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "pets · training images")
        await pilot.press("2")
        await wait_for_text(pilot, "fc3")
        await pilot.press("o")
        await wait_for_text(pilot, "compact")
        await pilot.press("enter")
        await wait_for_text(pilot, "compact · ")
        await pilot.press("4", "i")
        await wait_for_text(pilot, "of network compact")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "compact.pth")
        await pilot.press("enter")
        text = await wait_for_text(pilot, " of 6   (95 %:")
        assert "compact.pth · tested on pets" in text
