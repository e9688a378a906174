"""The training screen: a scripted run drawn, its controls written, a run by keyboard."""

import pytest

from cifartui.dataset.store import DatasetFacts
from cifartui.training.run.events import LossLogged, RunFinished, SpeedMeasured, StateChanged, StepsReported, Warned
from cifartui.tui.app import CifarApp
from cifartui.tui.widgets.charts import CurveChart
from cifartui.tui.widgets.keys_text import KEY_CELLS
from tests.tui.driving import LARGE, SMALL, control_lines, scripted_run, shown, text_of, wait_for_text, wait_until


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_living_run_is_attached_to_and_drawn(sketches: DatasetFacts, size: tuple[int, int]) -> None:
    """Starting with a living run opens the training screen with curves, axes, log, device and time left."""
    run, _ = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=size) as pilot:
            text = await wait_for_text(pilot, "[1,  4000] loss: 1.705")
            await wait_until(pilot, lambda: "⡀" in shown(pilot) or "⠤" in shown(pilot))
            text = await wait_for_text(pilot, "epoch 1/2 · step 6,000/25,000")
            assert "▌3 training▐" in text
            assert "4,000 images/s" in text
            assert "0:19 left" in text
            assert "A Scripted CPU" in text or size == SMALL
            assert "checkpoint saved at step 6,000" in text.replace("\n", "") or size == SMALL
            assert text.count("┤") >= 4
            await wait_for_text(pilot, "╌ guessing 2.303")


async def test_sparkline_and_status_stand_on_every_screen(sketches: DatasetFacts) -> None:
    """While the run lives, the line on top shows its progress and loss whichever screen is open."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            for key in "1234":
                await pilot.press(key)
                await wait_for_text(pilot, f"{run.id[-3:]} ● 24%")
                await wait_until(pilot, lambda: set(shown(pilot).splitlines()[0]) & set("▁▂▃▄▅▆▇█"))
            journal.append(RunFinished(reason="finished"))
            await wait_for_text(pilot, "✓ finished")


async def test_keys_write_controls_and_the_state_follows_the_journal(sketches: DatasetFacts) -> None:
    """space, c and s become lines in controls.jsonl; stop asks first; the screen shows what the journal says."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "● running")
            await wait_for_text(pilot, "space pause")
            await pilot.press("space")
            await wait_until(pilot, lambda: '"command":"pause"' in control_lines(run))
            journal.append(StateChanged(state="paused"))
            await wait_for_text(pilot, "‖ paused")
            await wait_for_text(pilot, "space go on")
            await pilot.press("space", "k")
            await wait_until(pilot, lambda: '"command":"checkpoint"' in control_lines(run))
            assert '"command":"resume"' in control_lines(run)
            await pilot.press("x")
            await wait_for_text(pilot, "that of step 6,000 has it all")
            await pilot.press("escape")
            assert '"command":"stop"' not in control_lines(run)
            await pilot.press("x")
            await pilot.press("d")
            await wait_until(pilot, lambda: '"command":"stop"' in control_lines(run))
            assert '"save":false' in control_lines(run)


async def test_what_would_be_faster_is_put_into_the_next_run(sketches: DatasetFacts) -> None:
    """y takes the settings that the verdict on the speed names, and is there only when it names some."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            assert isinstance(pilot.app, CifarApp)
            await wait_for_text(pilot, "● running")
            await pilot.press("y")
            assert pilot.app.recipe.batch_size == 4
            journal.append(SpeedMeasured(step=7_000, steps=7_000, images=28_000, seconds=5, waiting=0, fixed=4))
            await wait_for_text(pilot, "Launching small steps takes 80% of the time")
            await pilot.press("y")
            await wait_for_text(pilot, "The next run has batch_size=64")
            assert pilot.app.recipe.batch_size == 64


async def test_axes_are_seen_in_sixteen_colours(sketches: DatasetFacts) -> None:
    """A terminal's own colours are all there is then; axes and numbers have them, not black on black."""
    run, _ = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            pilot.app.theme = "ansi-dark"
            await wait_until(pilot, lambda: shown(pilot).count("┤") >= 4)
            own = pilot.app.screen.query_one("#loss", CurveChart).rich_style
            segments = [segment for strip in pilot.app.screen._compositor.render_strips() for segment in strip]
            axes = [segment.style for segment in segments if segment.text.endswith("┤")]
            assert axes
            assert all(style and (style.color, style.bgcolor) == (own.color, own.bgcolor) for style in axes)


async def test_diverging_run_is_drawn_without_its_gaps(sketches: DatasetFacts) -> None:
    """Losses that are no numbers do not take the screen down."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "● running")
            journal.append(
                StepsReported(
                    step=6_100,
                    epoch=1,
                    loss=None,
                    running_loss=None,
                    accuracy=0.1,
                    learning_rate=0.001,
                    images_per_second=1.0,
                    finite=False,
                )
            )
            await wait_for_text(pilot, "loss not finite")


async def test_dead_host_is_found_out(sketches: DatasetFacts) -> None:
    """A run whose process is gone without a last event is shown as interrupted, with the reason."""
    run, _ = scripted_run(sketches.name)
    async with CifarApp().run_test(size=LARGE) as pilot:
        with run.lock():
            assert isinstance(pilot.app, CifarApp)
            pilot.app.follow_run(run)
            await pilot.press("3")
            await wait_for_text(pilot, "● running")
        await wait_for_text(pilot, "✗ interrupted")
        assert "its process was ended from outside" in text_of(pilot, "#notes")


async def test_damaged_journal_is_a_sentence(sketches: DatasetFacts) -> None:
    """Rubbish in the journal costs its line and is told in the log; something else in its place is told on top."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=LARGE) as pilot:
            await wait_for_text(pilot, "● running")
            with run.journal_file.open("a") as file:
                file.write("rubbish\n")
            journal.append(LossLogged(epoch=1, batch=6_000, loss=1.5))
            await wait_for_text(pilot, "[1,  6000] loss: 1.500")
            assert isinstance(pilot.app, CifarApp)
            assert pilot.app.run_view is not None
            assert pilot.app.run_view.history.damaged is not None
            assert pilot.app.run_view.problem is None
            run.journal_file.unlink()
            run.journal_file.mkdir()
            await wait_for_text(pilot, "✗ damaged")
            assert "it is a folder, not a file" in text_of(pilot, "#notes")
            await pilot.press("2")
            await wait_for_text(pilot, "62,006 parameters")


async def test_keys_stand_in_their_column(sketches: DatasetFacts) -> None:
    """The list of keys: none is longer than its column, and of pause and resume one is not now."""
    run, _ = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "● running")
            await wait_for_text(pilot, "space pause")
            await pilot.press("question_mark", "tab")
            await wait_for_text(pilot, "on this screen")
            lines = text_of(pilot, "#keys").splitlines()
            assert all(line[KEY_CELLS : KEY_CELLS + 1].isspace() for line in lines if len(line) > 20)
            assert any(line.startswith("← ") for line in lines)
            of_space = [line for line in lines if line.startswith("space ")]
            assert ["(not now)" in line for line in of_space] == [False, True]


async def test_run_by_keyboard_follows_a_small_data_set(sketches: DatasetFacts) -> None:
    """A real run: a recipe from the list, log lines and held-out images as planned, what to press at its end."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3", "r", "home", "down", "enter")
        await wait_until(pilot, lambda: "180 images + 20 held out" in text_of(pilot, "#meaning"))
        assert "45 log lines, one every 5 steps" in text_of(pilot, "#meaning")
        await pilot.press("enter")
        await wait_for_text(pilot, "4 evaluates it on the test images")
        log = text_of(pilot, "#log-lines")
        assert log.count("] loss: ") == 45
        assert log.count("of 20 held-out images") == 5
        facts = [line.split() for line in text_of(pilot, "#facts").splitlines()]
        assert [row[0] for row in facts if row[-1].endswith("%") and len(row) == 3] == ["training", "held-out"]
        await wait_for_text(pilot, "★ best")


async def test_each_part_is_a_key_away_at_80_columns(sketches: DatasetFacts) -> None:
    """tab brings the next part into the place of the charts; which there are is named; shift+tab goes back."""
    run, _ = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "loss accuracy run device log")
            charts = {name: pilot.app.screen.query_one(f"#{name}") for name in ("loss", "accuracy")}
            await wait_until(pilot, lambda: charts["loss"].has_focus)
            await pilot.press("tab")
            assert (charts["loss"].region.area, charts["accuracy"].has_focus) == (0, True)
            await pilot.press("tab", "tab")
            await wait_for_text(pilot, "the CPU was asked for")
            await pilot.press("shift+tab", "shift+tab", "shift+tab")
            await wait_until(pilot, lambda: charts["loss"].has_focus)


async def test_lines_of_the_log_are_whole_at_80_columns(sketches: DatasetFacts) -> None:
    """What does not fit beside the charts goes on in the next line."""
    run, journal = scripted_run(sketches.name)
    warning = "the checkpoint of step 12,500 could not be saved: the disk is full"
    journal.append(Warned(message=warning))
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "disk is full")

            def log() -> str:
                region = pilot.app.screen.query_one("#log").region
                rows = [line[region.x :] for line in shown(pilot).splitlines()[region.y : region.bottom]]
                return " ".join(" ".join(rows).split())

            await wait_until(pilot, lambda: warning in log(), seconds=10)
