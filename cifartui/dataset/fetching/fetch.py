"""A published data set, from the archive to the prepared file."""

from pathlib import Path

import msgspec

from cifartui import home
from cifartui.dataset.fetching.answer import host_of
from cifartui.dataset.fetching.archives import Archive, archives_of, load_bounds
from cifartui.dataset.fetching.download import download, identify
from cifartui.dataset.importing import read_archive
from cifartui.dataset.store import DatasetFacts, check_name, is_prepared, load_facts, save_dataset
from cifartui.errors import DataError, UsageError
from cifartui.progress import LongWork, Progress
from cifartui.text import printable


def fetch_dataset(dataset: str, source: str | None = None, name: str | None = None) -> LongWork[DatasetFacts]:
    """Fetch a published data set and prepare it, under its own name or `name`; nothing is done if it is there.

    `source` is an https address or a local file, instead of the known sources.

    Raises:
        DataError: it is not known, no source gives it, or a file is not what was published.
        UsageError: the source is neither an https address nor a file.
        OSError: it cannot be written; nothing half-written is left under the data set's name.
    """
    name = check_name(name or dataset)
    archives = archives_of(dataset)
    if is_prepared(name):
        return load_facts(name)
    if source is None:
        archive = archives[0]
        path = yield from download(archive, home.downloads_folder(), load_bounds())
        origin = "fetched and verified"
    elif "://" in source:
        archive = _from_address(source, archives)
        path = yield from download(archive, home.downloads_folder(), load_bounds())
        origin = f"fetched from {host_of(source)} and verified"
    else:
        path = Path(source).expanduser()
        archive = yield from _from_file(path, archives, dataset)
        origin = f"{printable(path.name, 80)}, verified"
    facts = yield from _prepare(path, archive, name, origin)
    if path.parent == home.downloads_folder():
        path.unlink(missing_ok=True)
    return facts


def _prepare(path: Path, archive: Archive, name: str, origin: str) -> LongWork[DatasetFacts]:
    train, test, classes, digest = yield from read_archive(path)
    if digest != archive.sha256:
        if path.parent == home.downloads_folder():
            path.unlink(missing_ok=True)
        raise DataError(f"{path} is not what was published, though it was when it was verified; fetch it again.")
    yield Progress("storing images", len(train.labels) + len(test.labels), len(train.labels) + len(test.labels))
    return save_dataset(name, train, test, classes, origin)


def _from_address(source: str, archives: list[Archive]) -> Archive:
    if not source.startswith("https://"):
        raise UsageError(f"{printable(source, 200)} is not an https address; nothing else is safe to fetch from.")
    file = source.split("?")[0].rsplit("/", 1)[-1]
    archive = next((archive for archive in archives if archive.file == file), archives[0])
    return msgspec.structs.replace(archive, sources=(source,))


def _from_file(path: Path, archives: list[Archive], dataset: str) -> LongWork[Archive]:
    if not path.is_file():
        raise UsageError(f"{printable(str(path), 200)} is neither an https address nor a file here; check the path.")
    size = path.stat().st_size
    yield Progress("verifying", size, size, "bytes")
    archive = identify(path, archives)
    if archive is None:
        raise DataError(
            f"{printable(path.name, 200)} is not {dataset} as it was published (size or sha256 differ); "
            "if it is a set of your own, import it instead."
        )
    return archive
