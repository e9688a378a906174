"""Several runs side by side: their curves, what came of them, and the settings in which they differ."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from cifartui.errors import DataError, UsageError
from cifartui.evaluation.store import kept_evaluations, last_result
from cifartui.model.network import Network
from cifartui.training.recipes.settings import settings, toml_text
from cifartui.training.run.curves import Point
from cifartui.training.run.folder import Run, RunConfig
from cifartui.training.run.history import RunHistory
from cifartui.training.run.overview import RunOverview, overview_and_history

Axis = Literal["step", "epoch", "time"]
"""What curves are drawn over; time is that spent training, in seconds."""
Quantity = Literal["loss", "accuracy"]
NOTHING = "–"
"""A value that a run does not have."""
Points = tuple[tuple[float, float], ...]
"""Of (place on the axis, value)."""


class ComparedRun(RunOverview, frozen=True, kw_only=True):
    """What came of a run."""

    loss: float | None
    """Mean over the last whole epoch on the training images; None before the first."""
    test_accuracy: float | None
    """Of its last checkpoint on the test images, 0-1; None where that was not evaluated."""


class Difference(msgspec.Struct, frozen=True):
    """A setting that is not the same in all runs."""

    key: str
    values: tuple[str, ...]
    """Of each run, as TOML spells it; `–` where it has no such setting."""


class RunBeside(msgspec.Struct, frozen=True):
    """All that is shown of a run beside others, read once."""

    results: ComparedRun
    config: RunConfig | None
    """None where that is damaged."""
    history: RunHistory
    tested: tuple[tuple[int, float], ...]
    """Step and accuracy of its checkpoints that were evaluated on the test images, the earliest first."""


class RunCurves(NamedTuple):
    """A run's curves over an axis; bounded, whatever the length of the run."""

    training: Points
    held_out: Points
    tested: Points


class Comparison(msgspec.Struct, frozen=True):
    """What several runs came to, and in what they differ."""

    runs: tuple[ComparedRun, ...]
    differences: tuple[Difference, ...]


def compare(runs: Sequence[Run]) -> Comparison:
    """Read runs and put them side by side.

    Raises:
        UsageError: they are fewer than two, or one is named twice.
        OSError: one is gone.
    """
    if len({run.id for run in runs}) < max(2, len(runs)):
        raise UsageError("A comparison is between two runs or more, each named once.")
    beside = [read_beside(run) for run in runs]
    return Comparison(tuple(run.results for run in beside), differences(beside))


def read_beside(run: Run) -> RunBeside:
    """Read a run's folder.

    Raises:
        OSError: it is gone.
    """
    seen, history = overview_and_history(run)
    try:
        config = run.config()
    except DataError:
        config = None
    last = last_result(run)
    sha256 = config.dataset_sha256 if config else ""
    tested = {
        kept.checkpoint.step: kept.evaluation.accuracy
        for kept in kept_evaluations(run)
        if kept.dataset_sha256 == sha256
    }
    results = ComparedRun(
        **msgspec.structs.asdict(seen),
        loss=history.epochs[-1].loss if history.epochs else None,
        test_accuracy=last.evaluation.accuracy if last else None,
    )
    return RunBeside(results, config, history, tuple(sorted(tested.items())))


def differences(runs: Sequence[RunBeside]) -> tuple[Difference, ...]:
    """The settings in which runs differ, in the order of their recipes."""
    configs = [run.config for run in runs]
    networks = {config.network for config in configs if config}
    shared_names = len({network.name for network in networks}) < len(networks)
    asked = [_asked(run, with_layers=shared_names) for run in runs]
    keys: list[str] = []
    for each in asked:
        place = 0
        for key in each:
            if key not in keys:
                keys.insert(place, key)
            place = keys.index(key) + 1
    rows = (Difference(key, tuple(each.get(key, NOTHING) for each in asked)) for key in keys)
    return tuple(row for row in rows if len(set(row.values)) > 1)


def curves_of(run: RunBeside, quantity: Quantity, axis: Axis) -> RunCurves:
    """A run's losses or accuracies (0-1) over steps, epochs or seconds; what is not finite is left out."""
    curve, validation = run.history.curve, run.history.validation
    if quantity == "loss":
        training = [(point.step, point.seconds, point.loss) for point in curve]
        held_out = [(point.step, point.seconds, point.loss) for point in validation]
        return RunCurves(_placed(run, training, axis), _placed(run, held_out, axis), ())
    seen = [(point.step, point.seconds, point.accuracy) for point in curve]
    judged = [(point.step, point.seconds, point.accuracy) for point in validation]
    tested = [(step, _seconds_at(curve, step), accuracy) for step, accuracy in run.tested]
    return RunCurves(_placed(run, seen, axis), _placed(run, judged, axis), _placed(run, tested, axis))


def _placed(run: RunBeside, told: Iterable[tuple[int, float, float | None]], axis: Axis) -> Points:
    """Of (step, seconds, value), those that can be placed on an axis."""
    started = run.history.started
    per_epoch = max(1, started.steps_per_epoch) if started else 1
    return tuple(
        (seconds if axis == "time" else step / per_epoch if axis == "epoch" else float(step), value)
        for step, seconds, value in told
        if value is not None
    )


def _seconds_at(curve: Sequence[Point], step: int) -> float:
    """The time spent training up to about a step."""
    place = bisect_right(curve, step, key=lambda point: point.step)
    return curve[place - 1].seconds if place else 0.0


def _asked(run: RunBeside, *, with_layers: bool) -> dict[str, str]:
    """What was asked of a run, by key."""
    config, started = run.config, run.history.started
    if config is None:
        return {}
    asked = {"dataset": f"{config.dataset} ({config.dataset_sha256[:8]})"}
    asked |= {setting.key: setting.value for setting in settings(config.settings)}
    asked |= {"seed": str(config.seed), "device": started.device if started else config.device}
    if config.parent:
        asked["parent"] = config.parent.name
    return asked | (_layers(config.network) if with_layers else {})


def _layers(network: Network) -> dict[str, str]:
    """The numbers of a network's layers, by layer and field."""
    return {
        f"{layer.name}.{field}": toml_text(getattr(layer, field))
        for layer in network.layers
        for field in layer.__struct_fields__
        if field != "name"
    }
