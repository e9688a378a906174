"""Which checkpoints stay, what is removed by hand, and that a look at many checkpoints is quick."""

import hashlib
import time
from pathlib import Path

import pytest

from cifartui.errors import CifartuiError
from cifartui.training.run.checkpoints import CheckpointFacts, encode_facts, facts_file, list_checkpoints, tensors_file
from cifartui.training.run.folder import Run, all_runs
from cifartui.training.run.keeping import pin, prune, remove_run, to_prune, unpin, why_pruned


def facts_at(
    step: int, cause: str = "epoch", accuracy: float | None = None, *, pinned: bool = False
) -> CheckpointFacts:
    """Facts of a checkpoint of eight bytes."""
    return CheckpointFacts(
        run="r",
        step=step,
        epoch=1,
        batch=step,
        cause=cause,
        validation_accuracy=accuracy,
        sha256=hashlib.sha256(bytes(8)).hexdigest(),
        bytes=8,
        created=0.0,
        epoch_seconds=1.0,
        pinned=pinned,
    )


def write(run: Run, *checkpoints: CheckpointFacts) -> None:
    """Write files of which only the facts are real."""
    run.checkpoints_folder.mkdir(parents=True, exist_ok=True)
    for facts in checkpoints:
        tensors_file(run, facts).write_bytes(bytes(facts.bytes))
        facts_file(run, facts).write_bytes(encode_facts(facts))


def steps(checkpoints: list[CheckpointFacts]) -> list[int]:
    """Their steps."""
    return [facts.step for facts in checkpoints]


@pytest.fixture
def run(home: Path) -> Run:
    """A run of which there is nothing but its folder."""
    folder = home / "runs" / "20261124-1200-tutorial-abc"
    folder.mkdir(parents=True)
    return Run(folder)


def test_of_all_but_those_asked_for_the_newest_stay() -> None:
    """The best, the pinned, those asked for and a fork's first stay at any age; those asked for do not count as new."""
    checkpoints = [
        facts_at(1, "fork"),
        facts_at(2, "asked for"),
        facts_at(3, accuracy=0.9),
        facts_at(4, "rate", pinned=True),
        facts_at(5, "stopped", 0.8),
        facts_at(6, "asked for"),
        facts_at(7, accuracy=0.7),
        facts_at(8, "rate"),
    ]
    assert steps(to_prune(checkpoints, 1)) == [5, 7]
    assert steps(to_prune(checkpoints, 2)) == [5]
    assert to_prune(checkpoints, 3) == []
    assert why_pruned(facts_at(1), 1) == "the newest stays"
    assert why_pruned(facts_at(1, accuracy=0.5), 1_000) == "the best and the 1,000 newest stay"


def test_a_pin_keeps_a_checkpoint_until_it_is_taken_away(run: Run) -> None:
    """Pinned twice is pinned once; what was not pinned can be unpinned; the pin goes with its checkpoint."""
    write(run, *map(facts_at, (1, 2, 3)))
    first = list_checkpoints(run)[0]
    unpin(run, first)
    for _ in range(2):
        pin(run, first)
    assert [facts.pinned for facts in list_checkpoints(run)] == [True, False, False]
    assert steps(prune(run, 1)) == [2]
    assert steps(list_checkpoints(run)) == [1, 3]
    unpin(run, first)
    assert steps(prune(run, 1)) == [1]
    assert {path.name for path in run.checkpoints_folder.iterdir()} == {
        "step-00000003.json",
        "step-00000003.safetensors",
    }


def test_listing_passes_over_what_is_no_whole_checkpoint(run: Run) -> None:
    """Steps beyond the width of a name stay in order; facts under another's name, cut tensors and a folder are none."""
    assert list_checkpoints(run) == []
    write(run, *map(facts_at, (5, 123_456_789, 7, 8, 9)))
    tensors_file(run, facts_at(7)).write_bytes(bytes(7))
    tensors_file(run, facts_at(8)).unlink()
    facts_file(run, facts_at(9)).write_bytes(b"{")
    (run.checkpoints_folder / "step-00000006.json").write_bytes(facts_file(run, facts_at(5)).read_bytes())
    (run.checkpoints_folder / "step-00000004.json").mkdir()
    assert steps(list_checkpoints(run)) == [5, 123_456_789]


def test_two_thousand_checkpoints_of_fifty_runs_are_listed_at_once(home: Path) -> None:
    """Under 0.3 s of this process's time in all."""
    runs = [Run(home / "runs" / f"run-{number:02d}") for number in range(50)]
    for one in runs:
        write(one, *map(facts_at, range(40)))
    started = time.process_time()
    listed = [list_checkpoints(one) for one in runs]
    assert time.process_time() - started < 0.3
    assert {len(checkpoints) for checkpoints in listed} == {40}


def test_a_run_is_removed_whole_unless_it_lives(run: Run) -> None:
    """A carried run stays; a removed one is gone with all that it held, and with what a removal cut short left."""
    write(run, facts_at(1))
    with run.lock(), pytest.raises(CifartuiError, match=f"{run.id} is living; stop it first"):
        remove_run(Run(run.folder))
    assert all_runs() != []
    (run.folder.parent / ".removed-0123" / "checkpoints").mkdir(parents=True)
    remove_run(run)
    assert list(run.folder.parent.iterdir()) == []


def test_a_run_that_lies_elsewhere_is_taken_off_the_list_alone(run: Run, tmp_path: Path) -> None:
    """A link in the runs' folder goes, what it leads to stays."""
    elsewhere = run.folder.rename(tmp_path / "elsewhere")
    run.folder.symlink_to(elsewhere)
    remove_run(run)
    assert list(run.folder.parent.iterdir()) == []
    assert elsewhere.is_dir()
