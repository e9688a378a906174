"""What every kind of layer says of itself, without torch.

A kind's fields are the arguments of the PyTorch module of the same name: those without a default come first, in the
module's order, and defaults are the module's.
"""

from typing import Annotated, Any, ClassVar, NamedTuple, Self

import msgspec

from cifartui.model.shapes import Shape, ShapeError, format_shape

Positive = Annotated[int, msgspec.Meta(ge=1, le=65_536)]
NonNegative = Annotated[int, msgspec.Meta(ge=0, le=65_536)]
LayerName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]{0,31}(\.(0|[1-9][0-9]{0,2}))?\Z")]
"""`conv1`, or `layer1.0` for the first member of the sequence `layer1`."""


class Arithmetic(msgspec.Struct, frozen=True):
    """What a layer makes of its input, with the numbers in the formulas."""

    output: Shape
    formula: str = ""
    """How the output's size comes about: `⌊(32 − 5 + 2·0) / 1⌋ + 1 = 28`; empty where the shape stays."""
    parameters: int = 0
    parameters_formula: str = ""
    macs: int = 0
    """Multiply-accumulate operations for one image, those of convolutions and linear layers."""
    macs_formula: str = ""
    note: str = ""
    """What the division rounds away."""
    window: int = 1
    """Pixels of its input, in each direction, that one pixel of its output looks at; 0 for all of them."""
    stride: int = 1
    """Pixels of its input between two neighbours of its output."""
    buffer_bytes: int = 0
    """What a state_dict holds of it beside its parameters."""


class Construction(NamedTuple):
    """The arguments of the call that makes a layer's module."""

    arguments: tuple[int | float, ...] = ()
    settings: dict[str, int | float] = {}
    """Those given by name."""


class Function(NamedTuple):
    """A function of torch that does what a module does."""

    name: str
    """Its bare name: `max_pool2d`."""
    arguments: tuple[str, ...] | None = None
    """The names of those after the input, which are the module's too; None where it is given weights."""
    defaults: dict[str, int] = {}
    """Those that are not the module's."""


class Layer(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """One operation of the forward pass; its name is the prefix of its weights' names."""

    SHORT_NAME: ClassVar[str] = ""
    """What new layers of the kind are named by; empty for the kind itself."""
    TORCH_CLASS: ClassVar[str] = ""
    """The class of `torch.nn` that does the same; empty where there is none."""
    CLASS_SOURCE: ClassVar[str] = ""
    """The source of a class of the kind's own name, where torch has none."""
    FUNCTION: ClassVar[Function | None] = None
    KEEPS_INPUT: ClassVar[bool] = False
    """Whether the backward pass needs the input."""
    KEEPS_OUTPUT: ClassVar[bool] = False
    """Whether the backward pass needs the output."""

    name: LayerName

    @property
    def kind(self) -> str:
        """The layer's kind as networks' TOML files spell it."""
        return str(self.__struct_config__.tag)

    @property
    def label(self) -> str:
        """The kind in words, with the sizes that tell layers of one kind apart."""
        return self.kind

    @property
    def is_view(self) -> bool:
        """Whether the output is the input's memory, looked at differently."""
        return False

    def arithmetic(self, shape: Shape) -> Arithmetic:
        """Compute output shape, parameters and multiply-accumulates for an input of `shape`.

        Raises:
            ShapeError: this layer cannot take `shape`.
        """
        raise NotImplementedError

    def kept_bytes(self, output: Shape, batch_size: int) -> int:
        """Memory of what the backward pass needs beside input and output, for a batch of outputs of that shape."""
        return 0

    def construction(self) -> Construction:
        """How the module is made: fields without a default in their order, others by name where they differ from it."""
        fields = [(field, getattr(self, field.name)) for field in msgspec.structs.fields(self) if field.name != "name"]
        return Construction(
            tuple(value for field, value in fields if field.required),
            {field.name: value for field, value in fields if not field.required and value != field.default},
        )

    def fitted(self, shape: Shape) -> Self | None:
        """The layer with the numbers of its input put right for `shape`; None where it has none to put right."""
        return None

    @classmethod
    def fresh(cls, name: str, shape: Shape) -> Self:
        """A new layer for an input of `shape`, if there can be one."""
        return cls(name=name)

    @classmethod
    def settings_of(cls, module: Any) -> dict[str, Any] | None:
        """The fields beside the name of the layer that does what a module of `TORCH_CLASS` does; None if none does."""
        return {field: getattr(module, field) for field in cls.__struct_fields__ if field != "name"}

    def _channels_height_width(self, shape: Shape) -> tuple[int, int, int]:
        if len(shape) != 3:
            raise ShapeError(f"{self.name} expects channels × height × width; it is given {format_shape(shape)}.")
        return shape[0], shape[1], shape[2]


def single(value: Any) -> int | None:
    """The number of a module's setting that is one number or the same in all directions."""
    numbers = value if isinstance(value, tuple | list) else (value,)
    return numbers[0] if len(set(numbers)) == 1 and isinstance(numbers[0], int) else None
