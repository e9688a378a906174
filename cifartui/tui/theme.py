"""The one palette: what each colour is for, dark and light, for terminals of many, of 256 and of sixteen colours.

Sheets name a colour as `$edge`, `Content` as `"$edge"`, and what needs red, green and blue asks `colour`. Under
`NO_COLOR` the library turns all into greys, or on sixteen colours into none: a mark or a word says what a colour says.
"""

from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.color import Color
from textual.filter import Monochrome, NoColor
from textual.theme import BUILTIN_THEMES, Theme

DARK, LIGHT = "dark", "light"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The classes of CIFAR-10, each of which has its colour; those of other data sets take them by their place."""


@dataclass(frozen=True)
class Palette:
    """A table of colours, as Textual writes them."""

    background: str
    bar: str
    """Behind the lines of tabs and keys."""
    track: str
    """Behind the part of a bar that is empty, and behind a line that is typed in."""
    edge: str
    """Of a panel without the focus."""
    text: str
    quiet: str
    """Of text that explains or counts; at 4.5 : 1 at least on the background."""
    accent: str
    """What has the focus, what can be pressed, and the network's own numbers."""
    explanation: str
    good: str
    bad: str
    cursor_text: str
    """Of the line under the cursor, on the accent."""
    classes: tuple[str, str, str, str, str, str, str, str, str, str]

    def variables(self) -> dict[str, str]:
        """What sheets and texts can name besides Textual's own variables."""
        return {
            "bar": self.bar,
            "track": self.track,
            "edge": self.edge,
            "quiet": self.quiet,
            "explanation": self.explanation,
            "text-muted": self.quiet,  # Textual's own is transparent, which texts within a widget cannot be
            "block-cursor-foreground": self.cursor_text,
            "block-cursor-background": self.accent,
            "block-cursor-blurred-foreground": self.text,
            "block-cursor-blurred-background": self.track,
            "scrollbar": self.edge,
            "scrollbar-background": self.background,
            **{f"class-{name}": own for name, own in zip(CLASSES, self.classes, strict=True)},
        }


DARK_PALETTE = Palette(
    background="#0d1117",
    bar="#161b22",
    track="#21282f",
    edge="#2b3440",
    text="#c9d1d9",
    quiet="#8b949e",
    accent="#58c4ff",
    explanation="#e3b341",
    good="#7ee787",
    bad="#ff7b72",
    cursor_text="#0d1117",
    classes=(
        "#6cb6ff",
        "#f6a04d",
        "#7ee787",
        "#ff7b72",
        "#d2a8ff",
        "#c69f7b",
        "#56d4c5",
        "#f2cc60",
        "#79a8c9",
        "#e58fb6",
    ),
)
LIGHT_PALETTE = Palette(
    background="#ffffff",
    bar="#eef1f4",
    track="#e3e8ed",
    edge="#b8c1cb",
    text="#1f2328",
    quiet="#59636e",
    accent="#0969da",
    explanation="#855700",
    good="#187733",
    bad="#cf222e",
    cursor_text="#ffffff",
    classes=(
        "#2f81e0",
        "#d9730d",
        "#2f9e44",
        "#e03e52",
        "#8250df",
        "#96683f",
        "#129488",
        "#bf9000",
        "#5b84a3",
        "#c9528f",
    ),
)
DARK_256 = Palette(
    background="#121212",
    bar="#1c1c1c",
    track="#303030",
    edge="#444444",
    text="#d0d0d0",
    quiet="#949494",
    accent="#5fd7ff",
    explanation="#d7af5f",
    good="#87d787",
    bad="#ff875f",
    cursor_text="#121212",
    classes=(
        "#5fafff",
        "#ffaf5f",
        "#87d787",
        "#ff875f",
        "#d7afff",
        "#d7af87",
        "#5fd7d7",
        "#ffd75f",
        "#87afd7",
        "#d787af",
    ),
)
LIGHT_256 = Palette(
    background="#ffffff",
    bar="#eeeeee",
    track="#dadada",
    edge="#b2b2b2",
    text="#1c1c1c",
    quiet="#626262",
    accent="#005fd7",
    explanation="#875f00",
    good="#005f00",
    bad="#d70000",
    cursor_text="#ffffff",
    classes=(
        "#0087d7",
        "#d78700",
        "#00af5f",
        "#d75f5f",
        "#875fd7",
        "#875f5f",
        "#008787",
        "#af8700",
        "#5f8787",
        "#af5f87",
    ),
)
DARK_16 = Palette(
    background="ansi_default",
    bar="ansi_default",
    track="ansi_default",
    edge="ansi_bright_black",
    text="ansi_default",
    quiet="ansi_default",  # the grey of many terminals cannot be read
    accent="ansi_cyan",
    explanation="ansi_yellow",
    good="ansi_green",
    bad="ansi_red",
    cursor_text="ansi_black",
    classes=(
        "ansi_bright_blue",
        "ansi_yellow",
        "ansi_bright_green",
        "ansi_bright_red",
        "ansi_magenta",
        "ansi_red",
        "ansi_bright_cyan",
        "ansi_bright_yellow",
        "ansi_cyan",
        "ansi_bright_magenta",
    ),
)
LIGHT_16 = Palette(
    background="ansi_default",
    bar="ansi_default",
    track="ansi_default",
    edge="ansi_bright_black",
    text="ansi_default",
    quiet="ansi_default",
    accent="ansi_blue",
    explanation="ansi_magenta",
    good="ansi_green",
    bad="ansi_red",
    cursor_text="ansi_bright_white",
    classes=(
        "ansi_blue",
        "ansi_yellow",
        "ansi_green",
        "ansi_red",
        "ansi_magenta",
        "ansi_bright_black",
        "ansi_cyan",
        "ansi_bright_red",
        "ansi_bright_blue",
        "ansi_bright_magenta",
    ),
)
UNDERLINED_CURSOR = {"block-cursor-text-style": "bold underline"}
"""What is seen of the line under the cursor on sixteen colours, where there may be none; lists leave a reverse out."""


def themes(color_system: str | None) -> tuple[Theme, Theme]:
    """The dark and the light theme for a terminal, by what Rich calls its colours: `truecolor`, `256`, `standard`."""
    tables = {"truecolor": (DARK_PALETTE, LIGHT_PALETTE), "256": (DARK_256, LIGHT_256)}
    dark, light = tables.get(color_system or "", (DARK_16, LIGHT_16))
    return _theme(DARK, dark), _theme(LIGHT, light)


def _theme(name: str, palette: Palette) -> Theme:
    is_ansi = palette.background == "ansi_default"
    library = BUILTIN_THEMES[f"ansi-{name}"].variables if is_ansi else {}  # what its sheets need on sixteen colours
    return Theme(
        name=name,
        primary=palette.accent,
        secondary=palette.quiet,
        accent=palette.accent,
        warning=palette.explanation,
        error=palette.bad,
        success=palette.good,
        foreground=palette.text,
        background=palette.background,
        surface=palette.background,
        panel=palette.bar,
        boost=palette.background,
        dark=name == DARK,
        ansi=is_ansi,
        variables={**library, **palette.variables(), **(UNDERLINED_CURSOR if is_ansi else {})},
    )


def wear(app: App[Any], colorfgbg: str | None) -> None:
    """Give an app the two themes of its terminal and the first of them; under `NO_COLOR`, too, see `first_theme`.

    The library chooses how colours are left out before there is a theme, and would leave black on black.
    """
    for theme in themes(app.console.color_system):
        app.register_theme(theme)
    app.theme = first_theme(colorfgbg)
    if app.no_color and app.current_theme.ansi:
        app._filters = [NoColor() if isinstance(kept, Monochrome) else kept for kept in app._filters]


def first_theme(colorfgbg: str | None) -> str:
    """The theme to begin with: light where the terminal says so by `COLORFGBG` (`0;15`), as few do; else dark."""
    return LIGHT if (colorfgbg or "").rpartition(";")[2] in ("7", "15") else DARK


def class_variable(name: str, place: int) -> str:
    """The variable of a class's colour, without its `$`: its own for CIFAR-10's, for others that of its place."""
    return f"class-{name if name in CLASSES else CLASSES[place % len(CLASSES)]}"


def between(app: App[Any], low: str, high: str, share: float) -> Color:
    """A colour between two of the theme in use, at `share` (0 to 1) of the way; not for sixteen colours."""
    mixed = colour(app, low).blend(colour(app, high), share)
    if app.console.color_system != "256":
        return mixed
    import numpy as np

    from cifartui.tui.widgets.palette import nearest_colours

    (red, green, blue) = nearest_colours(np.array([mixed.rgb], np.uint8))[0].tolist()
    return Color(red, green, blue)


def colour(app: App[Any], variable: str) -> Color:
    """A colour of the theme in use, for what draws by red, green and blue; on sixteen colours it has a number."""
    return Color.parse(app.theme_variables[variable])
