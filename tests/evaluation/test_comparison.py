"""Runs side by side, from journals as hosts write them."""

import json

import msgspec
import pytest

from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.evaluation.comparison import compare, curves_of, differences, read_beside
from cifartui.evaluation.results import from_confusion
from cifartui.evaluation.store import keep_evaluation
from cifartui.training.run.checkpoints import CheckpointFacts, encode_facts, facts_file, tensors_file
from cifartui.training.run.events import EpochFinished, RunFinished, StepsReported, Validated
from cifartui.training.run.folder import Run, create_run
from cifartui.training.run.journal import Journal
from tests.training.running import plan, run_started


def told(dataset: DatasetFacts, *overrides: str, seed: int = 1, correct: int = 60) -> Run:
    """Two epochs of 100 steps of 4 images, 400 a second; so many of 100 held-out images right at the end."""
    run = create_run(plan(dataset.name, *overrides, seed=seed))
    journal = Journal(run.journal_file)
    journal.append(run_started(100))
    for step in range(50, 201, 50):
        loss = None if step == 100 else 100 / step
        journal.append(
            StepsReported(
                step=step, epoch=1, loss=loss, running_loss=loss, accuracy=step / 400, learning_rate=0.001,
                images_per_second=400.0, finite=loss is not None,
            )
        )  # fmt: skip
    journal.append(EpochFinished(epoch=2, step=200, loss=0.75, accuracy=0.5, seconds=1.0))
    journal.append(Validated(step=200, epoch=2, images=100, correct=correct, loss=1.25))
    journal.append(RunFinished(reason="finished"))
    return run


def evaluate(run: Run, dataset: DatasetFacts, step: int, right: int) -> None:
    """Keep a result of a checkpoint: so many of 40 test images right."""
    checkpoint = CheckpointFacts(
        run=run.id, step=step, epoch=1, batch=1, cause="epoch", validation_accuracy=None, sha256=f"{step:064}",
        bytes=7, created=1e9,
    )  # fmt: skip
    tensors_file(run, checkpoint).write_bytes(b"weights")
    facts_file(run, checkpoint).write_bytes(encode_facts(checkpoint))
    confusion = [[right, 20 - right], [0, 20]]
    result = from_confusion(confusion, ("cat", "dog"), checkpoint="r", dataset=dataset.name, seconds=1.0)
    keep_evaluation(run, checkpoint, dataset.sha256, result)


def test_settings_that_differ_stand_side_by_side(sketches: DatasetFacts) -> None:
    """Of another optimizer also the fields that only one has; what is the same is left out."""
    first = told(sketches, "optimizer.learning_rate=0.003")
    second = told(sketches, "optimizer.name=adam", "epochs=3", seed=2)
    rows = {row.key: row.values for row in compare([first, second]).differences}
    assert rows["epochs"] == ("2", "3")
    assert rows["optimizer.name"] == ("sgd", "adam")
    assert rows["optimizer.learning_rate"][0] == "0.003"
    assert rows["optimizer.momentum"] == ("0.9", "–")
    assert rows["seed"] == ("1", "2")
    assert not {"batch_size", "dataset", "device", "network"} & set(rows)
    assert compare([first, told(sketches, "optimizer.learning_rate=0.003")]).differences == ()


def test_networks_of_one_name_differ_by_their_layers(sketches: DatasetFacts) -> None:
    """The layer, its field and both values."""
    first, second = read_beside(told(sketches)), read_beside(told(sketches))
    assert second.config is not None
    layers = list(second.config.network.layers)
    layers[0] = msgspec.structs.replace(layers[0], out_channels=12)
    network = msgspec.structs.replace(second.config.network, layers=tuple(layers))
    other = msgspec.structs.replace(second, config=msgspec.structs.replace(second.config, network=network))
    (row,) = differences([first, other])
    assert (row.key, row.values) == ("conv1.out_channels", ("6", "12"))


def test_curves_are_over_steps_epochs_or_time(sketches: DatasetFacts) -> None:
    """Without what is no number; test results at the time of their step; accuracies as shares."""
    run = told(sketches)
    evaluate(run, sketches, 100, right=10)
    evaluate(run, sketches, 200, right=16)
    beside = read_beside(run)
    assert curves_of(beside, "loss", "step").training == ((50.0, 2.0), (150.0, 100 / 150), (200.0, 0.5))
    assert curves_of(beside, "loss", "epoch").held_out == ((2.0, 1.25),)
    assert curves_of(beside, "accuracy", "time").training == ((0.5, 0.125), (1.0, 0.25), (1.5, 0.375), (2.0, 0.5))
    assert curves_of(beside, "accuracy", "time").held_out == ((2.0, 0.6),)
    assert curves_of(beside, "accuracy", "time").tested == ((1.0, 0.75), (2.0, 0.9))
    assert beside.results.test_accuracy == 0.9


def test_runs_are_compared_by_command(sketches: DatasetFacts, capsys: pytest.CaptureFixture[str]) -> None:
    """Results with the best marked, what differs below; the same as JSON; a damaged one is compared all the same."""
    first, second = told(sketches, correct=61), told(sketches, "batch_size=8", correct=57)
    second.rename("twice the batch")
    assert run_command(["runs", "compare", first.id, "twice the batch"]) == 0
    lines = {line.split("  ")[0]: line.split() for line in capsys.readouterr().out.splitlines() if line}
    assert lines["results"][-2:] == [first.id[-3:], second.id[-3:]]
    assert lines["best held-out accuracy"][3:] == ["61.0%", "★", "57.0%"]
    assert lines["batch_size"] == ["batch_size", "4", "8"]
    assert run_command(["runs", "compare", first.id, second.id, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [run["best_accuracy"] for run in answer["runs"]] == [0.61, 0.57]
    assert {"id", "title", "state", "seconds", "bytes", "loss", "test_accuracy"} < set(answer["runs"][0])
    assert answer["differences"] == [{"key": "batch_size", "values": ["4", "8"]}]
    (second.folder / "config.toml").write_text("rubbish")
    assert run_command(["runs", "compare", first.id, second.id]) == 0
    assert "config.toml cannot be used" in capsys.readouterr().err
    for references in ([first.id], [first.id, first.id[-3:]]):
        assert run_command(["runs", "compare", *references]) == 2
        assert "two runs or more, each named once" in capsys.readouterr().err
