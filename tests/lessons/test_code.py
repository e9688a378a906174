"""The parts of a training script: torch takes them, and they do what the recipe's own parts do."""

import ast
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchvision import transforms
from torchvision.transforms import v2

from cifartui.lessons.code import PARTS, part_lines
from cifartui.training.optimizers import make_optimizer
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import override

RECIPES = ["tutorial", "quick", "strong", "steady", "augmented", "held-out"]
CHANGES = [
    ["schedule.name=constant", "schedule.warmup_epochs=0.5", "optimizer.name=adamw"],
    ["schedule.name=step", "schedule.every_epochs=1", "optimizer.name=rmsprop", "precision=fp16"],
    ["schedule.name=step", "schedule.every_epochs=1", "schedule.warmup_epochs=1.5", "clipping.name=norm"],
    ["schedule.name=linear", "schedule.warmup_epochs=1", "average.name=ema", "images_at_once=2"],
    ["schedule.name=cosine", "schedule.end_factor=0.1", "mixing.name=cutmix", "augment.cutout=8"],
    ["schedule.name=one_cycle", "stopping.name=patience", "precision=tf32", "initialization=he", "channels_last=true"],
]
STEPS_PER_EPOCH = 10


def recipes() -> list[Recipe]:
    """The recipes of the program, and one with each other kind of every table."""
    tutorial = load_recipe("tutorial")
    return [*map(load_recipe, RECIPES), *(override(tutorial, ["epochs=3", *changes]) for changes in CHANGES)]


def executed(*parts: list[str], **names: Any) -> dict[str, Any]:
    """The names after lines of a script have run."""
    names |= {"torch": torch, "nn": nn, "transforms": transforms, "v2": v2}
    exec("\n".join(line for lines in parts for line in lines), names)
    return names


@pytest.mark.parametrize("recipe", recipes())
def test_every_part_is_python_of_few_lines(recipe: Recipe) -> None:
    """Two to eight lines for the settings that people have; a panel has room for no more than ten."""
    for part in PARTS:
        lines = part_lines(part, recipe)
        ast.parse("\n".join(lines))
        assert len(lines) <= 10, part


@pytest.mark.parametrize("recipe", recipes())
def test_optimizer_and_schedule_are_those_of_training(recipe: Recipe) -> None:
    """The same class and the same settings for the same weights; the rate of every step to the last digits."""
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    lines = part_lines("optimizer", recipe), part_lines("schedule", recipe)
    made = executed(*lines, net=net, trainloader=range(STEPS_PER_EPOCH))
    ours, own = made["optimizer"], make_optimizer(net, recipe.optimizer)
    assert isinstance(own, type(ours))
    for group, expected in zip(ours.param_groups, own.param_groups, strict=True):
        assert [id(weight) for weight in group["params"]] == [id(weight) for weight in expected["params"]]
        for name in recipe.optimizer.arguments():
            if name != "lr":  # the scheduler has set that of its first step
                assert group[name] == expected[name], name
    for step in range(recipe.epochs * STEPS_PER_EPOCH if recipe.schedule.varies else 0):
        expected_rate = recipe.optimizer.learning_rate * recipe.schedule.factor(step, STEPS_PER_EPOCH, recipe.epochs)
        assert ours.param_groups[0]["lr"] == pytest.approx(expected_rate, rel=1e-6, abs=1e-12)
        ours.step()
        made["scheduler"].step()


def test_weights_are_saved_and_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines run as they stand, and give back what was saved."""
    monkeypatch.chdir(tmp_path)
    net = nn.Linear(3, 2)
    made = executed(part_lines("saving_and_loading", load_recipe("tutorial")), net=net, Net=lambda: nn.Linear(3, 2))
    assert made["net"] is not net
    assert torch.equal(made["net"].weight, net.weight)


def test_the_test_images_are_counted() -> None:
    """Right answers of all, of each class, and what was taken for what, are those of the images."""
    images, labels = torch.eye(3)[[0, 1, 1, 2]], torch.tensor([0, 1, 2, 2])
    names = {"net": nn.Identity(), "testloader": [(images, labels)], "total": 0, "correct": 0}
    recipe = load_recipe("tutorial")
    made = executed(part_lines("accuracy", recipe), **names)
    assert (made["correct"], made["total"]) == (3, 4)
    seen = {"net": nn.Identity(), "images": images, "labels": labels, "classes": "abc"}
    made = executed(part_lines("per_class", recipe), class_total=[0] * 3, class_correct=[0] * 3, **seen)
    assert (made["class_correct"], made["class_total"]) == ([1, 1, 1], [1, 1, 2])
    assert executed(part_lines("confusion", recipe), **seen)["confusion"].tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]


def test_whitened_patches_are_uncorrelated_and_equally_large() -> None:
    """The filters of the lines, on patches of the images that they were made from."""
    images = torch.rand(64, 3, 12, 12).cumsum(dim=3)
    net = nn.Sequential(nn.Conv2d(3, 24, 2, bias=False))
    executed(
        part_lines("initialization", override(load_recipe("tutorial"), ["initialization=whitened"])),
        net=net,
        images=images,
    )
    outputs = net(images)[:, :12].transpose(0, 1).flatten(1).detach()
    products = outputs @ outputs.T / outputs.shape[1]
    assert not net[0].weight.requires_grad
    assert torch.allclose(products, products.diag().diag(), atol=0.05)
    assert products.diag()[:4].allclose(torch.ones(4), atol=0.05)


@pytest.mark.parametrize("recipe", recipes())
def test_a_step_learns(recipe: Recipe) -> None:
    """The lines from transform to step run, and the weights are others afterwards."""
    net = nn.Sequential(nn.Conv2d(3, 4, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
    inputs, labels = torch.rand(8, 3, 32, 32), torch.arange(8)
    names = {"net": net, "inputs": inputs, "labels": labels, "classes": range(10), "trainloader": range(10)}
    before = [weight.clone() for weight in net.parameters()]
    parts = ["transform", "mixing", "criterion", "optimizer", "schedule", "precision", "memory_format", "average"]
    parts += ["step"] * (recipe.precision != "fp16")  # whose scaler is for GPUs
    matmul, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        made = executed(*(part_lines(part, recipe) for part in parts), **names, device=torch.device("cpu"))
    finally:
        torch.set_float32_matmul_precision(matmul)
        torch.backends.cudnn.allow_tf32 = convolutions
    picture = made["transform"](transforms.ToPILImage()(inputs[0]))
    assert picture.shape == (3, 32, 32)
    assert recipe.precision == "fp16" or any(
        not torch.equal(weight, former) for weight, former in zip(net.parameters(), before, strict=True)
    )
