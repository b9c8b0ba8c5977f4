"""Generative adversarial networks: models, objectives, one training loop, checkpoints, samples."""

from giqa_lib.gan.checkpoints import load_checkpoint, save_checkpoint
from giqa_lib.gan.models import DCGANSettings, Discriminator, Generator, new_dcgan
from giqa_lib.gan.objectives import HINGE, NON_SATURATING, WASSERSTEIN, Objective, gradient_penalty
from giqa_lib.gan.sampling import latents, sample
from giqa_lib.gan.snapshots import Snapshots, SnapshotSettings, fetch_snapshots, log_spaced_steps
from giqa_lib.gan.trainer import (
    TrainSettings,
    TrainState,
    Variant,
    new_state,
    to_pixels,
    to_unit,
    train,
)

__all__ = [
    "HINGE",
    "NON_SATURATING",
    "WASSERSTEIN",
    "DCGANSettings",
    "Discriminator",
    "Generator",
    "Objective",
    "SnapshotSettings",
    "Snapshots",
    "TrainSettings",
    "TrainState",
    "Variant",
    "fetch_snapshots",
    "gradient_penalty",
    "latents",
    "load_checkpoint",
    "log_spaced_steps",
    "new_dcgan",
    "new_state",
    "sample",
    "save_checkpoint",
    "to_pixels",
    "to_unit",
    "train",
]
