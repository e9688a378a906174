"""Recipes: everything that decides how a network is trained, as checked TOML."""

import tomllib
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from cifartui.errors import DataError, UsageError
from cifartui.text import printable
from cifartui.toml import convert_settings, decode_toml, read_toml

RATE = "optimizer.learning_rate"
"""The key of the setting that commands to a run change, too."""


def _meta(description: str, **bounds: Any) -> msgspec.Meta:
    return msgspec.Meta(description=description, **bounds)


Level = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
PositiveFloat = Annotated[float, msgspec.Meta(gt=0, le=1e6)]


class Loader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How batches come to the network."""

    kind: Annotated[
        Literal["resident", "dataloader"],
        _meta(
            "resident: all images lie as one tensor on the training device and a batch is an index into it. "
            "dataloader: torch's DataLoader with worker processes, as in the tutorial. Both give the same batches."
        ),
    ] = "resident"
    num_workers: Annotated[
        int,
        _meta("Processes that load images for the DataLoader (the tutorial: 2); unused when resident.", ge=0, le=64),
    ] = 2
    shuffle: Annotated[bool, _meta("Whether each epoch visits the training images in a new random order.")] = True


class Normalize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tutorial's transforms: ToTensor scales 0-255 to 0-1, Normalize subtracts `mean` and divides by `std`."""

    mean: Annotated[
        tuple[Level, Level, Level], _meta("Subtracted from the red, green and blue values, which lie between 0 and 1.")
    ]
    std: Annotated[
        tuple[PositiveFloat, PositiveFloat, PositiveFloat],
        _meta("Divides each channel afterwards; mean 0.5 and std 0.5 give values between -1 and 1."),
    ]


class Augment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How training images are changed each time they are seen; the tutorial does not change them."""

    flip: Annotated[bool, _meta("Whether every other image, by chance, is mirrored left to right.")] = False
    crop_padding: Annotated[
        int, _meta("Pixels by which an image may be shifted each way; its mirrored edges fill the gap.", ge=0, le=16)
    ] = 0
    cutout: Annotated[
        int, _meta("Side in pixels of a square that is blotted out at a random place; 0 for none.", ge=0, le=64)
    ] = 0


class Optimizer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How gradients change the weights."""

    name: Annotated[Literal["sgd"], _meta("Stochastic gradient descent: a step against the gradient of each batch.")]
    learning_rate: Annotated[
        float,
        _meta("Length of a step downhill: too small and training crawls, too large and it overshoots.", gt=0, le=100),
    ]
    momentum: Annotated[
        float, _meta("Share of the last step carried into the next one; it smooths the path.", ge=0, lt=1)
    ] = 0.0


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Training images set aside to judge the network while it learns; the test images stay untouched."""

    images: Annotated[
        int,
        _meta("Training images held out (the same number of each class); 0 holds out none, as in the tutorial.", ge=0),
    ] = 0


class Checkpoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of a run's checkpoints stay; the best, the pinned and those asked for always do."""

    keep: Annotated[
        int,
        _meta(
            "How many of the newest checkpoints stay, besides the best by held-out images, the pinned and those asked "
            "for.",
            ge=1,
            le=1_000_000,
        ),
    ] = 3


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a network is trained."""

    description: str = ""
    network: Annotated[
        str,
        _meta("The network to train: a name from `model list`, a .toml file, or package.module:name of your own code."),
    ]
    epochs: Annotated[int, _meta("How often training goes through all training images.", ge=1, le=100_000)]
    batch_size: Annotated[int, _meta("Images per step: the gradient is their average.", ge=1, le=65_536)]
    loss: Annotated[
        Literal["cross_entropy"],
        _meta("Cross-entropy: minus the logarithm of the probability given to the right class."),
    ] = "cross_entropy"
    log_every: Annotated[
        int, _meta("Mini-batches between two log lines; the line shows the mean loss over them.", ge=1, le=10_000_000)
    ] = 2_000
    loader: Loader = Loader()
    normalize: Normalize
    augment: Augment = Augment()
    optimizer: Optimizer
    validation: Validation = Validation()
    checkpoints: Checkpoints = Checkpoints()


class Setting(msgspec.Struct, frozen=True):
    """One field of a recipe, for people."""

    key: str
    """Dotted, as `--set` takes it: `optimizer.learning_rate`."""
    value: str
    """As TOML spells it."""
    explanation: str
    choices: tuple[str, ...] = ()
    """The values it can have, where they are few words."""
    allowed: str = ""
    """Which numbers it can be, in words: `a whole number, at least 1 and at most 100,000`."""


def recipe_names() -> list[str]:
    """The names of the recipes that come with the program."""
    return sorted(Path(file.name).stem for file in _shipped().iterdir() if file.name.endswith(".toml"))


def load_recipe(name_or_file: str) -> Recipe:
    """Load a shipped recipe by name, or a user's by the path of its `.toml` file.

    Raises:
        DataError: there is no such recipe.
        UsageError: the file does not describe a recipe.
    """
    if name_or_file in recipe_names():
        return decode_toml((_shipped() / f"{name_or_file}.toml").read_bytes(), Recipe, f"recipe {name_or_file}")
    path = Path(name_or_file)
    if not (name_or_file.endswith(".toml") and path.is_file()):
        raise DataError(
            f"There is no recipe {printable(name_or_file, 200)!r}; "
            f"choose one of {', '.join(recipe_names())}, or name a .toml file."
        )
    recipe = read_toml(path, Recipe)
    if ":" in recipe.network:
        raise UsageError(
            f"{printable(str(path))}: a file cannot name code to run; leave network to the command line, as "
            "`--set network=package.module:name`."
        )
    if recipe.network.endswith(".toml"):  # relative to the recipe that names it
        recipe = msgspec.structs.replace(recipe, network=str(path.parent / recipe.network))
    return recipe


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Change settings by `key=value` texts, values spelled as in TOML.

    Raises:
        UsageError: an assignment is not of that form, or names a setting or value that is not allowed.
    """
    document = msgspec.to_builtins(recipe)
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{printable(assignment, 80)!r} is not a setting: write it as key=value.")
        *tables, last = key.strip().split(".")
        table = document
        for name in tables:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise UsageError(f"{printable(key, 80)} is not a setting: {printable(name, 80)} has no parts.")
        table[last] = _toml_value(text.strip())
    return convert_settings(document, Recipe)


def settings(recipe: Recipe) -> Iterator[Setting]:
    """The fields of a recipe in order, with their explanations."""
    yield from _settings(recipe, "")


def _settings(table: msgspec.Struct, prefix: str) -> Iterator[Setting]:
    info = msgspec.inspect.type_info(type(table))
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        value = getattr(table, field.name)
        if isinstance(value, msgspec.Struct):
            yield from _settings(value, f"{prefix}{field.name}.")
        elif isinstance(field.type, msgspec.inspect.Metadata):
            explanation = (field.type.extra_json_schema or {}).get("description", "")
            kind = field.type.type
            yield Setting(f"{prefix}{field.name}", toml_text(value), explanation, _choices(kind), _allowed(kind))


def _choices(kind: msgspec.inspect.Type) -> tuple[str, ...]:
    if isinstance(kind, msgspec.inspect.BoolType):
        return "true", "false"
    return tuple(map(str, kind.values)) if isinstance(kind, msgspec.inspect.LiteralType) else ()


def _allowed(kind: msgspec.inspect.Type) -> str:
    if isinstance(kind, msgspec.inspect.TupleType):
        return f"{len(kind.item_types)} values in brackets, each {_allowed(kind.item_types[0])}"
    if not isinstance(kind, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        return ""
    bounds = (("at least", kind.ge), ("above", kind.gt), ("at most", kind.le), ("below", kind.lt))
    words = [f"{word} {_number(bound)}" for word, bound in bounds if bound is not None]
    noun = "a whole number" if isinstance(kind, msgspec.inspect.IntType) else "a number"
    return ", ".join(filter(None, [noun, " and ".join(words)]))


def _number(bound: float) -> str:
    return f"{bound:,.0f}" if bound == int(bound) else f"{bound:g}"


def toml_text(value: object) -> str:
    """A setting's value as TOML spells it, strings without quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_text, value))}]"
    return str(value)


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # a word without quotes, as people type it


def _shipped() -> "resources.abc.Traversable":
    return resources.files("cifartui.training") / "recipes"
