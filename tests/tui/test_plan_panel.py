"""Setting up a run: settings shown whole, explained, changed, taken back and refused."""

from pathlib import Path
from typing import cast

import msgspec
import pytest
import tomli_w
from textual.events import Key
from textual.widgets import Input, OptionList

from cifartui.dataset.store import DatasetFacts, save_dataset
from cifartui.training.recipes.files import load_recipe, recipe_names
from cifartui.training.recipes.settings import override
from cifartui.training.run.folder import all_runs
from cifartui.tui.app import CifarApp
from cifartui.tui.widgets.plan_panel import PlanPanel
from cifartui.tui.widgets.plan_texts import row_cells, setting_text
from cifartui.tui.widgets.settings_table import SettingsTable, ValueInput
from tests.conftest import noise
from tests.tui.driving import LARGE, SMALL, shown, text_of, wait_for_text, wait_until


async def test_settings_are_explained_changed_and_refused(sketches: DatasetFacts) -> None:
    """The setting under the cursor is explained; v lets it be typed; a sentence says at once what is wrong."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "The network to train")
        await pilot.press("right")
        await wait_for_text(pilot, "How often training goes through all training images")
        await pilot.press("v", "0")
        await wait_for_text(pilot, "epochs = 0 is not allowed")
        await pilot.press("enter", "backspace", "7")
        await wait_for_text(pilot, "7 epochs × 50 = 350 steps")
        await pilot.press("escape")
        await wait_for_text(pilot, "2 epochs × 50 = 100 steps")
        await pilot.press("v", "7", "enter")
        await wait_for_text(pilot, "● 1 changed")
        assert any(" epochs " in line and " 7 " in line and "recipe: 2" in line for line in shown(pilot).splitlines())


async def test_settings_are_whole_at_80_columns(sketches: DatasetFacts) -> None:
    """Of no recipe is anything cut or needs scrolling sideways, with changes and without; but for long remarks."""
    async with CifarApp().run_test(size=(80, 90)) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel, table = pilot.app.screen.query_one(PlanPanel), pilot.app.screen.query_one(SettingsTable)
        for recipe in recipe_names():
            panel._take_recipe(recipe)
            for value in ("", "[0.4, 0.5, 0.6]"):
                if value:
                    panel.set_value("normalize.mean", value)
                await pilot.pause()
                assert not table.show_horizontal_scrollbar
                lines = shown(pilot).splitlines()
                for planned in panel.plan.settings:
                    _, label, value, remark = row_cells(planned)
                    assert any(f" {label} " in line and f" {value} " in line and remark[:12] in line for line in lines)
            panel.asked = msgspec.structs.replace(panel.asked, recipe=panel.asked.own, kept=frozenset())


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


async def test_what_is_typed_behind_the_key_is_typed_into_the_line(sketches: DatasetFacts) -> None:
    """Keys that come in one burst with the one that begins the typing, as a fast hand or a slow line sends them."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        for key, character in (("right", None), ("v", "v"), ("1", "1"), ("2", "2"), ("q", "q")):
            pilot.app.post_message(Key(key, character))
        await wait_for_text(pilot, "epochs = '12q' is not allowed")
        await pilot.press("backspace", "enter")
        await wait_until(pilot, lambda: cast(CifarApp, pilot.app).recipe.epochs == 12)


async def test_line_stays_on_its_row_when_what_is_said_needs_room(sketches: DatasetFacts) -> None:
    """A sentence about what is wrong takes lines of the table away, here that of the row under the cursor."""
    async with CifarApp().run_test(size=(64, 24)) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel, table = pilot.app.screen.query_one(PlanPanel), pilot.app.screen.query_one(SettingsTable)
        panel.go_to("images_at_once")
        await pilot.press("v")
        height = table.size.height
        await pilot.press(*"999999")
        await wait_for_text(pilot, "is not allowed")
        await wait_until(pilot, lambda: table.size.height < height)
        line = pilot.app.screen.query_one(ValueInput)

        def is_on_its_row() -> bool:
            row = shown(pilot).splitlines()[line.region.y]
            return "images_at_once" in row and "999999" in row and "=" not in row

        await wait_until(pilot, is_on_its_row)
        for lines in (2, -40):  # a little way, and as far as the row would be out of view
            table.scroll_relative(y=lines, animate=False)
            await pilot.pause()
            await wait_until(pilot, is_on_its_row)
        await pilot.press(*["backspace"] * 6, "2", "enter")
        await wait_until(pilot, lambda: cast(CifarApp, pilot.app).recipe.images_at_once == 2)


async def test_groups_are_gone_through(sketches: DatasetFacts) -> None:
    """Right and left go from group to group; titles stand before the first setting of each."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "training     ")
        await pilot.press("right", "right", "right")
        await wait_for_text(pilot, "optimizer.name = sgd")
        await pilot.press("down", "left")
        await wait_for_text(pilot, "optimizer.name = sgd")
        await pilot.press("left", "left", "left")
        await wait_for_text(pilot, "network = tutorial")


async def test_another_kind_of_optimizer_brings_its_settings(sketches: DatasetFacts) -> None:
    """Those of the former go, and come back with the recipe's values; the curve is drawn where it is asked for."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel = pilot.app.screen.query_one(PlanPanel)
        panel.go_to("optimizer.name")
        await pilot.press("v")
        await wait_for_text(pilot, "Adam with weight decay apart from the gradient")
        await pilot.press("down", "down", "enter")
        await wait_for_text(pilot, "optimizer.name = adamw")
        assert "betas" in [planned.setting.key.rpartition(".")[2] for planned in panel.plan.settings]
        assert panel.asked.changed == ("optimizer.name",)
        await pilot.press("c")
        await wait_for_text(pilot, "learning rate: 0.001 throughout")
        await pilot.pause()
        assert " adamw " in shown(pilot)  # the curve takes lines, but not that of the cursor
        await pilot.press("c", "backspace")
        await wait_for_text(pilot, "optimizer.name = sgd")
        assert panel.asked.recipe == load_recipe("tutorial")


async def test_settings_are_kept_as_a_recipe_of_ones_own(sketches: DatasetFacts) -> None:
    """A name that is taken keeps the dialog open; the recipe is in hand then, unchanged, and in the list."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await pilot.press("3")
        await wait_for_text(pilot, "Which network?")
        pilot.app.screen.query_one(PlanPanel).set_value("epochs", "7")
        await pilot.press("k", *"tutorial", "enter")
        await wait_for_text(pilot, "tutorial comes with the program")
        await pilot.press(*["backspace"] * 8, *"mine", "enter")
        await wait_for_text(pilot, "recipe mine · data set few")
        assert load_recipe("mine").epochs == 7
        assert "changed" not in text_of(pilot, "#plan-title")
        await pilot.press("r")
        await wait_for_text(pilot, "tutorial with epochs=7")
        assert "your own" in shown(pilot)


async def test_every_explanation_is_whole(sketches: DatasetFacts) -> None:
    """Nothing of any setting's explanation is cut; end and home go to the last and the first."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel = pilot.app.screen.query_one(PlanPanel)
        for row, planned in enumerate(panel.plan.settings):
            panel.query_one(SettingsTable).move_cursor(row=row)
            whole = " ".join(setting_text(planned, "recipe tutorial").split())
            await wait_until(pilot, lambda whole=whole: whole in " ".join(shown(pilot).split()))
        await pilot.press("home")
        await wait_for_text(pilot, "network = tutorial")
        await pilot.press("end")
        await wait_for_text(pilot, "seed = 1")


async def test_choices_are_lists_with_their_explanation(sketches: DatasetFacts) -> None:
    """Networks, words, yes and no, and devices are chosen, not typed; numbers say their range in the dialog."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3", "v")
        await wait_for_text(pilot, "resnet18      11,173,962 parameters")
        await pilot.press("tab", *"nope", "enter")
        await wait_for_text(pilot, "There is no network named 'nope'")
        await pilot.press("escape")
        pilot.app.screen.query_one(PlanPanel).go_to("loader.kind")
        await pilot.press("v")
        text = await wait_for_text(pilot, "resident · the recipe")
        assert "a batch is an index into it" in text
        await pilot.press("up", "enter")
        await wait_for_text(pilot, "● 1 changed")
        await pilot.press("end", "up", "v")
        await wait_for_text(pilot, "auto · as usual")
        await pilot.press("down", "enter")
        await wait_for_text(pilot, "usually: auto")
        await pilot.press("home", "right", "v")
        await wait_for_text(pilot, "at least 1 and at most 100,000")
        await wait_for_text(pilot, "⏎ keep")


@pytest.mark.parametrize("key", ["network", "loader.kind", "optimizer.name"])
async def test_choices_fit_the_screen(key: str) -> None:
    """The whole dialog is seen, with all of the explanation; the list alone scrolls; where the cursor is, is whole."""
    save_dataset("wide", noise(40, size=64, classes=2), noise(10, size=64, classes=2), ("cat", "dog"), "tests")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        panel = pilot.app.screen.query_one(PlanPanel)
        panel.go_to(key)
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
        await pilot.press("home", "right")
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
