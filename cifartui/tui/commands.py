"""What the palette offers: what the keys of the screen do now, the other screens, and the run that trains."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.types import IgnoreReturnCallbackType

from cifartui.training.run.states import LIVING

if TYPE_CHECKING:
    from cifartui.tui.app import CifarApp

MOVES = {"up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "escape"}
"""Keys that are better pressed than looked up."""


def commands_now(app: "CifarApp", screen: Screen[object]) -> Iterator[SystemCommand]:
    """Commands that make sense in the present state, each with its key where it has one."""
    seen: set[str | None] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        is_move = binding.key.rpartition("+")[2] in MOVES
        if not active.enabled or not binding.tooltip or is_move or binding.id in seen | {f"show.{app.current_mode}"}:
            continue
        seen.add(binding.id)
        yield _command(app, binding, partial(app.run_action, binding.action, active.node))
    if "training.stop" not in seen and not screen.is_modal:
        yield from _steering(app)
    if not screen.is_modal:
        yield SystemCommand("machine: doctor", "What this machine can do, and what is in the way", app.action_machine)


def _steering(app: "CifarApp") -> Iterator[SystemCommand]:
    """What can be done with the run in view, from any screen; it is done on the training screen."""
    from cifartui.tui.screens.steering import RULES, SteeringScreen
    from cifartui.tui.screens.training import TrainingScreen

    view = app.run_view
    if view is None or view.state not in LIVING:
        return
    for binding in [*SteeringScreen.BINDINGS, *TrainingScreen.BINDINGS]:
        if isinstance(binding, Binding) and (rule := RULES.get(binding.action)) and rule(view):
            yield _command(app, binding, partial(_steer, app, binding.action))


async def _steer(app: "CifarApp", action: str) -> None:
    from cifartui.tui.screens.training import TrainingScreen

    await app.switch_mode("training")
    screen = app.screen_stack[0]
    if isinstance(screen, TrainingScreen):
        screen.action_back()
        await app.run_action(action, screen)


def _command(app: "CifarApp", binding: Binding, callback: IgnoreReturnCallbackType) -> SystemCommand:
    area = (binding.id or "").partition(".")[0]
    title = binding.description.lower() if area == binding.id else f"{area}: {binding.description.lower()}"
    return SystemCommand(f"{title}  ({app.get_key_display(binding)})", binding.tooltip, callback)
