"""What a recipe names is what trains: its optimizer and its loss."""

import pytest
import torch
from torch import nn

from cifartui.dataset.store import DatasetFacts
from cifartui.errors import UsageError
from cifartui.training.losses import LOSSES
from cifartui.training.optimizers import make_optimizer
from cifartui.training.recipes.files import load_recipe
from cifartui.training.recipes.optimizers import SGD, Adam
from cifartui.training.recipes.settings import override, settings
from cifartui.training.run.events import AnyEvent, LossLogged, Validated
from tests.training.running import plan, train_here


def test_every_name_that_a_recipe_may_give_is_there() -> None:
    """A recipe is refused before training, or it can be trained."""
    recipe = load_recipe("tutorial")
    choices = {setting.key: setting.choices for setting in settings(recipe)}
    for name in choices["optimizer.name"]:
        optimizer = make_optimizer(nn.Linear(2, 2), override(recipe, [f"optimizer.name={name}"]).optimizer)
        assert type(optimizer).__name__.lower() == name
    assert sorted(choices["loss"]) == sorted(LOSSES)


def test_another_optimizer_keeps_the_settings_that_both_have() -> None:
    """The learning rate stays, momentum goes; what nobody set is as the new one has it by itself."""
    recipe = override(load_recipe("tutorial"), ["optimizer.name=adam"])
    assert recipe.optimizer == Adam(learning_rate=0.001)
    assert override(recipe, ["optimizer.name=sgd", "optimizer.momentum=0.5"]).optimizer == SGD(
        learning_rate=0.001, momentum=0.5
    )
    assert override(recipe, ["optimizer.name=adamw"]).optimizer.weight_decay == 0.01
    decayed = override(load_recipe("tutorial"), ["optimizer.weight_decay=0.2", "optimizer.name=adamw"])
    assert decayed.optimizer.weight_decay == 0.2
    with pytest.raises(UsageError, match=r"optimizer\.momentum is not a setting; allowed here: name, learning_rate"):
        override(recipe, ["optimizer.momentum=0.5"])


def test_sgd_is_torchs_with_the_recipes_numbers() -> None:
    """The tutorial's line: optim.SGD(net.parameters(), lr=0.001, momentum=0.9)."""
    net = nn.Linear(2, 2)
    optimizer = make_optimizer(net, override(load_recipe("tutorial"), ["optimizer.momentum=0.25"]).optimizer)
    (group,) = optimizer.param_groups
    assert isinstance(optimizer, torch.optim.SGD)
    assert (group["lr"], group["momentum"], group["params"]) == (0.001, 0.25, list(net.parameters()))


def test_the_named_loss_is_the_one_that_is_computed(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """One twice as large shows in the log lines and in the validation; the steps are too small to tell."""
    config = plan("few", "epochs=1", "validation.images=50", "optimizer.learning_rate=1e-9")
    usual = shown(train_here(config)[1])
    assert len(usual) > 2

    def doubled(outputs: torch.Tensor, labels: torch.Tensor, /, *, reduction: str = "mean") -> torch.Tensor:
        return 2 * nn.functional.cross_entropy(outputs, labels, reduction=reduction)

    monkeypatch.setitem(LOSSES, "cross_entropy", doubled)
    assert shown(train_here(config)[1]) == pytest.approx([2 * loss for loss in usual], rel=1e-5)


def shown(events: list[AnyEvent]) -> list[float]:
    """The losses of log lines and validations."""
    return [event.loss for event in events if isinstance(event, LossLogged | Validated) and event.loss is not None]
