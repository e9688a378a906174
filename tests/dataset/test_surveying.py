"""A survey says what an import would bring, stores nothing, and shows pictures as they would come in."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from cifartui.cli.main import run_command
from cifartui.dataset.decoding import Size
from cifartui.dataset.importing import import_dataset
from cifartui.dataset.pictures import read_split
from cifartui.dataset.store import LeftOut, PictureSize
from cifartui.dataset.surveying import MAX_PREVIEW_SIDE, Survey, SurveyedClass, survey_dataset
from cifartui.errors import DataError
from cifartui.progress import finish
from tests.dataset.test_importing import left_behind, make_folders, pack_tar, pack_zip
from tests.dataset.test_official import write_python


def make_photos(root: Path) -> Path:
    """Two classes in three splits, of two sizes, with a file that is no picture."""
    for split, images in (("Train", 6), ("valid", 2), ("Test", 3)):
        for number, name in enumerate(("cat", "dog")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for image in range(images):
                size = (60, 40) if image % 2 else (30, 20)
                Image.effect_noise(size, 40 + 40 * number).convert("RGB").save(folder / f"{image}.jpg")
    (root / "README").write_text("about them")
    return root


def test_survey_of_photos_of_two_sizes(tmp_path: Path, home: Path) -> None:
    """Classes by split, sizes, what is left out; as an archive too, and nothing is stored."""
    root = make_photos(tmp_path / "mine")
    for source in (root, pack_zip(root), pack_tar(root, ".tar.gz")):
        survey = finish(survey_dataset(source, previews=4))
        assert survey.images == 22
        assert survey.classes == (SurveyedClass("cat", 6, 2, 3), SurveyedClass("dog", 6, 2, 3))
        assert survey.sizes == (PictureSize(30, 20, 12), PictureSize(60, 40, 10))
        assert [(left.reason, left.files) for left in survey.left_out] == [("no pictures", 1)]
        assert (survey.official, survey.previews) == (False, ())  # nobody knows how they would come in
    assert left_behind(home) == []


def test_survey_announces_what_import_brings(tmp_path: Path) -> None:
    """Counts, sizes and what is left out are equal, and every preview is one of the stored pictures of its class."""
    root = make_photos(tmp_path / "mine")
    size = Size(12, 16)
    survey = finish(survey_dataset(root, size, "pad", previews=8))
    facts = finish(import_dataset(root, "pets", size, "pad"))
    assert [row.name for row in survey.classes] == list(facts.classes)
    assert tuple(row.train for row in survey.classes) == facts.class_counts.train
    assert tuple(row.validation for row in survey.classes) == facts.class_counts.validation
    assert (survey.sizes, survey.left_out) == (facts.sizes, facts.left_out)
    assert facts.image_size == (12, 16)
    stored = {
        (int(label), image.transpose(1, 2, 0).tobytes())
        for split in facts.splits
        for image, label in zip(*read_split("pets", split), strict=True)
    }
    assert len(survey.previews) == 8
    assert {preview.label for preview in survey.previews} == {0, 1}
    for preview in survey.previews:
        assert (preview.height, preview.width) == (12, 16)
        assert (preview.label, preview.pixels) in stored


def test_previews_of_large_pictures_are_small(tmp_path: Path) -> None:
    """A preview has no side beyond what a screen shows."""
    for name in ("cat", "dog"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for image in range(2):
            Image.new("RGB", (1_000, 500)).save(tmp_path / "mine" / name / f"{image}.jpg")
    preview = finish(survey_dataset(tmp_path / "mine", previews=1)).previews[0]
    assert (preview.height, preview.width) == (MAX_PREVIEW_SIDE // 2, MAX_PREVIEW_SIDE)
    assert len(preview.pixels) == preview.height * preview.width * 3


def test_survey_of_official_files(tmp_path: Path) -> None:
    """CIFAR's own files are recognised; pictures beside them are not taken in."""
    folder = write_python(tmp_path)
    make_folders(folder, ("train/cat",), images=2)
    survey = finish(survey_dataset(folder, previews=3))
    assert (survey.official, survey.images, len(survey.classes), len(survey.previews)) == (True, 120, 10, 3)
    assert survey.sizes == (PictureSize(32, 32, 120),)
    assert [(left.reason, left.files) for left in survey.left_out] == [("pictures beside CIFAR's own files", 2)]


def test_survey_refuses_what_import_refuses(tmp_path: Path) -> None:
    """The same sentence for folders that are not understood and for pictures that cannot be read."""
    root = make_folders(tmp_path / "mine")
    (root / "train" / "cat" / "bad.png").write_bytes(b"text")
    with pytest.raises(DataError, match=r"train/cat/bad\.png is not an image"):
        finish(survey_dataset(root))
    (root / "train" / "cat" / "bad.png").unlink()
    (root / "test").rename(root / "holdout")
    with pytest.raises(DataError, match="the folder 'holdout' lies beside train/"):
        finish(survey_dataset(root))


def test_command_prints_one_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the command prints decodes as a survey, pixels included."""
    root = make_photos(tmp_path / "mine")
    arguments = ["dataset", "survey", str(root), "--size", "4x6", "--fit", "stretch", "--previews", "2", "--json"]
    assert run_command(arguments) == 0
    survey = msgspec.json.decode(capsys.readouterr().out, type=Survey)
    assert np.frombuffer(survey.previews[0].pixels, np.uint8).size == 4 * 6 * 3
    assert run_command(["dataset", "survey", str(root)]) == 0
    shown = capsys.readouterr().out
    for words in ("cat", "12 of 30×20, 10 of 60×40", "left out: 1 that is no picture (README)"):
        assert words in shown


def test_what_is_left_out_is_said_in_a_few_words() -> None:
    """How many, why, and an example with a mark where there are more."""
    assert LeftOut("no pictures", 3, "README.txt").text == "3 that are no pictures (README.txt …)"
    assert LeftOut("hidden", 1, ".DS_Store").text == "1 hidden (.DS_Store)"


def test_import_says_what_came_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many pictures of what sizes, brought to which, and what was left out; sizes that differ name the remedy."""
    root = make_photos(tmp_path / "mine")
    assert run_command(["dataset", "import", str(root), "--name", "pets"]) == 3
    assert "choose one for all of them (--size 32" in capsys.readouterr().err
    assert run_command(["dataset", "import", str(root), "--name", "pets", "--size", "0"]) == 2
    assert "'0' is no size" in capsys.readouterr().err
    assert run_command(["dataset", "import", str(root), "--name", "pets", "--fit", "pad"]) == 2
    assert "name one with --size" in capsys.readouterr().err
    assert run_command(["dataset", "import", str(root), "--name", "pets", "--size", "16x24"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "12 training, 4 validation and 6 test images of 16×24 (height × width)",
        "pictures: 12 of 30×20, 10 of 60×40",
        "left out: 1 that is no picture (README)",
    ):
        assert words in shown
    assert shown.splitlines()[-1] == "next: cifartui train --dataset pets"


def test_struct_of_surveys_needs_no_numpy() -> None:
    """The terminal program decodes surveys; it is to start quickly and to import neither numpy nor Pillow for it."""
    program = (
        "import sys, cifartui.dataset.surveying; sys.exit(any(m in sys.modules for m in ('numpy', 'PIL', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
