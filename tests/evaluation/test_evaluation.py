"""Evaluation: counts that agree with a loop by hand, statistics, files from elsewhere, and export to the tutorial."""

import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import save_file

from cifartui.dataset.images import load_image_set
from cifartui.dataset.store import DatasetFacts
from cifartui.errors import CifartuiError, DataError, UsageError
from cifartui.evaluation.evaluate import evaluate
from cifartui.evaluation.export import export
from cifartui.evaluation.export.pth import PTH
from cifartui.evaluation.results import from_confusion, most_confused, wilson_interval
from cifartui.evaluation.subject import dataset_of, load_subject
from cifartui.evaluation.weights_file import read_weights_file
from cifartui.progress import finish
from cifartui.training.run.checkpoints import find_checkpoint, tensors_file
from tests.training.running import plan, train_here
from tests.tutorial import Net


def correct_by_hand(net: torch.nn.Module, dataset: str) -> int:
    """The tutorial's evaluation loop: batches of four."""
    test_set = load_image_set(dataset, "test")
    correct = 0
    with torch.no_grad():
        for start in range(0, len(test_set), 4):
            images = (test_set.images[start : start + 4] / 255 - 0.5) / 0.5
            _, predicted = torch.max(net(images), 1)
            correct += int((predicted == test_set.labels[start : start + 4]).sum())
    return correct


def test_exported_weights_load_into_the_tutorials_class_and_score_the_same(
    sketches: DatasetFacts, tmp_path: Path
) -> None:
    """Run, checkpoint, .pth and the tutorial's Net agree on the number of right answers."""
    run, _ = train_here(plan(sketches.name, "epochs=8", "optimizer.learning_rate=0.01"))
    subject = load_subject(run.id)
    evaluation = finish(evaluate(subject, dataset_of(subject, None)))
    target = tmp_path / "cifar_net.pth"
    export(subject, PTH, target)
    net = Net()
    net.load_state_dict(torch.load(target, weights_only=True))
    assert correct_by_hand(net, sketches.name) == evaluation.correct
    from_file = finish(evaluate(load_subject(str(target)), sketches.name))
    assert from_file.confusion == evaluation.confusion
    assert evaluation.images == 100
    assert sum(result.correct for result in evaluation.per_class) == evaluation.correct
    assert [sum(row) for row in evaluation.confusion] == [10] * 10


def test_wilson_interval_is_the_textbooks() -> None:
    """Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; the ends stay within 0 and 1."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20)[0] == 0
    assert wilson_interval(20, 20)[1] == 1


def test_results_come_from_the_confusion_matrix() -> None:
    """Rows are true classes: accuracy per class, in all, and what a class is taken for."""
    evaluation = from_confusion([[8, 2], [0, 10]], ["cat", "dog"], checkpoint="c", dataset="d", seconds=1.0)
    assert (evaluation.correct, evaluation.images, evaluation.accuracy) == (18, 20, 0.9)
    assert [result.accuracy for result in evaluation.per_class] == [0.8, 1.0]
    assert most_confused(evaluation, 0) == (1, 0.2)
    assert most_confused(evaluation, 1) is None


@given(data=st.binary(max_size=200))
@example(data=b"root:x:0:0:root:/root:/bin/bash\n")
def test_bytes_of_any_kind_are_refused_in_a_sentence(data: bytes) -> None:
    """Whatever is in a file that is none of weights, the sentence names the file."""
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        file.write(data)
        file.flush()
        with pytest.raises(DataError, match=file.name):
            read_weights_file(Path(file.name))


class _Bomb:
    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._canary}",)


def _state(**changes: Any) -> dict[str, Any]:
    return dict(Net().state_dict()) | changes


def test_files_that_do_not_fit_get_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong shapes, missing and foreign tensors, other objects, damage, and code that wants to run."""
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    canary = tmp_path / "canary"
    without_bias = _state()
    del without_bias["fc3.bias"]
    cases = {
        "fc1.weight is 120×576 and should be 120×400": _state(**{"fc1.weight": torch.zeros(120, 576)}),
        "it has no fc3.bias": without_bias,
        "fc4.weight has no place in it": _state(**{"fc4.weight": torch.zeros(1)}),
        "is not a state_dict": [1, 2],
        "holds more than tensors": {"conv1.weight": _Bomb(canary)},
    }
    for sentence, content in cases.items():
        path = tmp_path / "weights.pth"
        torch.save(content, path)
        with pytest.raises(DataError, match=r"weights\.pth") as caught:
            load_subject(str(path))
        assert sentence in str(caught.value)
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(_Bomb(canary)))
    (tmp_path / "empty.pth").write_bytes(b"")
    torch.save(_state(), tmp_path / "cut.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:9_000])
    for name in ("plain.pth", "empty.pth", "cut.pth", "missing.pth"):
        with pytest.raises(DataError, match=name):
            load_subject(str(tmp_path / name))
    assert not canary.exists()


def test_safetensors_file_is_taken_too(tmp_path: Path, sketches: DatasetFacts) -> None:
    """Weights in safetensors score as the module they came from; without a data set the question is asked."""
    torch.manual_seed(0)
    net = Net()
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    subject = load_subject(str(tmp_path / "net.safetensors"))
    with pytest.raises(UsageError, match="name one with --dataset"):
        dataset_of(subject, None)
    assert finish(evaluate(subject, sketches.name)).correct == correct_by_hand(net, sketches.name)


def test_damaged_checkpoint_is_found_before_it_is_used(sketches: DatasetFacts) -> None:
    """One flipped byte in the tensors, and the checkpoint is refused by its checksum."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    facts = find_checkpoint(run, "last")
    path = tensors_file(run, facts)
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="is damaged: its sha256"):
        load_subject(run.id)


def test_references_to_checkpoints(sketches: DatasetFacts) -> None:
    """RUN is its last checkpoint; a step names one; @best needs held-out images; others are listed."""
    run, _ = train_here(plan(sketches.name))
    assert load_subject(run.id).name == load_subject(f"{run.id}@last").name == f"{run.id}@100"
    assert load_subject(f"{run.id[-3:]}@50").name == f"{run.id}@50"
    with pytest.raises(DataError, match="held out no validation images"):
        load_subject(f"{run.id}@best")
    with pytest.raises(DataError, match="there are: last, 50, 100"):
        load_subject(f"{run.id}@51")


def test_export_into_nowhere_is_wrong_usage(sketches: DatasetFacts, tmp_path: Path) -> None:
    """A folder, or a file in a folder that is not there, is refused."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    for target in (tmp_path, tmp_path / "none" / "net.pth"):
        with pytest.raises(CifartuiError, match="name a file in a folder that exists"):
            export(load_subject(run.id), PTH, target)


def test_gpu_that_fails_its_trial_is_not_used(sketches: DatasetFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that the driver shows and that cannot run a convolution leaves the work to the CPU."""
    run, _ = train_here(plan(sketches.name, "epochs=1"))
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a GPU that hangs")
    assert finish(evaluate(load_subject(run.id), sketches.name)).images == sketches.test
