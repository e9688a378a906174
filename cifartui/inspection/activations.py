"""What every operation of a network makes of some pictures, computed and written to one file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from cifartui.dataset.store import find_dataset
from cifartui.errors import DataError, UsageError
from cifartui.evaluation.subject import fill, names_file, read_checkpoint
from cifartui.evaluation.weights_file import read_weights_file, unwrapped
from cifartui.files import check_target, durably, system_errors
from cifartui.inspection.activation_file import FACTS, ActivationFacts
from cifartui.inspection.chosen import ChosenPictures
from cifartui.model.layers import Block, Conv2d, Layer, MaxPool2d, ReLU
from cifartui.model.module import build_module
from cifartui.model.network import Network
from cifartui.model.shapes import Shape, ShapeError
from cifartui.model.summary import Operation, Summary, summarize
from cifartui.text import printable
from cifartui.training.launch import DEFAULT_SEED, check_seed
from cifartui.training.loading.batches import Normalizer
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.parts import Normalize
from cifartui.training.run.folder import RunConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_BYTES = 1024**3
"""Of all outputs together; those of a ResNet-18 for 64 pictures take half of it."""


@dataclass(frozen=True)
class Activations:
    """What is written to a file of activations."""

    facts: ActivationFacts
    summary: Summary
    """The operations whose outputs are there: all, or those before the chain breaks."""
    tensors: "dict[str, NDArray[np.generic]]"
    """By the names in the file."""


def compute_activations(
    network: Network,
    pictures: ChosenPictures,
    *,
    weights: str | None = None,
    seed: int = DEFAULT_SEED,
    recipe: str = "tutorial",
) -> Activations:
    """Run a network over pictures in evaluation mode and keep the output of every operation.

    `weights` is a run's checkpoint or a file, as `load_subject` takes it; without, they are those that a run with
    `seed` starts with. The pictures are normalised as the run's were, else as those of `recipe`. A network that does
    not fit its own input is run up to where its chain breaks.

    Raises:
        ShapeError: the network does not take such pictures.
        UsageError: it is no chain of layers, the seed is not allowed, or there would be too many numbers.
        DataError: weights or recipe are not there, are damaged, or do not fit the network.
    """
    if network.factory:
        raise UsageError(
            f"{network.factory} is code of your own, whose steps are not followed here; name a network of layers."
        )
    height, width, _ = pictures.pixels.shape[1:]
    summary = _require_pictures_fit(network, (3, height, width), len(pictures.facts))
    part = msgspec.structs.replace(network, layers=network.layers[: len(summary.operations)])
    filled = _fresh(part, seed, recipe) if weights is None else _stored(network, part, weights, recipe)
    images = torch.from_numpy(pictures.pixels.transpose(0, 3, 1, 2).copy())
    given = Normalizer(filled.normalize, torch.device("cpu"))(images)
    kept = operation_outputs(filled.module, summary.operations, given)
    tensors = {"pictures": pictures.pixels, "input": given.numpy()}
    tensors |= {name: tensor.numpy() for name, tensor in kept.items()}
    tensors |= {f"weight/{name}": tensor.numpy() for name, tensor in filled.module.state_dict().items()}
    facts = ActivationFacts(
        network=network,
        weights=filled.name,
        normalize=filled.normalize,
        pictures=pictures.facts,
        classes=pictures.classes or filled.classes,
    )
    return Activations(facts, summary, tensors)


def write_activations(activations: Activations, target: Path) -> int:
    """Write activations as one safetensors file and return its bytes; `ActivationFile` tells what is in it.

    Raises:
        UsageError: the target's folder does not exist, or the target is a folder.
        OSError: it cannot be written; nothing is left behind.
    """
    import numpy as np
    from safetensors.numpy import save_file

    check_target(target)
    tensors = {name: np.asarray(tensor, order="C") for name, tensor in activations.tensors.items()}
    metadata = {FACTS: msgspec.json.encode(activations.facts).decode()}
    with durably(target.absolute()) as temporary, system_errors(target):
        save_file(tensors, temporary, metadata)
        return temporary.stat().st_size


def operation_outputs(
    module: nn.Module, operations: Iterable[Operation], images: torch.Tensor
) -> dict[str, torch.Tensor]:
    """What each operation of `module`, within blocks too, makes of `images` (float32 `[N, C, H, W]`, normalised).

    Gives `output/<operation>` (float32 `[N, *shape]`), and `input/<operation>` of convolutions and max pools. The
    module is put in evaluation mode and back; its weights and buffers stay as they are.
    """
    kept: dict[str, torch.Tensor] = {}
    was_training = module.training
    module.eval()
    handles = [handle for operation in operations for handle in _watch(module, operation.layer, kept)]
    try:
        with torch.inference_mode():
            module(images)
    finally:
        for handle in handles:
            handle.remove()
        module.train(was_training)
    return kept


def _watch(module: nn.Module, layer: Layer, kept: dict[str, torch.Tensor]) -> Iterator[RemovableHandle]:
    """Keep copies of a layer's tensors: torchvision's blocks overwrite theirs."""
    watched = module.get_submodule(layer.name)
    yield watched.register_forward_hook(_keep_output(f"output/{layer.name}", kept))
    if isinstance(layer, Conv2d | MaxPool2d):
        yield watched.register_forward_pre_hook(_keep_input(f"input/{layer.name}", kept))
    if isinstance(layer, Block):
        for part in (*layer.body, *layer.shortcut):
            if not isinstance(part, ReLU):
                yield from _watch(module, part, kept)
        yield from _watch_relu(watched.get_submodule("relu"), layer, kept)


def _watch_relu(relu: nn.Module, block: Block, kept: dict[str, torch.Tensor]) -> Iterator[RemovableHandle]:
    """A block has one ReLU and calls it several times: in its body, and at last on the sum of both paths."""
    names = [f"output/{part.name}" for part in (*block.body, *block.join) if isinstance(part, ReLU)]
    total = f"output/{block.join[0].name}"

    def before(_: nn.Module, given: tuple[torch.Tensor]) -> None:
        if all(name in kept for name in names[:-1]):
            kept[total] = given[0].clone()

    def after(_: nn.Module, given: object, made: torch.Tensor) -> None:
        kept[next(name for name in names if name not in kept)] = made.clone()

    yield relu.register_forward_pre_hook(before)
    yield relu.register_forward_hook(after)


def _keep_output(name: str, kept: dict[str, torch.Tensor]) -> Callable[[nn.Module, object, torch.Tensor], None]:
    def keep(_: nn.Module, given: object, made: torch.Tensor) -> None:
        kept[name] = made.clone()

    return keep


def _keep_input(name: str, kept: dict[str, torch.Tensor]) -> Callable[[nn.Module, tuple[torch.Tensor]], None]:
    def keep(_: nn.Module, given: tuple[torch.Tensor]) -> None:
        kept[name] = given[0].clone()

    return keep


def _require_pictures_fit(network: Network, shape: Shape, pictures: int) -> Summary:
    channels = network.input[0]
    if channels != 3:
        raise ShapeError(
            f"Network {network.name} takes {channels} channels and pictures have 3 (red, green, blue); "
            "give its input 3 channels."
        )
    summary = summarize(network, shape)
    if summary.problem and not summarize(network).problem:
        raise ShapeError(f"Network {network.name} does not fit these pictures: {summary.problem}")
    needed = pictures * summary.activation_bytes
    if needed > MAX_BYTES:
        raise UsageError(
            f"The outputs of {network.name} would take {needed / 1e9:,.1f} GB for {pictures} pictures; "
            f"choose fewer pictures or a smaller network (at most {MAX_BYTES / 1e9:,.1f} GB)."
        )
    return summary


class _Filled(NamedTuple):
    """A network's module with weights, and what is known of them."""

    name: str
    module: nn.Module
    normalize: Normalize
    classes: tuple[str, ...] = ()


def _fresh(part: Network, seed: int, recipe: str) -> _Filled:
    check_seed(seed)
    normalize = load_recipe(recipe).normalize
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _Filled(f"fresh weights, seed {seed}", build_module(part), normalize)


def _stored(network: Network, part: Network, reference: str, recipe: str) -> _Filled:
    classes: tuple[str, ...] = ()
    if names_file(reference):
        name, normalize = printable(reference, 200), load_recipe(recipe).normalize
        weights = unwrapped(read_weights_file(Path(reference)), (f"{layer.name}." for layer in network.layers))
    else:
        checkpoint = read_checkpoint(reference)
        name, weights = checkpoint.title, checkpoint.weights
        normalize, classes = checkpoint.config.settings.normalize, _classes_of(checkpoint.config)
    behind = tuple(f"{layer.name}." for layer in network.layers[len(part.layers) :])
    before_the_break = {key: tensor for key, tensor in weights.items() if not key.startswith(behind)}
    module = fill(part, before_the_break, name, remedy="name the network that it was trained with")
    return _Filled(name, module, normalize, classes)


def _classes_of(config: RunConfig) -> tuple[str, ...]:
    try:
        return find_dataset(config.dataset, config.dataset_sha256).classes
    except DataError:
        return ()
