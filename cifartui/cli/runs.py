"""`cifartui runs list | show | follow | rename`."""

import argparse
import time
from collections.abc import Iterator

import msgspec
from rich.table import Table

from cifartui.cli import checkpoints, comparing, continuing, exporting, steering
from cifartui.cli.follow import answers_to, show_run, stalled_text
from cifartui.cli.output import complain, make_console, print_json, say, say_followed, table
from cifartui.cli.parsing import Commands, add_journal_json, add_json, add_run, group
from cifartui.text import clock, size
from cifartui.training.recipes.settings import settings
from cifartui.training.run.checkpoints import CheckpointFacts, list_checkpoints
from cifartui.training.run.events import LearningRateChanged, MemoryExhausted, NotFiniteFound
from cifartui.training.run.folder import Run, find_run
from cifartui.training.run.follow import read_history, why_interrupted, why_stalled
from cifartui.training.run.history import RunHistory
from cifartui.training.run.overview import RunOverview, list_runs, overview
from cifartui.training.run.sentences import sentences_of
from cifartui.training.run.states import RunState, stalled_seconds
from cifartui.training.verdict import SpeedVerdict, judge_speed

COLUMNS = ("run", "state", "model", "data set", "epoch", "step", "best", "started", "time", "size", "title")
LEFT_OUT_FIRST = ("started", "data set", "size", "model", "step", "epoch", "title")
"""Columns for which a narrow terminal has no room: the id has the time of the start in it, and the network's name."""
UNBOUNDED = 10_000
"""Cells: more than any table has."""


class RunReport(RunOverview, frozen=True, kw_only=True):
    """A run, as `runs show --json` tells it."""

    device: str
    seed: int
    message: str
    """Why it failed, was stopped, was interrupted or tells nothing, or what it warned of last; else empty."""
    settings: dict[str, str]
    followed: tuple[str, ...]
    """What of recipe and network follows the data set, a clause each."""
    checkpoints: list[CheckpointFacts]
    learning_rate: float | None
    """Of the next step; None before the first start."""
    rate_changes: tuple[LearningRateChanged, ...]
    trouble: NotFiniteFound | MemoryExhausted | None
    """What the run holds for, or ended of."""
    speed: SpeedVerdict | None
    """What limits its speed, or did at its end; None where that was not measured."""
    behind: tuple[str, ...]
    """The ids of the runs that it waits for in the queue, the first to train first."""


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    actions = group(commands, "runs", "see, follow and steer training runs")

    listing = actions.add_parser("list", help="list all runs, newest first")
    add_json(listing)
    listing.set_defaults(handler=list_)

    showing = actions.add_parser("show", help="show a run's settings, state and checkpoints")
    add_run(showing)
    add_json(showing)
    showing.set_defaults(handler=show)

    following = actions.add_parser("follow", help="show a run's log as it grows; Ctrl+C leaves it running")
    add_run(following)
    add_journal_json(following)
    following.set_defaults(handler=follow_)

    renaming = actions.add_parser("rename", help="give a run a title, by which commands find it too")
    add_run(renaming)
    renaming.add_argument("title", metavar="TITLE", help='"" takes it away; the id stays')
    add_json(renaming)
    renaming.set_defaults(handler=rename)

    for module in (steering, continuing, checkpoints, comparing, exporting):
        module.add_commands(actions)


def list_(options: argparse.Namespace) -> None:
    """List all runs."""
    overviews, problems = list_runs()
    for problem in problems:
        complain(problem)
    if options.json:
        print_json(overviews)
        return
    if not overviews:
        say("no runs yet; start one with: cifartui train")
        return
    make_console().print(_fitting(overviews))


def show(options: argparse.Namespace) -> None:
    """Show one run."""
    run = find_run(options.run)
    report = _report(run)
    if options.json:
        print_json(report)
        return
    name = f"{report.id} ({report.title})" if report.title else report.id
    say(f"{name}: {_state_text(report)}, epoch {report.epoch} of {report.epochs}, step {report.step:,}")
    for sentence in _sentences(run, report):
        say(sentence)
    say(f"{report.model} on {report.dataset}, {report.device}, seed {report.seed}")
    say_followed(report.dataset, report.followed)
    rows = table("setting", "value")
    for key, value in report.settings.items():
        rows.add_row(key, value)
    make_console().print(rows)
    make_console().print(checkpoints.checkpoint_table(report.checkpoints))


def rename(options: argparse.Namespace) -> None:
    """Give one run a title."""
    run = find_run(options.run)
    run.rename(options.title)
    if options.json:
        print_json(overview(run))
    elif run.title():
        say(f"{run.id} is called {run.title()}")
    else:
        say(f"{run.id} has no title")


def follow_(options: argparse.Namespace) -> int:
    """Follow one run; leaving does not touch it."""
    return show_run(find_run(options.run), as_json=options.json)


def _fitting(overviews: list[RunOverview]) -> Table:
    """A row for each run; a narrow terminal has fewer columns, and the ids whole."""
    console, left_out = make_console(), 0
    while True:
        names = [name for name in COLUMNS if name not in LEFT_OUT_FIRST[:left_out]]
        rows = table(*names, right=("step", "best", "time", "size"))
        for item in overviews:
            cells = dict(zip(COLUMNS, _cells(item), strict=True))
            rows.add_row(*(cells[name] for name in names))
        needed = console.measure(rows, options=console.options.update(max_width=UNBOUNDED)).maximum
        if needed <= console.width or left_out == len(LEFT_OUT_FIRST):
            return rows
        left_out += 1


def _cells(item: RunOverview) -> tuple[str, ...]:
    return (
        item.id,
        _state_text(item),
        item.model,
        item.dataset,
        f"{item.epoch} of {item.epochs}",
        f"{item.step:,}",
        "–" if item.best_accuracy is None else f"{item.best_accuracy:.1%}",
        time.strftime("%Y-%m-%d %H:%M", time.localtime(item.created)),
        clock(item.seconds),
        size(item.bytes),
        item.title,
    )


def _sentences(run: Run, report: RunReport) -> Iterator[str]:
    """What there is to say of this run and not of every one."""
    yield from filter(None, (report.message, report.problem))
    if report.behind:
        yield f"waits for {', '.join(report.behind)}"
    if report.trouble:
        yield from sentences_of(report.trouble)
        if report.state == "paused":
            yield answers_to(run, report.trouble)
    if report.parent:
        yield f"goes on from {report.parent}"
    if report.speed:
        set_it = f" (--set {' --set '.join(report.speed.settings)})" if report.speed.settings else ""
        yield f"speed: {report.speed.verdict}: {report.speed.why}; {report.speed.remedy}{set_it}"
    if report.rate_changes:
        changes = ", ".join(f"{change.after:g} after step {change.step:,}" for change in report.rate_changes)
        yield f"learning rate {report.rate_changes[0].before:g}, then {changes}"


def _state_text(item: RunOverview) -> str:
    stalled = "" if item.stalled_seconds is None else f", {stalled_text(item.stalled_seconds)}"
    return f"{item.state}{stalled}{', damaged' * bool(item.problem)}"


def _message(run: Run, state: RunState, history: RunHistory) -> str:
    if state == "interrupted":
        return why_interrupted(run)
    if history.finished:
        return history.finished.message
    stalled = stalled_seconds(history, state)
    return why_stalled(run, history, stalled) if stalled is not None else history.warning


def _report(run: Run) -> RunReport:
    config = run.config()
    history, state = read_history(run)
    started = history.started
    return RunReport(
        **msgspec.structs.asdict(overview(run)),
        device=f"{started.device}: {started.device_reason}" if started else config.device,
        seed=config.seed,
        message=_message(run, state, history),
        followed=config.followed,
        settings={setting.key: setting.value for setting in settings(config.settings)},
        checkpoints=list_checkpoints(run),
        learning_rate=history.learning_rate if started else None,
        rate_changes=history.rate_changes,
        trouble=history.trouble,
        speed=judge_speed(history.speed, config.settings, on_cuda=bool(started and started.device_type == "cuda"))
        if history.speed
        else None,
        behind=history.behind,
    )
