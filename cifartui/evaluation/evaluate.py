"""Judging a network on a data set's test images."""

import time

import torch

from cifartui.dataset.images import load_image_set
from cifartui.evaluation.results import Evaluation, from_confusion
from cifartui.evaluation.subject import Subject
from cifartui.model.tracing.forward import require_module_fit
from cifartui.progress import LongWork, Progress
from cifartui.training.device import choose_device, tune_cpu
from cifartui.training.prediction import batch_images, predict


def evaluate(subject: Subject, dataset: str) -> LongWork[Evaluation]:
    """Evaluate on all test images of a prepared data set; yields progress in images.

    Raises:
        CifartuiError: the data set is not here, or the network does not fit it.
    """
    started = time.monotonic()
    test_set = load_image_set(dataset, "test")
    classes = len(test_set.classes)
    summary = require_module_fit(subject.network, tuple(test_set.images.shape[1:]), classes, subject.module)
    device = torch.device(choose_device("auto").device)
    if device.type == "cpu":
        tune_cpu(summary.macs * batch_images(test_set))
    module = subject.module.to(device)
    confusion = torch.zeros(classes * classes, dtype=torch.int64, device=device)
    done = 0
    for logits, labels in predict(module, test_set, subject.normalize, device):
        pairs = labels * classes + logits.argmax(dim=1)
        confusion += torch.bincount(pairs, minlength=classes * classes)
        done += len(labels)
        yield Progress("evaluating", done, len(test_set))
    return from_confusion(
        confusion.view(classes, classes).tolist(),
        test_set.classes,
        checkpoint=subject.name,
        averaged=subject.averaged,
        dataset=dataset,
        seconds=time.monotonic() - started,
    )
