"""The panel that explains what is under the cursor."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from textual.content import Content
from textual.widgets import Static

from cifartui.lessons.topic import Explanation
from cifartui.text import printable
from cifartui.tui.widgets.panel import Panel

MARKED = re.compile(r"\*\*(.+?)\*\*|`(.+?)`")
"""What is strong in a lesson's text, and what is code."""
WORD_OF_CODE = re.compile(r"[^\s(]*\(|[^\s(]+\s*|\s+")
LEAST_CELLS = 20


class Explain(Panel):
    """What a thing is, why it is so, the lines of PyTorch that do it, and what to try."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # as in all widgets of the library
        super().__init__("", Static(id="lesson"), id=id, classes="-explaining")
        self._explanation: Explanation | None = None
        self._keys: tuple[tuple[str, str], ...] = ()

    def show(self, explanation: Explanation, keys: tuple[tuple[str, str], ...]) -> None:
        """Explain another thing, or the same with other numbers; below it stand the screen's keys, if there is room."""
        if (explanation, keys) != (self._explanation, self._keys):
            self._explanation, self._keys = explanation, keys
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        columns, lines = self.content_size
        if self._explanation is None or not columns:  # it has no size before it is laid out
            return
        self.entitle(self._explanation.title)
        text = explanation_text(self._explanation, columns)
        listed = _keys_text(self._keys, columns)
        taken, wanted = len(text.wrap(columns)), len(listed.split())
        with_keys = self._keys and taken + wanted + 1 <= lines
        self.query_one(Static).update(Content.assemble(text, "\n\n", listed) if with_keys else text)
        self.say("" if taken <= lines else "? shows the rest")


def _keys_text(keys: Sequence[tuple[str, str]], columns: int) -> Content:
    """Keys and what each does, two in a line."""
    if not keys:
        return Content("")
    texts = [Content.assemble((key, "bold $primary"), f" {what}") for key, what in keys]
    width = columns // 2
    lines = [Content.styled("keys", "bold $explanation")]
    for left, right in zip_longest(texts[::2], texts[1::2], fillvalue=Content("")):
        lines.append(left.pad_right(max(1, width - left.cell_length)) + right if right else left)
    return Content("\n").join(lines)


def explanation_text(explanation: Explanation, columns: int) -> Content:
    """An explanation apart from its title, for a panel of so many columns."""
    parts = [Content("\n\n").join(map(lesson_text, explanation.paragraphs))]
    if explanation.code:
        parts.append(Content.assemble(("in PyTorch", "bold $explanation"), "\n", code_text(explanation.code, columns)))
    if explanation.ideas:
        ideas = Content("\n").join(map(lesson_text, explanation.ideas))
        parts.append(Content.assemble(("try", "bold $explanation"), "\n", ideas))
    return Content("\n\n").join(parts)


def lesson_text(text: str) -> Content:
    """A lesson's text with what is strong and what is code."""
    parts, end = list[Content](), 0
    shown = "\n".join(map(printable, text.splitlines()))
    for mark in MARKED.finditer(shown):
        strong, code = mark.groups()
        parts += [Content(shown[end : mark.start()]), Content.styled(strong or code, "bold" if strong else "$primary")]
        end = mark.end()
    return Content("").join([*parts, Content(shown[end:])])


def code_text(lines: Sequence[str], columns: int) -> Content:
    """Lines of Python, highlighted; longer ones go on below, further in."""
    from textual.highlight import highlight  # its lexers take longer to load than a frame to draw

    folded = [part for line in lines for part in _folded(printable(line), max(columns, LEAST_CELLS))]
    return highlight("\n".join(folded), language="python")


def _folded(line: str, columns: int) -> Iterator[str]:
    """A line of code in lines of at most so many cells where it can be: broken at blanks and after brackets."""
    indent = " " * (len(line) - len(line.lstrip()))
    part = indent
    for word in WORD_OF_CODE.findall(line.lstrip()):
        if part.strip() and len(part) + len(word.rstrip()) > columns:
            yield part.rstrip()
            part = f"{indent}    "
        part += word
    yield part.rstrip()
