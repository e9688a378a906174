"""The memory of a step by arithmetic, against what torch's optimizers keep."""

import pytest
import torch

from cifartui.model.memory import kept_bytes, training_bytes
from cifartui.model.module import build_module
from cifartui.model.network import load_network
from cifartui.model.summary import summarize
from cifartui.training.memory import optimizer_tensors, step_bytes
from cifartui.training.optimizers import make_optimizer
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.settings import override

TUTORIAL = load_recipe("tutorial")
SUMMARY = summarize(load_network("tutorial"))


@pytest.mark.parametrize(
    "assignments",
    [
        ["optimizer.momentum=0"],
        ["optimizer.momentum=0.9"],
        ["optimizer.name=adam"],
        ["optimizer.name=adamw"],
        ["optimizer.name=rmsprop", "optimizer.momentum=0"],
        ["optimizer.name=rmsprop", "optimizer.momentum=0.9", "optimizer.centered=true"],
    ],
)
def test_optimizer_keeps_so_many_numbers_for_each_weight(assignments: list[str]) -> None:
    """Those of its state that have the weights' shape, after a step."""
    recipe = override(TUTORIAL, assignments)
    net = build_module(load_network("tutorial"))
    optimizer = make_optimizer(net, recipe.optimizer)
    optimizer.found_inf = torch.zeros(())  # as the training loop says at each step
    net(torch.zeros(1, 3, 32, 32)).sum().backward()
    optimizer.step()
    kept = sum(
        value.numel()
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor) and value.dim()
    )
    assert optimizer_tensors(recipe.optimizer) * SUMMARY.parameters == kept


def test_step_needs_what_goes_through_at_once() -> None:
    """The tutorial's step is counted as on the model screen; parts and 16 bits keep less, an average more."""
    average = override(TUTORIAL, ["average.name=ema"])
    assert step_bytes(average, SUMMARY) == step_bytes(TUTORIAL, SUMMARY) + 4 * SUMMARY.parameters
    assert step_bytes(TUTORIAL, SUMMARY) == training_bytes(SUMMARY, TUTORIAL.batch_size)
    large = override(TUTORIAL, ["batch_size=64"])
    parts, half = override(large, ["images_at_once=16"]), override(large, ["precision=bf16"])
    assert step_bytes(large, SUMMARY) - step_bytes(parts, SUMMARY) == kept_bytes(SUMMARY, 64) - kept_bytes(SUMMARY, 16)
    assert step_bytes(large, SUMMARY) - step_bytes(half, SUMMARY) == kept_bytes(SUMMARY, 64) // 2
