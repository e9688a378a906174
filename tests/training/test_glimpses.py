"""Glimpses of the network in training: what they hold, what they cost, and that they leave no trace in it."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from cifartui.dataset.images import load_image_set
from cifartui.dataset.store import DatasetFacts
from cifartui.training import glimpses
from cifartui.training.glimpses import Glimpses, choose_pictures
from cifartui.training.recipes.parts import Normalize
from cifartui.training.run.checkpoints import find_checkpoint
from cifartui.training.run.folder import Run, create_run
from cifartui.training.run.glimpse import MOST_BYTES, Filters, Glimpse, GlimpseReader, write_glimpse
from cifartui.training.snapshot import read_weights
from tests.training.running import losses, plan, train_here
from tests.training.undisturbed import EVERYTHING, NETWORK, looking_at_every_step
from tests.tutorial import Net

HALF = Normalize(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def test_training_is_the_same_to_the_bit_whether_it_is_looked_at_or_not(
    sketches: DatasetFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dropout, batch norm, an average, augmentation and mixing; a glimpse is taken after every step, or none."""
    network = tmp_path / "chancy.toml"
    network.write_text(NETWORK)
    config = plan(
        sketches.name,
        *EVERYTHING,
        f"network={network}",
        "batch_size=16",
        "log_every=1",
        "validation.images=40",
        "epochs=1",
    )
    taken: list[int] = []
    take = Glimpses.take

    def counted(self: Glimpses, run: Run, step: int) -> None:
        take(self, run, step)
        taken.append(step)

    monkeypatch.setattr(glimpses, "SECONDS", 0.0)
    monkeypatch.setattr(glimpses, "TIMES_ITS_COST", 0)
    monkeypatch.setattr(Glimpses, "take", counted)
    with looking_at_every_step():
        looked_at, events = train_here(config)
    monkeypatch.setattr(Glimpses, "take", lambda *_: None)
    alone, events_alone = train_here(config)
    assert set(taken) == set(range(11))
    assert GlimpseReader(looked_at).read()
    assert not alone.glimpse_file.exists()
    assert len(losses(events)) == 10
    assert losses(events) == losses(events_alone)
    assert find_checkpoint(looked_at, "last").sha256 == find_checkpoint(alone, "last").sha256


def test_a_run_leaves_a_glimpse_of_what_it_came_to(sketches: DatasetFacts) -> None:
    """The filters are those of the last checkpoint, and the answers are what its network says of test images."""
    run, _ = train_here(plan(sketches.name, seed=5))
    glimpse = GlimpseReader(run).read()
    assert glimpse
    assert (glimpse.step, glimpse.source, glimpse.is_average) == (100, "test images", False)
    weights = read_weights(run, find_checkpoint(run, "last"))
    assert glimpse.filters
    assert (glimpse.filters.layer, glimpse.filters.total) == ("conv1", 6)
    np.testing.assert_array_equal(glimpse.filters.kernels(), weights["conv1.weight"].half().float().numpy())

    net = Net()
    net.load_state_dict(weights)
    pictures = choose_pictures(load_image_set(sketches.name, "test"), seed=5)
    probabilities = net((pictures.images / 255 - 0.5) / 0.5).softmax(dim=1).detach()
    assert len({answer.place for answer in glimpse.answers}) == 3
    for answer, image, label, expected in zip(
        glimpse.answers, pictures.images, pictures.labels, probabilities, strict=True
    ):
        np.testing.assert_array_equal(answer.pixels(), image.permute(1, 2, 0).numpy())
        assert (answer.place, answer.name) == (label, sketches.classes[label])
        assert [guess.place for guess in answer.guesses] == expected.topk(3).indices.tolist()
        assert all(guess.name == sketches.classes[guess.place] for guess in answer.guesses)
        assert [guess.probability for guess in answer.guesses] == pytest.approx(expected.topk(3).values.tolist())


def test_held_out_images_are_asked_about_where_there_are_some(sketches: DatasetFacts) -> None:
    """They are taken in place of the test images, the same ones for the same seed."""
    runs = [train_here(plan(sketches.name, "validation.images=40", "epochs=1"))[0] for _ in range(2)]
    first, again = (GlimpseReader(run).read() for run in runs)
    assert first
    assert again
    assert first.source == "held-out images"
    assert [answer.rgb for answer in first.answers] == [answer.rgb for answer in again.answers]


class Slow(nn.Module):
    """A network that takes its time, with more filters and larger pictures than are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 100, 3)
        self.mistake: type[Exception] | None = None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        time.sleep(0.02)
        if self.mistake:
            raise self.mistake
        return self.first(images).mean(dim=(2, 3))[:, :10]


def test_a_glimpse_takes_a_hundredth_of_the_time(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is due a hundred times what it took later; the first, which loads what is needed, does not count."""
    run = create_run(plan(sketches.name))
    pictures = choose_pictures(load_image_set(sketches.name, "test"), seed=1)
    taker = Glimpses(Slow(), pictures, "test images", HALF, is_average=False)
    assert taker.is_due
    for least, most in ((0.9, 1.1), (2.0, 60.0)):
        taker.take(run, step=0)
        now = time.monotonic()
        monkeypatch.setattr(glimpses, "monotonic", lambda now=now, least=least: now + least - 0.05)
        assert not taker.is_due
        monkeypatch.setattr(glimpses, "monotonic", lambda now=now, most=most: now + most)
        assert taker.is_due
        monkeypatch.setattr(glimpses, "monotonic", time.monotonic)
    glimpse = GlimpseReader(run).read()
    assert glimpse
    assert glimpse.filters
    assert (glimpse.filters.total, glimpse.filters.shape) == (100, (64, 3, 3, 3))


@pytest.mark.parametrize("mistake", [MemoryError, torch.OutOfMemoryError, None])
def test_without_room_there_is_no_glimpse(sketches: DatasetFacts, mistake: type[Exception] | None) -> None:
    """In memory, or on the disk, where the folder may be gone, too: what was there stays, and training goes on."""
    run = create_run(plan(sketches.name))
    network = Slow()
    pictures = choose_pictures(load_image_set(sketches.name, "test"), seed=1)
    taker = Glimpses(network, pictures, "test images", HALF, is_average=False)
    taker.take(run, step=1)
    network.mistake = mistake
    if mistake is None:
        run.folder.rename(run.folder.with_name("elsewhere"))
    taker.take(run, step=2)
    assert network.training
    run = run if mistake else Run(run.folder.with_name("elsewhere"))
    glimpse = GlimpseReader(run).read()
    assert glimpse
    assert glimpse.step == 1


def damaged(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Write the glimpse again, with a change."""

    def write(file: Path) -> None:
        held = msgspec.msgpack.decode(file.read_bytes())
        change(held)
        file.write_bytes(msgspec.msgpack.encode(held))

    return write


FOREIGN: dict[str, Callable[[Path], Any]] = {
    "gone": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: os.truncate(file, file.stat().st_size - 1),
    "nested": lambda file: file.write_bytes(b"\x91" * 100_000),
    "huge": lambda file: os.truncate(file, 100 * MOST_BYTES),
    "pipe": lambda file: (file.unlink(), os.mkfifo(file)),
    "folder": lambda file: (file.unlink(), file.mkdir()),
    "other version": damaged(lambda held: held.update(version=2)),
    "other shape": damaged(lambda held: held["filters"].update(shape=[2, 3, 5, 5])),
    "no shape": damaged(lambda held: held["filters"].update(shape=[0, 3, 5, 5], weights=b"")),
    "no picture": damaged(lambda held: held["answers"][0].update(size=[8, 8])),
    "no guesses": damaged(lambda held: held["answers"][0].update(guesses=[])),
    "no probability": damaged(
        lambda held: held["answers"][0].update(guesses=[{"place": 3, "name": "cat", "probability": float("nan")}])
    ),
}


@pytest.fixture
def glimpsed(sketches: DatasetFacts) -> Run:
    """A run of which a glimpse was taken."""
    run = create_run(plan(sketches.name))
    pictures = choose_pictures(load_image_set(sketches.name, "test"), seed=1)
    Glimpses(Net(), pictures, "test images", HALF, is_average=False).take(run, step=7)
    return run


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_that_is_no_glimpse_is_passed_over(glimpsed: Run, what: str) -> None:
    """And the next glimpse is read; only a folder cannot be replaced."""
    reader = GlimpseReader(glimpsed)
    assert reader.read() is reader.read() is not None
    FOREIGN[what](glimpsed.glimpse_file)
    assert reader.read() is None
    if what != "folder":
        write_glimpse(glimpsed, Glimpse(step=8, filters=Filters("c", 1, (1, 1, 1, 1), b"\0\0")))
        assert (glimpse := reader.read())
        assert glimpse.step == 8
