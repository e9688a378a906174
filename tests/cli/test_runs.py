"""Runs by command: steered, taken up again, forked, their checkpoints pinned and removed; questions before a loss."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cifartui.cli.follow import answers_to, bar_text
from cifartui.cli.main import make_parser, run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.training.launch import start_run
from cifartui.training.run.checkpoints import list_checkpoints, tensors_file
from cifartui.training.run.controls import ChangeEpochs, ChangeRate, Stop, TakeSteps
from cifartui.training.run.events import MemoryExhausted, NotFiniteFound, Queued, SpeedMeasured, StateChanged
from cifartui.training.run.folder import Run, all_runs, create_run, find_run
from cifartui.training.run.folding import fold
from cifartui.training.run.history import RunHistory
from cifartui.training.run.journal import Journal
from cifartui.training.run.keeping import pin
from tests.training.running import plan, run_started, train_here

Command = Callable[..., str]


@pytest.fixture
def answer(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process; its standard output, or its complaints where another exit code is expected."""

    def command(*arguments: str, code: int = 0) -> str:
        capfd.readouterr()
        ended = run_command(arguments)
        output = capfd.readouterr()
        assert ended == code, output.err
        return output.err if code else output.out

    return command


@pytest.fixture
def ended(sketches: DatasetFacts) -> Run:
    """A run of two epochs with checkpoints of steps 50 and 100."""
    return train_here(plan(sketches.name, "epochs=2"))[0]


@pytest.mark.parametrize(
    ("arguments", "control"),
    [
        (["step", "r"], TakeSteps()),
        (["step", "r", "12"], TakeSteps(steps=12)),
        (["rate", "r", "up"], ChangeRate(to="up")),
        (["rate", "r", "0.0005"], ChangeRate(to=0.0005)),
        (["epochs", "r", "30"], ChangeEpochs(epochs=30)),
        (["stop", "r"], Stop()),
        (["stop", "r", "--no-save"], Stop(save=False)),
    ],
)
def test_commands_are_made_from_the_kinds_of_controls(arguments: list[str], control: TakeSteps) -> None:
    """Fields become arguments of their types; those with a default may be left out."""
    options = make_parser().parse_args(["runs", *arguments])
    assert options.kind is type(control)
    fields = [name for name in control.__struct_fields__ if name not in ("id", "time")]
    assert {name: getattr(options, name) for name in fields} == {name: getattr(control, name) for name in fields}


@pytest.mark.parametrize(
    "arguments", [["rate", "r", "sideways"], ["rate", "r", "0"], ["step", "r", "0"], ["epochs", "r"]]
)
def test_what_no_control_can_hold_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, before the run is looked for."""
    with pytest.raises(SystemExit) as caught:
        run_command(["runs", *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_living_run_is_steered(sketches: DatasetFacts, answer: Command) -> None:
    """Each command says what came of it once it is done; what is refused is told with exit code 1."""
    run, host = start_run(plan(sketches.name, "epochs=100000", "log_every=100000"))
    answer("runs", "pause", run.id)
    paused = json.loads(answer("runs", "show", run.id, "--json"))
    assert paused["state"] == "paused"
    done = json.loads(answer("runs", "step", run.id, "3", "--json"))
    assert (done["type"], done["step"]) == ("ControlDone", paused["step"] + 3)
    turned = answer("runs", "rate", run.id, "0.002").splitlines()
    assert turned[0] == f"learning rate 0.001 → 0.002 after step {done['step']:,}"
    assert "checkpoint saved" in turned[1]
    assert turned[-1] == f"rate done by {run.id} at step {done['step']:,}"
    assert "epochs 100000 → 90000" in answer("runs", "epochs", run.id, "90000")
    assert "has not run out of memory" in answer("runs", "accumulate", run.id, code=1)
    assert "is living; stop it first" in answer("runs", "remove", run.id, "--yes", code=1)
    shown = json.loads(answer("runs", "show", run.id, "--json"))
    assert (shown["epochs"], shown["learning_rate"], shown["trouble"]) == (90_000, 0.002, None)
    assert [change["after"] for change in shown["rate_changes"]] == [0.002]
    assert "went back from step" in answer("runs", "rollback", run.id)
    assert f"stop taken by {run.id}" in answer("runs", "stop", run.id, "--no-save")
    assert host.wait(20) == 0
    assert "there is nothing to pause" in answer("runs", "pause", run.id, code=1)
    rate = next(line for line in answer("runs", "show", run.id).splitlines() if line.startswith("learning rate "))
    assert rate.startswith("learning rate 0.001, then ")
    assert f"0.001 after step {done['step']}" in rate


def test_run_goes_on_by_command(ended: Run, answer: Command) -> None:
    """A finished run needs more epochs; later checkpoints go only when told; one that is damaged is passed over."""
    assert "ask for more, as with --epochs" in answer("runs", "continue", ended.id, code=2)
    assert "(steps 100) are not removed without a question" in answer("runs", "continue", f"{ended.id}@50", code=2)
    first, last = list_checkpoints(ended)
    tensors_file(ended, last).write_bytes(bytes(last.bytes))
    options = ["runs", "continue", ended.id, "--epochs", "3"]
    shown = answer(*options).splitlines()
    assert shown[:2] == [f"run: {ended.id}", f"goes on after step {first.step}"]
    assert shown[-1] == f"next: cifartui evaluate {ended.id}"
    assert [facts.step for facts in list_checkpoints(ended)] == [50, 100, 150]
    events = [json.loads(line) for line in answer("runs", "follow", ended.id, "--json").splitlines()]
    assert [event["step"] for event in events if event["type"] == "RunStarted"][-1] == 50
    assert [event["seq"] for event in events] == list(range(len(events)))


def test_run_is_forked_by_command(ended: Run, answer: Command) -> None:
    """The new run has the parent's recipe, data set and seed, and says from where it goes on."""
    options = ["train", "--from", f"{ended.id}@50", "--set", "optimizer.learning_rate=0.002", "--epochs", "2"]
    assert "--seed does not go with --from" in answer(*options, "--seed", "3", code=2)
    assert "batch_size cannot be changed" in answer(*options, "--set", "batch_size=8", code=2)
    assert f"goes on from {ended.id}@50" in answer(*options).splitlines()
    fork = next(run for run in all_runs() if run.id != ended.id)
    parents = {item["id"]: item["parent"] for item in json.loads(answer("runs", "list", "--json"))}
    assert parents == {ended.id: "", fork.id: f"{ended.id}@50"}
    assert f"goes on from {ended.id}@50" in answer("runs", "show", fork.id).splitlines()


def test_checkpoints_are_listed_pinned_and_removed(ended: Run, answer: Command) -> None:
    """The last whole one needs a second word; the run itself one."""
    assert json.loads(answer("runs", "pin", f"{ended.id}@50", "--json"))["pinned"]
    listed = json.loads(answer("runs", "checkpoints", ended.id, "--json"))
    assert [(facts["step"], facts["pinned"]) for facts in listed] == [(50, True), (100, False)]
    assert "pinned" in answer("runs", "checkpoints", ended.id)
    answer("runs", "unpin", f"{ended.id}@50")
    assert not any(facts.pinned for facts in list_checkpoints(ended))
    assert "names no checkpoint" in answer("runs", "pin", ended.id, code=2)
    assert "add --yes" in answer("runs", "remove", f"{ended.id}@last", code=2)
    assert json.loads(answer("runs", "remove", f"{ended.id}@last", "--yes", "--json")) == {"removed": f"{ended.id}@100"}
    assert "last whole checkpoint; add --last" in answer("runs", "remove", f"{ended.id}@50", "--yes", code=2)
    answer("runs", "remove", f"{ended.id}@50", "--yes", "--last")
    assert list_checkpoints(ended) == []
    answer("runs", "remove", ended.id, "--yes")
    assert all_runs() == []


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be written in a folder: for root, who may write everywhere, as a file system of its own."""
    if os.geteuid() != 0:
        for each in (folder, folder / "checkpoints"):
            each.chmod(0o500)
        yield
        for each in (folder, folder / "checkpoints"):
            each.chmod(0o700)
        return
    mounts = (["mount", "--bind", str(folder), str(folder)], ["mount", "-o", "remount,bind,ro", str(folder)])
    if any(subprocess.run(mount, capture_output=True, check=False).returncode for mount in mounts):
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_run_that_can_only_be_read(ended: Run, answer: Command) -> None:
    """It is shown and can be the parent of another; what would change it is one sentence, and nothing is lost."""
    before = list_checkpoints(ended)
    with read_only(ended.folder):
        assert ended.id in answer("runs", "list")
        assert answer("runs", "show", ended.id)
        assert answer("runs", "checkpoints", ended.id)
        for command in (
            ("continue", ended.id, "--epochs", "3"),
            ("pin", f"{ended.id}@50"),
            ("remove", f"{ended.id}@50", "--yes"),
            ("remove", ended.id, "--yes"),
        ):
            complaint = answer("runs", *command, code=1)
            assert re.fullmatch(r"cifartui: .*(read-only|permission denied|is in use).*\n", complaint), complaint
        assert list_checkpoints(ended) == before
        assert f"goes on from {ended.id}@50" in answer("train", "--from", f"{ended.id}@50")


def test_questions_on_a_terminal(ended: Run, answer: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only yes removes, the last whole checkpoint only a second yes."""
    first, last = list_checkpoints(ended)
    pin(ended, first)
    keyboard, terminal = pty.openpty()
    with os.fdopen(terminal) as typed:
        monkeypatch.setattr("sys.stdin", typed)
        for words, left in ((b"n\n", 2), (b"y\n", 1), (b"y\nn\n", 1), (b"y\nyes\n", 0)):
            os.write(keyboard, words)
            which = last.step if left else first.step
            answer(
                "runs",
                "remove",
                f"{ended.id}@{which}" if len(words) < 4 else f"{ended.id}@last",
                code=words[-2:] == b"n\n",
            )
            assert len(list_checkpoints(ended)) == left
    os.close(keyboard)


def test_held_run_says_how_to_answer(ended: Run) -> None:
    """What helps against numbers does not help against memory; without room for one image only a stop is left."""
    lost = answers_to(ended, NotFiniteFound(step=3, epoch=1, batch=3, what="the loss", skipped=1))
    assert f"`cifartui runs rollback {ended.id}`" in lost
    full = answers_to(ended, MemoryExhausted(step=3, batch_size=4, fits=2))
    assert f"2 images at once: `cifartui runs accumulate {ended.id}`" in full
    none = answers_to(ended, MemoryExhausted(step=3, batch_size=4, fits=0))
    assert none == f"The run holds and waits for an answer: stop: `cifartui runs stop {ended.id}`."


def test_bar_of_a_queued_run_names_those_ahead() -> None:
    """Until its turn comes it is not said to be starting."""
    history = fold(RunHistory(), [StateChanged(state="queued"), Queued(behind=("a", "b"))])
    assert bar_text(history) == "waiting for a, b"
    assert bar_text(fold(history, [StateChanged(state="starting")])).startswith("starting")


def test_narrow_list_leaves_columns_out(
    sketches: DatasetFacts, answer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And keeps the ids whole."""
    run = create_run(plan(sketches.name))
    run.rename("a title that needs very much room, as much as there can be")
    assert answer("runs", "list").split()[:6] == ["run", "state", "model", "data", "set", "epoch"]
    monkeypatch.setattr("cifartui.cli.output.PLAIN_WIDTH", 80)
    head, line = answer("runs", "list").splitlines()
    assert head.split() == ["run", "state", "best", "time"]
    assert line.startswith(f"{run.id} ")


def test_run_has_a_title_by_which_it_is_found(sketches: DatasetFacts, answer: Command) -> None:
    """Its id stays; an exact title comes before parts of ids; what no line of a terminal holds is refused."""
    run, other = create_run(plan(sketches.name)), create_run(plan(sketches.name))
    assert answer("runs", "rename", run.id, " few images ") == f"{run.id} is called few images\n"
    (listed,) = (item for item in json.loads(answer("runs", "list", "--json")) if item["id"] == run.id)
    assert (listed["title"], listed["seconds"]) == ("few images", 0.0)
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    assert listed["bytes"] == sum(path.stat().st_size for path in files) > 0
    assert "few images" in answer("runs", "list")
    assert answer("runs", "show", "few images").startswith(f"{run.id} (few images): queued")
    answer("runs", "rename", other.id, run.id[-3:])
    assert find_run(run.id[-3:]).id == other.id
    for title in ("two\nlines", "\x1b[31mred", "x" * 61):
        assert "cannot be the title of a run" in answer("runs", "rename", run.id, title, code=2)
    assert answer("runs", "rename", run.id, "") == f"{run.id} has no title\n"
    (run.folder / "title").write_bytes(b"\x1b]0;\xff\nmore")
    assert "\x1b" not in answer("runs", "list")


def test_show_says_what_limits_the_speed(sketches: DatasetFacts, answer: Command) -> None:
    """With what was measured and the option that mends it; nothing of a run that has not measured it."""
    run = create_run(plan(sketches.name))
    journal = Journal(run.journal_file)
    journal.append(run_started())
    assert json.loads(answer("runs", "show", run.id, "--json"))["speed"] is None
    assert "speed" not in answer("runs", "show", run.id)
    journal.append(SpeedMeasured(step=10_000, steps=10_000, images=40_000, seconds=5, waiting=0.05, fixed=4))
    assert (
        "speed: launching small steps takes 80% of the time: of 0.5 ms a step, 0.4 ms do not depend on its images; "
        "more images a step, and a learning rate for them (--set batch_size=64)\n"
    ) in answer("runs", "show", run.id)
    speed = json.loads(answer("runs", "show", run.id, "--json"))["speed"]
    assert (speed["limit"], speed["share"], speed["settings"]) == ("launching", 0.8, ["batch_size=64"])
