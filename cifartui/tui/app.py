"""The map: four modes, the keys between them, the run in view, signals and theme."""

import gc
import os
import sys
from collections.abc import Iterable
from typing import ClassVar
from weakref import WeakKeyDictionary

from textual import events, on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker, WorkerState

from cifartui.dataset.store import find_dataset, prepared_names
from cifartui.errors import CifartuiError
from cifartui.failures import failure
from cifartui.home import datasets_folder, runs_folder
from cifartui.model.network import Network
from cifartui.training.run.folder import Run, all_runs
from cifartui.tui.activations import ActivationSource
from cifartui.tui.commands import commands_now
from cifartui.tui.graphics.ability import Graphics, GraphicsFound, forced_graphics, may_ask
from cifartui.tui.guide import Guided, welcomed_file
from cifartui.tui.keymap import own_keys
from cifartui.tui.leaving import SignalledEnd, farewell
from cifartui.tui.library_faults import Palette, mend
from cifartui.tui.run_in_view import RunInView
from cifartui.tui.screens.base import BaseScreen
from cifartui.tui.settings_in_hand import SettingsInHand
from cifartui.tui.terminal import TerminalDriver
from cifartui.tui.theme import DARK, LIGHT, themes, wear
from cifartui.tui.widgets.dialogs import ConfirmDialog
from cifartui.tui.widgets.pixels import shows_all_colours

READING_SECONDS = 2.0
"""How long it stays at least."""
OPENING_SECONDS = 0.01
"""Between two looks at a screen that is opening."""
GARBAGE_THRESHOLDS = (700, 10, 100)
"""Python's own but for the last: all objects are looked at ten times less often, see `PictureWall`."""


def _dataset_screen() -> Screen[None]:
    from cifartui.tui.screens.dataset import DatasetScreen

    return DatasetScreen()


def _model_screen() -> Screen[None]:
    from cifartui.tui.screens.model import ModelScreen

    return ModelScreen()


def _training_screen() -> Screen[None]:
    from cifartui.tui.screens.training import TrainingScreen

    return TrainingScreen()


def _evaluation_screen() -> Screen[None]:
    from cifartui.tui.screens.evaluation import EvaluationScreen

    return EvaluationScreen()


def _dataset_of(run: Run) -> str | None:
    """The name that the data set of a run has now, if it is still here."""
    try:
        config = run.config()
        return find_dataset(config.dataset, config.dataset_sha256).name
    except (CifartuiError, OSError):
        return None


class CifarApp(RunInView, SettingsInHand, Guided):
    """Dataset, model, training, evaluation."""

    TITLE = "cifartui"
    CSS_PATH = "app.tcss"
    ALLOW_SELECT = False  # with it, a click on a widget that goes away is an AttributeError in Textual 8.2.8
    MODES: ClassVar[dict[str, object]] = {  # type: ignore[assignment]  # functions, so that a screen's imports wait
        "dataset": _dataset_screen,
        "model": _model_screen,
        "training": _training_screen,
        "evaluation": _evaluation_screen,
    }
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (140, "-wide")]  # one, two, three columns
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "1,d",
            "show('dataset')",
            "Dataset",
            tooltip="Go to the data sets: fetch, import and look at pictures",
            id="show.dataset",
            show=False,
        ),
        Binding(
            "2,m",
            "show('model')",
            "Model",
            tooltip="Go to the network: its layers, their shapes and numbers",
            id="show.model",
            show=False,
        ),
        Binding(
            "3,t",
            "show('training')",
            "Training",
            tooltip="Go to training: settings, start, curves, steering",
            id="show.training",
            show=False,
        ),
        Binding(
            "4,e",
            "show('evaluation')",
            "Evaluation",
            tooltip="Go to evaluation: how well a checkpoint does on the test images",
            id="show.evaluation",
            show=False,
        ),
        Binding(
            "question_mark",
            "help",
            "explain",
            tooltip="Explain what is under the cursor, with this list of keys",
            id="help",
            key_display="?",
        ),
        Binding("q", "leave", "leave", tooltip="Leave the program; a run that trains goes on without it", id="leave"),
        Binding("ctrl+c", "leave", "leave", show=False, system=True),
        Binding(
            "ctrl+z",
            "suspend_process",
            "shell",
            tooltip="Go back to the shell for a while; fg there comes back here, and a run goes on meanwhile",
            id="suspend",
            show=False,
        ),
    ]

    graphics: reactive[Graphics | None] = reactive(None)
    """How real pixels are drawn; None where pictures are drawn as text."""

    def __init__(self) -> None:
        mend()
        super().__init__()
        wear(self, os.environ.get("COLORFGBG"))
        self.activations = ActivationSource()
        """What layers make of pictures, for the screens that look into a network."""
        self.network: Network | None = None
        """The one in hand on the model screen; None before that was opened, and it is the recipe's."""
        self.end = SignalledEnd(self, self.activations.discard)
        self._early_keys: list[events.Key] = []
        """Typed while a screen was opening."""
        self._typed_on: WeakKeyDictionary[events.Key, tuple[Screen[object], Widget | None]] = WeakKeyDictionary()
        """The screens on top when keys were typed, and what had the focus there."""
        self.own_keys: dict[str, str] = {}
        """The user's own keys by the ids of their bindings."""
        self.unsaved = ""
        """The name of a network that was changed and not kept."""

    def on_mount(self) -> None:
        self.end.listen()
        runs = all_runs()
        living = next((run for run in runs if run.is_carried()), None)
        latest = living or next(iter(runs), None)
        dataset, problem = self.recall_settings()
        keys = own_keys()
        self.own_keys = keys.keymap
        self.set_keymap(keys.keymap)
        last_used = dataset if dataset in prepared_names() else latest and _dataset_of(latest)
        self.dataset_name = last_used or next(iter(prepared_names()), None)
        if living:
            self.follow_run(living)
        elif latest:
            self.follow_quietly(latest)  # in view once it is read: before that it would look as if it lived
        self.switch_mode("training" if living else "dataset")
        if not runs and not welcomed_file().exists():
            self.call_next(self._welcome)
        if problem or keys.problem:
            self.call_after_refresh(self.complain, " ".join(filter(None, (problem, keys.problem))))
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        self.graphics = forced_graphics()
        if may_ask() and shows_all_colours(self):
            self.call_after_refresh(self._ask_what_the_terminal_draws)

    def _welcome(self) -> None:
        from cifartui.tui.screens.welcome import WelcomeScreen

        self.push_screen(WelcomeScreen())

    def get_driver_class(self) -> type[Driver]:
        """What draws and reads: our own in place of the library's for a terminal."""
        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def _ask_what_the_terminal_draws(self) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._driver.ask_what_it_draws()

    def on_graphics_found(self, message: GraphicsFound) -> None:
        self.graphics = message.graphics

    def to_terminal(self, commands: str) -> None:
        """Write what Textual has no words for, in its turn."""
        if commands and self._driver:
            self._driver.write(commands)
            self._driver.flush()

    @on(Driver.SignalResume)
    def _draw_again(self) -> None:
        """The shell had the terminal meanwhile."""
        self.refresh(layout=True)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error:
            self.complain(str(failure(event.worker.error)))

    # KEYS

    async def on_event(self, event: events.Event) -> None:
        """A key waits for the screen that is opening, and takes away what was said once there was time to read it."""
        if isinstance(event, events.InputEvent) and not self.screen_stack:
            return  # typed after the end: ScreenStackError in Textual 8.2.8
        if isinstance(event, events.Key) and not event.is_forwarded:
            if self._early_keys or not self.screen.is_mounted:
                self._early_keys.append(event)
                if len(self._early_keys) == 1:
                    self.set_timer(OPENING_SECONDS, self._type_early_keys)
                return
            if self.notice and self.notice.age >= READING_SECONDS:
                self.notice = None
            self._typed_on[event] = self.screen, self.focused
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """A key that comes up from a screen which another has covered meanwhile was meant for that one.

        So was one for a line of text that has got the focus meanwhile.
        """
        screen, focused = self._typed_on.get(event, (self.screen, self.focused))
        if screen is not self.screen or (focused is not self.focused and isinstance(self.focused, Input)):
            event.prevent_default()
            self.post_message(events.Key(event.key, event.character))

    async def _type_early_keys(self) -> None:
        while self._early_keys and self.screen_stack and self.screen.is_mounted:
            key = self._early_keys.pop(0)
            self._typed_on[key] = self.screen, self.focused
            await super().on_event(key)
        if self._early_keys:
            self.set_timer(OPENING_SECONDS, self._type_early_keys)

    def action_show(self, mode: str) -> None:
        """Go to one of the four screens."""
        if mode != self.current_mode:
            self.switch_mode(mode)

    def action_help(self) -> None:
        """Explain what is under the cursor, with the keys of this screen."""
        from cifartui.tui.screens.explain import ExplainScreen

        if isinstance(self.screen, BaseScreen) and not self.screen.is_modal:
            self.push_screen(ExplainScreen(self.screen, self.screen.topic))

    def action_command_palette(self) -> None:
        """Show the command palette."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: what makes sense on the screen now, and of the library's what is no key of ours."""
        yield from commands_now(self, screen)
        yield from (one for one in super().get_system_commands(screen) if one.title in ("Theme", "Screenshot"))

    def action_machine(self) -> None:
        """Look at this machine."""
        from cifartui.tui.screens.machine import MachineScreen

        if not self.screen.is_modal and not isinstance(self.screen, MachineScreen):
            self.push_screen(MachineScreen())

    def search_themes(self) -> None:
        """Change between dark and light, as the palette offers."""
        self.theme = LIGHT if self.current_theme.dark else DARK

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own names of colours, which sheets need before there is a theme of ours."""
        return themes(None)[0].variables

    def action_leave(self) -> None:
        """Leave; a living run does not notice."""
        if self.unsaved and not self.screen.is_modal:
            question = f"The changes to network {self.unsaved} are not kept (2, then k, keeps them). Leave?"
            self.push_screen(ConfirmDialog(question), lambda leave: self.exit() if leave else None)
        else:
            self.exit()

    # WHAT GOES WRONG

    @property
    def fault(self) -> Exception | None:
        """The exception that ended the screens, if one did."""
        return self._exception

    def _handle_exception(self, error: Exception) -> None:
        """End with the terminal given back, and leave it to `run_app` to say why; the library prints a traceback.

        What goes wrong once the user has left comes of widgets that are gone, and is passed over.
        """
        if self._exit:
            return
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def panic(self, *_: object) -> None:
        """End because the terminal cannot be read any more; the library's thread for that hands over a traceback."""
        self._handle_exception(CifartuiError("The terminal cannot be read any more."))


def run_app() -> int:
    """Run the screens until the user leaves; return the exit code."""
    app = CifarApp()
    try:
        for made in (datasets_folder, runs_folder):  # a home that cannot be used is better told before
            made()
        app.run()
        fault = app.fault
    except Exception as error:
        fault = error
    finally:
        app.end.came()
    if fault:
        sentence = failure(fault)
        print("\n".join(filter(None, (f"cifartui: {sentence}", farewell(app.run_view)))), file=sys.stderr)
        return sentence.exit_code
    if not app.return_code and (goes_on := farewell(app.run_view)):
        print(goes_on)
    return app.return_code or 0
