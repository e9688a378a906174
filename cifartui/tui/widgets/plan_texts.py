"""The texts about a run that is being set up."""

from textual.content import Content

from cifartui.model.summary import summarize
from cifartui.text import printable, shortened
from cifartui.tui.run_plan import InHand, PlannedSetting, RunPlan
from cifartui.tui.view import short_id

CHANGED = "●"
VALUE_CELLS, REMARK_CELLS = 19, 30
"""With mark and key they fit a terminal of 80 columns."""


def title_text(asked: InHand, dataset: str, changes: int) -> Content:
    """What is in hand, in a line."""
    changed = f" · {CHANGED} {changes} changed" if changes else ""
    title = f"recipe {asked.name} · data set {dataset}"
    if asked.fork:
        title = f"fork of {short_id(asked.fork.parent)} · data set {asked.fork.config.dataset}"
    return Content.assemble((printable(title), "bold $primary"), (changed, "bold $warning"))


def plan_text(plan: RunPlan) -> Content:
    """What the run would be, or why it cannot be."""
    if plan.problem:
        return Content.styled(f"✗ {printable(plan.problem)}", "bold $error")
    config = plan.config
    if config is None:
        return Content("The network is code of your own: it is run once when you start, to see whether it fits.")
    settings = config.settings
    held_out = f" + {settings.validation.images:,} held out" if settings.validation.images else ""
    counts = [
        f"{config.network.name}, {summarize(config.network).parameters:,} parameters",
        f"{plan.trained_images:,} images{held_out}",
        f"{plan.steps_per_epoch:,} steps an epoch",
        f"{settings.epochs:,} epoch{'s' * (settings.epochs > 1)}",
        f"{plan.log_lines:,} log line{'s' * (plan.log_lines != 1)}",
    ]
    return Content(printable(" · ".join(counts)))


def row_cells(planned: PlannedSetting, *, forked: bool = False) -> tuple[str, str, str, str]:
    """A setting's line in the table: mark, key, value, where the value comes from."""
    setting = planned.setting
    remark = ""
    if planned.changed:
        origin = "usually" if not planned.of_recipe else "the parent" if forked else "the recipe"
        remark = f"{origin}: {planned.own}"
    elif planned.turned:
        remark = f"as turned (recipe {planned.own})"
    elif planned.follows:
        same = planned.own == setting.value
        remark = "follows the data" + ("" if same else f" (recipe {planned.own})")
    mark = CHANGED if planned.changed else ""
    value = shortened(printable(setting.value), VALUE_CELLS)
    return mark, setting.key, value, shortened(printable(remark), REMARK_CELLS)


def setting_text(planned: PlannedSetting, origin: str) -> str:
    """What a setting is, what is allowed, and where its value comes from, in lines of plain text.

    `origin` is whose value it has unless it was changed: `recipe tutorial`.
    """
    setting = planned.setting
    lines = [setting.explanation]
    if setting.allowed:
        lines.append(f"Allowed: {setting.allowed}.")
    elif len(setting.choices) == 1:
        lines.append("There is no other.")
    elif setting.choices:
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
