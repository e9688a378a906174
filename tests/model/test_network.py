"""Networks from files: what is wrong is said in one sentence."""

from pathlib import Path

import pytest

from cifartui.errors import DataError, UsageError
from cifartui.model.network import load_network

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


def test_unknown_name_lists_the_known_ones() -> None:
    """A name that no network has gets the names there are."""
    with pytest.raises(DataError, match="choose one of compact, resnet18, tutorial, wide"):
        load_network("alexnet")
