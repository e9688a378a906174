"""Runs that are killed and taken up again end as undisturbed ones do, to the bit; at length by `make faults`."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from cifartui.dataset.store import DatasetFacts
from cifartui.training import host
from cifartui.training.launch import start_run
from cifartui.training.resuming import continue_run, plan_continuation
from cifartui.training.run.checkpoints import broken_checkpoints, damage, list_checkpoints, remove_checkpoint
from cifartui.training.run.controls import AnyControl, ChangeRate, ControlInbox, SaveCheckpoint, send
from cifartui.training.run.events import AnyEvent, LearningRateChanged, LineDamaged
from cifartui.training.run.folder import Run, RunConfig, create_run
from cifartui.training.run.journal import JournalReader
from cifartui.training.start import Start
from tests.training.running import plan, train_in, wait_for
from tests.training.undisturbed import (
    EVERYTHING,
    NETWORK,
    assert_as_undisturbed,
    looking_at_every_step,
    undisturbed,
    what_holds,
)

KILLS_WHILE_SAVING = 200
TRAINED_IMAGES = 160
SAVES_BYTES = 1_500
"""Of the journal, in which a few checkpoints were saved."""


def chancy(dataset: str, folder: Path, *overrides: str) -> RunConfig:
    """Dropout, batch norm, and all that a recipe can have."""
    network = folder / "chancy.toml"
    network.write_text(NETWORK)
    return plan(
        dataset,
        f"network={network}",
        *EVERYTHING,
        "stopping.epochs=1000",
        "images_at_once=2",
        "validation.images=40",
        "log_every=7",
        *overrides,
    )


def journal_of(run: Run) -> list[AnyEvent]:
    """All events, after making sure that none is missing, double or damaged."""
    events = JournalReader(run.journal_file).read_new()
    assert [event.seq for event in events] == list(range(len(events)))
    assert not [event for event in events if isinstance(event, LineDamaged)]
    return events


def assert_checkpoints_are_whole(run: Run) -> None:
    """Whatever is listed is whole, and nothing that was committed is broken."""
    assert broken_checkpoints(run) == {}
    assert [facts.step for facts in list_checkpoints(run) if damage(run, facts)] == []


class AlwaysSaving(ControlInbox):
    """Asks for a checkpoint after every step."""

    def read_new(self) -> tuple[list[AnyControl], str]:
        return [SaveCheckpoint(id="1")], ""


def carry_in_child(run: Run, start: Start) -> int:
    """Carry a run in a copy of this process, with torch loaded, that saves after every step; return its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        torch.set_num_threads(1)
        host.ControlInbox = AlwaysSaving
        with looking_at_every_step(), run.lock():
            code = host.carry(run, start)
    finally:
        os._exit(code)


def start_of(run: Run) -> Start:
    """Where a run would go on."""
    facts = plan_continuation(run).checkpoint
    return Start(facts.step if facts else None)


def size_of_journal(run: Run) -> int:
    return run.journal_file.stat().st_size if run.journal_file.exists() else 0


@pytest.mark.faults
def test_kills_while_saving(sketches: DatasetFacts, tmp_path: Path) -> None:
    """SIGKILL again and again in a run that does little but save: what is listed is whole, and the end is the same."""
    config = chancy(sketches.name, tmp_path, "batch_size=20", "epochs=400")
    steps = TRAINED_IMAGES // 20
    run, chance = create_run(config), random.Random(9)
    started, kills = time.monotonic(), 0
    while kills < KILLS_WHILE_SAVING:
        pid = carry_in_child(run, start_of(run))
        told = size_of_journal(run)
        while size_of_journal(run) < told + SAVES_BYTES and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.02))
        os.kill(pid, signal.SIGKILL)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        kills += 1
        assert_checkpoints_are_whole(run)
        for facts in list_checkpoints(run)[:-3]:  # all were asked for, and would stay
            remove_checkpoint(run, facts)
    killed_at = list_checkpoints(run)[-1].step
    process = continue_run(plan_continuation(run))
    assert process.wait(100) == 0
    told = what_holds(journal_of(run), steps)
    reference, sha256 = undisturbed(config)
    assert list_checkpoints(run)[-1].sha256 == sha256
    assert_as_undisturbed(told, reference, steps)
    print(f"{kills} kills while saving, over {killed_at:,} steps, in {time.monotonic() - started:.0f} s")


@pytest.mark.parametrize(("kills", "epochs"), [(1, 20), pytest.param(20, 400, marks=pytest.mark.faults)])
def test_kills_of_runs(sketches: DatasetFacts, tmp_path: Path, kills: int, epochs: int) -> None:
    """SIGKILL of real hosts at any time, the learning rate turned on the way: weights, log and curves are the same."""
    config = chancy(sketches.name, tmp_path, f"epochs={epochs}")
    steps = TRAINED_IMAGES // 4
    run, process = start_run(config)
    chance = random.Random(4)
    for kill in range(kills):
        told = len(JournalReader(run.journal_file).read_new())
        wait_for(run, lambda history, state, told=told: state == "running" and _reports(run) > told)
        if kill % 4 == 0:
            send(run.controls_file, ChangeRate(to=chance.choice(["up", "down"])))
        time.sleep(chance.uniform(0.0, 0.8))
        process.kill()
        process.wait()
        assert_checkpoints_are_whole(run)
        process = continue_run(plan_continuation(run))
    assert process.wait(300) == 0
    events = journal_of(run)
    told_in_the_end = what_holds(events, steps)
    changes = [event for event in told_in_the_end if isinstance(event, LearningRateChanged)]
    reference, sha256 = undisturbed(config, told_in_the_end)
    assert list_checkpoints(run)[-1].sha256 == sha256
    assert_as_undisturbed(told_in_the_end, reference, steps)
    print(f"{kills} kills of hosts, the learning rate turned {len(changes)} times, {len(reference):,} points")


def _reports(run: Run) -> int:
    return len(JournalReader(run.journal_file).read_new())


@pytest.mark.parametrize(("flips", "truncations"), [(60, 8), pytest.param(1_000, 64, marks=pytest.mark.faults)])
def test_flipped_bytes_and_truncations_of_a_checkpoint(
    sketches: DatasetFacts, tmp_path: Path, flips: int, truncations: int
) -> None:
    """Of its two files in turn: each is found before a tensor is used."""
    run = create_run(chancy(sketches.name, tmp_path, "epochs=1"))
    list(train_in(run))
    facts = list_checkpoints(run)[-1]
    files = sorted(run.checkpoints_folder.glob(f"{facts.stem}.*"))
    whole = {path: path.read_bytes() for path in files}
    chance, found = random.Random(2), 0
    for number in range(flips + truncations):
        path = files[number % len(files)]
        content = bytearray(whole[path])
        if number < flips:
            content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
        else:
            del content[chance.randrange(len(content)) :]
        path.write_bytes(content)
        listed = list_checkpoints(run)
        found += not listed or bool(damage(run, listed[-1]))
        assert not listed or listed[-1] == facts
        path.write_bytes(whole[path])
    assert found == flips + truncations
    assert list_checkpoints(run)[-1] == facts
    assert damage(run, facts) == ""
