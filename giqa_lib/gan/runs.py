"""A training run with checkpoints in a folder: it goes on where it was stopped, at any moment."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from giqa_lib.checkpoints import remove_checkpoints
from giqa_lib.gan.architecture import Alteration, Architecture
from giqa_lib.gan.checkpoints import load_checkpoint, save_checkpoint
from giqa_lib.gan.feeds import Feed
from giqa_lib.gan.trainer import TrainSettings, TrainState, new_state, train

__all__ = ["network_tensors", "read_losses", "train_in"]

CHECKPOINT_EVERY = 500
LOSSES = "losses.csv"
COLUMNS = ["step", "discriminator", "generator"]


def train_in(
    folder: Path,
    made: Architecture,
    feed: Feed,
    settings: TrainSettings,
    *,
    at: Sequence[int],
    config: Mapping[str, Any],
    seed: int,
    alteration: Alteration | None = None,
    device: str = "cpu",
    progress: bool = False,
) -> Iterator[TrainState]:
    """Train an architecture from ``seed``, or from the newest checkpoint in ``folder``, and yield as :func:`train`.

    A checkpoint made with another ``config`` is refused. The losses are written to the folder at the end, and
    its checkpoints removed.
    """
    random = torch.Generator().manual_seed(seed)
    generator, discriminator = (network.to(device) for network in made.networks(random))
    variant = made.variant(discriminator)
    state = new_state(
        generator,
        discriminator,
        settings,
        latent=made.latent,
        random=random,
        average_decay=made.average_decay,
    )
    if alteration is not None:
        variant, state.companions = alteration.change(variant), alteration.companions
    load_checkpoint(folder, state, config)
    checkpoints = range(CHECKPOINT_EVERY, settings.steps + 1, CHECKPOINT_EVERY)
    for reached in train(
        state,
        feed,
        settings,
        at=sorted({*at, *checkpoints}),
        variant=variant,
        device=device,
        progress=progress,
    ):
        if reached.step in at:
            yield reached
        if reached.step in checkpoints:
            save_checkpoint(folder, reached, config)
    beside = [name for each in state.companions.values() for name in each.numbers()]
    several = len(state.losses[0]) - len(COLUMNS) - len(beside)
    judges = [f"{COLUMNS[1]} {n + 1}" for n in range(several)]
    losses = pd.DataFrame(state.losses, columns=[*COLUMNS, *judges, *beside])
    losses.to_csv(folder / LOSSES, index=False)
    remove_checkpoints(folder)


def read_losses(folder: Path) -> pd.DataFrame:
    """Both players' losses of a finished run: ``step``, ``discriminator``, ``generator``.

    Where several discriminators judge, also ``discriminator 1``, ``discriminator 2``, ..., which add up to the
    first; where something is trained beside the players, its own columns (``gamma`` of a label guide).
    """
    return pd.read_csv(folder / LOSSES)


def network_tensors(network: nn.Module) -> dict[str, Tensor]:
    """A network's state as a safetensors file takes it."""
    return {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
