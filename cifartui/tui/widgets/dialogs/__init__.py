"""Small dialogs: each asks for one thing, says how to answer and how to go back, and closes with the answer."""

from cifartui.tui.widgets.dialogs.answer import Answer, AnswerDialog
from cifartui.tui.widgets.dialogs.choice import ChoiceDialog
from cifartui.tui.widgets.dialogs.confirm import ConfirmDialog
from cifartui.tui.widgets.dialogs.text import TextDialog, TextScreen

__all__ = ["Answer", "AnswerDialog", "ChoiceDialog", "ConfirmDialog", "TextDialog", "TextScreen"]
