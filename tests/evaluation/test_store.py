"""Results that are kept: what is read is what was computed; damage and lies break nothing; their number is bounded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.evaluation.results import Evaluation, from_confusion
from cifartui.evaluation.store import KEPT_RESULTS, judged_checkpoints, keep_evaluation, kept_evaluations, result_of
from cifartui.training.run.checkpoints import CheckpointFacts, facts_file, list_checkpoints, tensors_file
from cifartui.training.run.folder import Run
from tests.training.running import plan, train_here


def result(right: int, dataset: str = "pets") -> Evaluation:
    """Two classes, ten images of each, `right` of the cats known."""
    return from_confusion([[right, 10 - right], [0, 10]], ["cat", "dog"], checkpoint="c", dataset=dataset, seconds=1.0)


def checkpoint(step: int) -> CheckpointFacts:
    """Facts of a checkpoint that need not be there."""
    return CheckpointFacts(
        run="r",
        step=step,
        epoch=1,
        batch=0,
        cause="epoch",
        validation_accuracy=None,
        sha256=f"{step:064x}",
        bytes=1,
        created=0.0,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run's folder with nothing in it."""
    (tmp_path / "run").mkdir()
    return Run(tmp_path / "run")


def test_evaluate_keeps_its_result(sketches: DatasetFacts, capsys: pytest.CaptureFixture[str]) -> None:
    """What the command answers is kept, once, and stays readable when the checkpoint goes."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    (facts,) = list_checkpoints(run)
    for _ in range(2):
        assert run_command(["evaluate", run.id, "--json"]) == 0
    told = msgspec.json.decode(capsys.readouterr().out.splitlines()[-1], type=Evaluation)
    for path in (facts_file(run, facts), tensors_file(run, facts)):
        path.unlink()
    (kept,) = kept_evaluations(run)
    assert (kept.checkpoint, kept.dataset_sha256, kept.evaluation) == (facts, sketches.sha256, told)
    (judged,) = judged_checkpoints(run)
    assert (judged.reference, judged.facts, judged.result, judged.is_there) == (f"{run.id}@50", facts, kept, False)


def test_a_result_that_cannot_be_kept_is_told_all_the_same(
    sketches: DatasetFacts, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file lies where the folder should be: the answer comes, with a sentence beside it."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    (run.folder / "evaluations").write_text("")
    assert run_command(["evaluate", run.id, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["images"] == 100
    assert "The result is not kept: " in printed.err
    assert kept_evaluations(run) == []


def test_the_newest_on_the_data_set_asked_for_comes_first(run: Run) -> None:
    """A checkpoint judged on two data sets shows the one of its own training; another checkpoint has no result."""
    keep_evaluation(run, checkpoint(5), "own", result(1))
    keep_evaluation(run, checkpoint(5), "other", result(2, "other"))
    results = kept_evaluations(run)
    own, newest = result_of(results, checkpoint(5), "own"), result_of(results, checkpoint(5), "gone")
    assert own
    assert newest
    assert (own.evaluation.dataset, newest.evaluation.dataset) == ("pets", "other")
    assert result_of(results, checkpoint(6), "own") is None


def test_results_are_bounded(run: Run) -> None:
    """The oldest go."""
    for step in range(KEPT_RESULTS + 3):
        keep_evaluation(run, checkpoint(step), "d", result(3))
        (newest,) = (run.folder / "evaluations").glob(f"step-{step:08d}-*.json")
        os.utime(newest, ns=(step, step))
    assert [kept.checkpoint.step for kept in kept_evaluations(run)] == list(range(3, KEPT_RESULTS + 3))


def test_damage_and_lies_break_nothing(run: Run) -> None:
    """Files cut short or of other shapes are passed over; of a whole one only the counts are believed."""
    keep_evaluation(run, checkpoint(1), "d", result(4))
    (path,) = (run.folder / "evaluations").iterdir()
    good = path.read_bytes()
    said = json.loads(good)
    lies: list[bytes] = [b"", good[: len(good) // 2], b"[]"]
    for confusion in ([[1, 2]], [[1], [2]], [[0, 0], [0, 0]], [[-1, 2], [0, 1]], [[10**30, 0], [0, 1]]):
        lies.append(json.dumps(said | {"evaluation": said["evaluation"] | {"confusion": confusion}}).encode())
    for lie in lies:
        path.write_bytes(lie)
        assert kept_evaluations(run) == []
    path.write_bytes(json.dumps(said | {"evaluation": said["evaluation"] | {"accuracy": 1e300}}).encode())
    (kept,) = kept_evaluations(run)
    assert kept.evaluation == result(4)


def test_results_are_read_without_torch(run: Run) -> None:
    """Listing them loads neither torch nor numpy."""
    keep_evaluation(run, checkpoint(1), "d", result(4))
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from cifartui.evaluation.store import kept_evaluations\nfrom cifartui.training.run.folder import Run\n"
        "print(len(kept_evaluations(Run(Path(sys.argv[1])))), {'torch', 'numpy'} & set(sys.modules))\n"
    )
    command = [sys.executable, "-c", program, str(run.folder)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1 set()\n"
