"""The process that carries a run: `python -m cifartui.training.host RUN_DIR …`.

It holds the run's lock, iterates the loop and writes the journal. It never touches a terminal.
"""

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from cifartui.errors import CifartuiError, explain
from cifartui.logind import logout_ends
from cifartui.text import printable
from cifartui.training.run.controls import ControlInbox
from cifartui.training.run.events import AnyEvent, RunFinished, RunStarted, StateChanged, Warned
from cifartui.training.run.folder import Run
from cifartui.training.run.index import Indexer
from cifartui.training.run.journal import Journal
from cifartui.training.run.queue import wait_for_turn
from cifartui.training.start import Start, parse_start

if TYPE_CHECKING:
    from cifartui.training.setup import Job

LAST_WORDS_SECONDS = 600.0
"""For so long the end of a run waits for room on a full disk."""


def main(arguments: list[str]) -> int:
    """Carry the run in the folder that the command line names; return the exit code."""
    folder, start = parse_start(arguments)
    run = Run(folder)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read once, when CUDA starts: its sums repeat then
    try:
        with run.lock():
            return carry(run, start)
    except CifartuiError as error:
        print(f"cifartui: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"cifartui: {explain(error)}", file=sys.stderr)
        return 1


def carry(run: Run, start: Start) -> int:
    """Train the run to its end, writing every event to the journal; the caller holds the lock."""
    inbox = ControlInbox(run.controls_file)
    if run.journal_file.exists():
        inbox.pass_over()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: inbox.ask_to_stop())
    journal = Journal(run.journal_file)
    indexer = Indexer(run)
    last: AnyEvent | None = None
    for last in events(run, start, inbox):
        journal.append(last)
        indexer.keep_up()
    obstacle = journal.wait_until_written(LAST_WORDS_SECONDS, give_up=inbox.is_asked_to_stop)
    if obstacle:
        raise CifartuiError(f"the end of the journal could not be written: {obstacle}.")
    indexer.write()
    return 0 if isinstance(last, RunFinished) and last.reason != "failed" else 1


def events(run: Run, start: Start, inbox: ControlInbox) -> Iterator[AnyEvent]:
    """The events of the whole run; whatever goes wrong becomes its last one."""
    job: Job | None = None
    try:
        if ends := logout_ends():
            yield Warned(message=ends.sentence)
        if not (yield from wait_for_turn(run, inbox, now=start.now)):
            return
        yield StateChanged(state="starting")
        from cifartui.training.loop import train  # brings torch in: seconds in which the run already shows its state
        from cifartui.training.setup import prepare, take_up

        job = prepare(run.config())
        take_up(job, run, start)
        yield _started(run, job)
        yield from train(run, job, inbox, hold=start.hold)
    except CifartuiError as error:
        yield RunFinished(reason="failed", message=str(error))
    except Exception as error:
        with suppress(OSError):
            traceback.print_exc()  # to host.log, if the disk has room for it
        failure = _device_failure(error, job) if job else None
        what = failure or printable(str(error).strip().split("\n")[0], 300) or type(error).__name__
        message = f"{what}; the traceback is in {run.host_log}."
        yield RunFinished(reason="failed", message=message, cause="device" if failure else "")


def _device_failure(error: Exception, job: "Job") -> str | None:
    from cifartui.training.device_errors import device_failure

    return device_failure(error, job.device)


def _started(run: Run, job: "Job") -> RunStarted:
    config = run.config()
    return RunStarted(
        run=run.id,
        recipe=config.recipe,
        dataset=config.dataset,
        network=config.network.name,
        device=f"{job.choice.name} ({job.choice.device})",
        device_reason=job.choice.reason,
        device_type=job.choice.device,
        device_uuid=job.choice.uuid,
        epochs=job.position.epochs,
        steps_per_epoch=job.position.steps_per_epoch,
        batch_size=job.recipe.batch_size,
        train_images=job.train_images,
        validation_images=job.recipe.validation.images,
        parameters=job.parameters,
        learning_rate=job.rate.value,
        turned=job.rate.multiplier,
        seed=config.seed,
        host_pid=os.getpid(),
        step=job.position.step,
        parent=config.parent.name if config.parent else "",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
