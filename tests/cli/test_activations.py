"""`model activations` as a shell sees it: what it writes, what it prints, and one sentence for what is wrong."""

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import tomli_w
import torch
from PIL import Image

from cifartui.cli.main import run_command
from cifartui.dataset.decoding import read_own_picture
from cifartui.dataset.pictures import read_pictures
from cifartui.dataset.store import DatasetFacts
from cifartui.inspection.activation_file import ActivationFacts, read_activations
from cifartui.model.network import load_network
from tests.dataset.test_importing import picture
from tests.inspection.test_activations import half_built
from tests.tutorial import Net


def activations(*arguments: str | Path) -> int:
    """Run `model activations` in this process."""
    try:
        return run_command(["model", "activations", *map(str, arguments)])
    except SystemExit as exit_of_parser:
        return exit_of_parser.code


def test_pictures_of_a_data_set(sketches: DatasetFacts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file holds the pictures that were named; one line says so."""
    target = tmp_path / "a.safetensors"
    chosen = ("--dataset", "few", "--split", "train", "--picture", "3", "--picture", "0")
    assert activations("tutorial", *chosen, "-o", target) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        f"{target}: what 12 operations of tutorial (fresh weights, seed 1) make of 2 pictures, "
        f"{target.stat().st_size:,} bytes"
    )
    written = read_activations(target)
    for n, one in enumerate(read_pictures("few", "train", [3, 0])):
        assert np.array_equal(written.picture(n), one.pixels)
        assert written.facts.pictures[n].name == f"{sketches.classes[one.label]} #{one.position}"
        assert (written.facts.pictures[n].label, written.facts.pictures[n].position) == (one.label, one.position)
    assert [path.name for path in tmp_path.glob("*.safetensors*")] == ["a.safetensors"]


def test_json_has_the_path_and_the_facts(
    sketches: DatasetFacts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stdout, progress on stderr."""
    target = tmp_path / "a.safetensors"
    assert activations("tutorial", "--dataset", "few", "--picture", "1", "--seed", "7", "-o", target, "--json") == 0
    output = capsys.readouterr()
    told = json.loads(output.out)
    assert list(told) == ["path", "facts"]
    assert told["path"] == str(target)
    assert list(told["facts"]) == ["network", "weights", "normalize", "pictures", "classes"]
    assert told["facts"]["weights"] == "fresh weights, seed 7"
    assert msgspec.convert(told["facts"], ActivationFacts) == read_activations(target).facts
    assert all(json.loads(line)["type"] == "Progress" for line in output.err.splitlines())


def test_a_half_built_network_says_where_it_breaks(
    sketches: DatasetFacts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outputs up to flatten are written, and the line names fc1."""
    network = tmp_path / "half.toml"
    network.write_text(tomli_w.dumps(msgspec.to_builtins(half_built())))
    target = tmp_path / "a.safetensors"
    assert activations(network, "--dataset", "few", "--picture", "0", "-o", target) == 0
    line = capsys.readouterr().out
    assert "what 7 operations of half" in line
    assert "the chain breaks there: fc1 expects 400 inputs; flatten gives 16·6·6 = 576." in line
    assert read_activations(target).output_of("flatten", 0).shape == (576,)


def _saved(form: str, image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _halves(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, (255, 0, 0))
    image.paste((0, 0, 255), (size[0] // 2, 0, *size))
    return image.convert(mode)


def _turned() -> bytes:
    """Stored upside down, with the note that it is."""
    exif = Image.Exif()
    exif[0x0112] = 3
    return _saved("png", _halves((64, 64)).rotate(180), exif=exif)


OWN: dict[str, Callable[[], bytes]] = {
    "as large as the input": lambda: _saved("png", _halves((32, 32))),
    "wide": lambda: _saved("jpeg", _halves((640, 100)), quality=95),
    "tall, with a palette": lambda: _saved("gif", _halves((40, 333), "P")),
    "with alpha": lambda: _saved("webp", _halves((48, 48), "RGBA"), lossless=True),
    "upside down": _turned,
    "small": lambda: _saved("bmp", _halves((2, 2))),
    "as large as may be": lambda: _saved("ppm", _halves((4_096, 128))),
}


@pytest.mark.parametrize("kind", OWN)
def test_a_picture_of_ones_own(kind: str, tmp_path: Path) -> None:
    """Whatever its size and kind, red stays on the left and blue on the right of 32×32 pixels."""
    path = tmp_path / "mine.img"
    path.write_bytes(OWN[kind]())
    target = tmp_path / "a.safetensors"
    assert activations("tutorial", "--image", path, "-o", target) == 0
    written = read_activations(target)
    (facts,) = written.facts.pictures
    assert (facts.name, facts.label, facts.position, written.facts.classes) == ("mine.img", None, None, ())
    pixels = written.picture(0).astype(int)
    assert pixels.shape == (32, 32, 3)
    assert abs(pixels[:, :4] - (255, 0, 0)).max() < 40
    assert abs(pixels[:, -4:] - (0, 0, 255)).max() < 40
    scaled = written.picture(0).transpose(2, 0, 1).astype(np.float32) / 255
    assert np.array_equal(written.network_input(0), (scaled - 0.5) / 0.5)


def test_the_middle_is_cropped_to_the_networks_shape(tmp_path: Path) -> None:
    """One pixel fills everything; an input twice as wide as high takes the middle rows; 16 bits become 8."""
    path = tmp_path / "mine.png"
    Image.new("RGB", (1, 1), (10, 20, 30)).save(path)
    assert (read_own_picture(path, 32, 48) == (10, 20, 30)).all()
    rows = np.zeros((64, 64, 3), np.uint8)
    rows[16:48] = 200
    Image.fromarray(rows).save(path)
    assert (read_own_picture(path, 32, 64) == 200).all()
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(path)
    assert (read_own_picture(path, 8, 8) == 0x80).all()


def _huge() -> bytes:
    """A few bytes that announce 100,000 × 100,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


IMAGES: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"no picture", "is not an image that can be decoded; replace or remove it."),
    "nothing": (lambda: b"", "is not an image that can be decoded; replace or remove it."),
    "cut": (lambda: picture(1)[:500], "is damaged or cut short; replace or remove it."),
    "large": (lambda: _saved("png", Image.new("1", (8_193, 8_193))), "is 8,193×8,193 pixels, and 67 million are read"),
    "a bomb": (_huge, "has more than 67 million pixels; scale it down."),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image that can be"),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_images_that_cannot_be_read(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One sentence that names the file, exit code 3, nothing written."""
    path = tmp_path / "mine.png"
    path.write_bytes(IMAGES[kind][0]())
    assert activations("tutorial", "--image", path, "-o", tmp_path / "a.safetensors") == 3
    output = capfd.readouterr()
    assert output.err.startswith(f"cifartui: {path} ")
    assert IMAGES[kind][1] in output.err
    assert (output.err.count("\n"), output.out) == (1, "")
    assert not (tmp_path / "a.safetensors").exists()


FEW = ("--dataset", "few", "--picture", "0")
OUT = ("-o", "a.safetensors")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["tutorial", *OUT], 2, "No picture is named; give --dataset NAME and --picture N, or --image FILE."),
        (["tutorial", "--dataset", "few", *OUT], 2, "No picture is named"),
        (["tutorial", "--picture", "0", *OUT], 2, "No picture is named"),
        (["tutorial", *FEW, "--image", "x.png", *OUT], 2, "Pictures come from a data set or from files"),
        (["tutorial", *FEW * 65, *OUT], 2, "65 pictures are too many at once; name at most 64."),
        (["tutorial", *FEW], 2, "the following arguments are required: -o"),
        (["tutorial", *FEW, "-o", "."], 2, "name a file in a folder that exists"),
        (["tutorial", *FEW, "-o", "none/a.safetensors"], 2, "name a file in a folder that exists"),
        (["tutorial", *FEW, *OUT, "--seed", "-1"], 2, "The seed -1 is not allowed"),
        (["tutorial", "--dataset", "few", "--picture", "100", *OUT], 3, "few has no test picture 100; choose one from"),
        (["tutorial", "--dataset", "few", "--picture", "-1", *OUT], 3, "few has no test picture -1; choose one from 0"),
        (["tutorial", "--dataset", "none", "--picture", "0", *OUT], 3, "There is no data set named 'none'"),
        (["none", *FEW, *OUT], 3, "There is no network named 'none'"),
        (["tutorial", *FEW, *OUT, "--recipe", "none"], 3, "There is no recipe 'none'"),
        (["tutorial", *FEW, *OUT, "--weights", "none"], 3, "There is no run 'none'"),
        (["tutorial", *FEW, *OUT, "--weights", "none.pth"], 3, "There is no file none.pth"),
        (["tutorial", "--image", "none.png", *OUT], 3, "There is no file none.png"),
        (["tutorial", "--image", ".", *OUT], 3, "There is no file ."),
        (["grey.toml", *FEW, *OUT], 2, "takes 1 channels and pictures have 3 (red, green, blue)"),
        (["net:Net", *FEW, *OUT], 2, "net:Net is code of your own, whose steps are not followed here"),
        (["giant.toml", "--image", "none.png", *OUT], 2, "takes pictures of 65,536 × 32"),
        (["compact", *FEW, *OUT, "--weights", "net.pth"], 3, "does not fit network compact: conv1.weight is 6×3×5×5"),
        (["tutorial", *FEW, *OUT, "--weights", "bare.pth"], 3, "no conv1.weight; name the network that it was trained"),
        (["tutorial", *FEW, *OUT, "--weights", "evil.pth"], 3, "holds more than tensors, which could run code"),
        (["tutorial", *FEW, *OUT, "--weights", "text.safetensors"], 3, "is no safetensors file, or is damaged"),
    ],
)
def test_errors_are_one_sentence_with_the_right_code(
    sketches: DatasetFacts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    sentence: str,
) -> None:
    """Wrong usage is 2, what is missing or damaged is 3; nothing is written, and nothing in a file is run."""
    monkeypatch.chdir(tmp_path)
    for name, shape in (("grey", (1, 32, 32)), ("giant", (3, 65_536, 32))):
        network = msgspec.structs.replace(load_network("tutorial"), name=name, input=shape)
        Path(f"{name}.toml").write_text(tomli_w.dumps(msgspec.to_builtins(network)))
    torch.save(Net().state_dict(), "net.pth")
    torch.save({}, "bare.pth")
    torch.save({"conv1.weight": _Evil()}, "evil.pth")
    Path("text.safetensors").write_text("text")
    assert activations(*arguments) == code
    output = capfd.readouterr()
    assert sentence in output.err
    assert output.err.startswith("cifartui: ")
    assert (output.err.count("\n"), output.out) == (1, "")
    assert not Path("a.safetensors").exists()
    assert not Path("canary").exists()


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch canary",)


def test_full_disk_leaves_nothing(sketches: DatasetFacts, tmp_path: Path) -> None:
    """A file that does not fit (a file-size limit stands in for the disk) is a sentence, exit code 1 and no file."""
    program = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from cifartui.cli.main import run_command\n"
        "sys.exit(run_command(['model', 'activations', 'tutorial', *sys.argv[1:]]))\n"
    )
    folder = tmp_path / "out"
    folder.mkdir()
    command = [sys.executable, "-c", program, *FEW, "-o", str(folder / "a.safetensors")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    *progress, sentence = ended.stderr.splitlines()
    assert "a.safetensors: the file would be larger than this account may write" in sentence
    assert all(line.startswith("running the network: ") for line in progress)  # where the machine is slow
    assert list(folder.iterdir()) == []
