"""Importing class folders: what goes in comes out, and what is wrong gets a sentence and leaves nothing behind."""

import errno
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifartui.dataset.catalogue import export_dataset
from cifartui.dataset.images import load_image_set
from cifartui.dataset.importing import import_dataset
from cifartui.dataset.store import ClassCounts, DatasetFacts, load_facts, prepared_names
from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.files import sha256_of
from cifartui.progress import Progress, finish

FOLDERS = ("train/cat", "train/dog", "test/cat", "test/dog")


def picture(seed: int, size: tuple[int, int] = (32, 32)) -> bytes:
    """A PNG of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def make_folders(root: Path, folders: tuple[str, ...] = FOLDERS, images: int = 5) -> Path:
    """Class folders with a few pictures each."""
    for position, folder in enumerate(folders):
        (root / folder).mkdir(parents=True)
        for number in range(images):
            (root / folder / f"{number}.png").write_bytes(picture(100 * position + number))
    return root


def pack_tar(root: Path, suffix: str) -> Path:
    """The same as a tar archive beside it."""
    target = root.with_name(f"{root.name}{suffix}")
    with tarfile.open(target, f"w:{suffix.rpartition('.')[2].replace('tar', '')}") as tar:
        tar.add(root, arcname="pictures")
    return target


def pack_zip(root: Path) -> Path:
    """The same as a zip archive beside it."""
    target = root.with_name(f"{root.name}.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(root.rglob("*")):
            packed.write(path, path.relative_to(root))
    return target


def left_behind(home: Path) -> list[str]:
    """Every file under the program's folder."""
    return [str(path) for path in home.rglob("*") if path.is_file()]


PACKERS: dict[str, Callable[[Path], Path]] = {
    "folder": lambda root: root,
    "tar": lambda root: pack_tar(root, ".tar"),
    "tar.gz": lambda root: pack_tar(root, ".tar.gz"),
    "tar.xz": lambda root: pack_tar(root, ".tar.xz"),
    "zip": pack_zip,
}


@pytest.mark.parametrize("packer", PACKERS)
def test_pictures_come_out_as_they_went_in(tmp_path: Path, packer: str) -> None:
    """Folder and every kind of archive give the same pixels, labels and facts."""
    root = make_folders(tmp_path / "mine")
    (root / "train" / "cat" / ".hidden.png").write_bytes(b"no image")
    (root / "README.txt").write_text("passed over")
    facts = finish(import_dataset(PACKERS[packer](root), "pets"))
    assert (facts.classes, facts.train, facts.test) == (("cat", "dog"), 10, 10)
    assert facts.class_counts.train == (5, 5)
    assert load_facts("pets") == facts
    train = load_image_set("pets", "train")
    originals = {
        np.asarray(Image.open(path).convert("RGB")).tobytes() for path in (root / "train" / "dog").glob("[!.]*.png")
    }
    stored = {image.permute(1, 2, 0).numpy().tobytes() for image in train.images[train.labels == 1]}
    assert stored == originals
    folder = Path(os.environ["CIFARTUI_HOME"]) / "datasets"
    assert facts.sha256 == sha256_of(folder / "pets.safetensors")


def test_statistics_are_exact(tmp_path: Path) -> None:
    """Mean and standard deviation equal numpy's over all training pixels."""
    facts = finish(import_dataset(make_folders(tmp_path / "mine"), "pets"))
    pixels = load_image_set("pets", "train").images.numpy().astype(np.float64) / 255
    assert facts.mean == pytest.approx(pixels.mean(axis=(0, 2, 3)), abs=1e-12)
    assert facts.std == pytest.approx(pixels.std(axis=(0, 2, 3)), abs=1e-12)


def test_without_a_split_every_class_is_split_80_to_20(tmp_path: Path) -> None:
    """Ten images a class become eight and two, the same ones every time, none in both."""
    root = make_folders(tmp_path / "mine", ("cat", "dog"), images=10)
    facts = finish(import_dataset(root, "first"))
    again = finish(import_dataset(root, "second"))
    assert facts.class_counts.train == (8, 8)
    assert facts.class_counts.test == (2, 2)
    assert facts.sha256 == again.sha256
    train = {image.numpy().tobytes() for image in load_image_set("first", "train").images}
    test = {image.numpy().tobytes() for image in load_image_set("first", "test").images}
    assert len(train | test) == 20


def test_progress_counts_images(tmp_path: Path) -> None:
    """The first report comes before the first image, the last names the total."""
    reports: list[Progress] = []
    work = import_dataset(make_folders(tmp_path / "mine"), "pets")
    while True:
        try:
            reports.append(next(work))
        except StopIteration as end:
            facts: DatasetFacts = end.value
            break
    assert reports[0].done == 0
    assert reports[-1].done == reports[-1].total == facts.train + facts.test


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _bomb() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9_000, 9_000)).save(buffer, "png")
    return buffer.getvalue()


def _truncated(root: Path, suffix: str) -> Path:
    archive = pack_tar(root, suffix) if suffix != ".zip" else pack_zip(root)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size * 2 // 3])
    return archive


def tar_with(root: Path, *members: tuple[str, bytes]) -> Path:
    archive = root.with_name("crafted.tar")
    with tarfile.open(archive, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return archive


def _links(root: Path) -> Path:
    archive = root.with_name("links.tar")
    with tarfile.open(archive, "w") as tar:
        for folder in FOLDERS:
            info = tarfile.TarInfo(f"{folder}/0.png")
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(info)
    return archive


def _without(root: Path, *folders: str) -> Path:
    for folder in folders:
        for path in (root / folder).glob("*"):
            path.unlink()
    return root


BAD_INPUT: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda root: root / "nowhere", "There is no"),
    "a folder without classes": (lambda root: root / "train" / "cat", "lies in no class folder"),
    "an empty folder": (lambda root: (root / "empty").mkdir() or root / "empty", "holds no images in class folders"),
    "train without test": (
        lambda root: (
            _without(root, "test/cat", "test/dog").joinpath("train").rename(root / "x" / "train").parent
            if (root / "x").mkdir() is None
            else root
        ),
        "has no test/ folder",
    ),
    "an empty class": (lambda root: _without(root, "train/dog", "test/dog"), "no image of class 'dog' in train/"),
    "a class missing in test": (lambda root: _without(root, "test/dog"), "no image of class 'dog' in test/"),
    "no image": (
        lambda root: _write(root / "train/cat/bad.png", b"text") or root,
        "train/cat/bad.png is not an image that can be decoded",
    ),
    "a truncated image": (
        lambda root: _write(root / "train/cat/bad.png", picture(1)[:500]) or root,
        "train/cat/bad.png is damaged",
    ),
    "sizes that differ": (
        lambda root: _write(root / "train/cat/wide.png", picture(1, (40, 32))) or root,
        "has pictures of 2 sizes, 32×32 (20, as test/cat/0.png), 40×32 (1, as train/cat/wide.png); choose one",
    ),
    "an image bomb": (
        lambda root: _write(root / "train/cat/bomb.png", _bomb()) or root,
        "bomb.png is 9,000×9,000 pixels, and 67 million are read",
    ),
    "a stray class": (
        lambda root: _write(root / "bird/0.png", picture(1)) or root,
        "has the folder 'bird' beside train/ and test/",
    ),
    "no archive": (lambda root: _write(root / "a.tar.gz", b"plain text") or root / "a.tar.gz", "or no archive"),
    "a truncated .tar.gz": (lambda root: _truncated(root, ".tar.gz"), "is truncated, damaged or no archive (after"),
    "a truncated .tar.xz": (lambda root: _truncated(root, ".tar.xz"), "is truncated, damaged or no archive (after"),
    "a truncated .tar": (lambda root: _truncated(root, ".tar"), "is truncated, damaged or no archive (after"),
    "a truncated .zip": (lambda root: _truncated(root, ".zip"), "is truncated, damaged or no archive (after"),
    "a name outside": (
        lambda root: tar_with(root, ("../../train/cat/0.png", picture(1))),
        "names ../../train/cat/0.png, a path outside itself",
    ),
    "an absolute name": (lambda root: tar_with(root, ("/train/cat/0.png", picture(1))), "a path outside itself"),
    "a name twice": (
        lambda root: tar_with(root, ("train/cat/0.png", picture(1)), ("train/cat/0.png", picture(2))),
        "holds train/cat/0.png twice",
    ),
    "nothing but links": (_links, "holds no images in class folders"),
    "one image without a split": (
        lambda root: make_folders(root / "one", ("cat", "dog"), images=1),
        "class 'cat' has one image; a split needs at least two",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_gets_a_sentence_and_leaves_nothing(tmp_path: Path, home: Path, case: str) -> None:
    """One line, the place in it, exit code 3, and no file under the program's folder."""
    prepare, sentence = BAD_INPUT[case]
    source = prepare(make_folders(tmp_path / "mine"))
    with pytest.raises(DataError) as caught:
        finish(import_dataset(source, "pets"))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    assert left_behind(home) == []


def test_unreadable_source_gets_a_sentence(tmp_path: Path) -> None:
    """A file that may not be read is told from one that is not there (root may read all: then it is damaged)."""
    locked = tmp_path / "locked.tar"
    locked.write_bytes(b"")
    locked.chmod(0)
    with pytest.raises(DataError, match="permission denied" if os.geteuid() else "no archive"):
        finish(import_dataset(locked, "pets"))


def test_hostile_class_names_are_cleaned(tmp_path: Path) -> None:
    """Escape sequences and bidirectional marks do not survive into the facts."""
    names = ("\x1b]52;c;ZXZpbA==\x07cat", "dog\u202egpj")
    members = [(f"{split}/{name}/0.png", picture(1)) for split in ("train", "test") for name in names]
    facts = finish(import_dataset(tar_with(tmp_path, *members), "pets"))
    assert facts.classes == ("�]52;c;ZXZpbA==�cat", "dog�gpj")


def test_taken_and_impossible_names_are_refused(tmp_path: Path) -> None:
    """A second data set of one name, or a name that is a path, is wrong usage."""
    root = make_folders(tmp_path / "mine")
    finish(import_dataset(root, "pets"))
    with pytest.raises(UsageError, match="There is a data set named pets here already"):
        finish(import_dataset(root, "pets"))
    for name in ("../pets", "", "a b", "x" * 65, "\x1b[2J"):
        with pytest.raises(UsageError, match="cannot name a data set"):
            finish(import_dataset(root, name))
    assert prepared_names() == ["pets"]


def test_full_disk_leaves_nothing(tmp_path: Path, home: Path) -> None:
    """A data set that does not fit (a file-size limit stands in for the disk) is a sentence and leaves no file."""
    root = make_folders(tmp_path / "mine")
    program = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from cifartui.cli.main import run_command\n"
        "sys.exit(run_command(['dataset', 'import', sys.argv[1], '--name', 'pets']))\n"
    )
    command = [sys.executable, "-c", program, str(root)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "raise the limit (ulimit -f)" in ended.stderr
    assert left_behind(home) == []


def test_full_disk_is_explained() -> None:
    """ENOSPC becomes what, why and what to do."""
    from cifartui.errors import explain

    error = explain(OSError(errno.ENOSPC, "No space left on device", "/data/pets.safetensors"))
    assert isinstance(error, CifartuiError)
    assert str(error) == "/data/pets.safetensors: the disk is full; free some space and try again."


def test_classes_never_share_a_name(tmp_path: Path) -> None:
    """Names equal once they are cleaned or cut are numbered, and such a set can be written out and comes back."""
    names = ["c" * 100 + "1", "c" * 100 + "2", "dog\u202e", "dog\u202d", "dog� (2)"]
    members = [
        (f"{split}/{name}/0.png", picture(seed)) for split in ("train", "test") for seed, name in enumerate(names)
    ]
    facts = finish(import_dataset(tar_with(tmp_path / "mine", *members), "pets"))
    assert facts.classes == ("c" * 60 + "…", "c" * 60 + "… (2)", "dog�", "dog� (2)", "dog� (2) (2)")
    assert facts.class_counts.train == (1,) * 5
    assert finish(export_dataset("pets", tmp_path / "out")) == 10
    again = finish(import_dataset(tmp_path / "out", "again"))
    assert sorted(again.classes) == sorted(facts.classes)


def test_held_out_split_comes_in(tmp_path: Path) -> None:
    """`val/` becomes the validation images, and none of them is trained or tested on."""
    folders = tuple(f"{split}/{name}" for split in ("Train", "val", "TEST") for name in ("cat", "dog"))
    root = make_folders(tmp_path / "mine", folders, images=3)
    facts = finish(import_dataset(root, "pets"))
    assert facts.class_counts == ClassCounts(train=(3, 3), test=(3, 3), validation=(3, 3))
    for split, folder in (("train", "Train"), ("validation", "val"), ("test", "TEST")):
        pixels = load_image_set("pets", split).images.permute(0, 2, 3, 1).numpy()
        originals = [np.asarray(Image.open(path)) for path in sorted((root / folder).rglob("*.png"))]
        assert np.array_equal(pixels, np.stack(originals))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_memory_does_not_grow_with_the_pictures(tmp_path: Path) -> None:
    """240 MB of pixels, read and stored in a process that holds a small part of them."""
    for name in ("cat", "dog"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (2_000, 2_000), (number, 0, 0)).save(tmp_path / "mine" / name / f"{number}.bmp")
    program = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from cifartui.dataset.importing import import_dataset\n"
        "from cifartui.progress import finish\n"
        "facts = finish(import_dataset(Path(sys.argv[1]), 'large'))\n"
        "assert facts.bytes > 240_000_000\n"
        'print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])\n'
    )
    command = [sys.executable, "-c", program, str(tmp_path / "mine")]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(ended.stdout) / 1024 < 200
