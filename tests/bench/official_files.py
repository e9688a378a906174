"""Files in the official python layout, made from a prepared data set."""

import pickle
from pathlib import Path

import numpy as np

from cifartui.dataset.images import load_image_set

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def write_official_files(dataset: str, root: Path) -> None:
    """Write `cifar-10-batches-py` under `root`: five training batches and one of test images, shuffled as there."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    train, test = load_image_set(dataset, "train"), load_image_set(dataset, "test")
    order = np.random.default_rng(0).permutation(len(train))
    parts = [(f"data_batch_{number}", train, part) for number, part in enumerate(np.array_split(order, 5), start=1)]
    for name, image_set, indices in [*parts, ("test_batch", test, np.arange(len(test)))]:
        batch = {
            "data": image_set.images.numpy()[indices].reshape(len(indices), -1),
            "labels": image_set.labels.numpy()[indices].tolist(),
            "filenames": [f"{index}.png" for index in indices],
            "batch_label": name,
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    meta = {"label_names": CLASSES, "num_cases_per_batch": len(order) // 5, "num_vis": 3072}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
