"""What a recipe names is torch's own: 200 steps equal those of a plain script, to the bit on a CPU."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn, optim
from torch.nn import functional

from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.optimizers import make_optimizer
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.parts import Augment
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import override
from cifartui.training.step import StepEngine

STEPS = 200
CPU = torch.device("cpu")


def recipe_with(*assignments: str) -> Recipe:
    """The tutorial's recipe with other settings."""
    return override(load_recipe("tutorial"), assignments)


def tiny() -> nn.Sequential:
    """Few weights, and among them those of a norm layer."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 10))


def batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Images of random numbers, labelled at random."""
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(STEPS, 8, 3, 8, 8, generator=generator)
    labels = torch.randint(0, 10, (STEPS, 8), generator=generator)
    return list(zip(images, labels, strict=True))


def engine_of(net: nn.Module, recipe: Recipe) -> StepEngine:
    """What takes the steps of a run."""
    optimizer = make_optimizer(net, recipe.optimizer)
    return StepEngine(net, optimizer, Augmenter(Augment(), 1), functional.cross_entropy, CPU)


def assert_same(net: nn.Module, theirs: nn.Module) -> None:
    """Whether all weights and buffers are equal to the bit."""
    expected = theirs.state_dict()
    assert [name for name, tensor in net.state_dict().items() if not torch.equal(tensor, expected[name])] == []


def norm_and_bias_apart(net: nn.Module) -> list[dict[str, object]]:
    """Groups as a script would write them for `tiny`."""
    conv, norm, _, _, head = net.children()
    return [
        {"params": [conv.weight, head.weight]},
        {"params": [conv.bias, *norm.parameters(), head.bias], "weight_decay": 0.0},
    ]


Script = Callable[[nn.Module], optim.Optimizer]
OPTIMIZERS: dict[str, tuple[list[str], Script]] = {
    "sgd": (
        ["learning_rate=0.05", "momentum=0"],
        lambda net: optim.SGD(net.parameters(), lr=0.05, fused=True),
    ),
    "sgd with all": (
        ["learning_rate=0.05", "nesterov=true", "weight_decay=0.01"],
        lambda net: optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01, fused=True),
    ),
    "sgd, norm and bias apart": (
        ["learning_rate=0.05", "weight_decay=0.01", "decay_norm_and_bias=false"],
        lambda net: optim.SGD(norm_and_bias_apart(net), lr=0.05, momentum=0.9, weight_decay=0.01, fused=True),
    ),
    "adam": (
        ["name=adam", "learning_rate=0.01", "betas=[0.8,0.99]", "eps=1e-6", "weight_decay=0.01"],
        lambda net: optim.Adam(net.parameters(), lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.01, fused=True),
    ),
    "adamw": (
        ["name=adamw", "learning_rate=0.01"],
        lambda net: optim.AdamW(net.parameters(), lr=0.01, fused=True),
    ),
    "adamw, norm and bias apart": (
        ["name=adamw", "learning_rate=0.01", "weight_decay=0.1", "decay_norm_and_bias=false"],
        lambda net: optim.AdamW(norm_and_bias_apart(net), lr=0.01, weight_decay=0.1, fused=True),
    ),
    "rmsprop": (
        ["name=rmsprop", "learning_rate=0.01", "momentum=0"],
        lambda net: optim.RMSprop(net.parameters(), lr=0.01),
    ),
    "rmsprop with all": (
        ["name=rmsprop", "learning_rate=0.01", "alpha=0.9", "eps=1e-6", "centered=true", "weight_decay=0.01"],
        lambda net: optim.RMSprop(
            net.parameters(), lr=0.01, alpha=0.9, eps=1e-6, momentum=0.9, centered=True, weight_decay=0.01
        ),
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_are_torchs(name: str) -> None:
    """Weights and running means after 200 steps."""
    settings, script = OPTIMIZERS[name]
    net = tiny()
    theirs = copy.deepcopy(net)
    optimizer = script(theirs)
    engine = engine_of(net, recipe_with(*(f"optimizer.{setting}" for setting in settings)))
    for step, (images, labels) in enumerate(batches()):
        engine.take(images, labels, step)
        optimizer.zero_grad()
        functional.cross_entropy(theirs(images), labels).backward()
        optimizer.step()
    assert_same(net, theirs)


@pytest.mark.parametrize("first_is_bad", [True, False])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_that_is_not_finite_changes_no_optimizer(name: str, first_is_bad: bool) -> None:
    """Weights, buffers and what the optimizer remembers are as if that step had not been, also if it is the first."""
    recipe = recipe_with(*(f"optimizer.{setting}" for setting in OPTIMIZERS[name][0]))
    net = tiny()
    theirs = copy.deepcopy(net)
    engine, undisturbed = engine_of(net, recipe), engine_of(theirs, recipe)
    for step, (images, labels) in enumerate(batches()[:12]):
        if step == (0 if first_is_bad else 5):
            engine.take(images * float("nan"), labels, step)
        engine.take(images, labels, step)
        undisturbed.take(images, labels, step)
    assert_same(net, theirs)
    states = [
        [engine._optimizer.state[weight] for weight in net.parameters()]
        for net, engine in ((net, engine), (theirs, undisturbed))
    ]
    for ours, expected in zip(*states, strict=True):
        assert ours.keys() == expected.keys()
        assert all(torch.equal(ours[field], expected[field]) for field in expected)
