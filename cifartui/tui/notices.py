"""What the program says above the line of keys, for a while."""

from functools import partial

from textual.app import App
from textual.reactive import reactive

from cifartui.tui.messages import Notice
from cifartui.tui.widgets.notice_line import NoticeLine

ERROR_SECONDS, NEWS_SECONDS = 20.0, 8.0
"""How long a sentence stays if no key is pressed."""


class Notices(App[None]):
    """An app that says one sentence at a time."""

    notice: reactive[Notice | None] = reactive(None)
    """What is said above the line of keys."""

    def complain(self, sentence: str) -> None:
        """Show an error sentence without leaving the screen."""
        self._say(Notice(sentence, is_error=True))

    def tell(self, sentence: str) -> None:
        """Show a sentence of good news."""
        self._say(Notice(sentence, is_error=False))

    def _say(self, notice: Notice) -> None:
        if not self.screen.query(NoticeLine):  # a dialog
            self.screen.mount(NoticeLine())
        self.notice = notice
        self.set_timer(ERROR_SECONDS if notice.is_error else NEWS_SECONDS, partial(self._forget, notice))

    def _forget(self, notice: Notice) -> None:
        if self.notice is notice:
            self.notice = None
