"""The arithmetic of shapes agrees with torch, and its numbers are the tutorial's."""

from math import prod

import pytest
import torch
import torchinfo
from hypothesis import given, settings
from torchvision.models import resnet18

from cifartui.model.layers import Conv2d, MaxPool2d
from cifartui.model.module import build_module
from cifartui.model.network import Network, load_network
from cifartui.model.shapes import ShapeError
from cifartui.model.summary import require_fit, summarize
from tests.model.chains import chains
from tests.tutorial import Net


def test_tutorial_has_twelve_operations_and_the_known_numbers() -> None:
    """Twelve operations, 62,006 parameters, 400 inputs to fc1, each with its formula."""
    summary = summarize(load_network("tutorial"))
    by_name = {operation.layer.name: operation.arithmetic for operation in summary.operations}
    assert len(summary.operations) == 12
    assert summary.parameters == 62_006
    assert summary.macs == 651_720
    assert by_name["conv1"].formula == "⌊(32 − 5 + 2·0) / 1⌋ + 1 = 28"
    assert by_name["conv1"].parameters_formula == "(5·5·3 + 1)·6 = 456"
    assert by_name["flatten"].formula == "16·5·5 = 400"
    assert summary.output == (10,)


def test_module_starts_with_the_weights_of_the_tutorials_class() -> None:
    """The same seed gives the same names, shapes and initial values as the hand-written class."""
    torch.manual_seed(5)
    ours = build_module(load_network("tutorial")).state_dict()
    torch.manual_seed(5)
    theirs = Net().state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def multiply_adds(module: torch.nn.Module, images: torch.Tensor) -> int:
    """torchinfo's count for the convolutions and linear layers, without the biases, which it counts as well."""
    total = 0
    for info in torchinfo.summary(module, input_data=images, verbose=0).summary_list:
        if isinstance(info.module, torch.nn.Conv2d | torch.nn.Linear):
            positions = prod(info.output_size[2:])
            total += info.macs - (info.module.bias.numel() * positions if info.module.bias is not None else 0)
    return total


@pytest.mark.parametrize("examples", [400, pytest.param(2_000, marks=pytest.mark.faults)])
def test_arithmetic_agrees_with_torch(examples: int) -> None:
    """Shapes, parameters and multiply-accumulates equal torch's; where torch raises, the same layer is named."""
    settings(max_examples=examples, deadline=None)(given(chains())(assert_agreement))()


def assert_agreement(chain: tuple[Network, tuple[int, int, int]]) -> None:
    network, shape = chain
    summary = summarize(network, shape)
    activations = torch.zeros(1, *shape)
    for position, layer in enumerate(network.layers):
        try:
            (module,) = build_module(Network(name="one", layers=(layer,)))
            before, activations = activations, module.eval()(activations)
        except (RuntimeError, ValueError):
            assert summary.problem.startswith(layer.name)
            assert len(summary.operations) == position
            return
        arithmetic = summary.operations[position].arithmetic
        assert arithmetic.output == tuple(activations.shape[1:])
        assert arithmetic.parameters == sum(p.numel() for p in module.parameters())
        assert arithmetic.macs == multiply_adds(module, before)
        assert 4 * arithmetic.parameters + arithmetic.buffer_bytes == sum(
            t.nbytes for t in module.state_dict().values()
        )
    assert summary.problem == ""


@given(chains())
@settings(max_examples=200, deadline=None)
def test_receptive_field_is_what_the_output_depends_on(chain: tuple[Network, tuple[int, int, int]]) -> None:
    """A change of one pixel reaches no output whose window, grown through the layers, does not hold it."""
    network, shape = chain
    summary = summarize(network, shape)
    sliding = [operation for operation in summary.operations if operation.receptive_field]
    if not sliding or summary.problem:
        return
    layers = tuple(operation.layer for operation in sliding)
    module = build_module(Network(name="part", layers=layers)).eval()
    images = torch.rand(1, *shape, requires_grad=True)
    output = module(images)
    (gradient,) = torch.autograd.grad(output[0, :, output.shape[2] // 2, output.shape[3] // 2].sum(), images)
    reached = gradient[0].abs().sum(dim=0).nonzero()
    field = sliding[-1].receptive_field
    assert field
    if len(reached):
        extent = reached.max(dim=0).values - reached.min(dim=0).values + 1
        assert int(extent.max()) <= field


def test_resnet18_is_torchvisions() -> None:
    """Its 11,173,962 parameters have the names that torchvision's resnet18 gives them; the outputs are equal."""
    network = load_network("resnet18")
    assert summarize(network).parameters == 11_173_962
    theirs = resnet18(num_classes=10)
    theirs.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    theirs.maxpool = torch.nn.Identity()
    ours = build_module(network)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(ours.eval()(images), theirs.eval()(images))


def test_a_block_holds_its_operations() -> None:
    """Their parameters and multiply-adds add up to the block's, and the last gives what the block gives."""
    for operation in summarize(load_network("resnet18")).operations:
        if operation.inner:
            parts = [inner.arithmetic for inner in operation.inner]
            assert sum(part.parameters for part in parts) == operation.arithmetic.parameters
            assert sum(part.macs for part in parts) == operation.arithmetic.macs
            assert parts[-1].output == operation.arithmetic.output
            assert operation.inner[-1].receptive_field == operation.receptive_field


def test_what_is_rounded_away_is_named() -> None:
    """A window that leaves rows and columns over says how many; padding that covers them leaves none."""
    pool = MaxPool2d(name="pool", kernel_size=2, stride=2)
    assert pool.arithmetic((1, 7, 7)).note.startswith("the last 1 row and 1 column are not looked at")
    assert pool.arithmetic((1, 8, 7)).note.startswith("the last 1 column are")
    assert pool.arithmetic((1, 8, 8)).note == ""
    assert (
        Conv2d(name="c", in_channels=1, out_channels=1, kernel_size=3, stride=2, padding=1).arithmetic((1, 8, 8)).note
        == ""
    )


def test_images_that_do_not_fit_are_refused_by_the_name_of_the_layer() -> None:
    """64×64 images break the tutorial's network at fc1, three classes at its end."""
    network = load_network("tutorial")
    with pytest.raises(ShapeError, match="fc1 expects 400 inputs; flatten gives 16·13·13 = 2,704"):
        require_fit(network, (3, 64, 64), 10)
    with pytest.raises(ShapeError, match="10 outputs and the data set 3 classes"):
        require_fit(network, (3, 32, 32), 3)
