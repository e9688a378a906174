"""What the screens send over a line to a terminal while nothing happens."""

import pytest

from cifartui.dataset.store import DatasetFacts
from tests.bench.line import AT_REST, bytes_a_second
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.faults
SECONDS = 3.0


def test_screens_at_rest_send_nothing(sketches: DatasetFacts) -> None:
    """Not a byte, on any of the four, while nothing happens."""
    terminal = Terminal()
    terminal.wait_for("page 1 of")
    for key, text in AT_REST.items():
        assert bytes_a_second(terminal, key, text, SECONDS) == 0, text
    terminal.press("q")
    assert terminal.process.wait(timeout=20) == 0
