"""The machine's screen: findings as they come, what is in the way first, by key and from the palette."""

from pathlib import Path

import pytest
from textual.content import Content

from cifartui.dataset.store import DatasetFacts
from cifartui.machine.finding import fine, not_here, problem, warning
from cifartui.tui.app import CifarApp
from cifartui.tui.screens.machine import MachineScreen, findings_text
from tests.tui.driving import SMALL, shown, text_of, wait_for_text, wait_until

FINDINGS = [
    fine("CPU", "A CPU, 8 cores"),
    not_here("ROCm", "no AMD GPU", "none is seen here"),
    warning("shared memory", "/dev/shm of 67 MB", "containers have little of it", "start it with --shm-size=1g"),
    problem("GPU", "hidden from this program", "CUDA_VISIBLE_DEVICES='' hides every GPU", "unset it"),
    fine("source a-host-with-a-long-name.example.org", "answers for 2 archives"),
]


def rows(text: Content) -> list[str]:
    return [line.rstrip() for line in text.plain.splitlines()]


def test_what_is_in_the_way_stands_first_with_why_and_what_to_do() -> None:
    """Problems, warnings, what is well, what does not apply; each text in its column, also when it is wrapped."""
    assert rows(findings_text(FINDINGS, 100)) == [
        "✗ GPU             hidden from this program",
        "             why  CUDA_VISIBLE_DEVICES='' hides every GPU",
        "              do  unset it",
        "! shared memory   /dev/shm of 67 MB",
        "             why  containers have little of it",
        "              do  start it with --shm-size=1g",
        "✓ CPU             A CPU, 8 cores",
        "✓ source a-host-with-a-long-name.example.org",
        "                  answers for 2 archives",
        "– ROCm            no AMD GPU: none is seen here",
    ]
    narrow = rows(findings_text(FINDINGS, 44))
    assert max(map(len, narrow[:6])) <= 44
    assert "                  hides every GPU" in narrow


TORCH = """
import pathlib, time
print('{"type":"Progress","activity":"trying A Scripted GPU","done":0}', flush=True)
while not pathlib.Path(__file__).with_name("go").exists():
    time.sleep(0.02)
print('{"type":"Torch","version":"2.14","cuda":"13.0","devices":[{"device":"cuda:0","name":"A Scripted GPU",'
      '"seconds":0.1}],"chosen":"cuda","chosen_name":"A Scripted GPU","reason":"the only CUDA device"}')
"""


async def test_findings_come_while_one_looks_on(
    sketches: DatasetFacts, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the palette and by h: what is quick stands there while the rest is waited for; r looks once more."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    program.write_text(TORCH)
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("ctrl+p", *"machine")
        await wait_for_text(pilot, "What this machine can do")
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, MachineScreen))
        await pilot.press("escape")
        await pilot.press("3")
        await pilot.press("h")
        await wait_for_text(pilot, "trying A Scripted GPU")
        assert "CPU limit" in text_of(pilot, "#findings")
        program.with_name("go").touch()
        await wait_for_text(pilot, "training runs on A Scripted GPU (cuda): the only CUDA device")
        assert "A Scripted GPU: ready to train" in text_of(pilot, "#findings").replace("\n", "")
        assert "none of 5 can be reached" in shown(pilot)
        await pilot.press("g")
        await wait_for_text(pilot, "this machine · ")
        await pilot.press("escape")
        await wait_until(pilot, lambda: not isinstance(pilot.app.screen, MachineScreen))
        await wait_until(
            pilot, lambda: not [one for one in pilot.app.workers if one.group == "machine" and one.is_running]
        )
