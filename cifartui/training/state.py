"""Everything that makes the next step what it is: parts that give their tensors and facts, and take them back.

A checkpoint is all parts; going on from it is the same list. What a new kind of training needs to remember is one
more part.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn

from cifartui.errors import DataError
from cifartui.text import printable
from cifartui.training.loading.order import FileOrder, ShuffledOrder
from cifartui.training.meter import Meter, Tally
from cifartui.training.precision import Precision
from cifartui.training.step import StepEngine

Tensors = dict[str, torch.Tensor]
Facts = dict[str, Any]
"""Numbers, words and dictionaries of them, as JSON has them."""


class State(NamedTuple):
    """What all parts gave: on the CPU, detached, none sharing memory with another."""

    tensors: Tensors
    """Weights under their own names (`conv1.weight`), the rest under `part/name`, which no weight has."""
    facts: dict[str, Facts]
    """By the name of the part."""


class Part(Protocol):
    """One of the things that make the next step what it is."""

    name: str

    def tensors(self) -> Tensors:
        """What it holds in tensors, by names without a slash at the front."""
        ...

    def facts(self) -> Facts:
        """What it holds besides."""
        ...

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        """Take back what `tensors` and `facts` gave.

        Raises:
            DataError: something of it is missing, or does not fit.
        """
        ...


def collect(parts: Iterable[Part]) -> State:
    """The state of all parts now."""
    tensors: Tensors = {}
    facts: dict[str, Facts] = {}
    for part in parts:
        for name, tensor in part.tensors().items():
            tensors[name if isinstance(part, Weights) else f"{part.name}/{name}"] = tensor
        if stated := part.facts():
            facts[part.name] = stated
    return State(_apart(tensors), facts)


def restore(parts: Iterable[Part], state: State) -> None:
    """Give every part its own of a state.

    Raises:
        DataError: a part finds something missing or unfitting, or there is something that belongs to none.
    """
    parts = tuple(parts)
    held = {*state.facts, *(name.partition("/")[0] for name in state.tensors if "/" in name)}
    if unknown := held - {part.name for part in parts}:
        raise DataError(
            f"the checkpoint holds what this version of the program does not know ({printable(min(unknown), 80)}); go "
            "on with the version that saved it"
        )
    for part in parts:
        if isinstance(part, Weights):
            own = {name: tensor for name, tensor in state.tensors.items() if "/" not in name}
        else:
            own = part_of(state.tensors, part.name)
        try:
            part.restore(own, state.facts.get(part.name, {}))
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise DataError(
                f"the {part.name} in the checkpoint do not fit this run ({str(error).strip().splitlines()[0]})"
            ) from error


def part_of(tensors: Tensors, part: str) -> Tensors:
    """The tensors of a part other than the weights, by their names within it."""
    prefix = f"{part}/"
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def not_finite(tensors: Tensors) -> str:
    """The name of the first tensor that holds a nan or an infinity; else nothing."""
    return next((name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())), "")


def _apart(tensors: Tensors) -> Tensors:
    """Tensors on the CPU, each with memory of its own: safetensors refuses weights that share it."""
    memory: set[int] = set()
    apart: Tensors = {}
    for name, tensor in tensors.items():
        kept = tensor.detach().cpu().contiguous()
        place = kept.untyped_storage().data_ptr()
        apart[name] = kept.clone() if place in memory else kept
        memory.add(place)
    return apart


class Weights:
    """The network's parameters and buffers."""

    name = "weights"

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def tensors(self) -> Tensors:
        return dict(self._module.state_dict())

    def facts(self) -> Facts:
        return {}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        self._module.load_state_dict(tensors)


class OptimizerState:
    """What the optimizer remembers of each weight: `momentum_buffer/conv1.weight`."""

    name = "optimizer"

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._module, self._optimizer = module, optimizer

    def tensors(self) -> Tensors:
        return {
            f"{field}/{name}": value
            for name, parameter in self._module.named_parameters()
            for field, value in self._optimizer.state.get(parameter, {}).items()
            if isinstance(value, torch.Tensor)
        }

    def facts(self) -> Facts:
        return {}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        self._optimizer.state.clear()
        parameters = dict(self._module.named_parameters())
        for key, value in tensors.items():
            field, _, name = key.partition("/")
            parameter = parameters[name]
            if value.shape not in (parameter.shape, torch.Size([])):
                raise ValueError(f"{field} of {name} is of another shape")
            kept = torch.empty_like(parameter if value.shape == parameter.shape else value, device=parameter.device)
            self._optimizer.state[parameter][field] = kept.copy_(value)  # in memory as the weight, channels last or not


class Generators:
    """torch's random generators: the CPU's, one of each GPU once those are in use, and that of a Mac's."""

    name = "generators"

    def tensors(self) -> Tensors:
        states = {"cpu": torch.get_rng_state()}
        if torch.cuda.is_initialized():
            states |= {f"cuda{index}": state for index, state in enumerate(torch.cuda.get_rng_state_all())}
        if torch.backends.mps.is_available():
            states["mps"] = torch.mps.get_rng_state()
        return states

    def facts(self) -> Facts:
        return {}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        torch.set_rng_state(tensors["cpu"])
        if torch.cuda.is_initialized():
            for index in range(torch.cuda.device_count()):
                if f"cuda{index}" in tensors:
                    torch.cuda.set_rng_state(tensors[f"cuda{index}"], index)
        if torch.backends.mps.is_available() and "mps" in tensors:
            torch.mps.set_rng_state(tensors["mps"])


class Order:
    """Where the epochs' orders come from."""

    name = "order"

    def __init__(self, order: ShuffledOrder | FileOrder) -> None:
        self._order = order

    def tensors(self) -> Tensors:
        return {"generator": self._order.generator_state} if isinstance(self._order, ShuffledOrder) else {}

    def facts(self) -> Facts:
        return {}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        if isinstance(self._order, ShuffledOrder):
            self._order.generator_state = tensors["generator"]


class Tallies:
    """The sums behind the next log line and the end of the epoch."""

    name = "tallies"

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def tensors(self) -> Tensors:
        return {}

    def facts(self) -> Facts:
        self._meter.read()
        return {"log": self._meter.log.facts(), "epoch": self._meter.epoch.facts()}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        self._meter.forget()
        self._meter.log, self._meter.epoch = Tally(**facts["log"]), Tally(**facts["epoch"])


@dataclass
class Position:
    """Where the training stands."""

    steps_per_epoch: int
    epochs: int
    """How many the run shall have; a command may change it, and no checkpoint holds it."""
    epoch: int = 1
    """The epoch in hand, from 1."""
    batch: int = 0
    """Batches of it already taken; all of them: the epoch is over, with its validation."""
    step: int = 0
    """Steps taken since the start of the run."""
    name: str = field(default="position", init=False)

    @property
    def epoch_is_over(self) -> bool:
        """Whether no batch of the epoch in hand is left."""
        return self.batch >= self.steps_per_epoch

    def begin_next_epoch(self) -> None:
        """Go to the first batch of the next epoch."""
        self.epoch, self.batch = self.epoch + 1, 0

    def tensors(self) -> Tensors:
        return {}

    def facts(self) -> Facts:
        return {"epoch": self.epoch, "batch": self.batch, "step": self.step}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        epoch, batch, step = (int(facts[name]) for name in ("epoch", "batch", "step"))
        if not (epoch >= 1 and 0 <= batch <= self.steps_per_epoch and step >= 0):
            raise ValueError(f"batch {batch} of epoch {epoch}")
        self.epoch, self.batch, self.step = epoch, batch, step


class Accumulation:
    """In parts of how many images a step is taken; 0: all at once."""

    name = "accumulation"

    def __init__(self, engine: StepEngine) -> None:
        self._engine = engine

    def tensors(self) -> Tensors:
        return {}

    def facts(self) -> Facts:
        return {"images_at_once": self._engine.images_at_once}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        self._engine.images_at_once = int(facts["images_at_once"])


class Scale:
    """By how much the loss is scaled for fp16, and how many steps went well with that; nothing in other precisions."""

    name = "scale"

    def __init__(self, precision: Precision) -> None:
        self._precision = precision

    def tensors(self) -> Tensors:
        return {}

    def facts(self) -> Facts:
        scaler = self._precision.scaler
        return {"scale": scaler.get_scale(), "growth_tracker": scaler.state_dict()["_growth_tracker"]} if scaler else {}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        scaler = self._precision.scaler
        if scaler and facts:
            counted = {"scale": float(facts["scale"]), "_growth_tracker": int(facts["growth_tracker"])}
            scaler.load_state_dict(scaler.state_dict() | counted)
