"""Driving the screens in tests: what they show as text, waiting for it, and a scripted run."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
from textual.pilot import Pilot
from textual.widgets import Static

from cifartui.training.run.events import (
    AnyEvent,
    CheckpointSaved,
    LossLogged,
    RunStarted,
    StateChanged,
    StepsReported,
)
from cifartui.training.run.folder import Run, create_run
from cifartui.training.run.journal import Journal
from cifartui.tui.app import CifarApp
from tests.training.running import plan

SMALL, MIDDLE, LARGE = (80, 24), (100, 30), (160, 45)


def shown(pilot: Pilot[None]) -> str:
    """The text on the screen."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


def text_of(pilot: Pilot[None], selector: str) -> str:
    """The text of one widget as it was given, before it is wrapped."""
    return str(pilot.app.screen.query_one(selector, Static).content)


async def wait_until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 60) -> None:
    """Let the app run until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s:\n{shown(pilot)}")
        await asyncio.sleep(0.05)


async def wait_for_text(pilot: Pilot[None], text: str, seconds: float = 60) -> str:
    """Let the app run until a text is on the screen; return all of it."""
    await wait_until(pilot, lambda: text in shown(pilot), seconds)
    return shown(pilot)


async def wait_for_notice(pilot: Pilot[None], text: str, seconds: float = 60) -> str:
    """Let the app run until it says something; return the whole sentence, before it is wrapped."""
    said = ""

    def is_said() -> bool:
        nonlocal said
        notice = cast(CifarApp, pilot.app).notice
        said = notice.sentence if notice else said
        return text in said

    await wait_until(pilot, is_said, seconds)
    return said


def scripted_run(dataset: str, *, steps: int = 60, **started: Any) -> tuple[Run, Journal]:
    """A run folder with a journal as a host would have written it, half-way through its first epoch.

    `started` are fields of its `RunStarted` that are otherwise.
    """
    run = create_run(plan(dataset))
    journal = Journal(run.journal_file)
    for event in scripted_events(run.id, steps):
        journal.append(msgspec.structs.replace(event, **started) if isinstance(event, RunStarted) else event)
    return run, journal


def scripted_events(run: str, steps: int) -> list[AnyEvent]:
    """A loss that falls from 2.3, an accuracy that rises, two log lines and a checkpoint."""
    events: list[AnyEvent] = [
        StateChanged(state="starting"),
        RunStarted(
            run=run,
            recipe="tutorial",
            dataset="few",
            network="tutorial",
            device="A Scripted CPU, 2 cores (cpu)",
            device_reason="the CPU was asked for",
            epochs=2,
            steps_per_epoch=12_500,
            batch_size=4,
            train_images=50_000,
            validation_images=0,
            parameters=62_006,
            learning_rate=0.001,
            seed=1,
            host_pid=1,
        ),
        StateChanged(state="running"),
    ]
    for number in range(1, steps + 1):
        events.append(
            StepsReported(
                step=100 * number,
                epoch=1,
                loss=1.2 + 1.1 / (1 + number / 10),
                running_loss=1.2 + 1.1 / (1 + number / 10),
                accuracy=0.5 - 0.4 / (1 + number / 10),
                learning_rate=0.001,
                images_per_second=4_000.0,
            )
        )
        if number in (20, 40):
            events.append(LossLogged(epoch=1, batch=100 * number, loss=2.105 - number / 100))
    events.append(CheckpointSaved(step=100 * steps, epoch=1, file="step-00006000.safetensors", bytes=500_000))
    return events


def control_lines(run: Run) -> str:
    """What was commanded so far."""
    path: Path = run.controls_file
    return path.read_text() if path.exists() else ""
