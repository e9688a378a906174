"""What every operation makes of pictures is what torch makes of them, and comes back out of the file."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from safetensors.numpy import load_file, save_file

from cifartui.dataset.images import load_image_set
from cifartui.dataset.store import DatasetFacts
from cifartui.errors import DataError, UsageError
from cifartui.evaluation.export import export
from cifartui.evaluation.export.pth import PTH
from cifartui.evaluation.subject import load_subject
from cifartui.inspection.activation_file import (
    FACTS,
    ActivationFile,
    PictureFacts,
    read_activations,
    with_inner,
)
from cifartui.inspection.activations import compute_activations, operation_outputs, write_activations
from cifartui.inspection.chosen import ChosenPictures, from_dataset
from cifartui.model.layers import BasicBlock, Conv2d, MaxPool2d
from cifartui.model.module import build_module
from cifartui.model.network import Network, load_network
from cifartui.model.shapes import ShapeError
from cifartui.model.summary import summarize
from cifartui.training.setup import prepare
from tests.conftest import noise
from tests.model.chains import chains
from tests.training.running import plan, train_here

NETWORKS = ("tutorial", "compact", "resnet18")


def noise_pictures(count: int, size: int = 32) -> ChosenPictures:
    """Pictures of random pixels."""
    pixels = noise(count, size).images.transpose(0, 2, 3, 1)
    return ChosenPictures(pixels, tuple(PictureFacts(f"noise {n}") for n in range(count)), ())


def normalised(pixels: np.ndarray) -> torch.Tensor:
    """As the tutorial normalises: `[N, H, W, 3]` → `[N, 3, H, W]`, -1 to 1."""
    return (torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).contiguous() / 255 - 0.5) / 0.5


def half_built() -> Network:
    """The tutorial's network with a padded conv1, which breaks it at fc1."""
    network = load_network("tutorial")
    padded = msgspec.structs.replace(network.layers[0], padding=2)
    return msgspec.structs.replace(network, name="half", layers=(padded, *network.layers[1:]))


def written(path: Path, network: Network, count: int = 1) -> ActivationFile:
    """A file of activations with fresh weights."""
    write_activations(compute_activations(network, noise_pictures(count)), path)
    return read_activations(path)


def checksum(module: torch.nn.Module) -> str:
    """Of all weights and buffers."""
    state = module.state_dict()
    return hashlib.sha256(b"".join(name.encode() + state[name].numpy().tobytes() for name in state)).hexdigest()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_operation_is_in_the_file_as_torch_computes_it(name: str, tmp_path: Path) -> None:
    """Shapes are the arithmetic's; the end is the plain forward's, bit by bit; each submodule gives its output."""
    network = load_network(name)
    pictures = noise_pictures(3)
    write_activations(compute_activations(network, pictures, seed=5), tmp_path / "a.safetensors")
    activations = read_activations(tmp_path / "a.safetensors")
    torch.manual_seed(5)
    module = build_module(network).eval()
    given_ = normalised(pictures.pixels)
    with torch.inference_mode():
        logits = module(given_)
    assert activations.facts.weights == "fresh weights, seed 5"
    assert (activations.facts.network, activations.shape) == (network, (3, 32, 32))
    for n in range(3):
        assert np.array_equal(activations.picture(n), pictures.pixels[n])
        assert np.array_equal(activations.network_input(n), given_[n].numpy())
        assert np.array_equal(activations.output_of(network.layers[-1].name, n), logits[n].numpy())
        for operation in with_inner(summarize(network).operations):
            assert activations.output_of(operation.layer.name, n).shape == operation.arithmetic.output
    sliding = [op.layer for op in with_inner(summarize(network).operations) if isinstance(op.layer, Conv2d | MaxPool2d)]
    assert sliding
    for layer in sliding:
        inputs = np.stack([activations.input_of(layer.name, n) for n in range(3)])
        outputs = np.stack([activations.output_of(layer.name, n) for n in range(3)])
        with torch.inference_mode():
            assert np.array_equal(module.get_submodule(layer.name)(torch.from_numpy(inputs)).numpy(), outputs)
    for key, tensor in module.state_dict().items():
        assert activations.has_weight(key)
        assert np.array_equal(activations.weight(key), tensor.numpy())
    assert not activations.has_weight("nothing.weight")


@given(chains())
@settings(max_examples=150, deadline=None)
def test_random_networks_are_followed_to_their_end(chain: tuple[Network, tuple[int, int, int]]) -> None:
    """Every operation and every part of a block gives what the arithmetic says; a block's parts follow each other."""
    network, shape = chain
    operations = summarize(network, shape).operations
    module = build_module(msgspec.structs.replace(network, layers=network.layers[: len(operations)]))
    before = checksum(module)
    images = torch.rand(2, *shape)
    kept = operation_outputs(module, operations, images.clone())
    assert module.training
    assert checksum(module) == before
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())
    with torch.inference_mode():
        values = images
        for operation in operations:
            name, block_input = operation.layer.name, values
            values = module.get_submodule(name).eval()(values.clone())
            assert torch.equal(kept[f"output/{name}"], values)
            if isinstance(operation.layer, BasicBlock):
                _check_block(operation.layer, block_input, kept)
    for operation in with_inner(operations):
        assert tuple(kept[f"output/{operation.layer.name}"].shape[1:]) == operation.arithmetic.output


def _check_block(block: BasicBlock, given_: torch.Tensor, kept: dict[str, torch.Tensor]) -> None:
    def output(part: str) -> torch.Tensor:
        return kept[f"output/{block.name}.{part}"]

    assert torch.equal(kept[f"input/{block.name}.conv1"], given_)
    assert torch.equal(output("relu1"), output("bn1").relu())
    assert torch.equal(kept[f"input/{block.name}.conv2"], output("relu1"))
    assert torch.equal(output("add"), output("bn2") + (output("downsample.1") if block.shortcut else given_))
    assert torch.equal(output("relu2"), output("add").relu())
    assert torch.equal(output("relu2"), kept[f"output/{block.name}"])


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_and_buffers_stay_as_they_are(name: str) -> None:
    """The sha256 over all tensors of the state_dict, batch norm's counters too, is the same before and after."""
    network = load_network(name)
    module = build_module(network)
    before = checksum(module)
    operation_outputs(module, summarize(network).operations, torch.rand(4, 3, 32, 32))
    assert checksum(module) == before
    assert module.training


def test_a_runs_checkpoint_and_its_exported_file_say_the_same(sketches: DatasetFacts, tmp_path: Path) -> None:
    """Weights by RUN@STEP and by .pth give the same outputs: those of the trained module, normalised as the run was."""
    settings_ = ("epochs=1", "normalize.mean=[0.4, 0.5, 0.6]", "normalize.std=[0.2, 0.3, 0.25]")
    run, _ = train_here(plan(sketches.name, *settings_))
    subject = load_subject(run.id)
    pictures = from_dataset(sketches.name, "test", [7, 0, 99])
    tensors = compute_activations(subject.network, pictures, weights=run.id)
    test_set = load_image_set(sketches.name, "test")
    classes = sketches.classes
    assert tensors.facts.weights == f"{run.id}@50"
    assert tensors.facts.normalize == subject.normalize
    assert tensors.facts.classes == classes
    assert tensors.facts.pictures[0] == PictureFacts(
        f"{classes[int(test_set.labels[7])]} #7", label=int(test_set.labels[7]), position=7
    )
    mean, std = (torch.tensor(levels).view(1, 3, 1, 1) for levels in ((0.4, 0.5, 0.6), (0.2, 0.3, 0.25)))
    with torch.inference_mode():
        logits = subject.module.eval()((test_set.images[[7, 0, 99]] / 255 - mean) / std)
    assert np.array_equal(tensors.tensors["output/fc3"], logits.numpy())

    exported = tmp_path / "net.pth"
    export(subject, PTH, exported)
    from_file = compute_activations(subject.network, pictures, weights=str(exported))
    assert from_file.facts.weights == str(exported)
    assert from_file.facts.normalize.mean == (0.5, 0.5, 0.5)
    assert np.array_equal(from_file.tensors["weight/fc3.weight"], tensors.tensors["weight/fc3.weight"])
    own = compute_activations(subject.network, noise_pictures(1), weights=run.id)
    assert (own.facts.classes, own.facts.pictures[0].label) == (classes, None)
    half = compute_activations(half_built(), pictures, weights=run.id)
    assert np.array_equal(half.tensors["weight/conv2.weight"], tensors.tensors["weight/conv2.weight"])
    with pytest.raises(DataError, match=r"conv1\.weight is 6×3×5×5 and should be 64×3×3×3"):
        compute_activations(load_network("resnet18"), pictures, weights=run.id)


def test_the_seed_draws_the_weights_and_leaves_torchs_generator_alone() -> None:
    """Equal seeds give equal weights, others do not; what is drawn afterwards is what would have been drawn."""
    network, pictures = load_network("tutorial"), noise_pictures(1)
    torch.manual_seed(3)
    first, second, other = (compute_activations(network, pictures, seed=seed).tensors for seed in (1, 1, 2))
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["output/fc3"], other["output/fc3"])
    with pytest.raises(UsageError, match="The seed -1 is not allowed"):
        compute_activations(network, pictures, seed=-1)


def test_a_half_built_network_is_run_up_to_its_break(tmp_path: Path) -> None:
    """The padded conv1 breaks fc1: everything up to flatten is there, nothing behind it."""
    activations = written(tmp_path / "half.safetensors", half_built())
    assert activations.summary.problem.startswith("fc1 expects 400 inputs")
    assert activations.output_of("conv1", 0).shape == (6, 32, 32)
    assert activations.output_of("flatten", 0).shape == (576,)
    assert not activations.has_weight("fc1.weight")
    with pytest.raises(DataError, match=r"holds no output/fc1; make it again\.$"):
        activations.output_of("fc1", 0)
    first_breaks = msgspec.structs.replace(half_built(), layers=half_built().layers[2:])
    assert written(tmp_path / "none.safetensors", first_breaks).summary.operations[-1].layer.name == "pool1"
    grouped = Conv2d(name="conv", in_channels=3, out_channels=4, kernel_size=3, groups=2)
    nothing = written(tmp_path / "nothing.safetensors", Network(name="nothing", layers=(grouped,)))
    assert (nothing.summary.operations, nothing.network_input(0).shape) == ((), (3, 32, 32))


def test_pictures_that_do_not_fit_are_refused() -> None:
    """64×64 pictures break the tutorial's network; a network for grey takes no colours; too much is too much."""
    network = load_network("tutorial")
    with pytest.raises(ShapeError, match=r"does not fit these pictures: fc1 expects 400 inputs; flatten gives"):
        compute_activations(network, noise_pictures(1, size=64))
    with pytest.raises(ShapeError, match="takes 1 channels and pictures have 3"):
        compute_activations(msgspec.structs.replace(network, input=(1, 32, 32)), noise_pictures(1))
    wide = Network(name="wide", layers=(Conv2d(name="conv", in_channels=3, out_channels=65_536, kernel_size=1),))
    with pytest.raises(UsageError, match="choose fewer pictures or a smaller network"):
        compute_activations(wide, noise_pictures(8))


def test_the_file_is_read_without_torch(tmp_path: Path) -> None:
    """A process that reads pictures, outputs and weights has loaded no torch."""
    path = tmp_path / "a.safetensors"
    expected = written(path, load_network("resnet18")).output_of("layer1.0.add", 0)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cifartui.inspection.activation_file import read_activations\n"
        "assert 'numpy' not in sys.modules\n"
        "file = read_activations(Path(sys.argv[1]))\n"
        "file.picture(0), file.network_input(0), file.input_of('conv1', 0), file.weight('bn1.num_batches_tracked')\n"
        "print(repr(float(file.output_of('layer1.0.add', 0).sum(dtype='float64'))))\n"
        "import cifartui.inspection.kernel_walk, cifartui.inspection.chosen\n"
        "assert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(ended.stdout) == float(expected.sum(dtype="float64"))


def test_damage_is_one_sentence(tmp_path: Path) -> None:
    """A file cut short anywhere, of another kind, or with bytes changed in its header is refused, never believed."""
    good = tmp_path / "good.safetensors"
    written(good, load_network("tutorial"))
    data = good.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    bad = tmp_path / "bad.safetensors"
    for length in (0, 5, 8, header // 2, header, header + 100, len(data) - 1):
        bad.write_bytes(data[:length])
        _assert_refused(bad)
    generator = np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(data)
        changed[generator.integers(0, header)] ^= 1 << generator.integers(0, 7)
        bad.write_bytes(changed)
        try:
            activations = read_activations(bad)
        except DataError:
            _assert_refused(bad)
            continue
        for operation in with_inner(activations.summary.operations):  # it was a name, or a number of the facts
            assert activations.output_of(operation.layer.name, 0).shape == operation.arithmetic.output
    bad.write_bytes(b"GIF89a")
    _assert_refused(bad)
    with pytest.raises(DataError, match="There is no file"):
        read_activations(tmp_path / "missing.safetensors")
    with pytest.raises(DataError, match="There is no file"):
        read_activations(tmp_path)


def _assert_refused(path: Path) -> None:
    with pytest.raises(DataError, match="is no file of activations, or is damaged") as caught:
        read_activations(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_facts_that_lie_are_found(tmp_path: Path) -> None:
    """Another network, more pictures, a class that is not there, hostile names: refused or cleaned."""
    path = tmp_path / "a.safetensors"
    write_activations(activations := compute_activations(load_network("tutorial"), noise_pictures(1)), path)
    tensors, facts = load_file(path), activations.facts
    (one,) = facts.pictures
    lies = (
        msgspec.structs.replace(facts, network=load_network("compact")),
        msgspec.structs.replace(facts, pictures=(one, one)),
        msgspec.structs.replace(facts, network=Network(name="code", layers=(), factory="canary:make")),
        msgspec.structs.replace(facts, pictures=(msgspec.structs.replace(one, label=3),)),
    )
    for lie in lies:
        save_file(tensors, path, {FACTS: msgspec.json.encode(lie).decode()})
        _assert_refused(path)
    for metadata in (None, {}, {FACTS: "{}"}, {FACTS: json.dumps({"x": 1})}, {FACTS: "[" * 10_000}):
        save_file(tensors, path, metadata)
        _assert_refused(path)
    hostile = msgspec.structs.replace(facts, weights="\x1b]52;c;eA==\x07", pictures=(PictureFacts("dog\u202egpj"),))
    save_file(tensors, path, {FACTS: msgspec.json.encode(hostile).decode()})
    cleaned = read_activations(path)
    assert (cleaned.facts.weights, cleaned.facts.pictures[0].name) == ("�]52;c;eA==�", "dog�gpj")
    with pytest.raises(DataError, match="holds no picture 1; it has 1"):
        cleaned.picture(1)


def test_fresh_weights_are_those_that_training_starts_with(sketches: DatasetFacts) -> None:
    """The same seed, the same weights as the first step of a run sees."""
    config = plan(sketches.name)
    fresh = compute_activations(config.network, noise_pictures(1), seed=config.seed).tensors
    for name, tensor in prepare(config).module.state_dict().items():
        assert np.array_equal(fresh[f"weight/{name}"], tensor.numpy())
