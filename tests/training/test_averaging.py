"""The average of the weights: what is judged, kept, evaluated and exported of a run that has one."""

import pytest
import torch

from cifartui.cli.evaluation import print_evaluation
from cifartui.dataset.images import hold_out, load_image_set
from cifartui.dataset.store import DatasetFacts
from cifartui.errors import UsageError
from cifartui.evaluation.evaluate import evaluate
from cifartui.evaluation.subject import load_subject
from cifartui.model.module import build_module
from cifartui.progress import finish
from cifartui.training.prediction import predict
from cifartui.training.resuming import plan_fork
from cifartui.training.run.checkpoints import find_checkpoint, list_checkpoints
from cifartui.training.run.events import Validated
from cifartui.training.snapshot import read_state, read_weights
from tests.training.running import plan, train_here

RECIPE = (
    "average.name=ema",
    "average.decay=0.9",
    "validation.images=100",
    "batch_size=10",
    "epochs=3",
    "optimizer.learning_rate=0.05",
)


def test_the_average_is_judged_kept_and_used(sketches: DatasetFacts, capsys: pytest.CaptureFixture[str]) -> None:
    """The raw weights are beside it, and their accuracy is told; the best checkpoint is the average's best."""
    config = plan(sketches.name, *RECIPE)
    run, events = train_here(config)
    judged = [event for event in events if isinstance(event, Validated)]
    assert [event.raw_correct is not None for event in judged] == [True] * 3
    assert find_checkpoint(run, "best").step == max(judged, key=lambda event: event.accuracy).step

    facts = list_checkpoints(run)[-1]
    state = read_state(run, facts)
    raw = {name: tensor for name, tensor in state.tensors.items() if "/" not in name}
    average = read_weights(run, facts)
    assert average.keys() == raw.keys()
    assert not any(torch.equal(average[name], raw[name]) for name in raw)
    assert state.facts["average"] == {"updates": 30}

    _, held_out = hold_out(load_image_set(sketches.name, "train"), 100, config.seed)
    for weights, correct in ((average, judged[-1].correct), (raw, judged[-1].raw_correct)):
        module = build_module(config.network)
        module.load_state_dict(weights)
        answers = predict(module, held_out, config.settings.normalize, torch.device("cpu"))
        assert sum(int((logits.argmax(dim=1) == labels).sum()) for logits, labels in answers) == correct

    subject = load_subject(run.id)
    assert all(torch.equal(tensor, average[name]) for name, tensor in subject.module.state_dict().items())
    assert subject.title == f"{run.id}@30 (average of the weights)"
    print_evaluation(finish(evaluate(subject, sketches.name)))
    assert f"Accuracy of {subject.title} on the 100 test images" in capsys.readouterr().out


def test_a_run_without_it_is_as_before(sketches: DatasetFacts) -> None:
    """No part of it in the checkpoint, no second accuracy, and no fork begins one in the middle."""
    run, events = train_here(plan(sketches.name, "validation.images=40", "batch_size=20", "epochs=1"))
    assert [event.raw_correct for event in events if isinstance(event, Validated)] == [None]
    state = read_state(run, list_checkpoints(run)[-1])
    assert "average" not in state.facts
    assert not [name for name in state.tensors if name.startswith("average/")]
    assert load_subject(run.id).title == f"{run.id}@8"
    with pytest.raises(UsageError, match=r"average\.name cannot be changed"):
        plan_fork(run.id, ["average.name=ema", "epochs=2"])
