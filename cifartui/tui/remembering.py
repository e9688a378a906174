"""What was asked for last time: the settings in hand, in a small file of the program's folder."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from cifartui import home
from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.files import open_file, write_durably
from cifartui.text import printable
from cifartui.training.device_names import DeviceName
from cifartui.training.launch import DEFAULT_SEED
from cifartui.training.recipes.files import SUFFIX, load_recipe
from cifartui.tui.in_hand import NETWORK, InHand

DEFAULT_RECIPE = "tutorial"
VERSION = 1
MOST_BYTES = 100_000
"""Of the file; a longer one is none of ours."""


class Change(msgspec.Struct, frozen=True):
    """A setting that is not as the recipe has it, or was set to stay as it is."""

    key: str
    value: str
    instead_of: str
    """What it would be otherwise; where that is another today, the change was made to another recipe."""


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in hand as they are written down."""

    version: int = VERSION
    recipe: str = DEFAULT_RECIPE
    changes: tuple[Change, ...] = ()
    seed: str = str(DEFAULT_SEED)
    device: DeviceName = "auto"
    dataset: str | None = None


class Recalled(NamedTuple):
    """The settings of last time, as far as they still make sense."""

    asked: InHand
    dataset: str | None = None
    problem: str = ""
    """What of them does not, in a sentence."""


def remembered_file() -> Path:
    """Where the settings in hand are written down."""
    return home.home() / "settings.json"


def remember(asked: InHand, dataset: str | None) -> Remembered:
    """The settings in hand in the form in which they are written down; paths in full."""
    values = dict(assignment.split("=", 1) for assignment in asked.assignments)
    return Remembered(
        recipe=_in_full(asked.name),
        changes=tuple(
            Change(key, _in_full(value) if key == NETWORK else value, asked.unchanged.get(key, ""))
            for key, value in values.items()
        ),
        seed=asked.seed,
        device=asked.device,
        dataset=dataset,
    )


def write_remembered(remembered: Remembered) -> None:
    """Write settings down in place of those of last time.

    Raises:
        OSError: they cannot be written.
    """
    home.home().mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(remembered_file(), msgspec.json.format(msgspec.json.encode(remembered)))


def recall() -> Recalled:
    """The settings of last time; where there are none, or none that can be read, the tutorial's."""
    default = load_recipe(DEFAULT_RECIPE)
    nothing = InHand(DEFAULT_RECIPE, default, default)
    try:
        with open_file(remembered_file()) as file:
            remembered = msgspec.json.decode(file.read(MOST_BYTES), type=Remembered)
        if remembered.version != VERSION:
            raise msgspec.ValidationError("another version wrote it")
    except FileNotFoundError:
        return Recalled(nothing)
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        why = str(failure(error)) if isinstance(error, OSError) else printable(str(error), 100)
        return Recalled(
            nothing, problem=f"{remembered_file()} cannot be used ({why}): the settings are the tutorial's."
        )
    try:
        own = load_recipe(remembered.recipe)
    except (CifartuiError, OSError) as error:
        return Recalled(
            nothing,
            remembered.dataset,
            f"The settings are the tutorial's; last time's recipe is gone: {failure(error)}",
        )
    asked, left_out = _with_changes(InHand(remembered.recipe, own, own), remembered)
    problem = f"Left out of last time's settings, since they do not fit today: {', '.join(left_out)}."
    return Recalled(asked, remembered.dataset, problem if left_out else "")


def _with_changes(asked: InHand, remembered: Remembered) -> tuple[InHand, list[str]]:
    """Settings with the changes of last time, and those changes that do not fit: another recipe, another program."""
    left_out = []
    asked = msgspec.structs.replace(asked, device=remembered.device)
    try:
        asked = asked.with_value("seed", remembered.seed)
    except CifartuiError:
        left_out.append(f"seed={printable(remembered.seed, 40)}")
    for key, value, instead_of in map(msgspec.structs.astuple, remembered.changes):
        try:
            if asked.unchanged.get(key) != instead_of:
                raise CifartuiError("The recipe is another.")
            new = asked.with_value(key, value)
            asked = msgspec.structs.replace(new, kept=new.kept | {key})
        except (CifartuiError, OSError):
            left_out.append(f"{printable(key, 60)}={printable(value, 60)}")
    return asked, left_out


def _in_full(name: str) -> str:
    """The path of a file in full, so that it is found from another folder; any other name as it is."""
    return str(Path(name).absolute()) if name.endswith(SUFFIX) else name
