"""The learning rate of a run: the recipe's, along its schedule, as a person turned it."""

import math
from typing import NamedTuple

import torch

from cifartui.training.recipes.schedules import AnySchedule
from cifartui.training.state import Facts, Position, Tensors

RUNG = math.sqrt(2)
"""From one learning rate of the ladder to the next."""
CLOSE = 1e-9
"""In rungs: what is as close to one as that is on it."""


class Turned(NamedTuple):
    """What a person, or the recipe, set the learning rate to."""

    to: float
    factor: float = 1.0
    """Of the schedule at that step."""

    def at(self, factor: float) -> float:
        """The rate where the schedule has another factor; where it has the same one, `to` to the bit."""
        return self.to * (factor / self.factor)


class LearningRate:
    """The learning rate of the optimizer's groups of weights: the recipe's, along its schedule, as a person turned it.

    Turned to a value, it has that value at that step, and goes on in proportion to the schedule.
    """

    name = "rate"

    def __init__(
        self, optimizer: torch.optim.Optimizer, of_recipe: float, schedule: AnySchedule, position: Position
    ) -> None:
        self._optimizer, self._of_recipe = optimizer, of_recipe
        self._schedule, self._position = schedule, position
        self._varies = schedule.varies
        self.turned = Turned(of_recipe)

    @property
    def value(self) -> float:
        """Of the next step."""
        return self.turned.at(self.factor)

    @property
    def factor(self) -> float:
        """Of the schedule at the next step."""
        position = self._position
        return self._schedule.factor(position.step, position.steps_per_epoch, position.epochs)

    @property
    def multiplier(self) -> float:
        """How many times the recipe's rate, along its schedule, it was turned to."""
        return self.turned.at(1.0) / self._of_recipe

    def follow_schedule(self) -> None:
        """Let the optimizer have the rate of the next step; without a schedule it has it already."""
        if self._varies:
            self._hand_over()

    def turn(self, to: float | str) -> None:
        """Set it to a value, or "up" or "down" to the next rung of the ladder, which has the schedule's own rate."""
        factor = self.factor
        if isinstance(to, str):
            scheduled = self._of_recipe * factor
            rungs = math.log(self.value / scheduled, RUNG)
            rung = math.floor(rungs + CLOSE) + 1 if to == "up" else math.ceil(rungs - CLOSE) - 1
            to = scheduled * RUNG**rung
        self.set(Turned(to, factor))

    def set(self, turned: Turned) -> None:
        """Take over what it was turned to at this or another step."""
        self.turned = turned
        self._hand_over()

    def take_the_recipes(self) -> None:
        """Forget what was turned."""
        self.set(Turned(self._of_recipe))

    def tensors(self) -> Tensors:
        return {}

    def facts(self) -> Facts:
        return {"value": self.turned.to, "factor": self.turned.factor}

    def restore(self, tensors: Tensors, facts: Facts) -> None:
        self.set(Turned(float(facts["value"]), float(facts.get("factor", 1.0))))

    def _hand_over(self) -> None:
        value = self.value
        for group in self._optimizer.param_groups:
            group["lr"] = value
