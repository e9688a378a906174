"""The foot of every screen: what is said, the line of keys, and the list of all keys behind `?`."""

import asyncio
from typing import cast

import pytest
from rich.style import Style
from textual.content import Content
from textual.events import Click, Key
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from cifartui.dataset.store import DatasetFacts
from cifartui.training.run.events import StateChanged
from cifartui.training.run.folder import all_runs
from cifartui.tui import app as app_module
from cifartui.tui import notices
from cifartui.tui.app import CifarApp
from cifartui.tui.messages import Notice
from cifartui.tui.widgets.dialogs import TextDialog
from cifartui.tui.widgets.key_line import KeyLine, line_of
from cifartui.tui.widgets.notice_line import notice_text
from tests.tui.driving import SMALL, scripted_run, shown, wait_for_text, wait_until

LEAVE, BACK = "? explain  q leave", "esc back  ? explain"


def foot(pilot: Pilot[None]) -> str:
    """The last line of the screen."""
    return shown(pilot).splitlines()[-1].rstrip()


def body(pilot: Pilot[None]) -> str:
    """All but the last line, without the blanks at their ends."""
    return "\n".join(line.rstrip() for line in shown(pilot).splitlines()[:-1])


# THE LINE OF KEYS


async def test_keys_of_the_screen_below_a_dialog_stay_as_they_are(sketches: DatasetFacts) -> None:
    """The screen is seen through the dialog; what happens meanwhile brings no key into its line."""
    run, _ = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:
            await wait_for_text(pilot, "space pause")
            below, keys = pilot.app.screen, foot(pilot)
            await pilot.press("x")
            await wait_for_text(pilot, "let it go on")
            below.refresh_bindings()
            below.query_one(KeyLine).refresh()
            await pilot.pause(0.2)
            assert foot(pilot) == keys


async def test_help_and_the_way_out_stand_at_the_right_on_every_screen(sketches: DatasetFacts) -> None:
    """Every screen and sub-screen at 80×24, in its states: the same keys at the right end, the line never cut."""
    run, journal = scripted_run(sketches.name)
    with run.lock():
        async with CifarApp().run_test(size=SMALL) as pilot:

            async def has(end: str, *keys: str) -> None:
                await pilot.press(*keys)
                await wait_until(pilot, lambda: foot(pilot).endswith(end), seconds=20)

            await wait_for_text(pilot, "● running")
            await has(LEAVE)
            journal.append(StateChanged(state="paused"))
            await wait_for_text(pilot, "space go on")
            await has(LEAVE)
            await has(BACK, "o")
            await has(LEAVE, "escape")
            await wait_for_text(pilot, "space go on")
            await has(LEAVE, "1")
            await has(LEAVE, "c", "Z", "s", "Z")
            await has(BACK, "o")
            await has(LEAVE, "escape")
            await has(BACK, "l")
            await has(LEAVE, "escape")
            await has(LEAVE, "2", "down", "delete", "u")
            await has("esc drop", "enter")
            await has(LEAVE, "escape")
            await has(LEAVE, "4", "c")
            await has(LEAVE, "2")
            await has(BACK, "l")
            await wait_for_text(pilot, "gives 6 × 28 × 28")
            await has(BACK)
            await has(LEAVE, "escape")
            await has(BACK, "w")
            await wait_for_text(pilot, "step 1/784")
            await has(BACK)


@pytest.mark.parametrize("width", [80, 40, 16])
def test_keys_that_do_not_fit_are_marked(width: int) -> None:
    """The first keys stay, `…` stands for the others, the end is whole."""
    keys = [Content(f"{letter} does this") for letter in "abcdefghij"]
    line = line_of(keys, [Content("? help"), Content("q leave")], width).plain
    assert line.endswith("? help  q leave ")
    assert len(line) == max(width, 18)
    assert "…" in line
    assert "…" not in line_of(keys[:2], [Content("q leave")], 80).plain


# WHAT IS SAID


async def test_what_is_said_takes_its_lines_from_nobody(
    sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands above the keys, the newest alone, with a mark; it stays while it is read and goes with a key."""
    monkeypatch.setattr(app_module, "READING_SECONDS", 0.3)
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await wait_for_text(pilot, "few · training images")
        await pilot.press("o")
        await wait_for_text(pilot, "Normalize")
        before = body(pilot)
        pilot.app.tell("All is well.")
        pilot.app.complain("The disk is full; free some space and try again.")
        await wait_for_text(pilot, "✗ The disk is full; free some space and try again.")
        assert shown(pilot).splitlines()[-2].startswith(" ✗ The disk")
        assert "All is well" not in shown(pilot)
        assert foot(pilot).endswith(BACK)
        read = [line for line in before.splitlines() if line and "▀" not in line]
        assert any("Normalize" in line for line in read)
        assert set(read) <= set(body(pilot).splitlines())
        await pilot.press("right")
        assert "✗ The disk" in shown(pilot)
        await asyncio.sleep(0.3)
        await pilot.press("left")
        await wait_until(pilot, lambda: body(pilot) == before, seconds=10)


async def test_what_is_said_goes_by_itself(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good news sooner than bad; also on a dialog, and on the screen that comes next."""
    monkeypatch.setattr(notices, "NEWS_SECONDS", 3.0)
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await wait_for_text(pilot, "few · training images")
        pilot.app.push_screen(TextDialog("Name:"))
        pilot.app.tell("It is done.")
        await wait_for_text(pilot, "✓ It is done.")
        await pilot.press("escape", "2")
        await wait_for_text(pilot, "62,006")
        await wait_for_text(pilot, "✓ It is done.")
        await wait_until(pilot, lambda: "It is done." not in shown(pilot), seconds=10)


def test_long_sentences_wrap_and_are_cut_with_a_mark() -> None:
    """Up to as many lines as there are, `…` at the end of the last if there is more; nothing invisible."""
    said = notice_text(Notice("word " * 100 + "\x1b[2Jend", is_error=False), 78, 4).plain
    assert len(said.splitlines()) == 4
    assert max(map(len, said.splitlines())) <= 78
    assert said.endswith("…")
    whole = notice_text(Notice("word " * 30 + "\x1b[2Jend", is_error=True), 78, 4).plain
    assert " ".join(whole.split()) == "✗ " + "word " * 30 + "�[2Jend"


# ALL KEYS


async def test_help_lists_every_key_of_the_screen_in_sentences(sketches: DatasetFacts) -> None:
    """Hidden ones too, those without use now marked, those of all screens apart; all of it can be scrolled to."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("question_mark", "tab")
        text = await wait_for_text(pilot, "on this screen")
        assert "Use the data set under the cursor for training" in text
        listed = " ".join(str(pilot.app.screen.query_one("#keys", Static).content).split())
        for part in (
            "Z Give the pictures the whole screen",
            "an export (not now)",
            "del Remove the data set",
            "on every screen 1 d Go to the data sets",
            "q Leave the program",
        ):
            assert part in listed
        await pilot.press("end")
        await wait_for_text(pilot, "q            Leave the program", seconds=10)


@pytest.mark.parametrize("mode", ["dataset", "model", "training", "evaluation"])
async def test_every_key_has_a_sentence(sketches: DatasetFacts, mode: str) -> None:
    """What a key does is said with more than the word on the line of keys."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        pilot.app.switch_mode(mode)
        await pilot.pause()
        for active in pilot.app.screen.active_bindings.values():
            if active.binding.id and not active.binding.system:
                assert " " in active.binding.tooltip, active.binding


# KEYS TYPED FAST


async def test_keys_typed_while_a_line_opens_go_into_it(sketches: DatasetFacts) -> None:
    """A new value and enter right behind v: the setting is changed, and no run is started by that enter."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        assert isinstance(pilot.app, CifarApp)
        await wait_for_text(pilot, "few · training images")
        await pilot.press("3")
        await wait_for_text(pilot, "network = tutorial")
        await pilot.press("right")
        await wait_for_text(pilot, "epochs = 2")
        for key in ("v", "7", "enter"):
            pilot.app.post_message(Key(key, key if key == "7" else None))
        await wait_until(pilot, lambda: cast(CifarApp, pilot.app).recipe.epochs == 7, seconds=10)
        await pilot.pause()
    assert all_runs() == []


async def test_a_second_enter_does_not_close_the_screen_below(sketches: DatasetFacts) -> None:
    """A dialog closes once, however often it is told to."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("o")
        await wait_for_text(pilot, "Normalize")
        pilot.app.push_screen(TextDialog("Name:"))
        await pilot.pause()
        for _ in range(3):
            pilot.app.simulate_key("enter")
        await pilot.pause()
        await wait_until(pilot, lambda: "Name:" not in shown(pilot), seconds=10)
        assert "Normalize" in shown(pilot)


async def test_a_click_on_a_line_that_is_gone_chooses_nothing(sketches: DatasetFacts) -> None:
    """The click was on a line of a longer list, which became shorter before it heard of it."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        datasets = pilot.app.screen.query_one("#datasets", OptionList)
        click = Click(datasets, 1, 1, 0, 0, 1, False, False, False, style=Style.from_meta({"option": 40}))
        datasets.post_message(click)
        await pilot.pause()
        assert "few · training images" in shown(pilot)
