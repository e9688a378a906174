"""The loop: repeatable to the bit, the tutorial's own arithmetic, held-out images, and a loss that is no number."""

import math

import pytest
import torch
from torch import nn, optim

from cifartui.dataset.images import load_image_set
from cifartui.dataset.store import DatasetFacts
from cifartui.training.checkpoints import find_checkpoint, list_checkpoints
from cifartui.training.events import CheckpointSaved, EpochFinished, Evaluated, RunFinished, StepsReported, Warned
from cifartui.training.snapshot import read_weights
from tests.training.running import losses, plan, train_here
from tests.tutorial import Net


def test_same_seed_gives_the_same_losses_to_the_bit(sketches: DatasetFacts) -> None:
    """Two runs with one seed agree in every log line and every weight; another seed does not."""
    run, events = train_here(plan(sketches.name, seed=7))
    again, events_again = train_here(plan(sketches.name, seed=7))
    _, other_events = train_here(plan(sketches.name, seed=8))
    assert len(losses(events)) == 10
    assert losses(events) == losses(events_again)
    assert losses(events) != losses(other_events)
    weights, weights_again = (read_weights(r, find_checkpoint(r, "last")) for r in (run, again))
    assert all(torch.equal(weights[name], weights_again[name]) for name in weights)


def test_both_loaders_train_to_the_same_losses(sketches: DatasetFacts) -> None:
    """Resident images and the DataLoader with two workers give the same log lines to the bit."""
    _, resident = train_here(plan(sketches.name))
    _, loaded = train_here(plan(sketches.name, "loader.kind=dataloader"))
    assert losses(resident) == losses(loaded)


def test_training_is_the_tutorials(sketches: DatasetFacts) -> None:
    """The tutorial's loop, written out by hand with the same seed, logs the same losses."""
    _, events = train_here(plan(sketches.name, seed=4))
    image_set = load_image_set(sketches.name, "train")
    pictures = [
        ((image / 255 - 0.5) / 0.5, int(label)) for image, label in zip(image_set.images, image_set.labels, strict=True)
    ]

    torch.manual_seed(4)
    net = Net()
    loader = torch.utils.data.DataLoader(pictures, batch_size=4, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    expected = []
    for _ in range(2):
        running_loss = 0.0
        for i, (inputs, labels) in enumerate(loader):
            optimizer.zero_grad()
            loss = criterion(net(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
            if i % 10 == 9:
                expected.append(running_loss / 10)
                running_loss = 0.0
    logged = losses(events)
    assert len(logged) == len(expected) == 10
    assert all(math.isclose(ours or 0.0, theirs, rel_tol=1e-5) for ours, theirs in zip(logged, expected, strict=True))


def test_events_tell_the_whole_story(sketches: DatasetFacts) -> None:
    """Two epochs end, each with a checkpoint; the last report is at the last step; the run finishes."""
    _, events = train_here(plan(sketches.name))
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    saved = [event for event in events if isinstance(event, CheckpointSaved)]
    reports = [event for event in events if isinstance(event, StepsReported)]
    assert [event.step for event in epochs] == [event.step for event in saved] == [50, 100]
    assert reports[-1].step == 100
    assert isinstance(events[-1], RunFinished)
    assert events[-1].reason == "finished"
    assert epochs[0].loss == pytest.approx(sum(losses(events)[:5]) / 5)  # type: ignore[arg-type]


def test_held_out_images_judge_every_epoch_and_mark_the_best(sketches: DatasetFacts) -> None:
    """With a validation split each epoch is evaluated on it, and the best checkpoint is the best epoch's."""
    run, events = train_here(plan(sketches.name, "validation.images=40", "epochs=4", "optimizer.learning_rate=0.01"))
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    assert [event.step for event in evaluated] == [40, 80, 120, 160]
    assert all(event.images == 40 for event in evaluated)
    best = max(evaluated, key=lambda event: event.accuracy)
    assert find_checkpoint(run, "best").step == best.step
    assert find_checkpoint(run, "best").validation_accuracy == best.accuracy


def test_old_epochs_are_pruned_but_never_the_best(sketches: DatasetFacts) -> None:
    """Of seven epochs the last three checkpoints are kept, and the best one."""
    run, events = train_here(plan(sketches.name, "validation.images=40", "epochs=7", "optimizer.learning_rate=0.02"))
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    best = max(evaluated, key=lambda event: event.accuracy)
    kept = {200, 240, 280, best.step}
    assert {facts.step for facts in list_checkpoints(run)} == kept
    assert {path.name for path in run.checkpoints_folder.iterdir()} == {
        f"step-{step:08d}.{suffix}" for step in kept for suffix in ("json", "safetensors")
    }


def test_diverging_loss_is_told_and_keeps_the_journal_valid(sketches: DatasetFacts) -> None:
    """A learning rate far too large gives a warning, reports marked as not finite, and log lines with nan."""
    _, events = train_here(plan(sketches.name, "optimizer.learning_rate=100"))
    assert [event for event in events if isinstance(event, Warned)]
    assert any(isinstance(event, StepsReported) and not event.finite and event.loss is None for event in events)
    assert losses(events)[-1] is None
