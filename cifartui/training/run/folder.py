"""A run is a folder; its state is derived from the files in it."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import msgspec
import tomli_w

from cifartui import home, locks
from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.files import open_file, write_durably
from cifartui.model.network import Network
from cifartui.text import printable
from cifartui.toml import decode_toml
from cifartui.training.device_names import DeviceName
from cifartui.training.recipes.recipe import Recipe

MAX_TITLE = 60
"""Characters of a run's title."""
HOST_START_SECONDS = 30.0
"""A host that has not taken a new run's lock by then will not come."""
LOCK_SECONDS = 2.0
"""From making the lock file to locking it, at most."""


class Parent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The checkpoint of another run that a run goes on from."""

    run: str
    """Its id."""
    step: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str
    """Of the checkpoint's file."""
    changed: tuple[str, ...] = ()
    """Keys of the settings that it does not have from the parent's checkpoint."""

    @property
    def name(self) -> str:
        """`RUN@STEP`."""
        return f"{self.run}@{self.step}"


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was asked of a run, written once; nothing outside it is needed to know what was trained."""

    recipe: str
    """The name of the recipe."""
    dataset: str
    dataset_sha256: str
    device: DeviceName
    seed: int
    created: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    """Unix time in seconds."""
    settings: Recipe
    """The recipe with its overrides, and with what follows the data set."""
    network: Network
    """As the data set wants it."""
    followed: tuple[str, ...] = ()
    """What was changed to follow the data set, a clause each."""
    parent: Parent | None = None


class Run:
    """A run's folder and what stands in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self.journal_file = folder / "events.jsonl"
        self.controls_file = folder / "controls.jsonl"
        self.index_file = folder / "index.json"
        self.glimpse_file = folder / "glimpse.msgpack"
        self.host_log = folder / "host.log"
        self.checkpoints_folder = folder / "checkpoints"
        self._title_file = folder / "title"
        self._lock_file = folder / "lock"
        self._lock_descriptor: int | None = None
        self._config: RunConfig | None = None

    def config(self) -> RunConfig:
        """Read `config.toml`, once: it is never changed.

        Raises:
            DataError: it is missing or damaged.
        """
        self._config = self._config or self._read_config()
        return self._config

    def title(self) -> str:
        """What a person calls the run; empty where it was given no title, and where that cannot be read."""
        try:
            with open_file(self._title_file) as file:
                first = file.readline(4 * MAX_TITLE + 1).decode(errors="replace")
        except OSError:
            return ""
        return printable(first.strip(), MAX_TITLE)

    def rename(self, title: str) -> None:
        """Give the run a title, by which commands find it too; an empty one takes it away. The id stays.

        Raises:
            UsageError: it is too long, or holds what no terminal shows.
            OSError: it cannot be written.
        """
        title = title.strip()
        check_title(title)
        if title:
            write_durably(self._title_file, f"{title}\n".encode())
        else:
            self._title_file.unlink(missing_ok=True)

    def _read_config(self) -> RunConfig:
        path = self.folder / "config.toml"
        try:
            with open_file(path) as file:
                return decode_toml(file.read(), RunConfig, str(path))
        except (OSError, CifartuiError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise DataError(f"Run {self.id} is damaged: config.toml cannot be used ({reason}).") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for this process.

        Raises:
            CifartuiError: another process carries it.
        """
        descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not locks.hold(descriptor):
                raise CifartuiError(
                    f"Run {self.id} is carried by another process already; "
                    f"follow it with `cifartui runs follow {self.id}`."
                )
            self._lock_descriptor = descriptor
            yield
        finally:
            self._lock_descriptor = None
            locks.let_go(descriptor)

    def identity(self) -> tuple[int, int] | None:
        """What stands for the folder whatever its name: device and inode; None if there is no folder of this name.

        Raises:
            OSError: it cannot be looked at now.
        """
        try:
            found = self.folder.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino

    def moved_to(self) -> "Run | None":
        """Where the folder is now, told by the lock that this process holds; None if it is gone, or not on Linux."""
        try:
            elsewhere = Run(Path(os.readlink(f"/proc/self/fd/{self._lock_descriptor}")).parent)
            return elsewhere if elsewhere.identity() else None
        except OSError:
            return None

    def is_carried(self) -> bool:
        """Whether a process holds the run now."""
        try:
            return locks.is_held(self._lock_file)
        except OSError:
            return False

    def is_about_to_start(self) -> bool:
        """Whether a new run's host may still be about to take the lock: it makes the file first, and then locks it."""
        for path, seconds in ((self._lock_file, LOCK_SECONDS), (self.folder, HOST_START_SECONDS)):
            try:
                return abs(time.time() - path.stat().st_mtime) < seconds
            except FileNotFoundError:
                continue
        return False


def check_title(title: str) -> None:
    """Check that a text can be the title of a run.

    Raises:
        UsageError: it is too long, or holds what no terminal shows.
    """
    if len(title) > MAX_TITLE or not title.isprintable():
        raise UsageError(
            f"{printable(title, 80)!r} cannot be the title of a run: use up to {MAX_TITLE} letters, digits, blanks and "
            "signs, in one line."
        )


def create_run(config: RunConfig) -> Run:
    """Make the folder of a new run, named after recipe and network, and write what was asked.

    Raises:
        OSError: it cannot be written; nothing of it is left behind.
    """
    moment = time.strftime("%Y%m%d-%H%M", time.localtime(config.created))
    what = "-".join(dict.fromkeys((config.recipe, config.network.name)))  # of two equal names, one
    run = Run(_make_folder(f"{moment}-{what}"))
    folder = run.folder
    try:
        run.checkpoints_folder.mkdir(mode=0o700)
        write_durably(folder / "config.toml", tomli_w.dumps(_without_none(msgspec.to_builtins(config))).encode())
    except BaseException:
        (folder / "config.toml").unlink(missing_ok=True)
        if run.checkpoints_folder.exists():
            run.checkpoints_folder.rmdir()
        folder.rmdir()
        raise
    return run


def _make_folder(name: str) -> Path:
    """Make a folder of that name with a tag that none has yet."""
    while True:
        tag = "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(3))
        folder = home.runs_folder() / f"{name}-{tag}"
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder


def all_runs() -> list[Run]:
    """All runs, newest first."""
    folders = (path for path in home.runs_folder().iterdir() if path.is_dir() and not path.name.startswith("."))
    return [Run(folder) for folder in sorted(folders, key=_creation, reverse=True)]


def find_run(reference: str) -> Run:
    """Find a run by its id, by its title, or by a part of its id that no other run has.

    Raises:
        DataError: there is none, or more than one.
    """
    runs = all_runs()
    shown = printable(reference, 80)
    matches = [run for run in runs if run.id == reference]
    matches = matches or [run for run in runs if reference and run.title() == reference]
    matches = matches or [run for run in runs if reference and reference in run.id]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise DataError(
            f"{shown!r} names {len(matches)} runs ({matches[0].id}, {matches[1].id} …); give more of the id."
        )
    raise DataError(f"There is no run {shown!r}; `cifartui runs list` shows what there is.")


def living_run() -> Run | None:
    """The newest run that a process carries now, if any."""
    return next((run for run in all_runs() if run.is_carried()), None)


def _creation(folder: Path) -> tuple[int, str]:
    try:
        return (folder / "config.toml").stat().st_mtime_ns, folder.name  # written once, at creation
    except OSError:
        return 0, folder.name


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    """TOML has no word for nothing."""
    return {key: value for key, value in document.items() if value is not None}
