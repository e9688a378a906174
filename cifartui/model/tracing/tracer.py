"""Writing down what a running network does: modules as they begin and end, and calls of functions between them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from cifartui.model.layers import AnyLayer, Arithmetic
from cifartui.model.network import Network
from cifartui.model.shapes import Shape, ShapeError
from cifartui.model.tracing.calls import first_tensor, label_of, shape_of, tensors_in
from cifartui.model.tracing.factory import spelled
from cifartui.model.tracing.trace import MAX_OPERATIONS, TracedOperation
from cifartui.model.tracing.translation import (
    NOT_COUNTED,
    agrees,
    call_macs,
    kind_of_function,
    layer_of_call,
    layer_of_module,
    module_macs,
    traced_layer,
)
from cifartui.text import printable

PARTLY = "not all counted"


@dataclass
class _Draft:
    """An operation whose name is not final: functions of one name within one module are numbered at its end."""

    operation: TracedOperation
    sums: Arithmetic
    function: str = ""
    """What a function is to be called; empty for modules."""


@dataclass
class _Frame:
    """A module that is running."""

    module: nn.Module
    path: str
    given: torch.Tensor | None
    is_silent: bool
    """Whether what happens within is not written down: in the modules of torch.nn, and after too many operations."""
    is_dropped: bool = False
    drafts: list[_Draft] = field(default_factory=list)


class Tracer(TorchFunctionMode):
    """Sees every module begin and end, and as a context every call of a torch function between them.

    What happens within a module becomes what is inside its operation; `operations` gives them at the end.
    """

    def __init__(self, root: nn.Module) -> None:
        super().__init__()
        self.too_many = False
        self._paths = {id(module): name for name, module in root.named_modules()}
        kept = root.state_dict(keep_vars=True).values()
        self._buffers = {id(tensor): tensor.nbytes for tensor in kept if isinstance(tensor, torch.Tensor)}
        self._parameters = {id(parameter): parameter.numel() for parameter in root.parameters()}
        for identity in self._parameters:
            self._buffers.pop(identity, None)
        self._frames: list[_Frame] = []
        self._done: _Draft | None = None
        self._count = 0
        self._failed: tuple[BaseException, str] | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if not self._frames or self._frames[-1].is_silent:
            return func(*args, **kwargs)
        label = label_of(func)
        try:
            result = func(*args, **kwargs)
        except BaseException as error:
            self._failed = (error, label)
            raise
        if label and (output := first_tensor(result)) is not None and output.is_floating_point():
            self._note(label, args, kwargs, output)
        return result

    # MODULES

    def enter(self, module: nn.Module, args: Any) -> None:
        """Called before a module runs."""
        path = self._paths.get(id(module))
        around = self._frames[-1] if self._frames else None
        if path is None and around:  # not registered with the network: made on the way, or kept in a plain list
            path = f"{around.path}.{type(module).__name__.lower()}".lstrip(".")
        is_dropped = around is not None and (around.is_silent or not self._has_room())
        is_torchs = type(module).__module__.startswith("torch.nn.") and not any(module.children())
        self._frames.append(
            _Frame(module, path or "", first_tensor(args), is_silent=is_torchs or is_dropped, is_dropped=is_dropped)
        )

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """Called after a module ran, also when it raised."""
        while self._frames and self._frames[-1].module is not module:
            self._close(None)
        if self._frames:
            self._close(first_tensor(output))

    def operations(self, output: Shape | None) -> tuple[TracedOperation, ...]:
        """Everything that was seen; `output` is what the network gave, which may be none of it."""
        while self._frames:  # what raises SystemExit leaves them open
            self._close(None)
        if self._done is None:
            return ()
        whole = self._done.operation
        operations = whole.inner or (whole,)
        last = operations[-1].layer.arithmetic(operations[-1].input).output
        if output is not None and output != last:
            operations += (TracedOperation("output", traced_layer("output", Arithmetic(output)), last),)
        return operations

    def _close(self, output: torch.Tensor | None) -> None:
        """End the innermost module; without output it did not come to its end, and what ran until then is kept."""
        frame = self._frames.pop()
        if frame.is_dropped or (output is None and not frame.drafts):
            return
        name, given = frame.path or type(frame.module).__name__, frame.given
        inner = _named(frame)
        if inner:
            sums = [draft.sums for draft in frame.drafts]
            _, own_buffers = self._claim(frame.module.buffers(recurse=False))
            seen = Arithmetic(
                output=shape_of(output) if output is not None else sums[-1].output,
                parameters=sum(part.parameters for part in sums),
                macs=sum(part.macs for part in sums),
                macs_formula=PARTLY if any(part.macs_formula in (NOT_COUNTED, PARTLY) for part in sums) else "",
                buffer_bytes=sum(part.buffer_bytes for part in sums) + own_buffers,
            )
            layer = None
        else:
            assert output is not None
            parameters, buffer_bytes = self._claim((*frame.module.parameters(), *frame.module.buffers()))
            macs, unknown = module_macs(frame.module, given, output)
            seen = Arithmetic(shape_of(output), "", parameters, "", macs, unknown, buffer_bytes=buffer_bytes)
            layer = layer_of_module(frame.module)
        shape = shape_of(given) if given is not None else inner[0].input if inner else seen.output
        draft = _draft(name, type(frame.module).__name__, layer, shape, seen, inner)
        if self._frames:
            self._frames[-1].drafts.append(draft)
        else:
            self._done = draft

    # FUNCTIONS

    def _note(self, label: str, args: tuple[Any, ...], kwargs: dict[str, Any], output: torch.Tensor) -> None:
        tensors = list(tensors_in((args, kwargs)))
        if not tensors or not self._has_room():
            return
        frame, function = self._frames[-1], label.rpartition(".")[2]
        parameters, buffer_bytes = self._claim(tensors)
        macs, unknown = call_macs(function, tensors, output)
        seen = Arithmetic(shape_of(output), "", parameters, "", macs, unknown, buffer_bytes=buffer_bytes)
        layer = layer_of_call(function, args[1:], kwargs)
        draft = _draft("", label, layer, shape_of(tensors[0]), seen)
        kind = kind_of_function(function)
        draft.function = (kind.SHORT_NAME if kind else "") or function
        frame.drafts.append(draft)

    def _has_room(self) -> bool:
        self._count += 1
        self.too_many = self._count > MAX_OPERATIONS
        return not self.too_many

    def _claim(self, tensors: Iterable[torch.Tensor]) -> tuple[int, int]:
        """Parameters and bytes of buffers that no operation before this one had."""
        identities = [id(tensor) for tensor in tensors]
        parameters = sum(self._parameters.pop(identity, 0) for identity in identities)
        return parameters, sum(self._buffers.pop(identity, 0) for identity in identities)

    def sentence(self, error: BaseException, network: Network) -> str:
        """What went wrong in the forward pass, and in which module; ours where our arithmetic refuses as well."""
        module, given = _module_of(error)
        path = self._paths.get(id(module)) or network.name
        layer = layer_of_module(module) if module is not None else None
        if layer is not None and given is not None:
            try:
                msgspec.structs.replace(layer, name=path).arithmetic(shape_of(given))
            except ShapeError as refusal:
                return printable(str(refusal), 500)
        what = "" if module is None or type(module).__name__ == path else f" ({type(module).__name__})"
        called = f"{self._failed[1]} in " if self._failed and self._failed[0] is error and self._failed[1] else ""
        return f"{printable(called + path + what, 300)} {spelled(error, network.folder)}."


def _draft(
    name: str,
    what: str,
    layer: AnyLayer | None,
    given: Shape,
    seen: Arithmetic,
    inner: tuple[TracedOperation, ...] = (),
) -> _Draft:
    """An operation, as a layer of this program's if its arithmetic agrees with what was seen."""
    if layer is None or not agrees(layer, given, seen):
        layer = None
    made = layer or traced_layer(printable(what, 60), seen)
    sums = made.arithmetic(given)
    return _Draft(TracedOperation(printable(name, 200), made, given, inner), sums=sums)


def _named(frame: _Frame) -> tuple[TracedOperation, ...]:
    """A module's operations; functions have its path before their names, and numbers where there are several."""
    functions = Counter(draft.function for draft in frame.drafts)
    taken = {name for name, _ in frame.module.named_children()}
    numbers = {function: _numbered(function, taken) for function in functions}
    named = []
    for draft in frame.drafts:
        operation = draft.operation
        if draft.function:
            is_only = functions[draft.function] == 1 and draft.function not in taken
            name = draft.function if is_only else next(numbers[draft.function])
            prefix = f"{frame.path}." if frame.path else ""
            operation = TracedOperation(printable(prefix + name, 200), operation.layer, operation.input)
        named.append(operation)
    return tuple(named)


def _numbered(function: str, taken: set[str]) -> Iterator[str]:
    return (name for number in count(1) if (name := f"{function}{number}") not in taken)


def _module_of(error: BaseException) -> tuple[nn.Module | None, torch.Tensor | None]:
    """The innermost module that was running when an error was raised, and what it was given."""
    module, given = None, None
    trace = error.__traceback__
    while trace:
        held = trace.tb_frame.f_locals
        if isinstance(held.get("self"), nn.Module) and trace.tb_frame.f_code.co_name == "forward":
            module = held["self"]
            given = next((value for name, value in held.items() if name in ("input", "x")), None)
        trace = trace.tb_next
    return module, given if isinstance(given, torch.Tensor) else None
