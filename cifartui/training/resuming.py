"""Taking a run up again, and going on from another run's checkpoint: planned without torch, then started."""

import shutil
import subprocess
import time
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from cifartui.dataset.store import find_dataset
from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.files import durably, write_durably
from cifartui.text import printable
from cifartui.training.checks import require_sense
from cifartui.training.device_names import DeviceName
from cifartui.training.launch import start_host
from cifartui.training.recipes.recipe import RATE, Recipe
from cifartui.training.recipes.settings import override, settings
from cifartui.training.run.checkpoints import (
    CheckpointFacts,
    broken_checkpoints,
    damage,
    encode_facts,
    facts_file,
    find_checkpoint,
    list_checkpoints,
    tensors_file,
)
from cifartui.training.run.folder import Parent, Run, RunConfig, create_run, find_run
from cifartui.training.run.follow import read_history
from cifartui.training.run.keeping import FORKED
from cifartui.training.start import Start

FIXED = (
    "network",
    "batch_size",
    "loader.shuffle",
    "validation.images",
    "optimizer.name",
    "optimizer.centered",
    "average.name",
)
"""Settings that a fork has from its parent: with others, what the checkpoint holds would not fit."""


class Continuation(NamedTuple):
    """Where a run would go on."""

    run: Run
    checkpoint: CheckpointFacts | None
    """None: it has none, and starts at its beginning."""
    epochs: int
    passed_over: tuple[str, ...] = ()
    """A sentence about each newer checkpoint that is damaged."""
    lost: tuple[CheckpointFacts, ...] = ()
    """Whole checkpoints of later steps, which are removed."""


class Fork(NamedTuple):
    """A new run that would go on from another's checkpoint."""

    config: RunConfig
    parent: Run
    checkpoint: CheckpointFacts


def plan_continuation(run: Run, which: str = "", epochs: int | None = None) -> Continuation:
    """Find out where a run would go on: `which` is `last`, `best`, a step, or empty for the newest whole checkpoint.

    Raises:
        CifartuiError: it goes on already, or cannot; the sentence says why, and what to do.
    """
    if run.is_carried():
        raise CifartuiError(f"Run {run.id} goes on already; follow it with `cifartui runs follow {run.id}`.")
    config = run.config()
    find_dataset(config.dataset, config.dataset_sha256)
    checkpoints = list_checkpoints(run)
    passed_over: tuple[str, ...] = ()
    if which:
        checkpoint: CheckpointFacts | None = _whole(run, find_checkpoint(run, which))
    else:
        checkpoint, passed_over = _newest_whole(run, checkpoints)
    epochs = epochs or epochs_asked(run, config)
    if checkpoint is None and config.parent:
        raise DataError(
            f"Run {run.id} has no whole checkpoint to go on from; start another like it from its parent: "
            f"`cifartui train --from {config.parent.name}`."
        )
    if checkpoint:
        _require_more(run, checkpoint, epochs, config)
    lost = tuple(
        facts for facts in checkpoints if checkpoint and facts.step > checkpoint.step and not damage(run, facts)
    )
    return Continuation(run, checkpoint, epochs, passed_over, lost)


def continue_run(plan: Continuation, *, now: bool = False, hold: bool = False) -> "subprocess.Popen[bytes]":
    """Start a process that carries a run on; `now` and `hold` as in `Start`.

    Raises:
        OSError: it cannot be started.
    """
    step = plan.checkpoint.step if plan.checkpoint else None
    return start_host(plan.run, Start(step, plan.epochs, now, hold))


def plan_fork(reference: str, overrides: Iterable[str] = (), device: DeviceName | None = None) -> Fork:
    """Plan a run that goes on from `RUN`, `RUN@STEP`, `RUN@best` or `RUN@last`, with settings of its own.

    Network, data set, seed and batch size are the parent's.

    Raises:
        CifartuiError: there is no such checkpoint, it is damaged, or a setting cannot be changed.
    """
    name, _, which = reference.partition("@")
    parent = find_run(name)
    asked = parent.config()
    find_dataset(asked.dataset, asked.dataset_sha256)
    checkpoint = _whole(parent, find_checkpoint(parent, which or "last"))
    own = msgspec.structs.replace(asked.settings, epochs=epochs_asked(parent, asked))
    assignments = tuple(overrides)
    recipe = override(own, assignments)
    require_sense(recipe)
    changed = _changed(own, recipe)
    for key in changed:
        if key in FIXED:
            raise UsageError(f"{key} cannot be changed: a run from a checkpoint has its parent's; start a new run.")
    _require_more(parent, checkpoint, recipe.epochs, asked, "--set epochs=")
    if RATE not in changed and (_sets_rate(assignments) or _begins_with_its_recipes_rate(asked, checkpoint)):
        changed += (RATE,)
    config = msgspec.structs.replace(
        asked,
        settings=recipe,
        device=device or asked.device,
        created=time.time(),
        parent=Parent(parent.id, checkpoint.step, checkpoint.sha256, changed),
    )
    return Fork(config, parent, checkpoint)


def fork_run(plan: Fork, *, now: bool = False, hold: bool = False) -> tuple[Run, "subprocess.Popen[bytes]"]:
    """Create the run and start the host that carries it; `now` and `hold` as in `Start`.

    Raises:
        OSError: it cannot be written or started.
    """
    run = create_fork(plan)
    return run, start_host(run, Start(plan.checkpoint.step, plan.config.settings.epochs, now, hold))


def create_fork(plan: Fork) -> Run:
    """Create the run, with a copy of its parent's checkpoint as its first.

    Raises:
        OSError: it cannot be written; nothing of it is left behind.
    """
    run = create_run(plan.config)
    facts = msgspec.structs.replace(
        plan.checkpoint, run=run.id, cause=FORKED, created=time.time(), validation_accuracy=None
    )
    try:
        with durably(tensors_file(run, facts)) as copy:
            shutil.copyfile(tensors_file(plan.parent, plan.checkpoint), copy)
        write_durably(facts_file(run, facts), encode_facts(facts))
    except BaseException:  # also where the user leaves meanwhile
        shutil.rmtree(run.folder, ignore_errors=True)
        raise
    return run


def epochs_asked(run: Run, config: RunConfig) -> int:
    """How many epochs a run shall have in all, by its recipe or by what was commanded since."""
    return read_history(run)[0].epochs_asked or config.settings.epochs


def _newest_whole(run: Run, checkpoints: list[CheckpointFacts]) -> tuple[CheckpointFacts | None, tuple[str, ...]]:
    """The newest checkpoint that is whole, and a sentence about each later one."""
    problems = broken_checkpoints(run)
    newest = None
    for facts in reversed(checkpoints):
        problem = damage(run, facts)
        if not problem:
            newest = _of_this_version(run, facts)
            break
        problems[facts.step] = problem
    later = (step for step in sorted(problems, reverse=True) if newest is None or step > newest.step)
    return newest, tuple(
        f"The checkpoint of step {step:,} is damaged ({problems[step]}) and is passed over." for step in later
    )


def _whole(run: Run, facts: CheckpointFacts) -> CheckpointFacts:
    if problem := damage(run, facts):
        raise DataError(
            f"The checkpoint {run.id}@{facts.step} is damaged ({problem}); choose another, see "
            f"`cifartui runs checkpoints {run.id}`."
        )
    return _of_this_version(run, facts)


def _of_this_version(run: Run, facts: CheckpointFacts) -> CheckpointFacts:
    if facts.epoch_seconds is None:
        raise DataError(
            f"The checkpoint {run.id}@{facts.step} was saved by an older version of the program, without all that is "
            "needed to go on exactly; it can be evaluated and exported, and a new run starts from the beginning."
        )
    return facts


def _require_more(
    run: Run, checkpoint: CheckpointFacts, epochs: int, config: RunConfig, flag: str = "--epochs "
) -> None:
    """Check that there is something left to train."""
    steps_left = checkpoint.epoch < epochs or (checkpoint.epoch == epochs and not checkpoint.epoch_is_over)
    if not steps_left:
        raise UsageError(
            f"Run {printable(run.id)} has trained {checkpoint.epoch:,} of its {epochs:,} epochs at step "
            f"{checkpoint.step:,}; ask for more, as with {flag}{checkpoint.epoch + config.settings.epochs}."
        )


def _sets_rate(assignments: Iterable[str]) -> bool:
    """Whether the recipe's learning rate is asked for, which the parent may have turned away from."""
    return any(assignment.partition("=")[0].strip() == RATE for assignment in assignments)


def _begins_with_its_recipes_rate(asked: RunConfig, checkpoint: CheckpointFacts) -> bool:
    """Whether a checkpoint is still that of a fork's parent, whose state holds the rate of the run before."""
    return bool(asked.parent and asked.parent.sha256 == checkpoint.sha256 and RATE in asked.parent.changed)


def _changed(before: Recipe, after: Recipe) -> tuple[str, ...]:
    values = {setting.key: setting.value for setting in settings(before)}
    return tuple(setting.key for setting in settings(after) if setting.value != values.get(setting.key))
