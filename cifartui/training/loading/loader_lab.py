"""The loader lab: how many training images per second each way of loading brings on this machine."""

import math
import os
import statistics
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import cast

import msgspec
import torch

from cifartui.dataset.images import ImageSet, load_image_set
from cifartui.errors import CifartuiError
from cifartui.processor import usable_cores
from cifartui.text import printable
from cifartui.training.loading.batches import Batch, Batches, batches_per_chunk
from cifartui.training.loading.loader_results import Measured, Verdict, workers_in_words
from cifartui.training.loading.order import FileOrder, ShuffledOrder
from cifartui.training.loading.sources import make_batches
from cifartui.training.recipes.parts import Loader
from cifartui.training.recipes.recipe import Recipe

SECONDS = 1.0
"""Of loading in one repetition."""
REPETITIONS = 3
LEAST_ORDER_IMAGES = 100_000
"""In one pass: small data sets are repeated up to it, so that starting workers does not take longer than measuring."""
LEAST_ORDER_ROUNDS = 8
MOST_WORKERS = 64
"""That a recipe may ask for."""
LEAST_SHARED_MEMORY = 64 * 2**20
"""Bytes free in /dev/shm, through which workers hand over their batches; with less they die of a bus error."""
SHARED_MEMORY = Path("/dev/shm")
CPU = torch.device("cpu")


def measure_loaders(
    dataset: str, recipe: Recipe, batch_sizes: tuple[int, ...] = (4, 32, 256)
) -> Generator[Measured | Verdict, None, None]:
    """Measure resident tensors and the DataLoader at the recipe's batch size, then at the others; last, the verdict.

    Batches come as in training, on the CPU, with one thread in this process. The clock starts once the first round
    of batches (one of each worker) is there, so the start of workers, which each epoch pays anew, is left out. No
    worker is alive between two values.

    Raises:
        CifartuiError: the data set cannot be used, or no way of loading works.
    """
    image_set = load_image_set(dataset, "train")
    loaders = [Loader("resident", 0), *(Loader("dataloader", workers) for workers in workers_worth_trying())]
    rivals: list[Measured] = []
    for batch_size in dict.fromkeys((recipe.batch_size, *batch_sizes)):
        for loader in loaders:
            loader = msgspec.structs.replace(loader, shuffle=recipe.loader.shuffle)
            measured = _measure(image_set, msgspec.structs.replace(recipe, batch_size=batch_size, loader=loader))
            if batch_size == recipe.batch_size:
                rivals.append(measured)
            yield measured
    yield judge(rivals)


def judge(rivals: list[Measured]) -> Verdict:
    """The verdict over all measurements of one batch size.

    Raises:
        CifartuiError: none of them could be measured.
    """
    best = max(rivals, key=lambda measured: measured.images_per_second)
    if not best.images_per_second:
        raise CifartuiError(f"No way of loading works here: {best.note}; mend that and measure again.")
    others = [measured for measured in rivals if measured.kind != best.kind]
    second = max(others, key=lambda measured: measured.images_per_second)
    rate = f"{_rounded(best.images_per_second)} images/s at batch {best.batch_size}"
    if best.kind == "resident":
        opening, ending = f"Resident tensors load {rate}", "use them"
        rival = f"the best DataLoader ({workers_in_words(second)}: {_rounded(second.images_per_second)})"
    else:
        opening = f"The DataLoader with {workers_in_words(best)} loads {rate}"
        ending = f"set loader.kind to dataloader and loader.num_workers to {best.num_workers}"
        rival = f"resident tensors ({_rounded(second.images_per_second)})"
    if second.images_per_second:
        lead = best.images_per_second / second.images_per_second
        comparison = f"{lead:.0f} times as many as {rival}" if lead >= 9.5 else f"{lead:.1f} times as many as {rival}"
    else:
        comparison = "and nothing else works here"
    return Verdict(best.kind, best.num_workers, best.batch_size, f"{opening}, {comparison}: {ending}.")


def workers_worth_trying() -> tuple[int, ...]:
    """Numbers of DataLoader workers: 0 and the powers of two up to the usable cores; 0 alone without shared memory."""
    if _free_shared_memory() < LEAST_SHARED_MEMORY:
        return (0,)
    return (0, *(2**power for power in range(min(usable_cores(), MOST_WORKERS).bit_length())))


def _free_shared_memory() -> float:
    if not SHARED_MEMORY.is_dir():
        return math.inf
    shared = os.statvfs(SHARED_MEMORY)
    return shared.f_bavail * shared.f_frsize


def _measure(image_set: ImageSet, recipe: Recipe) -> Measured:
    kind, workers, batch_size = recipe.loader.kind, recipe.loader.num_workers, recipe.batch_size
    round_batches = batches_per_chunk(image_set.images, batch_size) if kind == "resident" else max(1, workers)
    order = _order(image_set, recipe, LEAST_ORDER_ROUNDS * round_batches * batch_size)
    try:
        with _one_thread():
            batches = make_batches(image_set, recipe, CPU)
            rates = [_images_per_second(batches, order, round_batches) for _ in range(REPETITIONS)]
        return Measured(kind, workers, batch_size, statistics.median(rates), (min(rates), max(rates)))
    except (RuntimeError, OSError) as error:  # a worker died, or there is too little memory
        traceback.clear_frames(error.__traceback__)  # they refer to the error and keep workers alive
        return Measured(kind, workers, batch_size, 0.0, (0.0, 0.0), _last_line(error))


def _images_per_second(batches: Batches, order: torch.Tensor, round_batches: int) -> float:
    images, seconds = 0, 0.0
    while seconds < SECONDS:
        with closing(cast("Generator[Batch, None, None]", batches.in_order(order))) as stream:
            _load(stream, round_batches)
            started = time.perf_counter()
            elapsed = 0.0
            while seconds + elapsed < SECONDS and (loaded := _load(stream, round_batches)):
                images += loaded
                elapsed = time.perf_counter() - started
            seconds += elapsed
    return images / seconds


def _load(stream: Iterator[Batch], batches: int) -> int:
    """Whole rounds only: batches come in bursts, one of each worker or as many as are normalised at once."""
    return sum(len(labels) for _, labels in islice(stream, batches))


def _order(image_set: ImageSet, recipe: Recipe, least: int) -> torch.Tensor:
    """The first epoch's order, repeated to at least `least` images: int64 `[N]`."""
    images = len(image_set)
    shuffled = ShuffledOrder(images, torch.Generator().get_state())
    epoch = (shuffled if recipe.loader.shuffle else FileOrder(images)).epoch(1)
    return epoch.repeat(-(-max(least, LEAST_ORDER_IMAGES) // images))


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _last_line(error: Exception) -> str:
    """The error itself: what a worker raised comes with its traceback before it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return printable(lines[-1], 200).rstrip(".")


def _rounded(images_per_second: float) -> str:
    return f"{float(f'{images_per_second:.2g}'):,.0f}"
