"""What the palette offers, by what is shown and what lives."""

from cifartui.dataset.store import DatasetFacts
from cifartui.training.run.events import RunFinished, StateChanged
from cifartui.tui.app import CifarApp
from tests.tui.driving import SMALL, control_lines, scripted_run, wait_for_text, wait_until


def offered(app: CifarApp) -> list[str]:
    """The titles of all that the palette offers."""
    return [command.title for command in app.get_system_commands(app.screen)]


async def test_commands_follow_the_screen(sketches: DatasetFacts) -> None:
    """Its own that make sense now, with their keys; the other screens and no run, where none lives."""
    app = CifarApp()
    async with app.run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        commands = offered(app)
        for title in ("dataset: fetch  (f)", "show: model  (2)", "machine: doctor", "leave  (q)"):
            assert any(title in command for command in commands), title
        assert not any(command.startswith(("dataset: cancel", "show: dataset", "training: ")) for command in commands)
        await pilot.press("2", "down")
        await wait_for_text(pilot, "conv1 · conv2d")
        commands = offered(app)
        assert "model: walk  (w)" in commands
        assert "model: repair  (y)" not in commands
        assert not any(command.startswith("dataset: ") for command in commands)


async def test_a_living_run_is_steered_from_any_screen(sketches: DatasetFacts) -> None:
    """By what it can be asked for now, on the training screen; one that ended cannot be."""
    run, journal = scripted_run(sketches.name)
    app = CifarApp()
    with run.lock():
        async with app.run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "● running")
            await pilot.press("2")
            await wait_for_text(pilot, "62,006")
            assert "training: pause  (space)" in offered(app)
            assert "training: go on  (space)" not in offered(app)
            await pilot.press("ctrl+p")
            await wait_for_text(pilot, "Search for")
            await pilot.press(*"training pause")
            await wait_for_text(pilot, "training: pause")
            await pilot.press("down", "enter")
            await wait_until(pilot, lambda: '"command":"pause"' in control_lines(run), seconds=20)
            assert app.current_mode == "training"
            journal.append(StateChanged(state="paused"))
            await wait_for_text(pilot, "space go on")
            await pilot.press("2")
            assert "training: go on  (space)" in offered(app)
            journal.append(RunFinished(reason="stopped", message="at step 6,000"))
            await wait_until(pilot, lambda: app.run_view and app.run_view.state == "stopped", seconds=20)
            assert not any(title.startswith("training: ") for title in offered(app))
