"""The model screen: the table of operations and the arithmetic of the one under the cursor."""

import re
import time
from contextlib import chdir
from pathlib import Path

import pytest
from textual.widgets import Input

from cifartui.dataset.store import DatasetFacts, save_dataset
from cifartui.model.memory import training_bytes
from cifartui.model.network import load_network
from cifartui.model.summary import summarize
from cifartui.text import size
from cifartui.training.recipes.settings import override
from cifartui.tui.app import CifarApp
from cifartui.tui.widgets.layer_table import LayerTable
from cifartui.tui.widgets.network_drawing import NetworkDrawing
from tests.conftest import noise
from tests.tui.driving import LARGE, SMALL, shown, text_of, wait_for_text, wait_until

OWN_NETS = """
import time
from torch import nn
from torchvision.models import resnet18 as make

def slow():
    time.sleep(600)

class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 5)
        self.fc = nn.Linear(7, 10)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))
"""


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_every_operation_stands_in_the_table(sketches: DatasetFacts, size: tuple[int, int]) -> None:
    """Twelve rows and the totals, all on one screen, without scrolling."""
    async with CifarApp().run_test(size=size) as pilot:
        await pilot.press("2")
        text = await wait_for_text(pilot, "fc3")
        assert "62,006 parameters" in text
        for name in (
            "conv1",
            "relu1",
            "pool1",
            "conv2",
            "relu2",
            "pool2",
            "flatten",
            "fc1",
            "relu3",
            "fc2",
            "relu4",
            "fc3",
        ):
            assert f" {name} " in text
        assert "⌊(32 − 5 + 2·0)/1⌋ + 1 = 28" in text


async def test_selected_layer_is_spelled_out(sketches: DatasetFacts) -> None:
    """conv1's parameters and multiply-adds, and why fc1 takes 400."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", "down")
        text = await wait_for_text(pilot, "(5·5·3 + 1)·6 = 456")
        assert "28·28·6·(5·5·3) = 352,800" in text
        await pilot.press(*["down"] * 6)
        text = await wait_for_text(pilot, "flatten · flatten")
        assert "16·5·5 = 400" in text
        await pilot.press("down")
        await wait_for_text(pilot, "400·120 + 120 = 48,120")


async def test_typing_changes_every_later_shape_and_r_repairs(sketches: DatasetFacts) -> None:
    """The table follows each key; where the chain breaks the row says why, r mends it, u takes changes back."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "enter")
        await wait_for_text(pilot, "kernel_size=5 stride=1 padding=0")
        edit = pilot.app.screen.query_one("#edit", Input)
        edit.value = "in_channels=3 out_channels=6 kernel_size=5 padding="
        await wait_for_text(pilot, "padding = '' is not allowed")
        for typed, sentence in (
            ("kernel_size=5 stride=0", "stride = 0 is not allowed"),
            ("kernel_size=-5", "kernel_size = -5 is not allowed"),
            ("kernel_size=40", "conv1's 40×40 kernel is larger than its 32 × 32 input"),
            ("kernel_size=5 groups=2", "conv1's 3 in_channels cannot be divided among 2 groups"),
        ):
            edit.value = f"in_channels=3 out_channels=6 {typed}"
            text = await wait_for_text(pilot, sentence)
            assert all(name in text for name in ("input", "conv1", "fc3"))
        edit.value = "in_channels=3 out_channels=6 kernel_size=5 padding=2"
        await wait_for_text(pilot, "6 × 32 × 32")
        await wait_for_text(pilot, "✗ fc1")
        await pilot.press("enter", *["down"] * 7)
        await wait_for_text(pilot, "fc1 expects 400 inputs; flatten gives 16·6·6 = 576.")
        await wait_for_text(pilot, "y sets in_features=576 out_features=120")
        await pilot.press("y")
        await wait_for_text(pilot, "83,126 parameters")
        assert "✗" not in shown(pilot)
        await pilot.press("u", "u")
        await wait_for_text(pilot, "62,006 parameters")
        assert "changed" not in shown(pilot)
        await pilot.press("U")
        await wait_for_text(pilot, "✗ fc1")


async def test_escape_leaves_the_layer_as_it_was(sketches: DatasetFacts) -> None:
    """What was typed and not taken is forgotten."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "enter")
        await wait_for_text(pilot, "kernel_size=5 stride=1")
        pilot.app.screen.query_one("#edit", Input).value = "in_channels=3 out_channels=60 kernel_size=5"
        await wait_for_text(pilot, "60 × 28 × 28")
        await pilot.press("escape")
        await wait_for_text(pilot, "62,006 parameters")
        assert "60 × 28 × 28" not in shown(pilot)


async def test_layers_are_added_moved_removed_and_the_network_kept(sketches: DatasetFacts) -> None:
    """a adds below the cursor, shift and arrows move, delete removes, v changes the input, k keeps it for recipes."""
    async with CifarApp().run_test(size=SMALL, notifications=True) as pilot:
        await pilot.press("2", "down")
        await wait_for_text(pilot, "multiply-adds     28")
        await pilot.press("a")
        await wait_for_text(pilot, "Add a layer below this one")
        await pilot.press(*["down"] * 4, "enter")
        await wait_for_text(pilot, "62,018 parameters")
        await pilot.press("shift+down")
        await wait_until(pilot, lambda: shown(pilot).index("relu1") < shown(pilot).index("norm1"))
        await pilot.press("k")
        pilot.app.screen.query_one(Input).value = "tutorial"
        await pilot.press("enter")
        await wait_for_text(pilot, "tutorial comes with the program")
        pilot.app.screen.query_one(Input).value = "normed"
        await pilot.press("enter")
        await wait_for_text(pilot, "normed · 62,018 parameters")
        assert [layer.name for layer in load_network("normed").layers][:3] == ["conv1", "relu1", "norm1"]
        await pilot.press("delete")
        await wait_for_text(pilot, "62,006 parameters")
        await pilot.press("v")
        pilot.app.screen.query_one(Input).value = "3x64x64"
        await pilot.press("enter")
        await wait_for_text(pilot, "✗ fc1")


async def test_sequences_and_blocks_open_and_close(sketches: DatasetFacts) -> None:
    """resnet18 from the list: arrows open a sequence, then a block; within it nothing can be changed; u goes back."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", "o")
        await wait_for_text(pilot, "11,173,962")
        await pilot.press("down", "down", "enter")
        await wait_for_text(pilot, "resnet18 · 11,173,962 parameters")
        await pilot.press(*["down"] * 5)
        text = await wait_for_text(pilot, "Layers that follow one another under one name")
        assert "▸ layer2" in text
        assert "2 in a sequence" in text
        assert "layer2.0" not in text
        await pilot.press("right", "down")
        await wait_for_text(pilot, "73,728 + 256 + 147,456 + 256 + 8,192 + 256 = 230,144")
        await pilot.press("right", *["down"] * 6)
        await wait_for_text(pilot, "layer2.0.downsample.0 · conv2d 1×1")
        assert not pilot.app.screen.check_action("remove", ())
        await pilot.press("left")
        text = await wait_for_text(pilot, "layer2.0 · residual block")
        assert "▸ layer2.0" in text
        await pilot.press("left", "left")
        await wait_until(pilot, lambda: "layer2.0" not in shown(pilot))
        await pilot.press("u")
        await wait_for_text(pilot, "tutorial · 62,006 parameters")


async def test_code_of_ones_own_is_run_and_looked_at(sketches: DatasetFacts, tmp_path: Path) -> None:
    """o and package.module:name: operations nested as its modules are; nothing can be edited; trouble is a sentence."""
    (tmp_path / "own_nets.py").write_text(OWN_NETS)
    with chdir(tmp_path):
        async with CifarApp().run_test(size=LARGE, notifications=True) as pilot:
            await pilot.press("2", "o")
            await wait_for_text(pilot, "11,173,962")
            await pilot.press("tab", *"own_nets:make", "enter")
            await wait_for_text(pilot, "running own_nets:make once")
            await wait_for_text(pilot, "make · code of yours, not edited here · 11,689,512 parameters")
            assert "changed" not in shown(pilot)
            for action in ("add", "remove", "save", "source", "walk", "maps"):
                assert not pilot.app.screen.check_action(action, ())
            await pilot.press(*["down"] * 5, "right")
            await wait_for_text(pilot, "▾ layer1")
            await pilot.press("down", "enter", "down")
            await wait_for_text(pilot, "layer1.0.conv1 · conv2d 3×3")
            await pilot.press("o", "tab", *"own_nets:Odd", "enter")
            await wait_for_text(pilot, "Odd · code of yours, not edited here · ✗ the chain breaks")
            await wait_for_text(pilot, "fc expects 7 inputs; it is given 4,704 inputs.")
            await pilot.press("end", *["down"] * 9)
            await wait_for_text(pilot, "the forward pass ends here")
            await pilot.press("u")
            await wait_for_text(pilot, "make · code of yours, not edited here · 11,689,512 parameters")
            await pilot.press("o", "tab", *"own_nets:missing", "enter")
            await wait_for_text(pilot, "missing")
            await wait_for_text(pilot, "make · code of yours, not edited here · 11,689,512 parameters")
            await pilot.press("o", "tab", *"own_nets:slow", "enter")
            await wait_for_text(pilot, "running own_nets:slow once")
            started = time.monotonic()
    assert time.monotonic() - started < 10


async def test_memory_follows_the_batch_size(sketches: DatasetFacts) -> None:
    """The input's text says what training takes; it is the batch size of the recipe in hand."""
    app = CifarApp()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("2")
        await wait_for_text(pilot, "at batch size 4")
        assert "that the backward pass needs of a batch of 4" in text_of(pilot, "#layer")
        app.recipe = override(app.recipe, ["batch_size=512"])
        await pilot.press("1", "2")
        await wait_for_text(pilot, "at batch size 512")
        expected = size(training_bytes(summarize(load_network("tutorial")), 512))
        await wait_until(pilot, lambda: "needs of a batch of 512" in text_of(pilot, "#layer"))
        assert f"at least {expected}" in text_of(pilot, "#layer")


async def test_keys_are_told(sketches: DatasetFacts) -> None:
    """? lists the program's own keys, those that are not on the last line too; escape closes the list."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", "down")
        await wait_for_text(pilot, "conv1 · conv2d")
        await pilot.press("question_mark", "tab")
        text = await wait_for_text(pilot, "Add a layer below the one")
        assert "Hide the layers inside the block (not now)" in text
        assert "Page" not in text
        await pilot.press("escape")
        await wait_until(pilot, lambda: "Add a layer below" not in shown(pilot))


async def test_leaving_with_changes_asks(sketches: DatasetFacts) -> None:
    """q after a change asks; n stays, y leaves; without changes nothing is asked."""
    app = CifarApp()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "delete")
        await wait_for_text(pilot, "tutorial · changed")
        await pilot.press("q")
        await wait_for_text(pilot, "The changes to network tutorial are not kept")
        await pilot.press("n", "u")
        await wait_for_text(pilot, "tutorial · 62,006")
        await pilot.press("q")
    assert app.return_code == 0


async def test_tab_goes_from_number_to_number(sketches: DatasetFacts) -> None:
    """The first is selected at once; typing replaces what is selected, escape drops it all."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "enter")
        await wait_for_text(pilot, "kernel_size=5 stride=1")
        await pilot.press("tab", "tab", "3")
        await wait_for_text(pilot, "kernel_size=3 stride=1")
        await wait_for_text(pilot, "6 × 30 × 30")
        await pilot.press("shift+tab", "8", "enter")
        await wait_for_text(pilot, "✗ conv2 expects 6 channels; it is given 8.")
        await pilot.press("y")
        await wait_for_text(pilot, "16 × 11 × 11")


async def test_the_network_follows_the_data_set_in_hand(tmp_path: Path) -> None:
    """64×64 pictures of two classes: what follows is marked and told, editing goes on from there, i tries another."""
    facts = save_dataset("pets", noise(4, 64, 2), noise(4, 64, 2, seed=1), ("cat", "dog"), "noise for the tests")
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, f"{facts.name} · training images")
        await pilot.press("2")
        text = await wait_for_text(pilot, "* follows pets")
        assert re.findall(r"^ (\w+) \* ", text, re.MULTILINE) == ["input", "fc1", "fc3"]
        assert "changed" not in text
        await pilot.press(*["down"] * 8)
        text = await wait_for_text(pilot, "* follows")
        await wait_for_text(pilot, "fc1 takes 2,704 inputs for pictures of 64 × 64")
        await pilot.press("up", *["up"] * 6, "enter", *["tab"] * 4, "2", "enter")
        reason = "✗ fc1 expects 2,704 inputs; flatten gives 16·14·14 = 3,136."
        await wait_until(pilot, lambda: reason in " ".join(shown(pilot).split()))
        text = shown(pilot)
        assert "tutorial · changed" in text
        assert "y repair" in text
        assert "? explain" in text
        await pilot.press("y")
        await wait_for_text(pilot, "16·14·14 = 3,136")
        await wait_until(pilot, lambda: "✗" not in shown(pilot))
        await pilot.press("u", "u")
        await wait_until(pilot, lambda: "changed" not in shown(pilot))
        await pilot.press("v")
        pilot.app.screen.query_one(Input).value = "3x32x32"
        await pilot.press("enter")
        await wait_for_text(pilot, "✗ fc1 expects 2,704 inputs; flatten gives 16·5·5 = 400.")
        await pilot.press("u")
        await wait_for_text(pilot, "* follows pets")


async def test_tab_leaves_the_table_alone_and_space_shows_the_rest(sketches: DatasetFacts) -> None:
    """After tab the arrows still go through the layers and enter edits; space shows the text's end, then its start."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "tab", "tab")
        text = await wait_for_text(pilot, "space more")
        assert "⏎ edit" in text
        assert "memory   " not in text
        await pilot.press("space")
        await wait_for_text(pilot, "memory   ")
        await pilot.press(*["space"] * 3)
        await wait_for_text(pilot, "multiply-adds     28·28·6")
        await pilot.press("down")
        await wait_for_text(pilot, "relu1 · relu")
        assert "space more" not in shown(pilot)
        await pilot.press("up", "enter")
        await wait_for_text(pilot, "kernel_size=5 stride=1")


async def test_a_line_that_is_gone_before_its_text_is_drawn(sketches: DatasetFacts) -> None:
    """The table tells of a line of a long network, and shows a short one before the screen hears of it."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await wait_for_text(pilot, "few · training images")
        await pilot.press("2")
        await wait_for_text(pilot, "conv2d 5×5")
        screen = pilot.app.screen
        table = screen.query_one(LayerTable)
        screen.draw(load_network("resnet18"))
        table.action_scroll_bottom()
        table.on_data_table_row_highlighted()
        screen.draw(load_network("tutorial"))
        await pilot.press("end")
        await wait_for_text(pilot, "fc3 · linear · 84 → 10")


async def test_the_drawing_follows_the_cursor_and_leads_it(sketches: DatasetFacts) -> None:
    """On a small terminal c shows it below some of the table; on any, a click on a volume goes to its layer."""
    async with CifarApp().run_test(size=SMALL) as pilot:
        await pilot.press("2", *["down"] * 4)
        await wait_for_text(pilot, "conv2 · conv2d 5×5")
        assert "16×10×10" not in shown(pilot)
        await pilot.press("c")
        text = await wait_for_text(pilot, "16×10×10")
        assert "conv2 · conv2d 5×5" in text
        drawing = pilot.app.screen.query_one(NetworkDrawing)
        names = next(line for line in text.splitlines() if "pool1" in line and "conv1" in line and "input" in line)
        await pilot.click(drawing, offset=(names.index("pool1") - drawing.region.x, drawing.size.height - 4))
        await wait_for_text(pilot, "pool1 · max pool 2×2")
        await pilot.press("c")
        await wait_until(pilot, lambda: "16×10×10" not in shown(pilot))


async def test_source_is_shown(sketches: DatasetFacts) -> None:
    """p shows the code that runs without this program."""
    async with CifarApp().run_test(size=LARGE) as pilot:
        await pilot.press("2", "p")
        await wait_for_text(pilot, "self.conv1 = nn.Conv2d(3, 6, 5)")
        await pilot.press("escape")
        await wait_for_text(pilot, "62,006 parameters")
