"""Pictures of one's own, the whole way: a folder as a camera and a Mac leave it, to weights in plain PyTorch."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cifartui.dataset.images import load_image_set
from tests.cli.test_commands import cifartui

SIZE = 48
ORIENTATION = 0x0112
TURNED = 6
"""EXIF: the camera was held upright, the pixels lie on their side."""


def photograph(light: bool, size: tuple[int, int], seed: int) -> Image.Image:
    """A picture whose upper half is light or dark."""
    generator = np.random.default_rng(seed)
    width, height = size
    pixels = generator.integers(0, 60, (height, width, 3), dtype=np.uint8)
    pixels[: height // 2] += np.uint8(180 if light else 60)
    return Image.fromarray(pixels)


def save_turned(picture: Image.Image, path: Path) -> None:
    """Save a picture as a camera held upright does: turned, and marked so."""
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    picture.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=90)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two classes of photographs of several sizes and formats, and what a Mac leaves beside them."""
    folder = tmp_path / "album"
    for name, light in (("day", True), ("night", False)):
        (folder / name).mkdir(parents=True)
        for number in range(16):
            save_turned(photograph(light, (200, 300), number), folder / name / f"IMG_{number:04}.JPG")
        photograph(light, (4000, 3000), 20).save(folder / name / "large.jpeg", quality=50)
        photograph(light, (300, 200), 21).save(folder / name / "web.webp")
        grey = np.asarray(photograph(light, (300, 200), 22).convert("L")).astype(np.uint16) << 8
        Image.fromarray(grey).save(folder / name / "scan.png")
        (folder / name / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (folder / name / "Thumbs.db").write_bytes(random.Random(0).randbytes(500))
    (folder / "__MACOSX" / "day").mkdir(parents=True)
    (folder / "__MACOSX" / "day" / "._IMG_0000.JPG").write_bytes(b"\0\5\26\7")
    return folder


def test_own_pictures_go_the_whole_way_in_five_commands(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Import, train, evaluate, look into the network, export; then plain PyTorch gets the same answers."""
    monkeypatch.chdir(tmp_path)
    imported = cifartui("dataset", "import", str(album), "--name", "mine", "--size", str(SIZE), "--json")
    assert imported.returncode == 0, imported.stderr
    facts = json.loads(imported.stdout)
    assert (facts["classes"], facts["train"], facts["test"]) == (["day", "night"], 32, 6)
    assert facts["image_size"] == [SIZE, SIZE]
    trained = cifartui("train", "--dataset", "mine", "--epochs", "6", "--set", "optimizer.learning_rate=0.01")
    assert trained.returncode == 0, trained.stderr
    assert "fc3 gives 2 outputs" in trained.stdout
    run = trained.stdout.splitlines()[0].removeprefix("run: ")

    result = json.loads(cifartui("evaluate", run, "--json").stdout)
    assert [one["name"] for one in result["per_class"]] == ["day", "night"]
    assert result["correct"] == 6  # light and dark can be told apart
    looked = cifartui(
        "model",
        "activations",
        "tutorial",
        "--weights",
        run,
        "--dataset",
        "mine",
        "--picture",
        "0",
        "-o",
        "a.safetensors",
    )
    assert looked.returncode == 0, looked.stderr
    assert cifartui("export", "pth", run, "-o", "net.pth").returncode == 0

    assert "follows mine: fc1 takes 1,296 inputs" in cifartui("model", "show", "tutorial", "--dataset", "mine").stdout
    scope: dict[str, type[torch.nn.Module]] = {}
    exec(cifartui("model", "source", "tutorial", "--dataset", "mine").stdout, scope)
    net = scope["Tutorial"]()
    net.load_state_dict(torch.load("net.pth", weights_only=True))
    test_set = load_image_set("mine", "test")
    answers = net.eval()((test_set.images / 255 - 0.5) / 0.5).argmax(dim=1)
    assert int((answers == test_set.labels).sum()) == result["correct"]


def test_pictures_come_in_upright_and_not_white(album: Path) -> None:
    """The light half is above in all of them: turned ones are upright, sixteen bits are scaled."""
    cifartui("dataset", "import", str(album), "--name", "mine", "--size", str(SIZE))
    images = load_image_set("mine", "train").images.float()
    upper, lower = images[:, :, : SIZE // 2 - 2].mean(dim=(1, 2, 3)), images[:, :, SIZE // 2 + 2 :].mean(dim=(1, 2, 3))
    assert (upper > lower + 30).all()
    assert (lower < 70).all()
