"""The training screen: a scripted run drawn, its controls written, settings changed and refused."""

import time
from pathlib import Path

import msgspec
import pytest
import tomli_w
from textual.widgets import Input, OptionList

from cifartui.dataset.catalogue import rename_dataset
from cifartui.dataset.sketches import CLASSES
from cifartui.dataset.store import DatasetFacts, save_dataset
from cifartui.evaluation.results import from_confusion
from cifartui.evaluation.store import keep_evaluation
from cifartui.training.checkpoints import CheckpointFacts, facts_file, tensors_file
from cifartui.training.events import (
    EpochFinished,
    Evaluated,
    LossLogged,
    RunFinished,
    StateChanged,
    StepsReported,
    Warned,
)
from cifartui.training.recipe import load_recipe, override, recipe_names
from cifartui.training.run import Run, all_runs, create_run
from cifartui.tui.app import CifarApp
from cifartui.tui.screens.keys import KEY_CELLS
from cifartui.tui.screens.runs import RunList
from cifartui.tui.view import short_id
from cifartui.tui.widgets.charts import CurveChart
from cifartui.tui.widgets.dialogs import TextDialog
from cifartui.tui.widgets.plan_panel import PlanPanel, SettingsTable
from cifartui.tui.widgets.plan_texts import row_cells, setting_text
from tests.conftest import noise
from tests.training.running import plan
from tests.tui.driving import LARGE, SMALL, control_lines, scripted_run, shown, text_of, wait_for_text, wait_until


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_living_run_is_attached_to_and_drawn(sketches: DatasetFacts, size: tuple[int, int]) -> None:
    """Starting with a living run opens the training screen with curves, axes, log, device and time left."""
    run, _ = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=size) as pilot:
            text = await wait_for_text(pilot, "[1,  4000] loss: 1.705")
            await wait_until(pilot, lambda: "⡀" in shown(pilot) or "⠤" in shown(pilot))
            text = shown(pilot)
            assert "▌3 training▐" in text
            assert "epoch 1/2 · step 6,000/25,000" in text
            assert "4,000 images/s" in text
            assert "0:19 left" in text
            assert "A Scripted CPU" in text
            assert "checkpoint saved at step 6,000" in text.replace("\n", "") or size == SMALL
            assert text.count("┤") >= 4
            await wait_for_text(pilot, "╌ guessing ln 10 = 2.303")


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
            await wait_for_text(pilot, "space resume")
            await pilot.press("space", "c")
            await wait_until(pilot, lambda: '"command":"checkpoint"' in control_lines(run))
            assert '"command":"resume"' in control_lines(run)
            await pilot.press("s")
            await wait_for_text(pilot, "Stop the run?")
            await pilot.press("n")
            assert '"command":"stop"' not in control_lines(run)
            await pilot.press("s")
            await pilot.press("y")
            await wait_until(pilot, lambda: '"command":"stop"' in control_lines(run))


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


async def test_settings_are_explained_changed_and_refused(sketches: DatasetFacts) -> None:
    """The setting under the cursor is explained; v changes it; a bad value keeps the dialog open with a sentence."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "The network to train")
        await pilot.press("down")
        await wait_for_text(pilot, "How often training goes through all training images")
        await pilot.press("v")
        pilot.app.screen.query_one(Input).value = "0"
        await pilot.press("enter")
        await wait_for_text(pilot, "epochs = 0 is not allowed")
        pilot.app.screen.query_one(Input).value = "7"
        await pilot.press("enter")
        await wait_until(pilot, lambda: any("epochs" in line and " 7" in line for line in shown(pilot).splitlines()))


@pytest.mark.parametrize("recipe", recipe_names())
async def test_settings_are_whole_at_80_columns(sketches: DatasetFacts, recipe: str) -> None:
    """Nothing in the table is cut or needs scrolling sideways, with changes and without."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel, table = pilot.app.screen.query_one(PlanPanel), pilot.app.screen.query_one(SettingsTable)
        panel._take_recipe(recipe)
        for value in (None, "[0.4, 0.5, 0.6]"):
            if value:
                panel.set_value("normalize.mean", value)
            await pilot.pause()
            assert not table.show_horizontal_scrollbar
            for row, planned in enumerate(panel.plan.settings):
                table.move_cursor(row=row, animate=False)
                await pilot.pause()
                line = next(line for line in shown(pilot).splitlines() if f" {planned.setting.key} " in line)
                assert row_cells(planned)[3] in line
                assert "…" not in line


async def test_value_that_a_setting_has_is_no_change(sketches: DatasetFacts) -> None:
    """Enter in the dialog without typing, and going back to the recipe's; held to the recipe's against the data is."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel = pilot.app.screen.query_one(PlanPanel)
        await pilot.press("v", "enter", "down", "v", "enter")
        assert panel.asked.changed == ()
        for key, value in (("log_every", "10"), ("epochs", "2"), ("network", "tutorial")):
            panel.set_value(key, value)
            assert panel.asked.changed == ()
        panel.set_value("network", "resnet18")
        panel.set_value("network", "tutorial")
        assert panel.asked.changed == ()
        panel.set_value("log_every", "2000")
        assert panel.asked.changed == ("log_every",)


async def test_every_explanation_is_whole(sketches: DatasetFacts) -> None:
    """Nothing of any setting's explanation is cut; end and home go to the last and the first."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel = pilot.app.screen.query_one(PlanPanel)
        for row, planned in enumerate(panel.plan.settings):
            panel.query_one(SettingsTable).move_cursor(row=row)
            whole = " ".join(setting_text(planned, "tutorial").split())
            await wait_until(pilot, lambda whole=whole: whole in " ".join(shown(pilot).split()))
        await pilot.press("home")
        await wait_for_text(pilot, "network = tutorial")
        await pilot.press("end")
        await wait_for_text(pilot, "device = auto")


async def test_choices_are_lists_with_their_explanation(sketches: DatasetFacts) -> None:
    """Networks, words, yes and no, and devices are chosen, not typed; numbers say their range in the dialog."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3", "v")
        await wait_for_text(pilot, "resnet18      11,173,962 parameters")
        await pilot.press("tab", *"nope", "enter")
        await wait_for_text(pilot, "There is no network named 'nope'")
        await pilot.press("escape", *["down"] * 5, "v")
        text = await wait_for_text(pilot, "resident · the recipe")
        assert "a batch is an index into it" in text
        await pilot.press("up", "enter")
        await wait_for_text(pilot, "● 1 changed")
        await pilot.press("end", "v")
        await wait_for_text(pilot, "auto · as usual")
        await pilot.press("down", "enter")
        await wait_for_text(pilot, "usually: auto")
        await pilot.press("home", "down", "v")
        await wait_for_text(pilot, "at least 1 and at most 100,000")
        await wait_for_text(pilot, "takes it")
        assert isinstance(pilot.app.screen, TextDialog)


@pytest.mark.parametrize("key", ["network", "loader.kind", "optimizer.name"])
async def test_choices_fit_the_screen(key: str) -> None:
    """The whole dialog is seen, with all of the explanation; the list alone scrolls; where the cursor is, is whole."""
    save_dataset("wide", noise(40, size=64, classes=2), noise(10, size=64, classes=2), ("cat", "dog"), "tests")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel = pilot.app.screen.query_one(PlanPanel)
        row = [planned.setting.key for planned in panel.plan.settings].index(key)
        panel.query_one(SettingsTable).move_cursor(row=row)
        await pilot.press("v")
        await wait_for_text(pilot, "esc back")
        screen = pilot.app.screen
        listed, dialog = screen.query_one(OptionList), screen.query_one(".dialog")
        await wait_until(pilot, lambda: dialog.region.bottom <= screen.size.height, seconds=5)
        assert dialog.region.y >= 0
        assert not screen.show_vertical_scrollbar
        assert not screen.query_one(".bounded").show_vertical_scrollbar
        for _ in range(listed.option_count):
            await pilot.press("down")
            await pilot.pause()
            assert listed.highlighted is not None
            top = listed._index_to_line[listed.highlighted]
            bottom = top + listed._heights[listed.highlighted]
            assert listed.scroll_offset.y <= top
            assert bottom <= listed.scroll_offset.y + listed.content_size.height
        if key == "network":
            await pilot.press("tab", *"nope", "enter")
            await wait_for_text(pilot, "There is no network named 'nope'")
            await wait_until(pilot, lambda: dialog.region.bottom <= screen.size.height, seconds=5)


async def test_keys_stand_in_their_column(sketches: DatasetFacts) -> None:
    """The list of keys: none is longer than its column, and of pause and resume one is not now."""
    run, _ = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "● running")
            await wait_for_text(pilot, "space pause")
            await pilot.press("question_mark")
            await wait_for_text(pilot, "on this screen")
            lines = text_of(pilot, "#keys").splitlines()
            assert all(line[KEY_CELLS : KEY_CELLS + 1].isspace() for line in lines if len(line) > 20)
            assert any(line.startswith("⌫ del ") for line in lines)
            of_space = [line for line in lines if line.startswith("space ")]
            assert ["(not now)" in line for line in of_space] == [False, True]


async def test_another_recipe_drops_no_changes_unasked(sketches: DatasetFacts) -> None:
    """The changes are named; they are kept on top, dropped, or the recipe stays; backspace takes one back."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel = pilot.app.screen.query_one(PlanPanel)
        panel.set_value("epochs", "7")
        await pilot.press("r")
        await wait_for_text(pilot, "PyTorch's CIFAR-10 tutorial, to the letter")
        await pilot.press("home", "enter")
        await wait_for_text(pilot, "You changed: epochs=7")
        await pilot.press("escape")
        await wait_for_text(pilot, "recipe tutorial · data set few · ● 1 changed")
        await pilot.press("r", "home", "enter")
        await wait_for_text(pilot, "keep my changes")
        await pilot.press("enter")
        await wait_for_text(pilot, "recipe augmented · data set few · ● 1 changed")
        assert (pilot.app.recipe.epochs, pilot.app.recipe.batch_size) == (7, 32)
        await pilot.press("home", "down")
        await wait_for_text(pilot, "⌫ unset")
        await pilot.press("backspace")
        await wait_until(pilot, lambda: "changed" not in shown(pilot))
        assert pilot.app.recipe == load_recipe("augmented")


async def test_recipe_of_the_users_own_is_taken_from_its_file(sketches: DatasetFacts, tmp_path: Path) -> None:
    """A .toml file is named in the list of recipes; one that is none keeps the list open with a sentence."""
    path = tmp_path / "mine.toml"
    path.write_text("epochs = 3\n")
    async with CifarApp().run_test(size=LARGE) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3", "r")
        await wait_for_text(pilot, "or a .toml file")
        pilot.app.screen.query_one(Input).value = str(path)
        await pilot.press("tab", "enter")
        await wait_for_text(pilot, "is missing; add it")
        path.write_text(tomli_w.dumps(msgspec.to_builtins(override(load_recipe("tutorial"), ["epochs=3"]))))
        await pilot.press("enter")
        await wait_for_text(pilot, "3 epochs")
        assert pilot.app.recipe_name == str(path)
        assert "changed" not in text_of(pilot, "#plan-title")


async def test_run_by_keyboard_follows_a_small_data_set(sketches: DatasetFacts) -> None:
    """A real run: a recipe from the list, log lines and held-out images as planned, what to press at its end."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3", "r", "home", "down", "enter")
        await wait_for_text(pilot, "180 images + 20 held out · 45 steps an epoch · 5 epochs · 45 log lines")
        await pilot.press("enter")
        await wait_for_text(pilot, "4 evaluates it on the test images")
        log = text_of(pilot, "#log-lines")
        assert log.count("] loss: ") == 45
        assert log.count("of 20 held-out images") == 5
        facts = [line.split() for line in text_of(pilot, "#facts").splitlines()]
        assert [row[0] for row in facts if row[-1].endswith("%") and len(row) == 3] == ["training", "held-out"]
        await wait_for_text(pilot, "★ best")


async def test_second_run_is_not_started_beside_a_living_one(sketches: DatasetFacts) -> None:
    """Who looks at an ended run is told of the living one."""
    ended, journal = scripted_run(sketches.name)
    journal.append(RunFinished(reason="finished"))
    living, _ = scripted_run(sketches.name)
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        pilot.app.follow_run(ended)
        await pilot.press("3")
        await wait_for_text(pilot, "n another run")
        await pilot.press("n")
        await wait_for_text(pilot, "200 images")
        with living.lock():
            await pilot.press("enter")
            await wait_for_text(pilot, f"✗ Run {living.id} is still there")
        assert len(all_runs()) == 2


async def test_refusal_stays_until_it_is_put_right(sketches: DatasetFacts) -> None:
    """Why no run can start stands on the screen, before and after enter, and goes when the setting is right."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3")
        await wait_for_text(pilot, "62,006 parameters · 200 images")
        panel = pilot.app.screen.query_one(PlanPanel)
        panel.set_value("validation.images", "200")
        await wait_for_text(pilot, "✗ validation.images = 200 leaves nothing to train on")
        await pilot.press("enter")
        await pilot.app.workers.wait_for_complete()
        assert "leaves nothing to train on" in shown(pilot)
        assert not all_runs()
        panel.set_value("validation.images", "20")
        await wait_for_text(pilot, "180 images + 20 held out")
        pilot.app.dataset_name = "gone"
        await wait_for_text(pilot, "There is no data set named 'gone'")


async def test_all_runs_are_listed_and_an_ended_one_is_looked_at(sketches: DatasetFacts) -> None:
    """After a restart o lists the runs with state, network, data and accuracy; enter brings curves and log back."""
    ended, journal = scripted_run(sketches.name)
    journal.append(EpochFinished(epoch=1, step=6_000, loss=1.4, accuracy=0.531, seconds=15.0))
    journal.append(RunFinished(reason="stopped", message="at step 6,000, as asked"))
    damaged = create_run(plan(sketches.name))
    damaged.journal_file.write_text("rubbish\n")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, f"{damaged.id[-3:]} … queued")
        await pilot.press("3", "o")
        text = await wait_for_text(pilot, "2 runs")
        assert "… queued !" in text
        assert "line 1 of the journal is damaged" in text_of(pilot, "#note")
        await pilot.press("end")
        await wait_until(pilot, lambda: "none were held out" in text_of(pilot, "#note"))
        line = next(line for line in shown(pilot).splitlines() if "■ stopped" in line)
        assert all(word in line for word in (short_id(ended.id), "few", " – "))
        assert "53.1% is of the training images" in text_of(pilot, "#note")
        await pilot.press("enter")
        await wait_for_text(pilot, "4 evaluates it")
        await wait_for_text(pilot, "[1,  4000] loss: 1.705")
        assert "stopped: at step 6,000, as asked" in text_of(pilot, "#log-lines")
        await wait_until(pilot, lambda: "⠤" in shown(pilot) or "⣀" in shown(pilot))


async def test_columns_of_the_runs_are_whole_at_80_columns(sketches: DatasetFacts) -> None:
    """When it started, its best on held-out images, the kept test result; a long name keeps its end."""
    run, journal = scripted_run(sketches.name)
    journal.append(Evaluated(step=6_000, epoch=1, images=20, correct=12, loss=1.2))
    journal.append(RunFinished(reason="finished"))
    date, _, _ = run.id.partition("-tutorial-")
    run = Run(run.folder.rename(run.folder.with_name(f"{date}-augmented-my-own-resnet18-{run.id[-3:]}")))
    weights = b"weights"
    checkpoint = CheckpointFacts(
        run=run.id, step=6_000, epoch=1, batch=6_000, cause="epoch", validation_accuracy=0.6, sha256="1" * 64,
        bytes=len(weights), created=1e9,
    )  # fmt: skip
    tensors_file(run, checkpoint).write_bytes(weights)
    facts_file(run, checkpoint).write_bytes(msgspec.json.encode(checkpoint))
    evaluation = from_confusion(
        checkpoint=f"{run.id}@6000",
        dataset=sketches.name,
        classes=("cat", "dog"),
        confusion=[[30, 10], [5, 35]],
        seconds=1.0,
    )
    keep_evaluation(run, checkpoint, sketches.sha256, evaluation)
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3", "o")
        line = next(line for line in (await wait_for_text(pilot, "1 run")).splitlines() if "✓ finished" in line)
        started = time.strftime("%d %b %H:%M", time.localtime(run.config().created))
        assert line.split("  ")[0].strip() == "✓ finished"
        assert f"augmented-my…-{run.id[-3:]}" in line
        assert line.split()[-6:] == ["60.0%", "★", "81.2%", *started.split()]
        assert not pilot.app.screen.query_one(RunList).show_horizontal_scrollbar


async def test_run_that_ended_meanwhile_is_in_view_after_a_restart(sketches: DatasetFacts) -> None:
    """The newest run on top and its curves on 3; its data set is in hand, under the name that it has by now."""
    save_dataset("zebras", noise(40), noise(10), CLASSES, "tests")
    run, journal = scripted_run("zebras")
    journal.append(RunFinished(reason="finished"))
    rename_dataset("zebras", "stripes")
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        assert "▌1 dataset▐" in await wait_for_text(pilot, f"{run.id[-3:]} ✓ finished")
        assert pilot.app.dataset_name == "stripes"
        await pilot.press("3")
        await wait_for_text(pilot, "n another run")
        await wait_for_text(pilot, "[1,  4000] loss: 1.705")


async def test_damaged_newest_run_does_not_keep_the_screens_from_starting(sketches: DatasetFacts) -> None:
    """Without a config that can be read and with a folder for a journal: a sentence, and the first data set."""
    run, _ = scripted_run(sketches.name)
    (run.folder / "config.toml").write_text("rubbish")
    run.journal_file.unlink()
    run.journal_file.mkdir()
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        assert "▌1 dataset▐" in await wait_for_text(pilot, "✗ damaged")
        assert pilot.app.dataset_name == sketches.name


async def test_lines_of_the_log_are_whole_at_80_columns(sketches: DatasetFacts) -> None:
    """What does not fit beside the charts goes on in the next line."""
    run, journal = scripted_run(sketches.name)
    warning = "the checkpoint of step 12,500 could not be saved: the disk is full"
    journal.append(Warned(message=warning))
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "disk is full")
            log = pilot.app.screen.query_one("#log")
            rows = [line[log.region.x :] for line in shown(pilot).splitlines()[log.region.y : log.region.bottom]]
            assert warning in " ".join(" ".join(rows).split())
