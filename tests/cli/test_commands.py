"""Commands as a shell sees them: exit codes, one-sentence errors, and the JSON contract."""

import io
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.home import runs_folder
from tests.dataset.test_importing import make_folders
from tests.tutorial import Net


def cifartui(*arguments: str, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "cifartui", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL
    )


def test_whole_path_by_command(sketches: DatasetFacts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Train, list, show, evaluate, export; each JSON has the fields of the contract."""

    def printed(*arguments: str) -> str:
        assert run_command(arguments) == 0
        return capsys.readouterr().out

    trained = cifartui(
        "train", "--dataset", "few", "--epochs", "1", "--set", "log_every=25", "--device", "cpu", "--json"
    )
    events = [json.loads(line) for line in trained.stdout.splitlines()]
    assert trained.returncode == 0, trained.stderr
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events][0:2] == ["StateChanged", "RunStarted"]
    assert events[-1]["type"] == "RunFinished"
    assert [event["batch"] for event in events if event["type"] == "LossLogged"] == [25, 50]

    (listed,) = json.loads(printed("runs", "list", "--json"))
    assert list(listed) == [
        *("id", "recipe", "model", "dataset", "state", "epoch", "epochs", "step", "best_accuracy", "last_accuracy"),
        *("created", "stalled_seconds", "problem", "parent", "title", "seconds", "bytes"),
    ]
    assert (listed["state"], listed["step"], listed["epochs"]) == ("finished", 50, 1)
    run = listed["id"]
    shown = json.loads(printed("runs", "show", run, "--json"))
    assert shown["settings"]["log_every"] == "25"
    assert [checkpoint["step"] for checkpoint in shown["checkpoints"]] == [50]
    assert shown["followed"] == []
    assert printed("runs", "follow", run, "--json") == trained.stdout

    evaluated = cifartui("evaluate", run, "--json")
    result = json.loads(evaluated.stdout)
    assert list(result) == [
        *("checkpoint", "dataset", "images", "correct", "accuracy", "interval95", "per_class", "confusion", "seconds"),
        "averaged",
    ]
    assert list(result["per_class"][0]) == ["name", "correct", "images", "accuracy"]
    assert (len(result["confusion"]), len(result["confusion"][0]), result["images"]) == (10, 10, 100)
    assert all(json.loads(line)["type"] == "Progress" for line in evaluated.stderr.splitlines())

    target = tmp_path / "net.pth"
    *_, how = printed("export", "pth", run, "-o", str(target)).splitlines()
    assert how == f"load it with: net = Tutorial(); net.load_state_dict(torch.load({str(target)!r}, weights_only=True))"
    again = json.loads(printed("evaluate", str(target), "--dataset", "few", "--json"))
    assert again["correct"] == result["correct"]
    table = printed("evaluate", run)
    assert table.count("█") == sum(round(8 * 20 * one["accuracy"]) // 8 for one in result["per_class"])
    assert f"{result['correct']} correct" in table
    assert table.splitlines()[-1] == f"next: cifartui export pth {run}@50 -o few_net.pth"


def test_plain_training_output_is_the_tutorials(sketches: DatasetFacts) -> None:
    """The run's id comes first, the log lines have the tutorial's format, the end is the tutorial's."""
    trained = cifartui("train", "--dataset", "few", "--epochs", "1", "--set", "log_every=25", "--device", "cpu")
    lines = trained.stdout.splitlines()
    assert lines[0].startswith("run: ")
    assert "device: " in lines[1]
    assert [line[:15] for line in lines if line.startswith("[")] == ["[1,    25] loss", "[1,    50] loss"]
    assert "Finished Training" in lines
    assert "\x1b" not in trained.stdout


def test_dataset_and_model_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`dataset import`, `list`, `show` and `model show` keep their fields."""
    assert run_command(["dataset", "import", str(make_folders(tmp_path / "mine")), "--name", "pets", "--json"]) == 0
    imported = json.loads(capsys.readouterr().out)
    assert run_command(["dataset", "show", "pets", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == imported
    fields = ("name", "source", "train", "test", "classes", "class_counts", "mean", "std", "image_size")
    assert set(fields) <= set(shown)
    assert shown["class_counts"] == {"train": [5, 5], "test": [5, 5], "validation": []}
    assert run_command(["dataset", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [shown]
    assert run_command(["model", "show", "tutorial", "--json"]) == 0
    model = json.loads(capsys.readouterr().out)
    assert len(model["layers"]) == 12
    assert model["parameters"] == 62_006
    layer_fields = ["name", "kind", "formula", "output", "parameters", "parameters_formula", "macs"]
    assert list(model["layers"][0])[: len(layer_fields)] == layer_fields


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["fly"], 2, "invalid choice: 'fly'"),
        (["train", "--device", "abacus"], 2, "invalid choice: 'abacus'"),
        (["train", "--dataset", "none"], 3, "There is no data set named 'none'"),
        (
            ["train", "--dataset", "few", "--recipe", "none"],
            3,
            "There is no recipe 'none'; choose one of augmented, held-out, quick, steady, strong, tutorial",
        ),
        (["train", "--dataset", "few", "--set", "lr=1"], 2, "lr is not a setting"),
        (["train", "--dataset", "few", "--epochs", "0"], 2, "epochs = 0 is not allowed"),
        (["train", "--dataset", "few", "--seed", "-1"], 2, "The seed -1 is not allowed"),
        (["train", "--dataset", "few", "--set", "validation.images=200"], 2, "leaves nothing to train on"),
        (["dataset", "show", "none"], 3, "There is no data set named 'none'"),
        (["dataset", "show", "../few"], 2, "cannot name a data set"),
        (["dataset", "import", "/nowhere", "--name", "x"], 3, "There is no /nowhere"),
        (["model", "show", "none"], 3, "There is no network named 'none'"),
        (["model", "show", "tutorial", "--input", "big"], 2, "write channels x height x width"),
        (["runs", "show", "none"], 3, "There is no run 'none'"),
        (["runs", "pause", "none"], 3, "There is no run 'none'"),
        (["evaluate", "none.pth", "--dataset", "few"], 3, "There is no file none.pth"),
        (["evaluate", "none"], 3, "There is no run 'none'"),
    ],
)
def test_errors_are_one_sentence_with_the_right_code(
    sketches: DatasetFacts, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    """Wrong usage is 2, what is missing or damaged is 3; stderr has one line, stdout none."""
    try:
        ended = run_command(arguments)
    except SystemExit as exit_of_parser:
        ended = exit_of_parser.code
    output = capfd.readouterr()
    assert ended == code
    assert sentence in output.err
    assert output.err.startswith("cifartui: ")
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_network_that_breaks_is_shown_up_to_the_break(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows that work are printed, then the sentence; the exit code is 1."""
    assert run_command(["model", "show", "tutorial", "--input", "3x64x64"]) == 1
    output = capsys.readouterr().out
    assert "flatten" in output
    assert "✗ fc1 expects 400 inputs; flatten gives 16·13·13 = 2,704." in output


def test_screens_need_a_terminal() -> None:
    """Without one, the program says what to use instead."""
    ended = cifartui()
    assert ended.returncode == 2
    assert "cifartui demo" in ended.stderr


def test_doctor_names_device_and_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device that training will take, and why not a better one; for whatever is amiss cause and remedy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody listens there
    diagnosis = json.loads(cifartui("doctor", "--json").stdout)
    assert diagnosis["device"] in ("cpu", "cuda", "mps")
    assert diagnosis["reason"]
    gpu = next(finding for finding in diagnosis["findings"] if finding["subject"] == "GPU")
    assert gpu["ok"] == (diagnosis["device"] != "cpu")
    for finding in diagnosis["findings"]:
        assert finding["ok"] or (finding["cause"] and finding["remedy"])
    subjects = [finding["subject"] for finding in diagnosis["findings"]]
    assert {"CPU", "memory", "disk", "logging out", "NVIDIA driver", "PyTorch", "GPU", "cpu"} <= set(subjects)
    proof = next(finding for finding in diagnosis["findings"] if finding["subject"] == "cpu")
    assert "two steps of training" in proof["finding"]
    sources = next(finding for finding in diagnosis["findings"] if finding["subject"] == "data sources")
    assert sources["state"] == "problem"


def test_detached_run_is_steered_by_commands(sketches: DatasetFacts) -> None:
    """`train --detach` returns at once; pause, checkpoint, resume and stop reach the run."""
    detached = cifartui("train", "--dataset", "few", "--epochs", "100000", "--device", "cpu", "--detach", "--json")
    run = json.loads(detached.stdout)["id"]
    for command in ("pause", "checkpoint", "resume", "stop"):
        answer = cifartui("runs", command, run)
        assert answer.returncode == 0, answer.stderr
        how = "taken" if command == "stop" else "done"
        assert answer.stdout.splitlines()[-1].startswith(f"{command} {how} by {run} at step ")
    followed = cifartui("runs", "follow", run)
    assert followed.returncode == 0
    assert "stopped at step" in followed.stdout
    assert cifartui("runs", "stop", run).returncode == 1


def test_export_goes_through_devices_pipes_and_links(
    sketches: DatasetFacts, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """`-o` writes into what is there: the null device stays one, a pipe gets a whole file, a link stays."""
    weights, pipe, link = tmp_path / "net.pth", tmp_path / "pipe", tmp_path / "link"
    torch.save(Net().state_dict(), weights)
    os.mkfifo(pipe)
    link.symlink_to("elsewhere.pth")
    pictures = ["--dataset", "few", "--picture", "0"]
    for command in (["export", "pth", str(weights)], ["model", "activations", "tutorial", *pictures]):
        for target in ("/dev/null", str(link)):
            assert run_command([*command, "-o", target]) == 0
            output = capfd.readouterr().out
            assert output.startswith(f"{target}: ")
            assert " bytes\n" in output
        read: list[bytes] = []
        reader = threading.Thread(target=lambda into=read: into.append(pipe.read_bytes()))
        reader.start()
        assert run_command([*command, "-o", str(pipe)]) == 0
        assert capfd.readouterr().out.startswith(f"{pipe}: ")
        reader.join(10)
        assert read == [(tmp_path / "elsewhere.pth").read_bytes()]
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()


def test_export_to_standard_output_is_the_file_and_nothing_else(tmp_path: Path) -> None:
    """The sentence about it goes to stderr."""
    weights = tmp_path / "net.pth"
    torch.save(Net().state_dict(), weights)
    command = [sys.executable, "-m", "cifartui", "export", "pth", str(weights), "-o", "/dev/stdout"]
    ended = subprocess.run(command, capture_output=True, check=True)
    assert set(torch.load(io.BytesIO(ended.stdout), weights_only=True)) == set(Net().state_dict())
    assert ended.stderr.startswith(b"/dev/stdout: the state_dict of ")


def test_lr_find_prints_a_curve_and_what_to_set(sketches: DatasetFacts) -> None:
    """A line for every fifth rate, then the suggestions."""
    found = cifartui("lr-find", "--dataset", "few", "--device", "cpu", "--set", "batch_size=15")
    assert found.returncode == 0, found.stderr
    first, *lines, valley, steepest, last = found.stdout.splitlines()
    assert first == "tutorial on few: the loss at each learning rate"
    assert lines[0].startswith(" 1.0e-07    2.3")
    assert 20 <= len(lines) <= 30
    assert (valley.split()[0], steepest.split()[0]) == ("valley", "steepest")
    assert last == f"It is 0.001 now; set it with --set optimizer.learning_rate={valley.split()[1]}"


def test_lr_find_prints_a_point_a_line_as_json(
    sketches: DatasetFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the suggestions last; what the user's own network prints goes elsewhere, and no run is made."""
    code = "from torch import nn\nprint(1)\n\ndef net():\n    print(2)\n"
    (tmp_path / "printing_net.py").write_text(f"{code}    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))\n")
    monkeypatch.chdir(tmp_path)
    network = ("--set", "network=printing_net:net", "--set", "batch_size=50")
    found = cifartui("lr-find", "--dataset", "few", "--device", "cpu", "--json", *network)
    assert found.returncode == 0, found.stderr
    *tried, result = map(json.loads, found.stdout.splitlines())
    assert [point["number"] for point in tried] == list(range(1, len(tried) + 1))
    assert {point["type"] for point in tried} == {"RateTried"}
    assert {one["rule"] for one in result["suggestions"]} == {"valley", "steepest"}
    assert list(runs_folder().iterdir()) == []
