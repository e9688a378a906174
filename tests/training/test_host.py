"""The host process: carries a run alone, obeys its controls, survives its starter, and is found out when it dies."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from cifartui.cli.follow import bar_text, show_run
from cifartui.cli.main import run_command
from cifartui.dataset.store import DatasetFacts
from cifartui.errors import CifartuiError, DataError
from cifartui.logind import LogoutEnds
from cifartui.training.host import events
from cifartui.training.launch import start_run
from cifartui.training.run.checkpoints import list_checkpoints
from cifartui.training.run.controls import ControlInbox, Pause, Resume, SaveCheckpoint, Stop, send
from cifartui.training.run.events import AnyEvent, ControlAcknowledged, StepsReported, Warned
from cifartui.training.run.folder import Run, all_runs, create_run, find_run, living_run
from cifartui.training.run.follow import command, follow, read_history, why_interrupted, why_stalled
from cifartui.training.run.history import RunHistory
from cifartui.training.run.journal import Journal, JournalReader
from cifartui.training.run.overview import list_runs, overview
from cifartui.training.run.states import QUIET_SECONDS, stalled_seconds, state_of
from cifartui.training.start import Start
from tests.training.running import losses, plan, run_started, train_here, wait_for

ENDLESS = ("epochs=10000",)


def scripted_journal() -> str:
    """A start and a report at step 7."""
    events = [
        run_started(),
        StepsReported(
            step=7, epoch=1, loss=1.0, running_loss=1.0, accuracy=0.5, learning_rate=0.1, images_per_second=400.0
        ),
    ]
    return "".join(f"{msgspec.json.encode(event).decode()}\n" for event in events)


def _assert_no_gap(events: list[AnyEvent]) -> None:
    assert [event.seq for event in events] == list(range(len(events)))


def test_host_trains_to_the_end_and_repeats_to_the_bit(sketches: DatasetFacts) -> None:
    """Two runs in processes of their own with one seed log the same losses; their journals have no gap."""
    config = plan(sketches.name)
    runs, hosts = zip(*(start_run(config, now=True) for _ in range(2)), strict=True)
    assert [host.wait(60) for host in hosts] == [0, 0]
    journals = [JournalReader(run.journal_file).read_new() for run in runs]
    for journal in journals:
        _assert_no_gap(journal)
    assert losses(journals[0]) == losses(journals[1])
    assert len(losses(journals[0])) == 10
    assert read_history(runs[0])[1] == "finished"
    assert os.stat(runs[0].folder).st_mode & 0o777 == 0o700


def test_controls_pause_save_resume_and_stop(sketches: DatasetFacts) -> None:
    """Each command is acknowledged; paused, no step is taken; stopped, the last step has a checkpoint."""
    run, host = start_run(plan(sketches.name, *ENDLESS))
    wait_for(run, lambda history, state: state == "running" and history.latest is not None)
    assert living_run() is not None
    assert isinstance(command(run, Pause()), ControlAcknowledged)
    paused = wait_for(run, lambda history, state: state == "paused")
    send(run.controls_file, SaveCheckpoint())
    saved = wait_for(run, lambda history, state: len(history.checkpoints) > len(paused.checkpoints))
    assert saved.latest is not None
    assert paused.latest is not None
    assert saved.latest.step == paused.latest.step == saved.checkpoints[-1].step
    command(run, Resume())
    wait_for(
        run, lambda history, state: history.latest is not None and history.latest.step > saved.checkpoints[-1].step
    )
    command(run, Stop())
    assert host.wait(30) == 0
    history, state = read_history(run)
    assert state == "stopped"
    assert history.latest is not None
    assert list_checkpoints(run)[-1].step == history.latest.step
    assert list_checkpoints(run)[-1].cause == "stopped"
    _assert_no_gap(JournalReader(run.journal_file).read_new())
    with pytest.raises(CifartuiError, match="is stopped; there is nothing to pause"):
        command(run, Pause())


def test_second_host_on_one_run_is_refused(sketches: DatasetFacts) -> None:
    """A second process gets a sentence and leaves the first and its journal alone."""
    run, host = start_run(plan(sketches.name, *ENDLESS))
    wait_for(run, lambda history, state: history.latest is not None)
    second = subprocess.run(
        [sys.executable, "-m", "cifartui.training.host", str(run.folder)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert second.stderr == (
        f"cifartui: Run {run.id} is carried by another process already; "
        f"follow it with `cifartui runs follow {run.id}`.\n"
    )
    os.kill(host.pid, signal.SIGINT)  # does what SIGTERM does
    assert host.wait(30) == 0
    events = JournalReader(run.journal_file).read_new()
    _assert_no_gap(events)
    assert read_history(run)[1] == "stopped"


def test_killed_host_leaves_an_interrupted_run_with_whole_lines(sketches: DatasetFacts) -> None:
    """SIGKILL frees the lock: the run is interrupted, its journal whole, its checkpoints loadable."""
    run, host = start_run(plan(sketches.name, *ENDLESS))
    wait_for(run, lambda history, state: len(history.checkpoints) > 0)
    host.kill()
    host.wait(10)
    assert read_history(run)[1] == "interrupted"
    assert list_checkpoints(run)
    assert "ended from outside" in why_interrupted(run)
    assert living_run() is None
    assert [event for reading in follow(run, first=0) for event in reading.events] == JournalReader(
        run.journal_file
    ).read_new()


def test_host_outlives_its_starter_and_its_terminal(sketches: DatasetFacts, home: Path) -> None:
    """What a terminal sends to those who have it, a starter that is killed, and a hang-up do not reach the run."""
    program = (
        "import sys, time\n"
        "from tests.training.running import plan\n"
        "from cifartui.training.launch import start_run\n"
        "run, _ = start_run(plan('few', 'epochs=10000'))\n"
        "print(run.id, flush=True)\n"
        "time.sleep(60)\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert starter.stdout is not None
    run = find_run(starter.stdout.readline().strip())
    before = wait_for(run, lambda history, state: history.latest is not None)
    for number in (signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN, signal.SIGINT, signal.SIGHUP):
        os.killpg(starter.pid, number)
    starter.kill()
    starter.wait()
    assert before.latest is not None
    assert before.started is not None
    os.kill(before.started.host_pid, signal.SIGHUP)
    step = before.latest.step
    wait_for(run, lambda history, state: history.latest is not None and history.latest.step > step + 100)
    send(run.controls_file, Stop())
    wait_for(run, lambda history, state: state == "stopped")
    _assert_no_gap(JournalReader(run.journal_file).read_new())


def test_a_logout_that_would_end_the_run_is_its_first_word(
    sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it waits for its turn, so that everyone who looks can still do something about it."""
    ends = LogoutEnds("it is a session", "run it elsewhere")
    monkeypatch.setattr("cifartui.training.host.logout_ends", lambda: ends)
    run = create_run(plan(sketches.name))
    first = next(events(run, Start(), ControlInbox(run.controls_file)))
    assert isinstance(first, Warned)
    assert first.message == "logging out would end this run: it is a session; run it elsewhere"


class Follower:
    """A follower of a run in a thread, as `runs follow` is."""

    def __init__(self, run: Run) -> None:
        self._codes: list[int] = []
        self._thread = threading.Thread(target=lambda: self._codes.append(show_run(run, as_json=True)))
        self._thread.start()

    def exit_code(self) -> int:
        """Wait for its end."""
        self._thread.join(30)
        return self._codes[0]


def _warnings(run: Run) -> list[str]:
    return [event.message for event in JournalReader(run.journal_file).read_new() if isinstance(event, Warned)]


def limit_files(pid: int, size: int) -> None:
    """Let a process write no file beyond `size` bytes, as on a full disk; -1 ends that."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, -1))


def test_full_disk_stands_still_and_moved_folder(
    sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One run: suspended, its journal held up by a full disk, commanded there by signal, and its folder moved."""
    monkeypatch.setattr("cifartui.training.run.states.QUIET_REPORTS", 3)
    monkeypatch.setitem(QUIET_SECONDS, "running", 0.5)
    run, host = start_run(plan(sketches.name, *ENDLESS))
    wait_for(run, lambda history, state: state == "running" and history.latest is not None)

    os.kill(host.pid, signal.SIGSTOP)
    history = wait_for(run, lambda history, state: stalled_seconds(history, "running") is not None)
    item = overview(run)
    assert item.state == "running"
    assert item.stalled_seconds is not None
    assert "no step for " in bar_text(history, item.stalled_seconds)
    assert "left" not in bar_text(history, item.stalled_seconds)
    assert f"its process {host.pid} was suspended; `kill -CONT {host.pid}`" in why_stalled(run, history, 14.2)
    assert run_command(["runs", "list"]) == 0
    assert "running, no step for " in capfd.readouterr().out
    os.kill(host.pid, signal.SIGCONT)
    wait_for(run, lambda history, state: stalled_seconds(history, "running") is None)

    limit_files(host.pid, 0)
    wait_for(run, lambda history, state: stalled_seconds(history, "running") is not None)
    limit_files(host.pid, -1)
    wait_for(run, lambda history, state: "the journal could not be written for " in " ".join(_warnings(run)))
    wait_for(run, lambda history, state: stalled_seconds(history, "running") is None)
    _assert_no_gap(JournalReader(run.journal_file).read_new())

    moved = run.folder.with_name("elsewhere")
    following = Follower(run)
    run.folder.rename(moved)
    assert host.wait(30) == 1
    history, state = read_history(Run(moved))
    assert state == "failed"
    assert history.finished is not None
    assert f"{run.folder} was moved to {moved} while the run went on; its last" in history.finished.message
    assert history.latest is not None
    assert list_checkpoints(Run(moved))[-1].step >= history.latest.step
    assert list_checkpoints(Run(moved))[-1].cause == "stopped"
    assert following.exit_code() == 1
    assert "is not at its place any more: its folder" in capfd.readouterr().err


def test_folder_is_copied_while_the_run_lives_and_then_removed(
    sketches: DatasetFacts, capfd: pytest.CaptureFixture[str]
) -> None:
    """The copy is a run of its own that goes on to the end the first would have had; the first makes no new folder."""
    run, host = start_run(plan(sketches.name, *ENDLESS))
    wait_for(run, lambda history, state: len(history.checkpoints) > 0)
    copy = Run(run.folder.with_name("copied"))
    command(run, Pause())
    shutil.copytree(run.folder, copy.folder)
    assert (read_history(run)[1], read_history(copy)[1]) == ("paused", "interrupted")
    shutil.rmtree(run.folder)
    assert host.wait(30) == 1
    assert not run.folder.exists()
    assert [each.id for each in all_runs()] == [copy.id]

    epochs = list_checkpoints(copy)[-1].epoch + 2
    assert run_command(["runs", "continue", copy.id, "--epochs", str(epochs)]) == 0, capfd.readouterr().err
    undisturbed, _ = train_here(plan(sketches.name, f"epochs={epochs}"))
    assert list_checkpoints(copy)[-1].sha256 == list_checkpoints(undisturbed)[-1].sha256
    _assert_no_gap(JournalReader(copy.journal_file).read_new())


def test_stop_on_a_full_disk_goes_by_signal_and_is_told(sketches: DatasetFacts) -> None:
    """`runs stop` that can write no command, to a run that cannot save: both are said; with room all ends well."""
    run, host = start_run(plan(sketches.name, *ENDLESS))
    wait_for(run, lambda history, state: state == "running" and history.latest is not None)
    limit_files(host.pid, run.journal_file.stat().st_size + 200_000)
    stopping = (
        "import resource, sys\n"
        "from cifartui.cli.main import run_command\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))\n"
        f"sys.exit(run_command(['runs', sys.argv[1], {run.id!r}]))\n"
    )
    paused = subprocess.run([sys.executable, "-c", stopping, "pause"], capture_output=True, text=True, check=False)
    assert paused.returncode == 1
    assert f"Run {run.id} cannot be told to pause: the file would be larger than this account may" in paused.stderr
    stopped = subprocess.run([sys.executable, "-c", stopping, "stop"], capture_output=True, text=True, check=False)
    assert stopped.returncode == 1, stopped.stdout
    assert f"stop taken by {run.id} at step " in stopped.stdout
    assert "the last checkpoint (step " in stopped.stderr
    assert "a stop now ends the run without it" in stopped.stderr
    assert read_history(run)[1] == "saving"
    limit_files(host.pid, -1)
    assert host.wait(30) == 0
    assert read_history(run)[1] == "stopped"
    assert list_checkpoints(run)[-1].cause == "stopped"


@pytest.mark.parametrize("as_json", [False, True])
def test_following_an_interrupted_run_ends_with_failure(
    sketches: DatasetFacts, as_json: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and a sentence, in plain text and with --json."""
    run = create_run(plan(sketches.name))
    journal = Journal(run.journal_file)
    journal.append(run_started())
    (run.folder / "lock").touch()
    assert run_command(["runs", "follow", run.id, *["--json"] * as_json]) == 1
    assert f"cifartui: Run {run.id} was interrupted" in capfd.readouterr().err


def test_failure_is_the_last_event(sketches: DatasetFacts) -> None:
    """A data set that is gone when the host looks for it becomes a failed run with its sentence."""
    config = msgspec.structs.replace(plan(sketches.name), dataset="gone", dataset_sha256="0" * 64)
    run, host = start_run(config)
    assert host.wait(60) == 1
    history, state = read_history(run)
    assert state == "failed"
    assert history.finished is not None
    assert "The data set gone is not here any more" in history.finished.message


def test_damaged_run_folders_are_told_and_listed_with_what_is_known(sketches: DatasetFacts) -> None:
    """Damage to a run's config or journal is a sentence; the run stands in the list, and so do the others."""
    whole, no_config, newer, no_file, bad_journal, piped, foldered = (create_run(plan(sketches.name)) for _ in range(7))
    with (newer.folder / "config.toml").open("a") as config:
        config.write("[average]\ndecay = 0.999\n")
    (no_config.folder / "config.toml").write_text("recipe = 3\n")
    no_config.journal_file.write_text(scripted_journal())
    (no_file.folder / "config.toml").unlink()
    os.mkfifo(no_file.folder / "config.toml")
    bad_journal.journal_file.write_text("rubbish\n")
    os.mkfifo(piped.journal_file)
    foldered.journal_file.mkdir()
    overviews, problems = list_runs()
    found = {item.id: item for item in overviews}
    sentences = {
        whole.id: "",
        no_config.id: "config.toml cannot be used",
        newer.id: "average is not a setting",
        no_file.id: "it is a pipe, not a file",
        bad_journal.id: "line 1 of the journal is damaged",
        piped.id: "it is a pipe, not a file",
        foldered.id: "it is a folder, not a file",
    }
    assert set(found) == set(sentences)
    assert len(problems) == 6
    for run, sentence in sentences.items():
        assert sentence in found[run].problem
        assert found[run].state in ("queued", "interrupted")
    assert found[whole.id].recipe == found[piped.id].recipe == found[bad_journal.id].recipe == "tutorial"
    assert (found[no_config.id].dataset, found[no_config.id].epochs, found[no_config.id].step) == ("few", 2, 7)
    with pytest.raises(DataError, match=r"config\.toml cannot be used"):
        Run(no_config.folder).config()


def test_runs_are_found_by_a_part_of_their_id(sketches: DatasetFacts) -> None:
    """A unique part is enough; an ambiguous or unknown one is an error."""
    first, second = create_run(plan(sketches.name)), create_run(plan(sketches.name))
    assert find_run(first.id[-3:]).id == first.id
    with pytest.raises(DataError, match="names 2 runs"):
        find_run("tutorial")
    with pytest.raises(DataError, match="There is no run 'zzz'"):
        find_run("zzz")
    assert state_of(second, RunHistory()) == "queued"


def test_host_that_is_taking_the_lock_is_not_taken_for_dead(sketches: DatasetFacts) -> None:
    """Between making the lock file and locking it a run is queued; if nothing comes of it, it is interrupted."""
    run = create_run(plan(sketches.name))
    assert state_of(run, RunHistory()) == "queued"
    lock = run.folder / "lock"
    lock.touch()
    assert state_of(run, RunHistory()) == "queued"
    for moment in (0.0, time.time() + 3_600):  # the latter after the clock was set back
        os.utime(lock, (moment, moment))
        assert state_of(run, RunHistory()) == "interrupted"
