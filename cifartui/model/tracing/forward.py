"""A network run once, and what it does written down: modules by hooks, functions by torch's own overriding of calls."""

import contextlib
import sys
from collections.abc import Iterator

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from cifartui.model.module import build_module
from cifartui.model.network import Network
from cifartui.model.shapes import Shape, format_shape
from cifartui.model.summary import Summary, require_fit
from cifartui.model.tracing.calls import shape_of
from cifartui.model.tracing.trace import MAX_OPERATIONS, Trace, require_traced_fit
from cifartui.model.tracing.tracer import Tracer
from cifartui.text import printable


def trace_forward(network: Network, input_shape: Shape, module: nn.Module | None = None) -> Trace:
    """Run a batch of one image of small noise through the network and trace what happens, in evaluation mode.

    `module` is the network's, if it is there already; its weights, buffers and mode are as before afterwards, and so
    is torch's global generator.

    Raises:
        FactoryError: the network's factory gives no module.
    """
    with torch.random.fork_rng(devices=[]):
        module = build_module(network) if module is None else module
        images = 0.1 * torch.randn(1, *input_shape, generator=torch.Generator().manual_seed(0))
        modes = [(part, part.training) for part in module.modules()]
        tracer, kept = Tracer(module), _Kept(module)
        output: object = None
        problem = ""
        try:
            with _hooks(tracer), contextlib.redirect_stdout(sys.stderr), kept, _without_compiling():
                module.eval()
                with tracer:
                    output = module(images)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            problem = tracer.sentence(error, network)
        finally:
            for part, training in modes:
                part.training = training
    if not problem and not (isinstance(output, torch.Tensor) and output.dim() and output.shape[0] == 1):
        problem = f"{network.name} gives {_spelled_output(output)} for a batch of one image; let it give [N, classes]."
    shape = None if problem or not isinstance(output, torch.Tensor) else shape_of(output)
    if not problem and tracer.too_many:
        problem = f"{network.name} has more than {MAX_OPERATIONS:,} operations; those after them are not shown."
    return Trace(
        network=network,
        input=input_shape,
        operations=tracer.operations(shape),
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        kept_bytes=kept.bytes,
        output=shape,
        problem=problem,
    )


def require_module_fit(network: Network, image_shape: Shape, classes: int, module: nn.Module | None = None) -> Summary:
    """Check that a network, be it a chain or a factory's, takes images of `image_shape` and tells the classes apart.

    Raises:
        ShapeError: it does not; the sentence names the layer or module.
        FactoryError: the network's factory gives no module.
    """
    if network.factory:
        return require_traced_fit(trace_forward(network, image_shape, module), classes)
    return require_fit(network, image_shape, classes)


class _Kept(saved_tensors_hooks):
    """As a context: what autograd keeps for a backward pass, the network's own tensors left out."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__(self._keep, lambda tensor: tensor)
        self._own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers())}
        self._storages: dict[int, torch.UntypedStorage] = {}

    @property
    def bytes(self) -> int:
        """In all, each piece of memory counted once."""
        return sum(storage.nbytes() for storage in self._storages.values())

    def _keep(self, tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.nbytes() and storage.data_ptr() not in self._own:
            self._storages[storage.data_ptr()] = storage
        return tensor


@contextlib.contextmanager
def _hooks(tracer: Tracer) -> Iterator[None]:
    handles = (
        register_module_forward_pre_hook(tracer.enter),
        register_module_forward_hook(tracer.leave, always_call=True),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _without_compiling() -> Iterator[None]:
    """Let torch.compile's modules run as they were written; nothing to do where nobody compiles."""
    if "torch._dynamo" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def _spelled_output(output: object) -> str:
    if isinstance(output, torch.Tensor):
        return format_shape(tuple(output.shape)) or "a single number"
    return f"a {printable(type(output).__name__, 80)}"
