"""The published archives: their sizes, checksums and sources, from a table that users can extend."""

from importlib import resources
from typing import Annotated

import msgspec

from cifartui import home
from cifartui.dataset.fetching.bounds import BOUNDS, Bounds
from cifartui.errors import DataError
from cifartui.toml import decode_toml

TABLE = "archives.toml"
"""The table's name, both within the package and in the program's folder."""


class Archive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published archive."""

    dataset: str
    """The data set that it holds."""
    file: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    bytes: Annotated[int, msgspec.Meta(ge=1)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    sources: tuple[Annotated[str, msgspec.Meta(pattern="^https://")], ...]
    """Addresses of copies, the publisher's first."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    archive: tuple[Archive, ...] = ()
    least_bytes_per_second: Annotated[int, msgspec.Meta(ge=0)] = BOUNDS.least_bytes_per_second
    """A source that gives less is given up; 0: none is."""


def load_archives() -> list[Archive]:
    """All known archives, the user's own additions first; sources of the same bytes are joined.

    Raises:
        UsageError: the user's table is not valid.
    """
    joined: dict[str, Archive] = {}
    for archive in (archive for table in _load_tables() for archive in table.archive):
        known = joined.get(archive.sha256)
        sources = (*(known.sources if known else ()), *archive.sources)
        joined[archive.sha256] = msgspec.structs.replace(known or archive, sources=tuple(dict.fromkeys(sources)))
    return list(joined.values())


def load_bounds() -> Bounds:
    """The bounds of a fetch, with the user's own `least_bytes_per_second` if there is one.

    Raises:
        UsageError: the user's table is not valid.
    """
    return msgspec.structs.replace(BOUNDS, least_bytes_per_second=_load_tables()[0].least_bytes_per_second)


def _load_tables() -> list[_Table]:
    """The user's own table, if there is one, before the one that comes along."""
    shipped = resources.files("cifartui.dataset.fetching").joinpath(TABLE)
    tables = [decode_toml(shipped.read_bytes(), _Table, TABLE)]
    own = home.home() / TABLE
    if own.exists():
        tables.insert(0, decode_toml(own.read_bytes(), _Table, str(own)))
    return tables


def archives_of(dataset: str) -> list[Archive]:
    """The archives that hold a data set, the preferred one first.

    Raises:
        DataError: none is known.
    """
    known = load_archives()
    found = [archive for archive in known if archive.dataset == dataset]
    if not found:
        names = ", ".join(dict.fromkeys(archive.dataset for archive in known))
        raise DataError(f"It is not known where to fetch {dataset!r}; known are {names}.")
    return found
