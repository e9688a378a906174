"""A corpus of hostile and broken inputs: each is imported by the real command in a process that is watched."""

import _codecs
import bz2
import gzip
import io
import os
import pickle
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.dataset.test_importing import left_behind, make_folders, picture
from tests.dataset.test_official import PER_BATCH, write_python

SECONDS = 60
MAX_RESIDENT_KB = 700 * 1024
ROOT = Path(__file__).parents[2]
BIDI = "\u202e\u2066\u2069"
OUTSIDE, NOTHING, NO_BATCH = "a path outside itself", "holds no images in class folders", "is damaged or no batch"
LARGE, EVIL, BATCH, PICTURE = "more than any file", "evil.tar", "data_batch_3", "train/cat/9.png"
IMPORTED = ""
"""Instead of a sentence: harmless once it is cleaned, and must come in."""
Data = bytes | Callable[[], bytes]

PROGRAM = r"""
import ctypes, os, sys
sys.dont_write_bytecode = True
if sys.platform == "linux" and os.geteuid() == 0:  # root reads everything: put that privilege down
    ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
import numpy, numpy._core._internal, numpy.core.multiarray, safetensors.numpy, PIL.Image, rich.table, rich.progress
import cifartui.dataset.importing, cifartui.dataset.store, cifartui.cli.output, encodings.cp437, bz2, gzip, lzma
from cifartui.cli.main import make_parser, run_command
make_parser(), PIL.Image.init()
report = os.open(os.environ["AUDIT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
home = os.path.realpath(os.environ["CIFARTUI_HOME"])
trusted = tuple(os.path.realpath(p) + os.sep for p in (sys.prefix, sys.base_prefix, cifartui.__path__[0]))
NEVER = {"os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "subprocess.Popen", "socket.connect",
    "socket.bind", "socket.getaddrinfo", "ctypes.dlopen"}
WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.chown",
    "os.truncate", "os.utime", "tempfile.mkstemp", "tempfile.mkdtemp"}
def imported(file):
    frame = sys._getframe(2)
    while frame and "importlib._bootstrap" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame and isinstance(file, str) and os.path.realpath(file).startswith(trusted)
def outside(path):
    return not isinstance(path, int) and not (os.path.realpath(os.fsdecode(path)) + os.sep).startswith(home + os.sep)
def watch(event, args):
    bad = event in NEVER or event == "import" and args[0] == "canary_module"
    if event in ("exec", "compile"):
        bad = not imported(args[0].co_filename if event == "exec" else args[1])
    elif event == "open":
        bad = args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and outside(args[0])
    elif event in WRITES:
        bad = any(map(outside, args[: 2 if event in ("os.rename", "os.symlink", "os.link") else 1]))
    if bad:
        os.write(report, f"{event} {args!r:.200}\n".encode(errors="replace"))
sys.addaudithook(watch)
code = run_command(sys.argv[1:])
for line in open("/proc/self/status") if sys.platform == "linux" else ():
    if line.startswith("VmHWM"):
        os.write(report, f"peak {line.split()[1]}\n".encode())
sys.exit(code)
"""


class _Call:
    """Unpickled the usual way, this calls a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._reduced = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced


def _batch(**changes: Any) -> bytes:
    content: dict[str, Any] = {"data": np.zeros((PER_BATCH, 3072), np.uint8), "labels": [1] * PER_BATCH} | changes
    return pickle.dumps(content)


def _rows(rows: int, *made_of: Any) -> bytes:
    """A batch whose pixels numpy makes from (nearly) nothing."""
    return _batch(data=_Call(np.ndarray, (rows, 3072), "u1", *made_of), labels=[1] * rows)


def _doubled(times: int) -> bytes:
    """Bytes that double with every call of a function that arrays of numpy need."""
    value: Any = b"0123456789abcdef"
    for _ in range(times):
        value = _Call(_codecs.encode, value, "hex")
    return _batch(data=value)


def _later_references() -> bytes:
    """An array of raw bytes whose dtype is changed to one of references: freeing it follows these bytes as pointers."""

    def state(flags: int) -> bytes:
        fields = b"}U\x01a(cnumpy\ndtype\n(U\x01OK\x00K\x01tRK\x00ts"
        return b"(K\x03U\x01|N(U\x01at" + fields + b"K\x08K\x08K" + bytes([flags]) + b"tb"

    dtype = b"cnumpy\ndtype\n(U\x02V8K\x00K\x01tRq\x08" + state(0)
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01BtR"
    return b"\x80\x02" + dtype + b"0" + array + b"(K\x01(K\x01th\x08\x89U\x08AAAAAAAAtbh\x08" + state(63) + b"00N."


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)
LETTERS = "".join(map(chr, range(0x4E00, 0xD700)))
PICKLES: dict[str, tuple[str, Data]] = {
    "os.system": ("wants to run posix.system", pickle.dumps(_Call(os.system, "touch canary"))),
    "eval": ("wants to run builtins.eval", pickle.dumps(_Call(eval, "open('canary', 'w')"))),
    "exec": ("wants to run builtins.exec", pickle.dumps(_Call(exec, "open('canary', 'w')"))),
    "Popen": ("wants to run subprocess.Popen", pickle.dumps(_Call(subprocess.Popen, ["touch", "canary"]))),
    "import": ("wants to run builtins.__import__", pickle.dumps(_Call(__import__, "canary_module"))),
    "a call within a value": ("posix.system", _batch(labels=[1, {"a": _Call(os.system, "touch canary")}])),
    "protocol 0": ("wants to run os.system", b"cos\nsystem\n(S'touch canary'\ntR."),
    "an instance": ("has the instruction INST, which no batch needs", b"(S'touch canary'\nios\nsystem\n."),
    "a dotted name": ("wants to run numpy.ndarray.tofile", b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93."),
    "an extension code": ("has the instruction EXT1", b"\x80\x02\x82\x01."),
    "a persistent id": ("has the instruction PERSID", b"Pcanary\n."),
    "an array of objects": ("not of bytes", _batch(data=np.array([_Call(os.system, "touch canary")], object))),
    "an array of plain objects": ("not of bytes", _batch(data=np.array([[None] * 3072] * 20, object))),
    "a list in itself": ("holds no list of labels", _batch(labels=CIRCLE)),
    "truncated": ("is cut short after", _batch()[:-2000]),
    "nothing": (NO_BATCH, b""),
    "another type of numbers": ("not of bytes", _batch(data=np.zeros((20, 3072), np.float64))),
    "labels beyond 64 bits": (BATCH, _batch(labels=[10**30] * PER_BATCH)),
    "ten gigabytes of bytes": (NO_BATCH, b"\x80\x04\x8e" + struct.pack("<Q", 10**10) + b"a."),
    "a far memo": (BATCH, b"\x80\x02Nr" + struct.pack("<I", 60_000_000) + b"."),
    "a key of nested tuples": (BATCH, b"\x80\x02})" + b"\x85" * 2_000_000 + b"K\x01s."),
    "rows out of nothing": (BATCH, _rows(300_000)),
    "one row many times": (BATCH, _rows(300_000, bytes(3072), 0, (0, 1))),
    "bytes that double": (BATCH, _doubled(26)),
    "a slow codec": (BATCH, _batch(data=_Call(_codecs.encode, LETTERS * 30, "punycode"))),
    "a dtype in words": (BATCH, _batch(data=_Call(np.dtype, "(2,3)f4, " * 3 + "i4"))),
    "a dtype that changes": (BATCH, _later_references()),
}


def _member(name: str, data: bytes = b"", **changes: Any) -> bytes:
    """A header and its bytes, whether they agree or not."""
    info = tarfile.TarInfo(name)
    for key, value in ({"size": len(data)} | changes).items():
        setattr(info, key, value)
    form = tarfile.PAX_FORMAT if info.pax_headers or len(name) > 99 or not name.isascii() else tarfile.GNU_FORMAT
    return info.tobuf(form, "utf-8", "surrogateescape") + data + bytes(-len(data) % 512)


def _named(*names: str) -> bytes:
    """A tar archive with two pictures in each split of classes of these names."""
    pictures = [f"{split}/{name}/{n}.png" for split in ("train", "test") for name in names for n in (1, 2)]
    return b"".join(_member(name, picture(seed)) for seed, name in enumerate(pictures))


def _zip(name: str, data: bytes, mode: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        packed.writestr(info, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _patch(data: bytes, position: int, new: bytes, after: bytes = b"") -> bytes:
    """Other bytes at this place, counted from where `after` begins."""
    start = position + data.index(after)
    assert start < len(data)
    return data[:start] + new + data[start + len(new) :]


END = bytes(10_240)
GOOD = _named("a", "b")
ZIPPED = _zip("train/a/1.png", picture(1))
HEADER, LAST = b"PK\x01\x02", b"PK\x05\x06"
ARCHIVES: dict[str, tuple[str, Data]] = {
    "tar: a name upwards": (OUTSIDE, GOOD + _member("a/../../canary.png", picture(1))),
    "tar: a name from the root": (OUTSIDE, GOOD + _member("/tmp/canary.png", picture(1))),
    "tar: a link to a file": (NOTHING, _member("a/1.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    "tar: a link to a member": (NOTHING, _member("b") + _member("a/1.png", type=tarfile.LNKTYPE, linkname="b")),
    "tar: a device": (NOTHING, _member("a/1.png", type=tarfile.CHRTYPE, devmajor=1, devminor=5)),
    "tar: a pipe": (NOTHING, _member("a/1.png", type=tarfile.FIFOTYPE)),
    "tar: a name twice": ("holds train/a/1.png twice", GOOD + GOOD),
    "tar: ten gigabytes announced": ("bytes", GOOD + _member("train/a/9.png", b"little", size=10 * 1024**3)),
    "tar: a wrong checksum": ("damaged or no archive", _patch(GOOD, 148, b"000000\0 ")),
    "tar: a wrong checksum later": (EVIL, GOOD + _patch(_named("c"), 148, b"000000\0 ")),
    "tar: 20,000 empty files": ("not an image", lambda: b"".join(_member(f"a/{n}.png") for n in range(20_000))),
    "tar: 20,000 empty folders": (NOTHING, lambda: b"".join(_member(f"train/{n}", type=b"5") for n in range(20_000))),
    "tar: a tar in it": (NOTHING, _member("train/a/inner.tar", GOOD)),
    "tar: 200 MB of zeros": (LARGE, lambda: gzip.compress(_member("data_batch_1", bytes(200_000_000)), 1)),
    "tar: 60 MB of zeros": ("no number of whole", lambda: gzip.compress(_member("test_batch.bin", bytes(60 << 20)), 1)),
    "tar: a negative size": (EVIL, GOOD + _member("x", type=b"Z", size=-512)),
    "tar: a map of words": (EVIL, _member("train/a/1.png", picture(1), pax_headers={"GNU.sparse.map": "a"})),
    "tar: a pax header of digits": (EVIL, GOOD + _member("x", b"1" * 60_000 + b" path=", type=b"x") + _named("c")),
    "tar.gz: a wrong checksum": (EVIL, lambda: gzip.compress(GOOD + END)[:-8] + b"AAAABBBB"),
    "tar.gz: damaged within": (EVIL, lambda: _patch(gzip.compress(GOOD + END), 12_000, b"\xff" * 99)),
    "tar.gz: truncated": (EVIL, lambda: gzip.compress(GOOD + END)[:9_000]),
    "tar.bz2: damaged within": (EVIL, _patch(bz2.compress(_member("a", picture(1, (300, 300))), 1), 150_000, b"\xff")),
    "zip: a name upwards": (OUTSIDE, _zip("../train/a/1.png", picture(1))),
    "zip: a password": ("is encrypted", _patch(_patch(ZIPPED, 6, b"\1"), 8, b"\1", after=HEADER)),
    "zip: an unknown compression": (EVIL, _patch(ZIPPED, 10, b"\x63", after=HEADER)),
    "zip: a size too large": (EVIL, _patch(ZIPPED, 24, b"\0\0\1\0", after=HEADER)),
    "zip: a size too small": (EVIL, _patch(ZIPPED, 24, b"\x09\0\0\0", after=HEADER)),
    "zip: a list elsewhere": (EVIL, _patch(_zip("test_batch.bin", b"x"), 16, b"\0\0\1\0", after=LAST)),
    "zip: a link": (NOTHING, _zip("train/a/1.png", b"/etc/passwd", 0o120777)),
    "zip: 100 MB of zeros": (LARGE, lambda: _zip("train/a/1.png", bytes(100_000_000))),
    "zip: truncated": (EVIL, ZIPPED[:-30]),
    "names: terminal commands": (
        IMPORTED,
        _named("\x1b]52;c;ZXZpbA==\x07cat", "\x9b2Jdog", "\x1b[31m\x7f\x08bird", "a\nb\rc\td"),
    ),
    "names: right to left": (IMPORTED, _named(f"{BIDI}gpj.tac", "\u2066dog\u2069", "\u200b\ufeff")),
    "names: markup": (IMPORTED, _named("[@click=app.quit]x", "[red]dog", ":smile: \\[b]", "{evil!r}%s$HOME")),
    "names: ten thousand letters": (IMPORTED, _named("c" * 10_000, "d" * 10_000)),
    "names: no UTF-8": (IMPORTED, _named("caf\udce9", "b\udcff\udcfe")),
}


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(*chunks: bytes, size: tuple[int, int] = (32, 32)) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(bytes(32 * 97)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def _saved(form: str, image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


PALETTE = Image.new("P", (32, 32))
PALETTE.putpalette(bytes(range(256)) * 3)
TIFF = _saved("tiff", Image.effect_noise((32, 32), 90), compression="tiff_lzw")
FAX = _saved("tiff", Image.effect_noise((64, 64), 90).convert("1"), compression="group4")
FRAME = b"\x2c\0\0\0\0"
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n%%EndComments\nshowpage\n%%EOF\n"
ICON = struct.pack("<HHHBBBBHHII", 0, 1, 1, 32, 32, 0, 0, 1, 24, 10_000, 22)
PICTURES: dict[str, tuple[str, Data]] = {
    "picture: huge dimensions": ("has more than 67 million pixels", _png(size=(100_000, 100_000))),
    "picture: large dimensions": ("9,000×9,000 pixels", _png(size=(9_000, 9_000))),
    "picture: text that swells": (PICTURE, lambda: _png(_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(30_000_000))))),
    "picture: truncated": (PICTURE, _saved("jpeg", Image.effect_noise((32, 32), 90))[:-300]),
    "picture: an icon that lies": (PICTURE, lambda: ICON + _saved("png", Image.new("RGB", (900, 900)))),
    "picture: a program": (PICTURE, POSTSCRIPT),
    "picture: a frame too large": (PICTURE, _patch(_saved("gif", PALETTE), 5, b"\xff" * 4, after=FRAME)),
    "picture: a TIFF with damaged LZW": (PICTURE, lambda: _patch(TIFF, 400, b"\xff\x00" * 99)),
    "picture: a TIFF of fax lines": (PICTURE, lambda: _patch(FAX, 20, b"\x55" * 40)),
    "picture: 40 MB of text": (IMPORTED, lambda: _png(_chunk(b"iTXt", b"a\0\0\0\0\0" + b"x" * 40_000_000))),
    "picture: transparent colours": (IMPORTED, _saved("png", PALETTE, transparency=bytes(range(256)))),
    "picture: no frames of an animation": (IMPORTED, _png(_chunk(b"acTL", bytes(8)))),
}


def _file(root: Path, data: Data) -> Path:
    (root / "evil.tar").write_bytes(data() if callable(data) else data)
    return root / "evil.tar"


def _official(root: Path, data: Data) -> Path:
    return _file(root, data).replace(write_python(root) / BATCH).parent


def _folders(root: Path, change: Callable[[Path], object]) -> Path:
    folder = make_folders(root / "given", images=2)
    change(folder)
    return folder


def _with_picture(root: Path, data: Data) -> Path:
    return _folders(root, lambda folder: _file(root, data).replace(folder / PICTURE))


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / PICTURE)


def _circles(folder: Path) -> None:
    (folder / "train/cat/loop").symlink_to(folder, target_is_directory=True)
    (folder / "loop.png").symlink_to("loop.png")


def _locked(root: Path, inside: str) -> Path:
    return _folders(root, lambda folder: (folder / inside).chmod(0))


CASES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    **{f"pickle: {name}": (words, partial(_official, data=data)) for name, (words, data) in PICKLES.items()},
    **{name: (words, partial(_file, data=data)) for name, (words, data) in ARCHIVES.items()},
    **{name: (words, partial(_with_picture, data=data)) for name, (words, data) in PICTURES.items()},
    "names: of the source": (
        IMPORTED,
        lambda root: _file(root, GOOD).rename(root / f"\x1b]0;\x07{BIDI}[red]\udcff.tar"),
    ),
    "folder: a pipe": (IMPORTED, partial(_folders, change=_pipe)),
    "folder: links in circles": (IMPORTED, partial(_folders, change=_circles)),
    "folder: an unreadable picture": ("test/dog/0.png", partial(_locked, inside="test/dog/0.png")),
    "folder: an unreadable class": ("permission denied", partial(_locked, inside="train/cat")),
    "folder: unreadable": ("permission denied", partial(_locked, inside=".")),
    "folder: a pipe as the source": ("neither a folder nor", lambda root: _folders(root, _pipe) / PICTURE),
}


def _run(arguments: list[str], tmp_path: Path) -> tuple[int, str, str, list[str]]:
    """Exit code, stdout, stderr and what the audit hook reported of a command."""
    (tmp_path / "canary_module.py").write_text("open('canary', 'w')\n")
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/canary\n")
    (programs / "gs").chmod(0o700)
    report = tmp_path / "audit"
    report.write_text("")
    search = {"PYTHONPATH": str(ROOT), "PATH": f"{programs}:{os.environ['PATH']}", "AUDIT": str(report)}
    command, variables = [sys.executable, "-c", PROGRAM, *arguments], os.environ | search
    ended = subprocess.run(command, capture_output=True, timeout=SECONDS, cwd=tmp_path, env=variables, check=False)
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode(), report.read_text().splitlines()


@pytest.mark.parametrize("case", CASES)
def test_corpus(tmp_path: Path, home: Path, case: str) -> None:
    """Nothing runs, nothing is written elsewhere, nothing reaches the terminal, and failure is one sentence."""
    sentence, make = CASES[case]
    (tmp_path / "given").mkdir()
    code, out, err, audit = _run(["dataset", "import", str(make(tmp_path / "given")), "--name", "evil"], tmp_path)
    assert (code, "" if code == 3 else err) == (0 if sentence == IMPORTED else 3, "")
    if sentence == IMPORTED:
        code, shown, err, audited = _run(["dataset", "show", "evil"], tmp_path)
        assert (code, err) == (0, "")
        out, audit = out + shown, audit + audited
    else:
        assert re.fullmatch(r"cifartui: [^\n]+\n", err)
        assert sentence in err
        assert (out, left_behind(home)) == ("", [])
    assert not [c for c in out + err if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c in BIDI]
    assert not (tmp_path / "canary").exists()
    assert [line for line in audit if not line.startswith("peak ")] == []
    assert max((int(line.split()[1]) for line in audit), default=0) < MAX_RESIDENT_KB
