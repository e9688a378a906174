"""The list of runs, and the run that is in view after a restart."""

import re

import msgspec
from textual.pilot import Pilot
from textual.widgets.data_table import RowKey

from cifartui.dataset.catalogue import rename_dataset
from cifartui.dataset.sketches import CLASSES
from cifartui.dataset.store import DatasetFacts, save_dataset
from cifartui.evaluation.results import from_confusion
from cifartui.evaluation.store import keep_evaluation
from cifartui.training.run.checkpoints import CheckpointFacts, facts_file, tensors_file
from cifartui.training.run.events import EpochFinished, RunFinished, Validated
from cifartui.training.run.folder import create_run
from cifartui.tui.app import CifarApp
from cifartui.tui.view import short_id
from cifartui.tui.widgets.dialogs import ConfirmDialog
from cifartui.tui.widgets.run_list import RunList
from tests.conftest import noise
from tests.training.running import plan
from tests.tui.driving import SMALL, scripted_run, shown, text_of, wait_for_notice, wait_for_text, wait_until


async def test_all_runs_are_listed_and_an_ended_one_is_looked_at(sketches: DatasetFacts) -> None:
    """After a restart o lists the runs with state, recipe, network and accuracy; enter brings curves and log back."""
    ended, journal = scripted_run(sketches.name)
    journal.append(EpochFinished(epoch=1, step=6_000, loss=1.4, accuracy=0.531, seconds=15.0))
    journal.append(RunFinished(reason="stopped", message="at step 6,000, as asked"))
    damaged = create_run(plan(sketches.name))
    damaged.journal_file.write_text("rubbish\n")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, f"{damaged.id[-3:]} … queued")
        await pilot.press("3", "o")
        text = await wait_for_text(pilot, "2 runs")
        assert "! queued" in text
        assert "line 1 of the journal is damaged" in text_of(pilot, "#note")
        await pilot.press("end")
        await wait_until(pilot, lambda: "none were held out" in text_of(pilot, "#note"))
        line = next(line for line in shown(pilot).splitlines() if "■ stopped" in line)
        assert all(word in line for word in (ended.id[-3:], "tutorial", " – "))
        assert "53.1% is of the training images" in text_of(pilot, "#note")
        await pilot.press("enter")
        await wait_for_text(pilot, "4 evaluates it")
        await wait_for_text(pilot, "[1,  4000] loss: 1.705")
        assert "stopped at step 6,000, as asked" in text_of(pilot, "#log-lines")
        await wait_until(pilot, lambda: "⠤" in shown(pilot) or "⣀" in shown(pilot))


async def test_keys_in_a_list_that_has_no_runs_yet(sketches: DatasetFacts) -> None:
    """The keys of the table come before the first run is read; its rows come under a cursor at -1."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3", "o")
        await wait_for_text(pilot, "no runs yet")
        await pilot.press("home", "end", "pagedown", "up", "enter")
        table = pilot.app.screen.query_one(RunList)
        assert (table.cursor_row, table.row_count) == (-1, 0)
        table.post_message(RunList.RowHighlighted(table, table.cursor_row, RowKey("gone")))
        await pilot.pause()
        assert "no runs yet" in shown(pilot)


async def test_columns_of_the_runs_are_whole_at_80_columns(sketches: DatasetFacts) -> None:
    """Its name and title, its best on held-out images, the kept test result, its time and its size."""
    run, journal = scripted_run(sketches.name)
    journal.append(Validated(step=6_000, epoch=1, images=20, correct=12, loss=1.2))
    journal.append(RunFinished(reason="finished"))
    run.rename("a first try of mine")
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
        assert line.split()[:4] == ["✓", "finished", run.id[-3:], "a"]
        assert line.split()[-8:-2] == ["tutorial", "tutorial", "60.0%", "★", "81.2%", "0:06"]
        assert line.split()[-1] in ("kB", "bytes")
        assert "(a first try of mine)" in text_of(pilot, "#note")
        assert not pilot.app.screen.query_one(RunList).show_horizontal_scrollbar


async def test_runs_are_sorted_filtered_and_named(sketches: DatasetFacts) -> None:
    """A key goes through the columns; the filter works as it is typed; esc takes it away before it leaves."""
    for correct, reason in ((12, "finished"), (15, "stopped"), (9, "finished")):
        run, journal = scripted_run(sketches.name)
        journal.append(Validated(step=6_000, epoch=1, images=20, correct=correct, loss=1.2))
        journal.append(RunFinished(reason=reason))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3", "o")
        await wait_for_text(pilot, "3 runs · newest first")
        assert shares(pilot) == ["45.0%", "75.0%", "60.0%"]
        await pilot.press(*"sssss")
        await wait_for_text(pilot, "by best")
        assert shares(pilot) == ["75.0%", "60.0%", "45.0%"]
        await pilot.press("S")
        await wait_until(pilot, lambda: shares(pilot) == ["45.0%", "60.0%", "75.0%"])
        await pilot.press("slash", *"fin")
        await wait_for_text(pilot, "2 with 'fin'")
        assert shares(pilot) == ["45.0%", "60.0%"]
        await pilot.press("enter", "home", "v", *"the third", "enter")
        await wait_for_text(pilot, "the th")
        assert run.title() == "the third"
        await pilot.press("escape")
        await wait_for_text(pilot, "3 runs · by best, reversed")
        assert len(shares(pilot)) == 3
        await pilot.press("escape")
        await wait_for_text(pilot, "a another run")


def shares(pilot: Pilot[None]) -> list[str]:
    """The accuracies in the list, from above."""
    return re.findall(r"([0-9.]+%) ★", shown(pilot).partition("begun")[0])


async def test_marked_runs_are_compared(sketches: DatasetFacts) -> None:
    """On a screen of their own at 80x24, beside the list where there is room; over steps, epochs and time."""
    runs = []
    for correct in (12, 15):
        run, journal = scripted_run(sketches.name)
        journal.append(Validated(step=6_000, epoch=1, images=20, correct=correct, loss=1.2))
        journal.append(RunFinished(reason="finished"))
        runs.append(run)
    other = runs[1].folder / "config.toml"
    other.write_text(other.read_text().replace("momentum = 0.9", "momentum = 0.8"))
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3", "o")
        await wait_for_text(pilot, "2 runs")
        await pilot.press("c")
        await wait_for_notice(pilot, "A comparison is between two runs or more")
        await pilot.press("home", "space", "down", "space")
        await wait_for_text(pilot, "2 marked")
        await pilot.press("c")
        text = await wait_for_text(pilot, "settings that differ")
        assert f"A tutorial-{runs[1].id[-3:]}   B tutorial-{runs[0].id[-3:]}" in text
        assert "loss over steps   ● held-out" in text
        await pilot.press("s", "s", "c")
        await wait_for_text(pilot, "accuracy, % over time of training")
        pilot.app.screen.query_one("#table").scroll_end(animate=False)
        line = await wait_for_text(pilot, "optimizer.momentum")
        assert next(each for each in line.splitlines() if "momentum" in each).split()[1:3] == ["0.8", "0.9"]
        await pilot.press("escape")
        await pilot.resize_terminal(160, 45)
        text = await wait_for_text(pilot, "accuracy, % over steps")
        assert "loss over steps" in text
        assert next(each for each in text.splitlines() if "held-out, best" in each).rstrip(" │").split()[-3:] == [
            "75.0%",
            "★",
            "60.0%",
        ]


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
        await wait_for_text(pilot, "a another run")
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


async def test_run_is_removed_once_that_is_confirmed(sketches: DatasetFacts) -> None:
    """Not a living one; the one in view leaves it; its folder and its line are gone."""
    living, _ = scripted_run(sketches.name)
    ended, journal = scripted_run(sketches.name)
    journal.append(RunFinished(reason="finished"))
    with living.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            assert isinstance(pilot.app, CifarApp)
            await wait_for_text(pilot, "space pause")
            await pilot.press("o")
            await wait_for_text(pilot, "2 runs")
            runs = pilot.app.screen.query_one(RunList)
            runs.move_cursor(row=runs.get_row_index(living.id))
            await pilot.press("delete")
            await wait_for_notice(pilot, "is living; stop it first")
            pilot.app.follow_run(ended)
            runs.move_cursor(row=runs.get_row_index(ended.id))
            await pilot.press("delete")
            await wait_for_text(pilot, f"Remove {short_id(ended.id)} with its curves")
            await pilot.press("n", "delete")
            await wait_until(pilot, lambda: isinstance(pilot.app.screen, ConfirmDialog))
            assert ended.folder.exists()
            await pilot.press("y")
            await wait_for_text(pilot, "1 run")
            assert not ended.folder.exists()
            await wait_until(pilot, lambda: short_id(ended.id) not in shown(pilot), seconds=5)
            assert pilot.app.run_view is None
            await pilot.press("escape")
            await wait_for_text(pilot, "network = tutorial")
