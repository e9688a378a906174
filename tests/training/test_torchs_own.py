"""What a recipe names is torch's own: 200 steps equal those of a plain script, to the bit on a CPU."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn, optim
from torch.nn import functional
from torch.optim import swa_utils

from cifartui.dataset.images import ImageSet
from cifartui.errors import UsageError
from cifartui.training.averaging import WeightAverage
from cifartui.training.initialization import initialize
from cifartui.training.loading.augmentation import Augmenter
from cifartui.training.losses import training_loss
from cifartui.training.optimizers import make_optimizer
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.parts import Augment, Normalize
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.settings import override
from cifartui.training.step import StepEngine

STEPS = 200
CPU = torch.device("cpu")
HALVES = Normalize(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


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


def engine_of(net: nn.Module, recipe: Recipe, average: WeightAverage | None = None) -> StepEngine:
    """What takes the steps of a run."""
    optimizer = make_optimizer(net, recipe.optimizer)
    engine = StepEngine(
        net, optimizer, Augmenter(Augment(), 1), training_loss(recipe), CPU, recipe.clipping, average=average
    )
    engine.images_at_once = recipe.images_at_once
    return engine


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


def test_loss_and_clipping_are_torchs() -> None:
    """Label smoothing and gradients shortened to a norm, which some of these steps are above and some are not."""
    net = tiny()
    theirs = copy.deepcopy(net)
    optimizer = optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, fused=True)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    engine = engine_of(
        net,
        recipe_with("optimizer.learning_rate=0.05", "label_smoothing=0.1", "clipping.name=norm", "clipping.max_norm=1"),
    )
    clipped = 0
    for step, (images, labels) in enumerate(batches()):
        loss, _ = engine.take(images, labels, step)
        optimizer.zero_grad()
        expected = criterion(theirs(images), labels)
        expected.backward()
        clipped += bool(nn.utils.clip_grad_norm_(theirs.parameters(), 1.0) > 1)
        optimizer.step()
        assert torch.equal(loss, expected)
    assert_same(net, theirs)
    assert 20 < clipped < STEPS - 20


@pytest.mark.parametrize("left_out", [(), (0, 1, 7)])
def test_the_average_of_the_weights_is_torchs(left_out: tuple[int, ...]) -> None:
    """With the means and variances of norm layers; a step that was not applied is not in it, be it the first."""
    net = tiny()
    theirs = copy.deepcopy(net)
    optimizer = optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, fused=True)
    expected = swa_utils.AveragedModel(theirs, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.95), use_buffers=True)
    average = WeightAverage(net, 0.95)
    engine = engine_of(net, recipe_with("optimizer.learning_rate=0.05"), average)
    for step, (images, labels) in enumerate(batches()):
        if step in left_out:
            engine.take(images * float("nan"), labels, step)
            continue
        engine.take(images, labels, step)
        optimizer.zero_grad()
        functional.cross_entropy(theirs(images), labels).backward()
        optimizer.step()
        expected.update_parameters(theirs)
    assert average.facts() == {"updates": STEPS - len(left_out)}
    counted = "1.num_batches_tracked"  # no average, and unused where norm layers have a momentum
    expected.module.state_dict()[counted].copy_(theirs.state_dict()[counted])
    assert_same(average.module, expected.module)
    assert_same(net, theirs)


def test_a_batch_in_parts_is_torchs_gradient_accumulation() -> None:
    """A batch of 8 images, 2 at once: the parts' losses are scaled to the batch, and one step is taken for all."""
    net = tiny()
    theirs = copy.deepcopy(net)
    optimizer = optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, fused=True)
    engine = engine_of(net, recipe_with("optimizer.learning_rate=0.05", "batch_size=8", "images_at_once=2"))
    for step, (images, labels) in enumerate(batches()):
        engine.take(images, labels, step)
        optimizer.zero_grad()
        for part in range(0, 8, 2):
            (functional.cross_entropy(theirs(images[part : part + 2]), labels[part : part + 2]) / 4).backward()
        optimizer.step()
    assert_same(net, theirs)


def test_he_initialization_is_torchs() -> None:
    """Convolutions and linear layers are drawn anew, norm layers stay; `torch` leaves all as it is."""
    net, theirs, left = tiny(), tiny(), tiny()
    torch.manual_seed(9)
    assert initialize(net, "he", random_images(), HALVES) is net
    torch.manual_seed(9)
    conv, _, _, _, head = theirs
    for layer in (conv, head):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    assert_same(net, theirs)
    assert_same(initialize(left, "torch", random_images(), HALVES), tiny())
    assert head.weight.std().item() == pytest.approx((2 / 36) ** 0.5, rel=0.1)


def test_whitened_filters_make_patches_uncorrelated_and_stay() -> None:
    """Those of most variance have uncorrelated outputs of variance 1, then come all negatives; a step changes none."""
    convolution, images = nn.Conv2d(3, 70, 3), random_images()
    net = nn.Sequential(convolution, nn.Flatten(), nn.LazyLinear(10))
    former = convolution.weight.detach().clone()
    initialize(net, "whitened", images, HALVES)
    outputs = convolution((images.images / 255 - 0.5) / 0.5).transpose(0, 1).flatten(1)
    products = outputs[:27] @ outputs[:27].T / outputs.shape[1]
    torch.testing.assert_close(products[:9, :9], torch.eye(9), atol=0.02, rtol=0)
    torch.testing.assert_close(outputs[27:54], -outputs[:27])
    assert torch.equal(convolution.weight[54:], former[54:])
    before = convolution.weight.clone()
    engine = engine_of(net, recipe_with("optimizer.weight_decay=0.1"))
    engine.take(torch.randn(4, 3, 8, 8), torch.tensor([0, 1, 2, 3]), 0)
    assert torch.equal(convolution.weight, before)
    with pytest.raises(UsageError, match="initialization = whitened is not allowed: the network's first layer is no"):
        initialize(nn.Sequential(nn.Flatten(), nn.Linear(12, 10)), "whitened", images, HALVES)


def random_images() -> ImageSet:
    """Pictures whose neighbouring pixels are alike."""
    noise = torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    smooth = functional.avg_pool2d(noise, 3, stride=1, padding=1) * 100 + 128
    return ImageSet(smooth.clamp(0, 255).to(torch.uint8), torch.zeros(64, dtype=torch.int64), ("one",), "drawn")


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
