"""The texts about a run that is being set up."""

from collections.abc import Iterable
from math import prod
from typing import NamedTuple

from textual.content import Content

from cifartui.model.summary import summarize
from cifartui.text import clock, printable, size
from cifartui.training.memory import step_bytes
from cifartui.training.recipes.files import ListedRecipe
from cifartui.training.run.speeds import TrainedSpeed
from cifartui.tui.in_hand import InHand
from cifartui.tui.run_plan import PlannedSetting, RunPlan
from cifartui.tui.setting_groups import label_of
from cifartui.tui.view import short_id

CHANGED = "●"
LONGEST_NETWORK = 40
"""Characters of a network's name in the list of recipes."""


class Fact(NamedTuple):
    """Something that is known of a run before it starts."""

    label: str
    text: str
    more: str = ""
    """Where there is room."""


def title_text(asked: InHand, dataset: str, changes: int) -> Content:
    """What is in hand, in a line."""
    changed = f" · {CHANGED} {changes} changed" if changes else ""
    title = f"recipe {asked.name} · data set {dataset}"
    if asked.fork:
        title = f"fork of {short_id(asked.fork.parent)} · data set {asked.fork.config.dataset}"
    return Content.assemble((printable(title), "bold $primary"), (changed, "bold $warning"))


def plan_text(plan: RunPlan, speed: TrainedSpeed | None = None) -> Content:
    """What the run would be in running text, or why it cannot be."""
    if plan.problem:
        return Content.styled(f"✗ {printable(plan.problem)}", "bold $error")
    if plan.config is None:
        return Content("The network is code of your own: it is run once when you start, to see whether it fits.")
    return Content(printable(" · ".join(fact.text for fact in plan_facts(plan, speed))))


def plan_lines(plan: RunPlan, speed: TrainedSpeed | None) -> Content:
    """What the run would be, a line for each fact; nothing where it cannot be."""
    return Content("\n").join(
        Content.assemble((f"{fact.label:<9}", "$text-muted"), printable(fact.text + fact.more))
        for fact in plan_facts(plan, speed)
    )


def plan_facts(plan: RunPlan, speed: TrainedSpeed | None) -> list[Fact]:
    """What a run would be: what is known by arithmetic, and how long it takes at the speed of a run before."""
    config, facts = plan.config, plan.facts
    if config is None or facts is None or plan.problem:
        return []
    settings, summary = config.settings, summarize(config.network)
    epochs, lines = settings.epochs, plan.log_lines
    held_out = f" + {settings.validation.images:,} held out" if settings.validation.images else ""
    memory = f"about {size(step_bytes(settings, summary))} a step"
    if settings.loader.kind == "resident":
        memory += f" + {size(plan.trained_images * prod(facts.image_shape))} of images"
    said = [
        Fact("network", f"{config.network.name}, {summary.parameters:,} parameters"),
        Fact("images", f"{plan.trained_images:,} images{held_out}"),
        Fact("steps", f"{epochs:,} epoch{'s' * (epochs > 1)} × {plan.steps_per_epoch:,} = {plan.steps:,} steps"),
        Fact(
            "log", f"{lines:,} log line{'s' * (lines != 1)}", f", one every {settings.log_every:,} steps" * bool(lines)
        ),
        Fact("memory", memory),
    ]
    if speed:
        seconds = epochs * plan.trained_images / speed.images_per_second
        run = speed.run.rpartition("-")[2]
        more = f", at the {speed.images_per_second:,.0f} images/s that {run} had here"
        said.append(Fact("time", f"takes about {clock(seconds)}", more))
    return said


def rate_text(rates: list[tuple[float, float]]) -> str:
    """The heading of the learning rate's curve: where it begins, its highest, and where it ends."""
    if not rates:
        return "learning rate"
    first, last, highest = rates[0][1], rates[-1][1], max(rate for _, rate in rates)
    if min(rate for _, rate in rates) == highest:
        return f"learning rate: {first:.4g} throughout"
    ways = [f"{first:.4g}", *([f"{highest:.4g}"] if highest > max(first, last) else []), f"{last:.4g}"]
    return f"learning rate: {' → '.join(ways)}"


def recipe_line(listed: ListedRecipe) -> Content:
    """A recipe in the list to choose from: what is expected of it, and what it is."""
    name = Content.styled(f"{printable(listed.name):<12}", "bold")
    if listed.recipe is None:
        return Content.assemble(name, (f"✗ {printable(listed.problem)}", "$error"))
    remarks = ["your own"] if listed.is_own else []
    epochs = f"{listed.recipe.epochs:,} epoch{'s' * (listed.recipe.epochs > 1)}"
    network = printable(listed.recipe.network, LONGEST_NETWORK)
    remarks += [listed.expected.words if listed.expected else f"network {network}, {epochs}"]
    return Content.assemble(name, " ", " · ".join(remarks), "\n", printable(listed.recipe.description))


def row_cells(planned: PlannedSetting, *, forked: bool = False) -> tuple[str, str, str, str]:
    """A setting's line in the table: mark, name in its group, value, where the value comes from."""
    setting = planned.setting
    remark = ""
    if planned.changed:
        origin = "usually" if not planned.of_recipe else "parent" if forked else "recipe"
        remark = f"{origin}: {planned.own}"
    elif planned.turned:
        remark = f"as turned (recipe: {planned.own})"
    elif planned.follows:
        same = planned.own == setting.value
        remark = "data set" + ("" if same else f" (recipe: {planned.own})")
    mark = CHANGED if planned.changed else ""
    return mark, label_of(setting.key), printable(setting.value), printable(remark)


def setting_text(planned: PlannedSetting, origin: str, *, are_choices_listed: bool = False) -> str:
    """What a setting is, what is allowed, and where its value comes from, in lines of plain text.

    `origin` is whose value it has unless it was changed: `recipe tutorial`. Choices in a list are not named again.
    """
    setting = planned.setting
    lines = [setting.explanation]
    if setting.allowed:
        lines.append(f"Allowed: {setting.allowed}.")
    elif len(setting.choices) == 1:
        lines.append("There is no other.")
    elif setting.choices and not are_choices_listed:
        lines.append(f"One of: {', '.join(setting.choices)}.")
    if planned.changed:
        lines.append(f"Set by you; {f'{origin} has' if planned.of_recipe else 'it is usually'} {planned.own}.")
    elif planned.turned:
        lines.append(f"{setting.value} is what {origin} was turned to; its recipe has {planned.own}.")
    elif planned.follows:
        lines.append(f"{setting.value} follows the data set: {planned.follows}.")
    elif planned.of_recipe:
        lines.append(f"{setting.value} is what {origin} has.")
    return "\n".join(lines)


def choice_lines(planned: PlannedSetting, mark: str) -> Iterable[tuple[str, Content]]:
    """The values that a setting can have, each with what it is where that is known; `mark` tells the usual one."""
    setting = planned.setting
    width = max(map(len, setting.choices), default=0) + 2
    for place, choice in enumerate(setting.choices):
        what = printable(setting.kinds[place]).splitlines()[0] if setting.kinds else ""
        usual = f" · {mark}" if choice == planned.own else ""
        text = f"{choice:<{width}}{what}" if what else choice
        yield choice, Content(text + usual)
