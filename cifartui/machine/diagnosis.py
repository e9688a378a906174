"""The diagnosis: slow looks side by side, each with a limit, and what is found told as it comes."""

import queue
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from typing import Any, TypeVar

import msgspec

from cifartui.children import Child, TimeLimitError
from cifartui.machine.computer import look_at_computer
from cifartui.machine.computer_rules import judge_computer
from cifartui.machine.facts import Facts, Graphics, Torch
from cifartui.machine.finding import Finding
from cifartui.machine.gpu_rules import judge_graphics, judge_torch
from cifartui.machine.graphics import look_at_graphics
from cifartui.machine.reach import look_at_sources
from cifartui.machine.source_rules import judge_sources
from cifartui.machine.terminal import look_at_terminal
from cifartui.machine.terminal_rules import judge_terminal
from cifartui.progress import LongWork, Progress

Looked = TypeVar("Looked")

TORCH_SECONDS = 120.0
"""For loading PyTorch, which takes long from a cold or shared disk, and two steps on each device."""
DRIVER_SECONDS = 10.0
"""A GPU that fell off the bus can hold whoever asks its driver for ever."""
TICK_SECONDS = 0.1


class Diagnosis(msgspec.Struct, frozen=True):
    """All that was found, and the device on which training runs."""

    device: str
    name: str
    reason: str
    findings: list[Finding]


Diagnosing = Generator[Progress | Finding, None, Diagnosis]


def judge(facts: Facts) -> list[Finding]:
    """What follows from the facts, part by part; nothing from a part that was not looked at."""
    found: list[Finding] = []
    if facts.computer:
        found += judge_computer(facts.computer)
    if facts.terminal:
        found += judge_terminal(facts.terminal)
    if facts.graphics:
        found += judge_graphics(facts.graphics)
    if facts.torch and facts.graphics:
        found += judge_torch(facts.torch, facts.graphics)
    if facts.sources is not None:
        found += judge_sources(facts.sources)
    return found


def diagnose() -> Diagnosing:
    """Look at everything; yields each finding once it is known, and between them what is being looked at.

    Nothing hangs: what does not answer within its limit is a finding as well. Closing the generator ends the looks.

    Raises:
        UsageError: the user's own table of archives is not valid.
    """
    facts = Facts(computer=look_at_computer(), terminal=look_at_terminal())
    told: list[Finding] = []
    looks: dict[str, LongWork[Any]] = {
        "graphics": look_at_drivers(),
        "torch": look_at_torch(),
        "sources": look_at_sources(),
    }
    total, activities = len(looks), dict.fromkeys(looks, "")
    with ExitStack() as open_looks:
        for look in looks.values():
            open_looks.enter_context(closing(look))
        while looks:
            for part, look in list(looks.items()):
                try:
                    activities[part] = next(look).activity
                except StopIteration as end:
                    facts = msgspec.structs.replace(facts, **{part: end.value})
                    del looks[part]
                for finding in judge(facts):
                    if finding not in told:
                        told.append(finding)
                        yield finding
            yield Progress(", ".join(activities[part] for part in looks), total - len(looks), total, unit="looks")
    assert facts.torch
    return Diagnosis(
        facts.torch.chosen or "cpu",
        facts.torch.chosen_name or (facts.computer.cpu if facts.computer else ""),
        facts.torch.reason or facts.torch.trouble,
        judge(facts),
    )


def look_at_torch(seconds: float = TORCH_SECONDS) -> LongWork[Torch]:
    """Ask torch for its devices and try them, in a child process that may crash or hang."""
    found, activity = Torch(), "loading PyTorch"
    decoder = msgspec.json.Decoder(Torch | Progress)
    with Child("cifartui.machine.torch_child", seconds=seconds) as child:
        try:
            for _ in child.looks():
                while (line := child.next_line()) is not None:
                    told = decoder.decode(line)
                    if isinstance(told, Torch):
                        found = told
                    else:
                        activity = told.activity
                yield Progress(activity, 0)
        except TimeLimitError:
            return msgspec.structs.replace(found, trouble=f"{activity} took longer than {seconds:g} s")
        except msgspec.MsgspecError:
            return msgspec.structs.replace(found, trouble=f"something else answered while {activity}")
        if child.exit_code:
            return msgspec.structs.replace(found, trouble=f"{activity} ended its process ({child.ending})")
    return found


def look_at_drivers(seconds: float = DRIVER_SECONDS) -> LongWork[Graphics]:
    """Look for GPUs and their drivers; one whose driver does not answer in time is left alone."""
    graphics = yield from _patiently(look_at_graphics, seconds, "asking the drivers")
    return graphics or look_at_graphics(asks_nvml=False)


def _patiently(look: Callable[[], Looked], seconds: float, activity: str) -> LongWork[Looked | None]:
    """What a look finds that may hang; None if it takes longer than so many seconds, and its thread is left to it."""
    answers: queue.SimpleQueue[Looked | Exception] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put(look())
        except Exception as error:
            answers.put(error)

    threading.Thread(target=answer, name=activity, daemon=True).start()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            given = answers.get(timeout=TICK_SECONDS)
        except queue.Empty:
            yield Progress(activity, 0)
        else:
            if isinstance(given, Exception):
                raise given
            return given
    return None
