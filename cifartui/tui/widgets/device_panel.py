"""The device of the run in view: its sensors are read once a second while the run lives and is looked at."""

from dataclasses import dataclass

from textual import work
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, WorkerState, get_current_worker

from cifartui.failures import failure
from cifartui.machine.readings import HostReadings, Sample, Watched, nothing_known, unknown
from cifartui.text import printable
from cifartui.training.run.states import LIVING
from cifartui.tui.view import RunView
from cifartui.tui.widgets.device_texts import device_text
from cifartui.tui.widgets.writing import write

PERIOD_SECONDS = 1.0


class DevicePanel(Static):
    """Name of the device, why it was chosen, and the readings; only the name once the run has ended."""

    @dataclass
    class Sampled(Message):
        """The sensors were read."""

        watched: Watched
        sample: Sample

    def __init__(self, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._view: RunView | None = None
        self._watched: Watched | None = None
        """Whose sensors are read."""
        self._sample: Sample | None = None
        self._watching: Worker[None] | None = None

    def show(self, view: RunView) -> None:
        """Draw the device of a run; watch its sensors from now on if it lives, else no more."""
        self._view = view
        watched = watched_of(view)
        if watched != self._watched:
            self._watched, self._sample = watched, None
            if self._watching:
                self._watching.cancel()
            self._watching = self._watch(watched) if watched else None
        self._draw()

    @work(thread=True, group="sensors", exit_on_error=False, description="read the sensors of the device")
    def _watch(self, watched: Watched) -> None:
        from cifartui.machine.sensors import Sensors  # psutil takes 25 ms, which the first frame need not wait for

        worker = get_current_worker()
        sensors: Sensors | None = None
        while not worker.cancelled_event.wait(PERIOD_SECONDS):
            if not (self.screen.is_current and self.is_on_screen):
                sensors = None  # what is read after a while would be the mean of all of it
            elif sensors is None:
                sensors = Sensors(watched)
            else:
                self.post_message(self.Sampled(watched, sensors.read()))

    def on_device_panel_sampled(self, message: Sampled) -> None:
        message.stop()
        if message.watched == self._watched:
            self._sample = message.sample
            self._draw()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Sensors that fail are told like those that are not there; neither the run nor the screen is concerned."""
        if event.state is WorkerState.ERROR and event.worker.error:
            why = str(failure(event.worker.error))
            self._sample = Sample(nothing_known(why), HostReadings(unknown(why), unknown(why)))
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        view = self._view
        started = view.history.started if view else None
        if view is None or started is None:
            text = Content("")
        elif self._watched is None:
            text = Content.styled(printable(started.device), "$text-muted")
        else:
            latest = view.history.latest
            own = latest.device_memory if latest else None
            columns = 0 if self.screen.has_class("-short") else self.content_size.width
            text = device_text(started, self._sample, own, columns)
        write(self, text)


def watched_of(view: RunView) -> Watched | None:
    """The run whose sensors are worth reading; None if it has ended, or its host has not found its device yet."""
    started = view.history.started
    if started is None or view.state not in LIVING or view.state in ("queued", "starting"):
        return None
    return Watched(view.run.id, started.device_type, started.device_uuid, started.host_pid)
