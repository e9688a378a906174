"""Writing and reading the tensors of a checkpoint.

Weights stand under their own names (`conv1.weight`); the optimizer's and the random generators' states, needed to go
on training, under names with a slash, which no weight has.
"""

import hashlib

import msgspec
import torch
from safetensors import SafetensorError
from safetensors import torch as tensors
from torch import nn

from cifartui.errors import DataError
from cifartui.files import write_durably
from cifartui.training.run.checkpoints import (
    CheckpointFacts,
    facts_file,
    tensors_file,
)
from cifartui.training.run.folder import Run


def training_tensors(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Everything that goes on from here: weights, optimizer state, state of the random generators."""
    state: dict[str, torch.Tensor] = {}
    memory: set[int] = set()
    for name, tensor in module.state_dict().items():
        kept = tensor.detach().cpu().contiguous()
        place = kept.untyped_storage().data_ptr()
        state[name] = kept.clone() if place in memory else kept  # safetensors refuses weights that share memory
        memory.add(place)
    for name, parameter in module.named_parameters():
        for field, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                state[f"optimizer/{field}/{name}"] = value.detach().cpu().contiguous()
    state["generator/cpu"] = torch.get_rng_state()
    if torch.cuda.is_initialized():
        state["generator/cuda"] = torch.cuda.get_rng_state()
    return state


def not_finite(state: dict[str, torch.Tensor]) -> str:
    """The name of the first tensor that holds a nan or an infinity; else nothing."""
    return next((name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())), "")


def write_checkpoint(run: Run, state: dict[str, torch.Tensor], facts: CheckpointFacts) -> CheckpointFacts:
    """Write tensors, then facts, each durably; return the facts with size and checksum filled in.

    Raises:
        OSError: it cannot be written; the checkpoints from before are untouched.
    """
    data = tensors.save(state)
    facts = msgspec.structs.replace(facts, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    write_durably(tensors_file(run, facts), data)
    write_durably(facts_file(run, facts), msgspec.json.format(msgspec.json.encode(facts)))
    return facts


def read_weights(run: Run, facts: CheckpointFacts) -> dict[str, torch.Tensor]:
    """Read a checkpoint's weights after checking its sha256.

    Raises:
        DataError: the file is not the one that was written.
    """
    path = tensors_file(run, facts)
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != facts.sha256:
            raise DataError(
                f"{path} is damaged: its sha256 is not that of the checkpoint saved; use another checkpoint."
            )
        state = tensors.load(data)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read ({error}); use another checkpoint.") from error
    return {name: tensor for name, tensor in state.items() if "/" not in name}
