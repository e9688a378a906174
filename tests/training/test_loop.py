"""The loop: repeatable to the bit, the tutorial's own arithmetic, held-out images, and a loss that is no number."""

import math
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import nn, optim

from cifartui.dataset.images import load_image_set
from cifartui.dataset.store import DatasetFacts
from cifartui.errors import DataError
from cifartui.training.loop import train
from cifartui.training.run.checkpoints import find_checkpoint, list_checkpoints
from cifartui.training.run.controls import ControlInbox, SaveCheckpoint, send
from cifartui.training.run.events import (
    AnyEvent,
    CheckpointPruned,
    CheckpointSaved,
    EpochFinished,
    NotFiniteFound,
    RunFinished,
    StepsReported,
    Validated,
    Warned,
)
from cifartui.training.run.folder import create_run
from cifartui.training.setup import prepare
from cifartui.training.snapshot import read_weights
from tests.training.running import losses, plan, train_here, train_in
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
    assert reports[-1].running_loss is None, "the log line of this step was the last step"
    assert isinstance(events[-1], RunFinished)
    assert events[-1].reason == "finished"
    assert epochs[0].loss == pytest.approx(sum(losses(events)[:5]) / 5)


def test_held_out_images_judge_every_epoch_and_mark_the_best(sketches: DatasetFacts) -> None:
    """With a validation split each epoch is evaluated on it, and the best checkpoint is the best epoch's."""
    run, events = train_here(plan(sketches.name, "validation.images=40", "epochs=4", "optimizer.learning_rate=0.01"))
    evaluated = [event for event in events if isinstance(event, Validated)]
    assert [event.step for event in evaluated] == [40, 80, 120, 160]
    assert all(event.images == 40 for event in evaluated)
    best = max(evaluated, key=lambda event: event.accuracy)
    assert find_checkpoint(run, "best").step == best.step
    assert find_checkpoint(run, "best").validation_accuracy == best.accuracy


def test_held_out_images_judge_every_second_epoch_and_the_last(sketches: DatasetFacts) -> None:
    """Also where the last is no second one; the checkpoints between know no accuracy."""
    run, events = train_here(
        plan(sketches.name, "validation.images=40", "validation.every_epochs=2", "epochs=3", "batch_size=20")
    )
    assert [event.epoch for event in events if isinstance(event, Validated)] == [2, 3]
    assert [facts.validation_accuracy is None for facts in list_checkpoints(run)] == [True, False, False]


def test_weights_batches_in_parts_and_smoothing_are_the_recipes(sketches: DatasetFacts) -> None:
    """The job has what the recipe says of them; without, it is the tutorial's."""
    usual = prepare(plan(sketches.name))
    job = prepare(
        plan(sketches.name, "initialization=he", "images_at_once=2", "label_smoothing=0.5", "clipping.name=norm")
    )
    assert (usual.engine.images_at_once, job.engine.images_at_once) == (0, 2)
    assert not usual.module.get_parameter("conv1.bias").eq(0).all()
    assert job.module.get_parameter("conv1.bias").eq(0).all()
    images, labels = torch.randn(4, 3, 32, 32), torch.arange(4)
    loss, logits = job.engine.take(images, labels, 0)
    assert loss.item() == pytest.approx(nn.CrossEntropyLoss(label_smoothing=0.5)(logits, labels).item())


def test_old_epochs_are_pruned_but_never_the_best(sketches: DatasetFacts) -> None:
    """Of seven epochs the last three checkpoints are kept, and the best one; each that goes is told with the reason."""
    run, events = train_here(plan(sketches.name, "validation.images=40", "epochs=7", "optimizer.learning_rate=0.02"))
    evaluated = [event for event in events if isinstance(event, Validated)]
    best = max(evaluated, key=lambda event: event.accuracy)
    kept = {200, 240, 280, best.step}
    assert {facts.step for facts in list_checkpoints(run)} == kept
    assert {path.name for path in run.checkpoints_folder.iterdir()} == {
        f"step-{step:08d}.{suffix}" for step in kept for suffix in ("json", "safetensors")
    }
    pruned = [event for event in events if isinstance(event, CheckpointPruned)]
    assert {event.step for event in pruned} == {40 * epoch for epoch in range(1, 8)} - kept
    assert pruned[0].reason == "the best and the 3 newest stay"


def test_without_held_out_images_no_checkpoint_stays_as_the_best(sketches: DatasetFacts) -> None:
    """The reason names the newest alone."""
    _, events = train_here(plan(sketches.name, "epochs=4"))
    pruned = [event for event in events if isinstance(event, CheckpointPruned)]
    assert [event.reason for event in pruned] == ["the 3 newest stay"]


def test_pruning_passes_over_what_is_gone(sketches: DatasetFacts) -> None:
    """Files that somebody else removed on the way: every save is told as the success it was."""
    run = create_run(plan(sketches.name, "epochs=6"))
    events: list[AnyEvent] = []
    for event in train_in(run):
        events.append(event)
        if isinstance(event, CheckpointSaved) and event.step == 150:
            (run.checkpoints_folder / "step-00000050.safetensors").unlink()
            (run.checkpoints_folder / "step-00000100.json").unlink()
    assert not [event for event in events if isinstance(event, Warned)]
    assert len([event for event in events if isinstance(event, CheckpointSaved)]) == 6
    assert [event.step for event in events if isinstance(event, CheckpointPruned)] == [150]
    assert isinstance(events[-1], RunFinished)
    assert events[-1].reason == "finished"


def test_diverging_loss_ends_the_run_and_saves_nothing_bad(sketches: DatasetFacts) -> None:
    """A learning rate far too large: the run fails, the sentence names steps and remedy, no checkpoint holds a nan."""
    run, events = train_here(plan(sketches.name, "optimizer.learning_rate=100", "epochs=50"))
    report = next(event for event in events if isinstance(event, StepsReported) and not event.finite)
    found = next(event for event in events if isinstance(event, NotFiniteFound))
    assert found.step <= report.step
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].reason, events[-1].cause) == ("failed", "not finite")
    assert f"was not a finite number at step {found.step}, which was not applied" in events[-1].message
    assert "at a lower learning rate (it is 100)" in events[-1].message
    assert list_checkpoints(run) == []
    assert not [event for event in events if isinstance(event, CheckpointSaved)]
    with pytest.raises(DataError, match="has no checkpoint: they are saved at the end of each epoch"):
        find_checkpoint(run, "last")


def test_weights_that_are_not_finite_are_never_saved(sketches: DatasetFacts) -> None:
    """Even where the loss did not tell yet: a checkpoint asked for ends the run instead of being poisoned."""
    run = create_run(plan(sketches.name, "epochs=1000"))
    job, inbox = prepare(run.config()), ControlInbox(run.controls_file)
    events: list[AnyEvent] = []
    for event in train(run, job, inbox):
        events.append(event)
        if isinstance(event, StepsReported) and not run.controls_file.exists():
            with torch.no_grad():
                job.module.get_parameter("fc3.bias")[3] = math.inf
            send(run.controls_file, SaveCheckpoint())
    assert isinstance(events[-1], RunFinished)
    assert events[-1].reason == "failed"
    assert "finite" in events[-1].message
    assert list_checkpoints(run) == []


def first_report(events: list[AnyEvent]) -> int:
    """The step of the first report."""
    return next(event.step for event in events if isinstance(event, StepsReported))


@contextmanager
def disk_that_is_full(after: int = 10_000) -> Iterator[Callable[[], None]]:
    """Let no file grow beyond `after` bytes, as on a full disk, until the function given is called."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)

    def free() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)

    resource.setrlimit(resource.RLIMIT_FSIZE, (after, former[1]))
    try:
        yield free
    finally:
        free()


def test_stop_waits_for_room_for_its_checkpoint(sketches: DatasetFacts) -> None:
    """Without room the run says so and waits; with room again the checkpoint is saved and the run is stopped."""
    run = create_run(plan(sketches.name, "epochs=1000"))
    inbox, told = ControlInbox(run.controls_file), []
    with disk_that_is_full() as free:
        for event in train_in(run, inbox):
            told.append(event)
            if isinstance(event, StepsReported) and event.step == first_report(told):
                inbox.ask_to_stop()
            if isinstance(event, Warned) and "the last checkpoint (step" in event.message:
                assert "the file would be larger than this account may write" in event.message
                free()
    assert [type(event) for event in told[-3:]] == [Warned, CheckpointSaved, RunFinished]
    assert told[-1].message.endswith("as asked")
    assert [facts.cause for facts in list_checkpoints(run)] == ["stopped"]


def test_second_stop_ends_a_run_that_waits_for_room(sketches: DatasetFacts) -> None:
    """The end says that there is no checkpoint, and why; nothing half-written is left."""
    run = create_run(plan(sketches.name, "epochs=1000"))
    inbox, told = ControlInbox(run.controls_file), []
    with disk_that_is_full():
        for event in train_in(run, inbox):
            told.append(event)
            if isinstance(event, StepsReported) and event.step == first_report(told):
                inbox.ask_to_stop()
            if isinstance(event, Warned) and "the last checkpoint (step" in event.message:
                inbox.ask_to_stop()
    assert told[-1].reason == "stopped"
    assert "without a checkpoint: " in told[-1].message
    assert list(run.checkpoints_folder.iterdir()) == []


def test_full_disk_in_the_middle_costs_a_checkpoint_and_nothing_else(sketches: DatasetFacts) -> None:
    """An epoch's checkpoint that does not fit is a warning; the last one is waited for, whoever asks for another."""
    run = create_run(plan(sketches.name))
    inbox, told = ControlInbox(run.controls_file), []
    with disk_that_is_full() as free:
        for event in train_in(run, inbox):
            told.append(event)
            if isinstance(event, Warned) and "the last checkpoint" in event.message:
                send(run.controls_file, SaveCheckpoint())
                free()
    assert next(event.message for event in told if isinstance(event, Warned)).startswith("the checkpoint of step 50 ")
    assert told[-1] == RunFinished(reason="finished")
    assert [facts.step for facts in list_checkpoints(run)] == [100]


@pytest.mark.parametrize("how", ["moved", "removed", "replaced"])
def test_run_whose_folder_goes_ends_with_a_sentence(sketches: DatasetFacts, how: str) -> None:
    """It does not go on in files that nobody finds."""
    run = create_run(plan(sketches.name, "epochs=1000"))
    told = []
    for event in train_in(run):
        told.append(event)
        if isinstance(event, StepsReported) and event.step == first_report(told):
            if how == "removed":
                shutil.rmtree(run.folder)
            else:
                run.folder.rename(run.folder.with_name("elsewhere"))
            if how == "replaced":
                run.folder.mkdir()
    assert told[-1].reason == "failed"
    assert f"{run.folder} was moved or removed while the run went on" in told[-1].message
