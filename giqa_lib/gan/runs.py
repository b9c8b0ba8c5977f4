"""A training run with checkpoints in a folder: it goes on where it was stopped, at any moment."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor, nn

from giqa_lib.checkpoints import remove_checkpoints
from giqa_lib.gan.checkpoints import load_checkpoint, save_checkpoint
from giqa_lib.gan.feeds import Feed
from giqa_lib.gan.trainer import TrainSettings, TrainState, Variant, train

__all__ = ["network_tensors", "read_losses", "train_in"]

CHECKPOINT_EVERY = 500
LOSSES = "losses.csv"
COLUMNS = ["step", "discriminator", "generator"]


def train_in(
    folder: Path,
    state: TrainState,
    feed: Feed,
    settings: TrainSettings,
    *,
    at: Sequence[int],
    config: Mapping[str, Any],
    variant: Variant | None = None,
    device: str = "cpu",
    progress: bool = False,
) -> Iterator[TrainState]:
    """As :func:`train`, from the newest checkpoint in ``folder`` that has ``config``, if there is one.

    The losses are written to the folder at the end, and its checkpoints removed.
    """
    load_checkpoint(folder, state, config)
    checkpoints = range(CHECKPOINT_EVERY, settings.steps + 1, CHECKPOINT_EVERY)
    both = sorted({*at, *checkpoints})
    for reached in train(
        state, feed, settings, at=both, variant=variant, device=device, progress=progress
    ):
        if reached.step in at:
            yield reached
        if reached.step in checkpoints:
            save_checkpoint(folder, reached, config)
    pd.DataFrame(state.losses, columns=COLUMNS).to_csv(folder / LOSSES, index=False)
    remove_checkpoints(folder)


def read_losses(folder: Path) -> pd.DataFrame:
    """Both players' losses of a finished run: ``step``, ``discriminator``, ``generator``."""
    return pd.read_csv(folder / LOSSES)


def network_tensors(network: nn.Module) -> dict[str, Tensor]:
    """A network's state as a safetensors file takes it."""
    return {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
