"""A user's own network: what running it once shows, and what its code may do without harm."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from cifartui import children
from cifartui.errors import CifartuiError, UsageError
from cifartui.model.layers import BasicBlock
from cifartui.model.memory import training_bytes
from cifartui.model.module import build_module
from cifartui.model.network import Network, load_network, save_network
from cifartui.model.shapes import ShapeError
from cifartui.model.summary import Operation, summarize
from cifartui.model.tracing.forward import trace_forward
from cifartui.model.tracing.isolation import trace_isolated
from cifartui.model.tracing.trace import MAX_OPERATIONS, Trace, TracedLayer, require_traced_fit, summary_of
from cifartui.progress import finish
from tests.model.chains import chains
from tests.model.test_summary import multiply_adds

TUTORIAL = Path(__file__).parents[1] / "tutorial.py"
IMPORTS = "import os, sys, time, torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
HOARD = "kept = [bytearray(3_900_000_000)]\n"
"""Most of what it may take, zeros that nobody looks at: the system gives no memory for them."""
RESNET = "from torchvision.models import resnet18\ndef make(): return resnet18(num_classes=10)\n"
RESIDUAL = """
class Block(nn.Module):
    def __init__(self, width, deep):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding="same", bias=False)
        self.deep = deep
    def forward(self, x):
        kept = x
        for _ in range(self.deep):
            x = F.relu(self.conv(x))
            if x.shape[1] > 100:
                raise AssertionError
        print("the mean is", x.mean().item(), x.shape, x > 0)
        x += kept
        return x

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=(1, 1), bias=False)
        self.shared = Block(8, 2)
        self.norm = nn.LayerNorm(16)
        self.scale = nn.Parameter(torch.ones(10))
        self.spare = nn.Linear(2, 2)
        self.out = nn.Linear(16, 10, bias=False)
    def forward(self, x):
        x = self.shared(self.shared(self.stem(x)))
        x = torch.cat([x, -x], dim=1) if x.dim() == 4 else x
        x = F.adaptive_avg_pool2d(x, 1).view(x.size(0), -1)
        return self.out(self.norm(x)) * self.scale
"""

Write = Callable[[str], Network]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write the module `net` in a folder of its own, the working directory; gives the network `net:make`."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(source: str) -> Network:
        (folder / "net.py").write_text(IMPORTS + source)
        return load_network("net:make")

    yield write
    sys.modules.pop("net", None)


def leaves(operations: tuple[Operation, ...]) -> list[Operation]:
    """The operations that hold no others, in order."""
    return [leaf for operation in operations for leaf in (leaves(operation.inner) if operation.inner else [operation])]


def state_hash(module: nn.Module) -> str:
    """Of all weights and buffers."""
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in module.state_dict().values())).hexdigest()


def test_tutorials_class_gives_the_tutorials_twelve_operations(write: Write) -> None:
    """Outputs, formulas, parameters and multiply-adds are those of the network that comes with the program."""
    write("")
    Path("net.py").write_text(TUTORIAL.read_text())
    trace = trace_forward(load_network("net:Net"), (3, 32, 32))
    summary, known = summary_of(trace), summarize(load_network("tutorial"))
    assert trace.problem == ""
    assert trace.output == (10,)
    assert [operation.arithmetic for operation in summary.operations] == [
        operation.arithmetic for operation in known.operations
    ]
    names = [operation.layer.name for operation in summary.operations]
    assert " ".join(names) == "conv1 relu1 pool conv2 relu2 pool flatten fc1 relu3 fc2 relu4 fc3"
    assert (summary.parameters, summary.macs, summary.weight_bytes) == (known.parameters, known.macs, 4 * 62_006)
    assert trace.parameters == 62_006
    assert training_bytes(summary, 64) == training_bytes(known, 64)
    assert require_traced_fit(trace, 10) == summary
    with pytest.raises(ShapeError, match="Network Net has 10 outputs and the data set 3 classes; make them equal"):
        require_traced_fit(trace, 3)


def test_torchvisions_resnet18(write: Write) -> None:
    """11,181,642 parameters in 69 operations, in blocks whose sums are right; nothing of the module is changed."""
    network = write(RESNET)
    module = build_module(network)
    before, generator = state_hash(module), torch.get_rng_state()
    trace = trace_forward(network, (3, 32, 32), module)
    assert state_hash(module) == before
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(part.training for part in module.modules())
    summary = summary_of(trace)
    assert summary.parameters == trace.parameters == 11_181_642
    assert summary.macs == multiply_adds(module.eval(), torch.zeros(1, 3, 32, 32))
    assert summary.weight_bytes == sum(tensor.nbytes for tensor in module.state_dict().values())
    names = [operation.layer.name for operation in summary.operations]
    assert " ".join(names) == "conv1 bn1 relu maxpool layer1 layer2 layer3 layer4 avgpool flatten fc"
    block = summary.operations[5].inner[0]
    names = [inner.layer.name.removeprefix("layer2.0.") for inner in block.inner]
    assert " ".join(names) == "conv1 bn1 relu conv2 bn2 downsample add relu"
    assert (block.layer.label, block.arithmetic.parameters, block.input) == ("BasicBlock", 230_144, (64, 8, 8))
    assert len(leaves(summary.operations)) == 69
    assert [leaf.layer.label for leaf in leaves(summary.operations) if isinstance(leaf.layer, TracedLayer)] == [
        "add"
    ] * 8


def test_control_flow_functions_and_shared_modules(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Loops, branches, functions and in-place sums are shown as they ran; shared weights count once, spare ones too."""
    trace = trace_forward(write(f"{RESIDUAL}\nmake = Net"), (3, 16, 16))
    assert trace.problem == ""
    summary = summary_of(trace)
    assert [(leaf.layer.name, leaf.layer.label, leaf.arithmetic.parameters) for leaf in leaves(summary.operations)] == [
        ("stem", "conv2d 3×3", 216),
        ("shared.conv", "conv2d 3×3", 576),
        ("shared.relu1", "relu", 0),
        ("shared.conv", "Conv2d", 0),
        ("shared.relu2", "relu", 0),
        ("shared.mean", "mean", 0),
        ("shared.add", "add", 0),
        ("shared.conv", "Conv2d", 0),
        ("shared.relu1", "relu", 0),
        ("shared.conv", "Conv2d", 0),
        ("shared.relu2", "relu", 0),
        ("shared.mean", "mean", 0),
        ("shared.add", "add", 0),
        ("neg", "neg", 0),
        ("cat", "torch.cat", 0),
        ("pool", "global avg pool", 0),
        ("view", "view", 0),
        ("norm", "LayerNorm", 32),
        ("out", "Linear", 160),
        ("mul", "mul", 10),
    ]
    assert trace.parameters == summary.parameters == 216 + 576 + 32 + 160 + 10 + 6
    assert summary.unused_parameters == 6
    assert summary.macs == 16 * 16 * (216 + 4 * 576) + 160
    assert capsys.readouterr().out == ""


@given(chains())
@settings(max_examples=150, deadline=None)
def test_the_trace_of_a_chain_agrees_with_its_arithmetic(chain: tuple[Network, tuple[int, int, int]]) -> None:
    """What torch does is what `summarize` computes, layer by layer, up to the same break."""
    network, shape = chain
    try:
        build_module(network)
    except ValueError:
        return  # some breaks show when torch builds the module
    if not network.layers:
        return
    computed, seen = summarize(network, shape), summary_of(trace_forward(network, shape))
    assert bool(seen.problem) == bool(computed.problem)
    if computed.problem and isinstance(network.layers[len(computed.operations)], BasicBlock):
        return  # of which a part may have run
    assert len(seen.operations) == len(computed.operations)
    for ours, theirs in zip(computed.operations, seen.operations, strict=True):
        expected, got = ours.arithmetic, theirs.arithmetic
        assert theirs.layer.name == ours.layer.name
        assert theirs.input == ours.input
        assert (got.output, got.parameters, got.macs, got.buffer_bytes) == (
            *(expected.output, expected.parameters, expected.macs, expected.buffer_bytes),
        )
        if not ours.inner:
            assert theirs.layer == ours.layer


@pytest.mark.parametrize(
    ("module", "label", "output", "parameters", "macs"),
    [
        ("nn.Conv2d(3, 4, (3, 1))", "Conv2d", (4, 6, 8), 40, 4 * 6 * 8 * 9),
        ("nn.Conv2d(3, 4, 3, padding_mode='circular', padding=1)", "Conv2d", (4, 8, 8), 112, 4 * 8 * 8 * 27),
        ("nn.ConvTranspose2d(3, 4, 2, stride=2)", "ConvTranspose2d", (4, 16, 16), 52, 3 * 8 * 8 * 4 * 4),
        ("nn.MaxPool2d(3, 2, ceil_mode=True)", "MaxPool2d", (3, 4, 4), 0, 0),
        ("nn.AdaptiveAvgPool2d(2)", "AdaptiveAvgPool2d", (3, 2, 2), 0, 0),
        ("nn.BatchNorm2d(3, affine=False)", "BatchNorm2d", (3, 8, 8), 0, 0),
        ("nn.Flatten(2)", "Flatten", (3, 64), 0, 0),
        ("nn.Linear(8, 5)", "Linear", (3, 8, 5), 45, 3 * 8 * 40),
        (
            "nn.Sequential(nn.Flatten(), nn.Linear(192, 1), nn.Linear(1, 1048577))",
            *("Linear", (1_048_577,), 2 * 1_048_577, 1_048_577),
        ),
        ("nn.Conv2d(3, 4, 3, padding='same')", "conv2d 3×3", (4, 8, 8), 112, 4 * 8 * 8 * 27),
        ("nn.AdaptiveAvgPool2d((1, 1))", "global avg pool", (3, 1, 1), 0, 0),
    ],
)
def test_what_is_no_layer_of_ours_is_traced_as_it_is(
    write: Write, module: str, label: str, output: tuple[int, ...], parameters: int, macs: int
) -> None:
    """Modules with other settings keep their own name and get the numbers of what happened."""
    summary = summary_of(trace_forward(write(f"def make(): return {module}"), (3, 8, 8)))
    last = leaves(summary.operations)[-1]
    assert (last.layer.label, last.arithmetic.output, last.arithmetic.parameters, last.arithmetic.macs) == (
        *(label, output, parameters, macs),
    )


def test_a_trace_survives_json(write: Write) -> None:
    """Encoded and decoded it is the same, with names of any depth."""
    trace = trace_forward(write(RESNET), (3, 32, 32))
    assert msgspec.json.decode(msgspec.json.encode(trace), type=Trace) == trace


def test_operations_until_an_error_are_kept(write: Write) -> None:
    """The sentence names the module in which it was raised; ours, where our arithmetic refuses as well."""
    network = write(
        """
class Inner(nn.Module):
    def forward(self, x):
        x = torch.tanh(x)
        return F.linear(x, torch.ones(2, 2))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.part = nn.Sequential(nn.ReLU(), Inner())
        self.fc = nn.Linear(4, 10)
    def forward(self, x):
        x = self.conv(x)
        return self.fc(torch.flatten(x, 1)) if x.shape[2] > 20 else self.part(x)
make = Net"""
    )
    trace = trace_forward(network, (3, 16, 16))
    assert [leaf.layer.name for leaf in leaves(summary_of(trace).operations)] == ["conv", "part.0", "part.1.tanh"]
    assert trace.problem.startswith("F.linear in part.1 (Inner) raised RuntimeError: ")
    assert trace.problem.endswith("(net.py, line 8).")
    assert trace.output is None
    with pytest.raises(ShapeError, match=r"Network make does not fit these images: F\.linear in part\.1"):
        require_traced_fit(trace, 10)
    trace = trace_forward(network, (3, 32, 32))
    assert trace.problem == "fc expects 4 inputs; it is given 3,600 inputs."
    assert [operation.name for operation in trace.operations] == ["conv", "flatten"]


@pytest.mark.parametrize(
    ("forward", "sentence"),
    [
        ("return x.squeeze().sum()", "make gives a single number for a batch of one image"),
        ("return (x, x)", "make gives a tuple for a batch of one image; let it give [N, classes]"),
        ("return x.view(3, -1)", "make gives 3 × 1,024 for a batch of one image"),
        ("sys.exit(3)", "make (Net) raised SystemExit: 3 (net.py, line 6)"),
        ("raise MemoryError", "make (Net) needed more memory than it may take (net.py, line 6)"),
        ("raise KeyError('\\x1b[2J')", "make (Net) raised KeyError: '\\x1b[2J'"),
    ],
)
def test_forward_that_gives_no_answer(write: Write, forward: str, sentence: str) -> None:
    """Whatever it raises or gives instead becomes the trace's problem."""
    trace = trace_forward(
        write(f"class Net(nn.Module):\n  def forward(self, x):\n    {forward}\nmake = Net"), (3, 32, 32)
    )
    assert sentence in trace.problem
    assert trace.output is None


def test_operations_without_end_are_cut(write: Write) -> None:
    """After 2,000 operations no more are kept; the output is known all the same."""
    source = """
class Net(nn.Module):
    def forward(self, x):
        for _ in range(3000):
            x = x + 1
        return x.mean((1, 2, 3), keepdim=True).flatten(1)
make = Net"""
    trace = trace_forward(write(source), (3, 8, 8))
    assert len(trace.operations) == MAX_OPERATIONS + 1
    assert trace.operations[-1].name == "output"
    assert trace.output == (1,)
    assert trace.problem == "make has more than 2,000 operations; those after them are not shown."


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("make = 3", "net:make is an int, which cannot be called"),
        ("def other(): pass", "net.py) has no make; check both names."),
        ("def make(a): pass", "net:make cannot be called without arguments (missing a required argument: 'a')"),
        ("def make(): return [1]", "net:make gave a list and not a torch.nn.Module; let it return the module."),
        ("def make(): return nn.Linear", "net:make gave a type and not a torch.nn.Module"),
        ("def make():\n    return 1 / 0", "net:make raised ZeroDivisionError: division by zero (net.py, line 5)"),
        ("raise ValueError('no\\nsecond line')", "Importing net raised ValueError: no (net.py, line 4)"),
        ("import nowhere_to_be_found", "Importing net raised ModuleNotFoundError: No module named"),
        ("def make(:", "Importing net raised SyntaxError: invalid syntax (net.py, line 4)"),
        ("sys.exit('bye')", "Importing net raised SystemExit: bye (net.py, line 4)"),
        ("class E(BaseException): __str__ = None\nraise E", "Importing net raised E (net.py, line 5)"),
        ("def make(): return nn.LazyLinear(10)", "net:make gave a module in which weight has no size yet"),
        ("def make(): return nn.Linear(2, 2, device='meta')", "Bringing the module of net:make to the CPU raised Not"),
    ],
)
def test_factory_that_gives_no_module(write: Write, source: str, sentence: str) -> None:
    """Each becomes one sentence that names the reference, what was raised, and the line."""
    with pytest.raises(CifartuiError) as caught:
        build_module(write(source))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_module_that_is_not_there(write: Write) -> None:
    """The sentence names module and folder, and knows the commonest slip."""
    write("")
    with pytest.raises(CifartuiError, match=r"There is no module nets in .*code or among the installed packages"):
        build_module(load_network("nets:make"))
    with pytest.raises(CifartuiError, match=r"There is no module net\.py .*; write net:make\."):
        build_module(load_network("net.py:make"))


def test_naming_a_factory_runs_nothing(write: Write) -> None:
    """A reference is checked by its form; a file cannot hold one, and it cannot be kept as one."""
    network = write("open('ran', 'w')")
    assert (network.name, network.factory, network.layers) == ("make", "net:make", ())
    assert network.folder == os.getcwd()
    assert not Path("ran").exists()
    for form in ("net:", ":make", "net:make()", "a/b:make", "net:a.b", "net::make", "C:\\net", "net.:make", "1:2"):
        with pytest.raises(UsageError, match="does not name a factory: write package"):
            load_network(form)
    for line in ('factory = "net:make"', 'folder = "/tmp"'):
        Path("own.toml").write_text(f'name = "own"\nlayers = []\n{line}\n')
        with pytest.raises(UsageError, match=r"own\.toml: a file cannot name a factory, since looking at it would run"):
            load_network("own.toml")
    with pytest.raises(UsageError, match="net:make is code of your own and cannot be kept as a file"):
        save_network(network)


# IN A CHILD PROCESS


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("raise ValueError('no')", "Importing net raised ValueError: no (net.py, line 4); correct that and try again."),
        ("os._exit(0)", "net:make ended its process (exit code 0) before it could be shown"),
        ("import ctypes; ctypes.string_at(0)", "net:make brought its process down (SIGSEGV, perhaps for lack of memo"),
        (HOARD + "while True: kept.append(bytearray(5_000))", "more memory than it may take"),
        (HOARD + "while True: kept.append(torch.ones(9_000_000))", "Importing net needed more memory than it may"),
    ],
    ids=["raises", "exits", "segfault", "lists", "tensors"],
)
def test_harm_is_one_sentence(write: Write, source: str, sentence: str) -> None:
    """Whatever the user's code does to its process becomes one sentence here."""
    with pytest.raises(CifartuiError) as caught:
        finish(trace_isolated(write(source)))
    assert sentence in str(caught.value)


def test_a_trace_is_one_line_of_json_and_nothing_else(write: Write) -> None:
    """Whatever the code prints; failures are a sentence on stderr."""
    write("print('imported')\ndef make(): return nn.Sequential(nn.Flatten(), nn.Linear(768, 10))")
    traced = run_child("net:make", "3x16x16")
    assert (traced.returncode, traced.stderr, traced.stdout.count("\n")) == (0, "", 1)
    trace = msgspec.json.decode(traced.stdout, type=Trace)
    assert (trace.input, trace.output, trace.problem) == ((3, 16, 16), (10,), "")
    failed = run_child("net:other", "3x16x16")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == f"cifartui: Module net ({Path.cwd() / 'net.py'}) has no other; check both names.\n"


def test_noise_on_stdout_and_stderr_is_not_the_answer(write: Write) -> None:
    """Megabytes printed by Python, by descriptor and by children change nothing; a thread does not keep the process."""
    network = write(
        """
import subprocess, threading
def noise():
    for stream in (sys.stdout, sys.stderr): stream.write("noise\\n" * 500_000)
    for descriptor in (1, 2): os.write(descriptor, b"cifartui: noise\\n" * 100_000)
    subprocess.run(["echo", "noise"])
noise()
class Net(nn.Linear):
    def forward(self, x):
        noise()
        return super().forward(x.flatten(1))
def make():
    threading.Thread(target=time.sleep, args=(600,)).start()
    return Net(3072, 10)
"""
    )
    started = time.monotonic()
    trace = finish(trace_isolated(network))
    assert time.monotonic() - started < 30
    assert trace.problem == ""
    assert trace.network == network
    assert [operation.name for operation in trace.operations] == ["flatten", "fc"]
    assert summary_of(trace).macs == 30_720


def test_time_limit_ends_all_processes(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that sleeps for ever, and the children that it forked with the pipes open, are gone after the limit."""
    network = write("child = os.fork()\nif child: open('child', 'w').write(str(child))\ntime.sleep(600)")
    monkeypatch.setattr(children, "monotonic", lambda: time.monotonic() + 100 * is_written("child"))
    with pytest.raises(CifartuiError, match="net:make took longer than 60 s and was stopped; if importing it starts"):
        finish(trace_isolated(network))
    with pytest.raises(ProcessLookupError):
        _wait_until_gone(int(Path("child").read_text()))


def test_forked_child_that_holds_the_pipes_is_not_waited_for(write: Write) -> None:
    """The answer is there, or the end is seen, although the pipes stay open."""
    network = write("if not os.fork(): time.sleep(600)\ndef make(): return nn.Flatten()")
    assert finish(trace_isolated(network)).output == (3072,)
    with pytest.raises(CifartuiError, match=r"ended its process \(exit code 3\)"):
        finish(trace_isolated(write("if not os.fork(): time.sleep(600)\nos._exit(3)")))


def test_folder_that_is_gone(write: Write) -> None:
    """A network whose folder was removed says so."""
    network = msgspec.structs.replace(write(""), folder="/nowhere/at/all")
    with pytest.raises(CifartuiError, match="belongs to the folder /nowhere/at/all, which cannot be entered any more"):
        finish(trace_isolated(network))


def run_child(factory: str, size: str) -> "subprocess.CompletedProcess[str]":
    """Run the child's module as the parent does, in the working directory."""
    command = [sys.executable, "-P", "-m", "cifartui.model.tracing.child", factory, size]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def is_written(path: str) -> bool:
    """Whether a file is there, with something in it."""
    return os.path.exists(path) and os.path.getsize(path) > 0


def _wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        os.kill(process, 0)
        time.sleep(0.05)
