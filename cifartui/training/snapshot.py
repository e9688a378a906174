"""Writing and reading checkpoints: the tensors and facts of all parts in one safetensors file, what is known of it in
a JSON file beside it.

Equal states make equal files: nothing of time or place is in the safetensors file.
"""

import hashlib
import json
from contextlib import suppress
from typing import Any

import msgspec
from safetensors import SafetensorError
from safetensors import torch as safetensors

from cifartui.errors import DataError
from cifartui.files import durably, sync_file
from cifartui.training.averaging import AVERAGE
from cifartui.training.run.checkpoints import CheckpointFacts, encode_facts, facts_file, tensors_file
from cifartui.training.run.folder import Run
from cifartui.training.state import State, Tensors, part_of

STATE = "cifartui.state"
"""The key of the parts' facts among the file's metadata."""


def write_checkpoint(run: Run, state: State, facts: CheckpointFacts) -> CheckpointFacts:
    """Write state and facts durably; return the facts with size and checksum filled in.

    Both are on the disk before either takes its place, the state first: until the facts do, there is no checkpoint of
    this step.

    Raises:
        OSError: it cannot be written; the checkpoints of other steps are untouched.
    """
    parts = json.dumps(state.facts, sort_keys=True, allow_nan=False)
    data = safetensors.save(state.tensors, metadata={STATE: parts})
    facts = msgspec.structs.replace(facts, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    tensors, known = tensors_file(run, facts), facts_file(run, facts)
    try:
        with durably(known) as staged_facts, durably(tensors) as staged_tensors:
            staged_tensors.write_bytes(data)
            staged_facts.write_bytes(encode_facts(facts))
            sync_file(staged_tensors)
            sync_file(staged_facts)
            known.unlink(missing_ok=True)  # of another state at the same step, which the tensors will not be
    except OSError:
        with suppress(OSError):
            if not known.exists():
                tensors.unlink(missing_ok=True)
        raise
    return facts


def read_state(run: Run, facts: CheckpointFacts) -> State:
    """Read a checkpoint's whole state after checking its sha256.

    Raises:
        DataError: the file is not the one that was written, or is from before checkpoints held all of a state.
    """
    data = _checked(run, facts)
    parts = _metadata(data).get(STATE)
    if not isinstance(parts, str):
        raise DataError(
            f"The checkpoint {run.id}@{facts.step} was saved by an older version of the program, which did not keep "
            "all that is needed to go on exactly; it can be evaluated and exported, and training starts anew."
        )
    return State(_tensors(run, facts, data), json.loads(parts))


def read_weights(run: Run, facts: CheckpointFacts) -> Tensors:
    """Read the weights that a checkpoint is judged by, their average if it has one, after checking its sha256.

    Raises:
        DataError: the file is not the one that was written.
    """
    tensors = _tensors(run, facts, _checked(run, facts))
    average = part_of(tensors, AVERAGE)
    return average or {name: tensor for name, tensor in tensors.items() if "/" not in name}


def _checked(run: Run, facts: CheckpointFacts) -> bytes:
    path = tensors_file(run, facts)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); use another checkpoint.") from error
    if hashlib.sha256(data).hexdigest() != facts.sha256:
        raise DataError(f"{path} is damaged: its sha256 is not that of the checkpoint saved; use another checkpoint.")
    return data


def _tensors(run: Run, facts: CheckpointFacts, data: bytes) -> Tensors:
    try:
        return safetensors.load(data)
    except SafetensorError as error:
        raise DataError(f"{tensors_file(run, facts)} cannot be read ({error}); use another checkpoint.") from error


def _metadata(data: bytes) -> dict[str, Any]:
    """The metadata of a safetensors file: its header is JSON, after eight bytes that say how long it is."""
    length = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    return header.get("__metadata__") or {}
