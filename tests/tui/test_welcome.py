"""The first start: what it says, the two ways on from it, and the guided path with its real run."""

from pathlib import Path

import pytest

from cifartui.dataset.store import SKETCHES, DatasetFacts
from cifartui.machine.facts import Computer, Graphics, NvidiaGpu
from cifartui.training.run.folder import all_runs
from cifartui.tui.app import CifarApp
from cifartui.tui.guide import STEPS
from cifartui.tui.screens.explain import ExplainScreen
from cifartui.tui.widgets.welcome_texts import gpu_text
from tests.tui.driving import LARGE, SMALL, scripted_run, shown, wait_for_text, wait_until


@pytest.fixture
def first_start(welcomed: Path, sketches: DatasetFacts) -> DatasetFacts:
    """A home with pictures, no runs, and nothing seen yet."""
    welcomed.unlink()
    return sketches


async def test_first_start_says_what_there_is_and_is_remembered(first_start: DatasetFacts, welcomed: Path) -> None:
    """What this is, whether there is a GPU, what is on disk; straight to work, and the next start begins there."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        text = await wait_for_text(pilot, "straight to work")
        assert "Train a network" in text
        assert "● sketches: 200 + 100 pictures, 10 classes" in text
        await wait_until(pilot, lambda: "looking for a GPU" not in shown(pilot), seconds=20)
        assert not welcomed.exists()
        await pilot.press("escape")
        await wait_for_text(pilot, "page 1 of")
    assert welcomed.exists()
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "page 1 of")
        assert len(pilot.app.screen_stack) == 1


async def test_with_a_run_there_is_no_first_start(first_start: DatasetFacts) -> None:
    """Whoever has trained knows the way."""
    scripted_run(first_start.name)
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "page 1 of")
        assert len(pilot.app.screen_stack) == 1


def test_gpu_is_told_without_torch() -> None:
    """Found, silent, or none; the name comes from a driver and is made safe."""
    computer = Computer(cpu="A Fast CPU", usable_cores=8)
    assert "looking" in gpu_text(None).plain
    assert gpu_text(Graphics(gpus=(NvidiaGpu("NVIDIA H100\x1b[2J"),)), computer).plain.startswith("● NVIDIA H100�[2J\n")
    assert "driver does not answer" in gpu_text(Graphics(nvidia_on_bus=("0x2330",)), computer).plain
    assert "the CPU trains: A Fast CPU, 8 cores" in gpu_text(Graphics(), computer).plain


async def test_path_is_left_at_any_step(first_start: DatasetFacts) -> None:
    """At 80×24 the explanation opens by itself; esc closes that, then leaves the path where one is."""
    app = CifarApp()
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "straight to work")
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ExplainScreen))
        assert app.dataset_name == SKETCHES
        await pilot.press("escape")
        await wait_for_text(pilot, "200 pictures to learn from, 100 to be examined with")
        await pilot.press("n")
        await wait_until(pilot, lambda: isinstance(app.screen, ExplainScreen))
        await pilot.press("escape")
        await wait_for_text(pilot, "2 of 6 · the network")
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.guide_step is None)
        assert "2 of 6" not in shown(pilot)
        assert app.current_mode == "model"
        await pilot.press("n")
        assert app.guide_step is None


@pytest.mark.faults
async def test_path_comes_to_an_evaluated_network(first_start: DatasetFacts) -> None:
    """All steps at 160×45 with n and one enter: a real run on the sketches, which is waited for, and its accuracy."""
    app = CifarApp()
    async with app.run_test(size=LARGE) as pilot:
        await wait_for_text(pilot, "straight to work")
        await pilot.press("enter")
        for step in STEPS[:-2]:
            await wait_until(pilot, lambda step=step: app.guide_step == step)  # type: ignore[misc]  # bound at once
            await wait_for_text(pilot, f"{STEPS.index(step) + 1} of 6")
            if step == "training":
                await wait_until(pilot, lambda: app.run_view and app.run_view.state == "finished")
            await pilot.press("n")
        await wait_for_text(pilot, "5 of 6 · what it has learned")
        await pilot.press("enter")
        await wait_for_text(pilot, "of 100   (95 %")
        await pilot.press("n", "n")
        await wait_until(pilot, lambda: app.guide_step is None)
    (run,) = all_runs()
    assert run.config().dataset == SKETCHES
