"""Sweeps: what is planned, queued, taken out again, and summed up."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from cifartui.cli.main import run_command
from cifartui.cli.sweeping import run_sweep
from cifartui.dataset.store import DatasetFacts
from cifartui.errors import CifartuiError
from cifartui.progress import finish
from cifartui.training.run.controls import ControlInbox
from cifartui.training.run.events import EpochFinished, RunFinished, Validated
from cifartui.training.run.folder import RunConfig, all_runs, create_run
from cifartui.training.run.follow import read_history
from cifartui.training.run.journal import Journal
from cifartui.training.run.queue import queue_of_home, wait_for_turn
from cifartui.training.sweep import (
    MOST_RUNS,
    StartedRun,
    Sweep,
    SweptRun,
    Variation,
    parse_variation,
    plan_sweep,
    uninterrupted,
)
from tests.training.running import plan, run_started


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("k=1", ("1",)),
        (" k =0.1, 0.2 ,a", ("0.1", "0.2", "a")),
        ("k=[0.5, 0.5],[1,2]", ("[0.5, 0.5]", "[1,2]")),
        ("k='a,b',\"c,d\"", ("'a,b'", '"c,d"')),
        ("k=[{a='],'}],2", ("[{a='],'}]", "2")),
        ("k=a=b,c", ("a=b", "c")),
    ],
)
def test_values_are_parted_at_commas_outside_brackets_and_quotes(text: str, values: tuple[str, ...]) -> None:
    """As TOML spells them."""
    assert parse_variation(text) == Variation("k", values)


def planned(dataset: str, *variations: str, seeds: int = 1, overrides: tuple[str, ...] = ()) -> list[SweptRun]:
    """A sweep of the tutorial's recipe."""

    def plan_one(assignments: list[str]) -> RunConfig:
        return plan(dataset, *assignments)

    return finish(plan_sweep(plan_one, [parse_variation(text) for text in variations], overrides, seeds))


def test_every_value_is_planned_with_every_other_and_every_seed(sketches: DatasetFacts) -> None:
    """In the order of the command line, seeds last; the titles say what is particular to a run."""
    swept = planned(
        sketches.name, "optimizer.learning_rate=0.1,0.2", "batch_size=4,8", seeds=2, overrides=("epochs=3",)
    )
    assert [run.title for run in swept[:3]] == [
        "learning_rate=0.1 batch_size=4 seed=1",
        "learning_rate=0.1 batch_size=4 seed=2",
        "learning_rate=0.1 batch_size=8 seed=1",
    ]
    asked = [(run.config.settings.optimizer.learning_rate, run.config.settings.batch_size) for run in swept]
    assert asked == [(0.1, 4)] * 2 + [(0.1, 8)] * 2 + [(0.2, 4)] * 2 + [(0.2, 8)] * 2
    assert [run.config.seed for run in swept] == [1, 2] * 4
    assert {run.config.settings.epochs for run in swept} == {3}
    assert swept[-1].values == {"optimizer.learning_rate": "0.2", "batch_size": "8"}
    assert [run.title for run in planned(sketches.name, "optimizer.name=sgd,adam")] == [
        "optimizer=sgd",
        "optimizer=adam",
    ]
    assert all_runs() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sweep", "optimizer.learning_rate=0.1,-1"], "optimizer.learning_rate = -1 is not allowed"),
        (["--sweep", "optimiser.rate=0.1"], "optimiser"),
        (["--sweep", "epochs=1,,2"], "write it as key=value,value"),
        (["--sweep", "epochs"], "write it as key=value,value"),
        (["--sweep", "epochs=1,1"], "names the value 1 twice"),
        (["--sweep", "epochs=1,2", "--epochs", "3"], "epochs is named twice"),
        (["--sweep", "epochs=1,2", "--seeds", "500"], f"would be 1,000 runs; at most {MOST_RUNS}"),
        (["--seeds", "2", "--now"], "do not go with --now"),
        (["--seeds", "2", "--from", "a@1"], "do not go with --from"),
        (["--seeds", "2", "--seed", str(2**63 - 1)], "The seed 9223372036854775808 is not allowed"),
    ],
)
def test_bad_sweep_starts_nothing(
    arguments: list[str], sentence: str, sketches: DatasetFacts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where only its last run is bad: one sentence."""
    assert run_command(["train", "--dataset", sketches.name, *arguments]) == 2
    complaint = capsys.readouterr().err
    assert sentence in complaint
    assert complaint.count("\n") == 1
    assert all_runs() == []


def test_sweep_is_queued_in_order_and_taken_out_again(sketches: DatasetFacts, tmp_path: Path) -> None:
    """While another run trains all wait behind it; taken out, none of them trains."""
    other = create_run(plan(sketches.name))
    with pytest.raises(StopIteration):
        next(wait_for_turn(other, ControlInbox(other.controls_file), now=False))
    sweep = Sweep(planned(sketches.name, "batch_size=4,8,16"))
    finish(sweep.queue())
    ids = [started.run.id for started in sweep.started]
    assert queue_of_home() == (other.id, *ids)
    assert [started.run.title() for started in sweep.started] == ["batch_size=4", "batch_size=8", "batch_size=16"]
    sweep.take_out()
    assert queue_of_home() == (other.id,)
    summary = sweep.summary()
    assert [(run.id, run.state, run.seconds) for run in summary.runs] == [(run_id, "stopped", 0.0) for run_id in ids]
    assert [(item.runs, item.finished, item.loss) for item in summary.values] == [(1, 0, None)] * 3
    for started in sweep.started:
        ended = read_history(started.run)[0].finished
        assert ended is not None
        assert "taken out of the queue" in ended.message


def test_sweep_that_cannot_be_queued_is_taken_out(sketches: DatasetFacts) -> None:
    """No half of it is left to train."""
    other = create_run(plan(sketches.name))
    with pytest.raises(StopIteration):
        next(wait_for_turn(other, ControlInbox(other.controls_file), now=False))
    first, second = planned(sketches.name, "batch_size=4,8")
    with pytest.raises(CifartuiError, match="cannot be the title"):
        run_sweep([first, msgspec.structs.replace(second, title="in\ntwo lines")], detach=True, as_json=False)
    assert queue_of_home() == (other.id,)
    assert {read_history(run)[1] for run in all_runs() if run.id != other.id} == {"stopped"}


def test_host_is_noted_before_ctrl_c_is_heard() -> None:
    """One that was started meanwhile can be taken out, too."""
    noted = []

    def start() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            noted.append("the host")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert noted


def test_summary_has_mean_and_spread_over_the_seeds_that_finished(sketches: DatasetFacts) -> None:
    """Of a single one no spread; one that failed does not count."""
    sweep = Sweep(planned(sketches.name, "batch_size=4,8", seeds=3))
    for swept, correct in zip(sweep.planned, (40, 50, 60, 70, None, None), strict=True):
        run = create_run(swept.config)
        sweep.started.append(StartedRun(swept, run, subprocess.Popen(["true"])))
        journal = Journal(run.journal_file)
        journal.append(run_started(10))
        journal.append(EpochFinished(epoch=1, step=10, loss=1.5, accuracy=0.5, seconds=1.0))
        if correct:
            journal.append(Validated(step=10, epoch=1, images=100, correct=correct, loss=1.0))
        journal.append(RunFinished(reason="finished" if correct else "failed"))
    for started in sweep.started:
        started.host.wait()
    first, second = sweep.summary().values
    assert first.best_accuracy is not None
    assert (first.best_accuracy.mean, first.best_accuracy.spread) == (pytest.approx(0.5), pytest.approx(0.1))
    assert (first.finished, first.runs, first.loss and first.loss.spread) == (3, 3, 0.0)
    assert second.best_accuracy is not None
    assert (second.best_accuracy.mean, second.best_accuracy.spread, second.finished) == (0.7, None, 1)


@pytest.mark.faults
def test_sweep_trains_its_runs_and_ends_in_a_table(sketches: DatasetFacts, capsys: pytest.CaptureFixture[str]) -> None:
    """Each run is an ordinary one, the same as if started alone."""
    options = ["--dataset", sketches.name, "--device", "cpu", "--set", "validation.images=50", "--set", "epochs=1"]
    assert run_command(["train", *options, "--sweep", "batch_size=4,50", "--seeds", "2"]) == 0
    rows = capsys.readouterr().out.splitlines()[-2:]
    assert [row.split()[:4] for row in rows] == [["4", "2", "of", "2"], ["50", "2", "of", "2"]]
    assert all("±" in row for row in rows)
    assert run_command(["train", *options, "--seeds", "1", "--set", "batch_size=4", "--json"]) == 0
    (alone,) = json.loads(capsys.readouterr().out)["runs"]
    swept = next(run for run in reversed(all_runs()) if run.title() == "batch_size=4 seed=1")
    assert read_history(swept)[0].epochs[-1].loss == alone["loss"]
