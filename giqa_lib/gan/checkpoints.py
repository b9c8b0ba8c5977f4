"""A GAN's training state in a checkpoint, resumed bitwise.

Networks, the generator's average, optimisers, companions, the random generator's state, the step and the
losses; how the file is written and checked is :mod:`giqa_lib.checkpoints`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from giqa_lib.checkpoints import (
    below,
    load_optimizer,
    optimizer_tensors,
    read_checkpoint,
    write_checkpoint,
)
from giqa_lib.gan.trainer import TrainState

__all__ = ["load_checkpoint", "save_checkpoint"]

PLAYERS = ("generator", "discriminator")
AVERAGE = "average"


def _tensors(state: TrainState) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {"random": state.random.get_state()}
    if state.average is not None:
        found |= {f"{AVERAGE}.{key}": value for key, value in state.average.state_dict().items()}
    for name in PLAYERS:
        network = getattr(state, name).state_dict()
        moments = optimizer_tensors(getattr(state, f"{name}_optimizer"))
        found |= {f"{name}.{key}": value for key, value in network.items()}
        found |= {f"{name}_optimizer.{key}": value for key, value in moments.items()}
    for name, companion in state.companions.items():
        found |= {f"{name}.{key}": value for key, value in companion.tensors().items()}
    found["losses"] = torch.tensor(state.losses, dtype=torch.float64)
    return found


def save_checkpoint(folder: Path, state: TrainState, config: Mapping[str, Any]) -> Path:
    """Write ``state`` to ``folder``; what was there becomes the previous checkpoint."""
    return write_checkpoint(folder, _tensors(state), step=state.step, config=config)


def load_checkpoint(folder: Path, state: TrainState, config: Mapping[str, Any]) -> bool:
    """Bring ``state`` to the newest whole checkpoint in ``folder``; False if there is none.

    Raises ``InputError`` listing every difference if the checkpoint was made with another ``config``.
    """
    found = read_checkpoint(folder, config)
    if found is None:
        return False
    tensors, state.step = found
    for name in PLAYERS:
        getattr(state, name).load_state_dict(below(tensors, name))
        load_optimizer(getattr(state, f"{name}_optimizer"), below(tensors, f"{name}_optimizer"))
    if state.average is not None:
        state.average.load_state_dict(below(tensors, AVERAGE))
    for name, companion in state.companions.items():
        companion.load_tensors(below(tensors, name))
    state.random.set_state(tensors["random"])
    state.losses = [(int(row[0]), *row[1:]) for row in tensors["losses"].tolist()]
    return True
