"""What a run would be with the settings in hand, and what is said of each of them."""

from pathlib import Path

import msgspec
import pytest

from cifartui.dataset.store import DatasetFacts, save_dataset
from cifartui.training.recipes.files import load_recipe, recipe_names
from cifartui.training.recipes.recipe import RATE
from cifartui.training.recipes.settings import override
from cifartui.training.run.events import LearningRateChanged
from cifartui.training.run.journal import Journal
from cifartui.training.run.speeds import speed_of, trained_speeds
from cifartui.tui.in_hand import InHand, fork_in_hand
from cifartui.tui.run_plan import PlannedSetting, RunPlan, make_plan, planned_settings
from cifartui.tui.setting_groups import group_of, in_groups, label_of
from cifartui.tui.widgets.plan_texts import plan_lines, plan_text, rate_text, row_cells, setting_text
from tests.conftest import noise
from tests.training.running import plan as configured
from tests.training.running import train_here
from tests.tui.driving import scripted_run


def in_hand(name: str, *changes: str, kept: frozenset[str] = frozenset()) -> InHand:
    own = load_recipe(name)
    return InHand(name, own, override(own, changes), kept)


def planned(plan: RunPlan, key: str) -> PlannedSetting:
    return next(planned for planned in plan.settings if planned.setting.key == key)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_can_start_on_a_small_data_set_and_logs(sketches: DatasetFacts, name: str) -> None:
    """Held-out images and log lines follow the data set, and the table says so beside the recipe's own number."""
    plan = make_plan(in_hand(name), "few")
    assert not plan.problem
    assert plan.log_lines > 0
    log_every = planned(plan, "log_every")
    assert int(log_every.setting.value) < int(log_every.own)
    assert row_cells(log_every)[3] == f"data set (recipe: {log_every.own})"
    assert "mini-batches; the recipe says" in setting_text(log_every, f"recipe {name}")


def test_plan_says_in_numbers_what_a_run_would_be(sketches: DatasetFacts) -> None:
    """Parameters, images, steps, epochs and log lines."""
    text = plan_text(make_plan(in_hand("held-out"), "few")).plain
    assert text == (
        "tutorial, 62,006 parameters · 180 images + 20 held out · 5 epochs × 45 = 225 steps · 45 log lines · "
        "about 973 kB a step + 553 kB of images"
    )


def test_setting_of_the_user_does_not_follow_the_data(sketches: DatasetFacts) -> None:
    """Also one that he set to the very number that the recipe has."""
    plan = make_plan(in_hand("tutorial", kept=frozenset({"log_every"})), "few")
    assert planned(plan, "log_every").setting.value == "2000"
    assert planned(plan, "log_every").changed
    assert plan.log_lines == 0


def test_change_is_marked_beside_the_recipes_value(sketches: DatasetFacts) -> None:
    """A mark, the new value and the recipe's; in words below."""
    changed = planned(make_plan(in_hand("tutorial", "epochs=7"), "few"), "epochs")
    assert row_cells(changed) == ("●", "epochs", "7", "recipe: 2")
    assert "Set by you; recipe tutorial has 2." in setting_text(changed, "recipe tutorial")
    assert "at least 1 and at most 100,000" in setting_text(changed, "recipe tutorial")


def test_changes_go_onto_another_recipe() -> None:
    """What was changed stays; all else is the other recipe's."""
    asked = in_hand("tutorial", "epochs=7", kept=frozenset({"log_every"}))
    onto = asked.onto("augmented", load_recipe("augmented"))
    assert onto.recipe == override(load_recipe("augmented"), ["epochs=7", "log_every=2000"])
    assert onto.changed == ("epochs", "log_every")


def test_changes_that_another_recipe_has_no_setting_for_stay_behind() -> None:
    """A recipe with another kind of optimizer takes the others."""
    own = override(load_recipe("tutorial"), ["optimizer.name=adamw"])
    onto = in_hand("tutorial", "epochs=7", "optimizer.momentum=0.8").onto("other", own)
    assert onto.recipe == override(own, ["epochs=7"])
    assert onto.changed == ("epochs",)


def test_kind_of_optimizer_changes_with_its_settings() -> None:
    """What the new kind has by itself is no change; back at the recipe's kind, its own values are there again."""
    asked = in_hand("tutorial", "optimizer.learning_rate=0.01", "optimizer.momentum=0.8")
    adam = asked.with_value("optimizer.name", "adamw")
    assert adam.changed == ("optimizer.name", "optimizer.learning_rate")
    line = next(one for one in planned_settings(adam, None) if one.setting.key == "optimizer.betas")
    assert (line.changed, line.of_recipe) == (False, False)
    betas = adam.with_value("optimizer.betas", "[0.8, 0.9]")
    line = next(one for one in planned_settings(betas, None) if one.setting.key == "optimizer.betas")
    assert row_cells(line) == ("●", "betas", "[0.8, 0.9]", "usually: [0.9, 0.999]")
    back = betas.with_value("optimizer.name", "sgd")
    assert back.recipe == override(load_recipe("tutorial"), ["optimizer.learning_rate=0.01"])


def test_every_table_is_a_group_in_an_order_for_people() -> None:
    """What stands in no table comes first, what is no part of a recipe last; unknown tables stand between."""
    keys = in_groups(["epochs", "loader.kind", "new.one", "optimizer.name", "new.two", "seed", "device", "network"])
    assert keys == ["network", "epochs", "optimizer.name", "new.one", "new.two", "loader.kind", "device", "seed"]
    assert [group_of(key) for key in ("epochs", "unknown", "new.one", "seed")] == ["training", "training", "new", "run"]
    assert [label_of(key) for key in ("epochs", "new.one.more")] == ["epochs", "one.more"]


def test_time_is_told_once_a_run_here_had_that_network_and_batch_size(sketches: DatasetFacts) -> None:
    """The newest such run counts, and of the device asked for."""
    plan = make_plan(in_hand("tutorial"), "few")
    assert plan.config
    assert "time" not in plan_lines(plan, None).plain
    scripted_run(sketches.name)
    run, _ = scripted_run(sketches.name)
    (run.folder / "config.toml").write_text("epochs = no\n")  # a damaged run tells no speed
    speeds = trained_speeds()
    assert len(speeds) == 1
    speed = speed_of(plan.config, speeds)
    assert speed
    slow = msgspec.structs.replace(speed, images_per_second=100.0)
    assert f"takes about 0:04, at the 100 images/s that {speed.run[-3:]} had here" in plan_lines(plan, slow).plain
    assert plan_text(plan, slow).plain.endswith(" · takes about 0:04")
    other = make_plan(in_hand("tutorial", "batch_size=8"), "few").config
    cuda = msgspec.structs.replace(plan.config, device="cuda")
    assert other
    assert speed_of(other, speeds) is speed_of(cuda, speeds) is None


def test_rate_is_told_from_the_first_step_to_the_last(sketches: DatasetFacts) -> None:
    """By the recipe's schedule over the steps that the run would have; none where there can be no run."""
    constant = make_plan(in_hand("tutorial"), "few").rates
    assert (constant[0], constant[-1]) == ((0, 0.001), (99, 0.001))
    assert rate_text(constant) == "learning rate: 0.001 throughout"
    cycle = make_plan(in_hand("tutorial", "schedule.name=one_cycle", "optimizer.learning_rate=0.3"), "few").rates
    assert cycle[0][1] == pytest.approx(0.012)
    assert max(rate for _, rate in cycle) == pytest.approx(0.3)
    assert rate_text(cycle) == "learning rate: 0.012 → 0.3 → 1.2e-06"
    assert make_plan(in_hand("tutorial", "validation.images=200"), "few").rates == []


def test_network_that_follows_the_data_says_which_layers() -> None:
    """Pictures of another size and two classes: two layers have other numbers than the network by itself."""
    save_dataset("wide", noise(40, size=64, classes=2), noise(10, size=64, classes=2), ("cat", "dog"), "tests")
    plan = make_plan(in_hand("tutorial", "validation.images=0"), "wide")
    network = planned(plan, "network")
    assert row_cells(network)[3] == "data set"
    text = setting_text(network, "recipe tutorial")
    assert "fc1 takes 2,704 inputs" in text
    assert "fc3 gives 2 outputs" in text
    assert not plan.problem


def test_what_cannot_start_says_why(sketches: DatasetFacts) -> None:
    """Images held out by the user that leave none, a data set that is gone."""
    assert "leaves nothing to train on" in make_plan(in_hand("tutorial", "validation.images=200"), "few").problem
    gone = make_plan(in_hand("tutorial"), "gone")
    assert "There is no data set named 'gone'" in gone.problem
    assert len(gone.settings) > 15


def test_code_of_the_users_own_is_not_run_by_looking(
    sketches: DatasetFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only starting runs it; until then its counts are not known."""
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    plan = make_plan(in_hand("tutorial", "network=mine:Net"), "few")
    assert not (tmp_path / "ran").exists()
    assert plan.config is None
    assert not plan.problem
    assert "run once when you start" in plan_text(plan).plain


def test_seed_and_device_are_no_part_of_the_recipe(sketches: DatasetFacts) -> None:
    """They are marked like the others when they are not what they usually are."""
    plan = make_plan(msgspec.structs.replace(in_hand("tutorial"), seed="7", device="cpu"), "few")
    assert row_cells(planned(plan, "seed")) == ("●", "seed", "7", "usually: 1")
    assert plan.config is not None
    assert (plan.config.seed, plan.config.device) == (7, "cpu")


def test_fork_has_the_rate_that_its_parent_was_turned_to(sketches: DatasetFacts) -> None:
    """It is shown in place of the recipe's, of which it says so; one that is set is another."""
    run, _ = train_here(configured(sketches.name, "epochs=2"))
    journal = Journal(run.journal_file)
    journal.append(LearningRateChanged(step=20, before=0.001, after=0.004))
    journal.append(LearningRateChanged(step=70, before=0.004, after=0.008))  # after the checkpoint
    fork = fork_in_hand(f"{run.id}@50")
    assert fork.recipe.optimizer.learning_rate == 0.001
    line = planned(make_plan(fork, ""), RATE)
    assert row_cells(line, forked=True) == ("", "learning_rate", "0.004", "as turned (recipe: 0.001)")
    assert f"0.004 is what {fork.origin} was turned to; its recipe has 0.001." in setting_text(line, fork.origin)
    set_back = planned(make_plan(msgspec.structs.replace(fork, kept=frozenset({RATE})), ""), RATE)
    assert (set_back.setting.value, set_back.changed, set_back.turned) == ("0.001", True, False)
