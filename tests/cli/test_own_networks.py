"""A user's own network by command: shown, trained and judged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import CifartuiError
from cifartui.model.shapes import ShapeError
from cifartui.training.run.folder import all_runs
from tests.cli.test_commands import cifartui
from tests.training.running import losses, plan, train_here

NET = """
import torch
from torch import nn
print("imported")

class Part(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x):
        return torch.relu(x + self.norm(self.conv(x)))

class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, bias=False)
        self.part = Part(8)
        self.again = self.part
        self.out = nn.Linear(8, classes)
        self.eval()

    def forward(self, x):
        print("running")
        return self.out(self.again(self.part(self.stem(x))).mean((2, 3)))

def three():
    return Net(3)
"""


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a file `net.py`."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "net.py").write_text(NET)
    monkeypatch.chdir(folder)
    return folder


def test_show_gives_the_table_and_json_of_other_networks(net: Path) -> None:
    """Names, formulas and totals; what breaks is shown up to there; the source is the user's own."""
    table = cifartui("model", "show", "net:Net")
    assert table.returncode == 0, table.stderr
    assert "the module that net:Net makes" in table.stdout
    assert "⌊(32 − 3 + 2·0) / 2⌋ + 1 = 15" in table.stdout
    assert "part.norm" in table.stdout
    assert "imported" not in table.stdout
    shown = json.loads(cifartui("model", "show", "net:Net", "--json").stdout)
    assert [layer["name"] for layer in shown["layers"] if "." not in layer["name"]] == [
        "stem",
        "part",
        "part",
        "mean",
        "out",
    ]
    assert (shown["parameters"], shown["output"], shown["problem"]) == (906, [10], "")
    broken = cifartui("model", "show", "net:Net", "--input", "1x32x32")
    assert broken.returncode == 1
    assert "✗ stem expects 3 channels; it is given 1." in broken.stdout
    source = cifartui("model", "source", "net:Net")
    assert (source.returncode, source.stdout) == (2, "")
    assert source.stderr == "cifartui: The source of net:Net is your own; look into its file.\n"


def test_own_network_is_trained_judged_and_exported(net: Path, sketches: DatasetFacts, tmp_path: Path) -> None:
    """From one folder, and judged from another; its shared weights are stored, its batch norm has learned."""
    trained = cifartui(
        *("train", "--dataset", "few", "--epochs", "1", "--device", "cpu", "--json"),
        *("--set", "network=net:Net", "--set", "log_every=10"),
    )
    assert trained.returncode == 0, trained.stderr
    events = [json.loads(line) for line in trained.stdout.splitlines()]
    assert events[-1] == {"type": "RunFinished", "reason": "finished"} | events[-1]
    assert next(event["parameters"] for event in events if event["type"] == "RunStarted") == 906
    (listed,) = json.loads(cifartui("runs", "list", "--json").stdout)
    assert (listed["model"], listed["state"]) == ("Net", "finished")
    target = tmp_path / "own.pth"
    elsewhere = {"cwd": tmp_path, "capture_output": True, "text": True, "check": True}
    judged = subprocess.run([sys.executable, "-m", "cifartui", "evaluate", listed["id"], "--json"], **elsewhere)
    assert json.loads(judged.stdout)["images"] == 100
    subprocess.run([sys.executable, "-m", "cifartui", "export", "pth", listed["id"], "-o", str(target)], **elsewhere)
    state = torch.load(target)
    assert state["part.norm.num_batches_tracked"] == 100
    assert torch.equal(state["part.conv.weight"], state["again.conv.weight"])
    (net / "net.py").write_text(NET.replace("classes=10", "classes=7"))
    changed = cifartui("evaluate", listed["id"])
    assert changed.returncode == 3
    assert "does not fit network Net: out.weight is 10×8 and should be 7×8" in changed.stderr
    (net / "net.py").unlink()
    assert "There is no module net in" in cifartui("evaluate", listed["id"]).stderr


def test_own_network_that_does_not_fit_starts_no_run(net: Path, sketches: DatasetFacts) -> None:
    """The sentence comes before a run is made."""
    with pytest.raises(ShapeError, match="Network three has 3 outputs and the data set 10 classes; make them equal"):
        plan("few", "network=net:three")
    with pytest.raises(CifartuiError, match="has no four; check both names"):
        plan("few", "network=net:four")
    assert all_runs() == []


def test_own_network_trains_the_same_every_time(
    net: Path, sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking at it draws nothing from the generator that its weights and the order of images come from."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    config = plan("few", "network=net:Net", "epochs=1")
    runs = [train_here(config)[1] for _ in range(2)]
    assert losses(runs[0]) == losses(runs[1])
    sys.modules.pop("net")
