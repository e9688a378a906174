"""Networks from files: what is wrong is said in one sentence."""

from pathlib import Path

import pytest

from cifartui.cli.main import run_command
from cifartui.errors import DataError, UsageError
from cifartui.home import networks_folder
from cifartui.model.network import load_network

CONV = '{ kind = "conv2d", name = "c", in_channels = 3, out_channels = 4, %s }'
RELU = '{ kind = "relu", name = "a" }'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("layers = [", "is not valid TOML"),
        (f'name = "n"\ncolour = 1\nlayers = [{RELU}]', "colour is not a setting; allowed here: name"),
        ('name = "n"\nlayers = [{ kind = "lstm", name = "a" }]', "choose one of conv2d, max_pool2d"),
        ('name = "n"\nlayers = [{ kind = "relu", name = "a", size = 3 }]', "layers.0.size is not a setting"),
        (
            'name = "n"\nlayers = [{ kind = "linear", name = "a", in_features = 0, out_features = 1 }]',
            "in_features = 0",
        ),
        (f'name = "n"\nlayers = [{RELU}, {RELU}]', "two layers are named a"),
        (f'name = "n"\nlayers = [{RELU}, {{ kind = "relu", name = "a.0" }}]', "two layers are named a"),
        ('name = "n"\nlayers = [{ kind = "relu", name = "a.1" }]', "a.1 is out of order; it stands where a.0 should"),
        (
            f'name = "n"\nlayers = [{CONV % "kernel_size = -5"}]',
            "kernel_size = -5 is not allowed: expected a whole number",
        ),
        (f'name = "n"\nlayers = [{CONV % "kernel_size = 5, stride = 0"}]', "layers.0.stride = 0 is not allowed"),
        (f'name = "n"\nlayers = [{CONV % "kernel_size = 5, groups = 0.5"}]', "layers.0.groups = 0.5 is not allowed"),
        (f'name = "n"\ninput = [3, -32, 32]\nlayers = [{RELU}]', "input.1 = -32 is not allowed"),
        (f'name = "n"\nlayers = [{", ".join([RELU] * 501)}]', "expected a list of length <= 500"),
        ('name = "n"\nlayers = [{ kind = "add", name = "a" }]', "choose one of conv2d, max_pool2d"),
        ('name = "n"\nlayers = [{ kind = "relu", name = "None" }]', "None is a word of Python and cannot name a layer"),
        ("layers = []", "name is missing"),
        ('name = "n"\nlayers = [{ kind = "relu", name = "\\u001b[2J" }]', "is not allowed"),
    ],
)
def test_bad_file_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """The sentence names the key, the value and what is allowed, and holds no control characters."""
    path = tmp_path / "net.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_network(str(path))
    assert sentence in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_long_file_is_not_read(tmp_path: Path) -> None:
    """Ten megabytes are refused by their number."""
    path = tmp_path / "net.toml"
    with path.open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(UsageError, match="10,000,000 bytes; a file of settings has at most 1,000,000"):
        load_network(str(path))


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ("kernel_size = 29", "c's 29×29 kernel is larger than its 28 × 28 input"),
        ("kernel_size = 3, dilation = 20", "c's 3×3 kernel, spread over 41×41, is larger than its 28 × 28 input"),
        ("kernel_size = 3, groups = 2", "c's 3 in_channels cannot be divided among 2 groups"),
    ],
)
def test_layer_that_cannot_be_leaves_the_rest_of_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], layer: str, sentence: str
) -> None:
    """The rows before it are there, and its own sentence; the exit code says that something is wrong."""
    path = tmp_path / "net.toml"
    first = '{ kind = "conv2d", name = "first", in_channels = 3, out_channels = 3, kernel_size = 5 }'
    path.write_text(f'name = "n"\nlayers = [{first}, {CONV % layer}, {RELU}]')
    assert run_command(["model", "show", str(path)]) == 1
    output = capsys.readouterr().out
    assert "⌊(32 − 5 + 2·0) / 1⌋ + 1 = 28" in output
    assert f"✗ {sentence}" in output


def test_one_bad_file_does_not_hide_the_others(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`model list` says what is wrong with it in its row."""
    networks_folder().joinpath("bad.toml").write_text("name = ")
    assert run_command(["model", "list"]) == 0
    output = capsys.readouterr().out
    assert "bad.toml is not valid TOML" in output
    assert "62,006" in output


def test_unknown_name_lists_the_known_ones() -> None:
    """A name that no network has gets the names there are."""
    with pytest.raises(DataError, match="choose one of compact, plain5, resnet18, resnet9, tutorial, wide"):
        load_network("alexnet")
