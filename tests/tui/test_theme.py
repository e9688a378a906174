"""The palette: what has to be read can be, and no two classes look alike."""

import pytest
from rich.color import ColorSystem
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content
from textual.geometry import Region
from textual.widgets import Input

from cifartui.tui.app import CifarApp
from cifartui.tui.theme import CLASSES, class_variable, colour, first_theme, themes, wear
from cifartui.tui.widgets.bars import bar
from cifartui.tui.widgets.panel import Panel

READABLE = 4.5
"""Of the lighter colour to the darker, by WCAG 2.1 (AA)."""


def contrast(one: Color, other: Color) -> float:
    """The ratio of two colours' relative luminances (WCAG 2.1)."""

    def luminance(shown: Color) -> float:
        shares = [channel / 255 for channel in shown.rgb]
        red, green, blue = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", ["truecolor", "256"])
@pytest.mark.parametrize("place", [0, 1], ids=["dark", "light"])
def test_texts_are_read_on_their_backgrounds(colours: str, place: int) -> None:
    """Text, quiet text, explanations, good and bad news on background and bars; the line under the cursor."""
    own = themes(colours)[place]
    for background in (own.background, own.panel):
        for text in (own.foreground, own.variables["quiet"], own.accent, own.warning, own.success, own.error):
            assert contrast(Color.parse(str(background)), Color.parse(str(text))) >= READABLE, (background, text)
    cursor = [Color.parse(own.variables[f"block-cursor-{which}"]) for which in ("foreground", "background")]
    assert contrast(*cursor) >= READABLE


@pytest.mark.parametrize("colours", ["truecolor", "256", "standard", None])
@pytest.mark.parametrize("place", [0, 1], ids=["dark", "light"])
def test_no_two_classes_have_one_colour(colours: str | None, place: int) -> None:
    """As the terminal shows them, not only as they are written."""
    variables = themes(colours)[place].variables
    seen = [Color.parse(variables[class_variable(name, 0)]).rich_color for name in CLASSES]
    if colours == "256":
        seen = [shown.downgrade(ColorSystem.EIGHT_BIT) for shown in seen]
    assert len({shown.number if colours != "truecolor" else shown.triplet for shown in seen}) == len(CLASSES)
    assert class_variable("a class of another data set", 13) == f"class-{CLASSES[3]}"


def test_the_terminal_says_whether_it_is_light() -> None:
    """By the last number of `COLORFGBG`; dark where it says nothing, or nothing that is understood."""
    assert [first_theme(said) for said in (None, "", "15;0", "0;15", "0;default;7", "nonsense")] == [
        "dark",
        "dark",
        "dark",
        "light",
        "light",
        "dark",
    ]


@pytest.mark.parametrize("colours", ["truecolor", "256", "standard"])
async def test_light_and_dark_change_at_once(home: object, colours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the palette's command, whatever colours there are, and what draws by red, green and blue follows."""
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", colours)
    async with CifarApp().run_test() as pilot:
        dark = colour(pilot.app, "class-cat")
        pilot.app.search_themes()
        await pilot.pause()
        assert pilot.app.theme == "light"
        assert colour(pilot.app, "class-cat") != dark


class PanelApp(App[None]):
    """Two panels, of which one can have the focus."""

    HORIZONTAL_BREAKPOINTS = CifarApp.HORIZONTAL_BREAKPOINTS

    def __init__(self) -> None:
        super().__init__()
        wear(self, None)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The names of our colours."""
        return themes(None)[0].variables

    def compose(self) -> ComposeResult:
        yield Panel("[red]one[/] \x1b[31m", Input(), fact="1 of 2", id="one")
        yield Panel("two", id="two")


async def test_a_panel_has_a_border_where_there_is_room() -> None:
    """From 100 columns on; bright around the focus; its title is text, whatever stands in it; narrow, it is a line."""
    async with PanelApp().run_test(size=(100, 10)) as pilot:
        one, two = pilot.app.query(Panel)
        assert [panel.styles.border_bottom for panel in (one, two)] == [
            ("round", colour(pilot.app, "accent")),
            ("round", colour(pilot.app, "edge")),
        ]
        assert Content.from_markup(str(one.border_title)).plain == "[red]one[/] �[31m"
        await pilot.resize_terminal(99, 10)
        await pilot.pause()
        assert one.styles.border_bottom[0] == ""
        assert one.styles.border_top[0] == "blank"


async def test_nothing_is_black_on_black_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """On sixteen colours under `NO_COLOR` a terminal's own colours are all there is, and the cursor is reversed."""
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "standard")
    monkeypatch.setenv("NO_COLOR", "1")
    async with PanelApp().run_test(size=(100, 10)) as pilot:
        drawn = [
            segment.style
            for line in pilot.app.screen.query_one("#one").render_lines(Region(0, 0, 40, 3))
            for segment in line.apply_filter(pilot.app._filters[-1], colour(pilot.app, "background"))
            if segment.style
        ]
        assert drawn
        assert all(style.color is None or style.color.is_default for style in drawn)


async def test_bars_differ_by_eighths() -> None:
    """The last cell's colour says how much of it is filled; on sixteen colours a cell is full or empty."""
    async with PanelApp().run_test() as pilot:
        app = pilot.app
        looks = [bar(app, share, 10, "class-cat") for share in (0, 0.0001, 0.416, 0.454, 1, 2)]
        assert {look.cell_length for look in looks} == {10}
        nothing, little, less, more, whole = (str(look.spans) for look in looks[:-1])
        assert len({nothing, little, less, more, whole}) == 5
        assert looks[-1].spans == looks[-2].spans
        app.theme = "ansi-dark"
        await pilot.pause()
        assert [bar(app, share, 10).plain for share in (0, 0.0001, 0.454, 1)] == [
            " " * 10,
            "▇" + " " * 9,
            "▇" * 5 + " " * 5,
            "▇" * 10,
        ]
