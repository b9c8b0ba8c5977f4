"""Generative adversarial networks: models, objectives, one training loop, checkpoints, samples."""

from giqa_lib.gan.architecture import Alteration, Architecture
from giqa_lib.gan.checkpoints import load_checkpoint, save_checkpoint
from giqa_lib.gan.feeds import Batch, Feed, images_at_random, one_hot_maps, pairs_at_random
from giqa_lib.gan.models import (
    Critic,
    DCGANSettings,
    Discriminator,
    Generator,
    GrowingDiscriminator,
    GrowingGenerator,
    PGGANSettings,
    StyleGANSettings,
    StyleGenerator,
    WGANGPSettings,
    new_dcgan,
)
from giqa_lib.gan.objectives import (
    HINGE,
    LEAST_SQUARES,
    NON_SATURATING,
    WASSERSTEIN,
    Objective,
    gradient_penalty,
    loss_per_image,
    real_gradient_penalty,
)
from giqa_lib.gan.pixels import to_pixels, to_unit
from giqa_lib.gan.runs import network_tensors, read_losses, train_in
from giqa_lib.gan.sampling import Truncatable, latents, sample
from giqa_lib.gan.snapshots import Snapshots, SnapshotSettings, fetch_snapshots, log_spaced_steps
from giqa_lib.gan.trainer import (
    TrainSettings,
    TrainState,
    Variant,
    new_state,
    train,
)

__all__ = [
    "HINGE",
    "LEAST_SQUARES",
    "NON_SATURATING",
    "WASSERSTEIN",
    "Alteration",
    "Architecture",
    "Batch",
    "Critic",
    "DCGANSettings",
    "Discriminator",
    "Feed",
    "Generator",
    "GrowingDiscriminator",
    "GrowingGenerator",
    "Objective",
    "PGGANSettings",
    "SnapshotSettings",
    "Snapshots",
    "StyleGANSettings",
    "StyleGenerator",
    "TrainSettings",
    "TrainState",
    "Truncatable",
    "Variant",
    "WGANGPSettings",
    "fetch_snapshots",
    "gradient_penalty",
    "images_at_random",
    "latents",
    "load_checkpoint",
    "log_spaced_steps",
    "loss_per_image",
    "network_tensors",
    "new_dcgan",
    "new_state",
    "one_hot_maps",
    "pairs_at_random",
    "read_losses",
    "real_gradient_penalty",
    "sample",
    "save_checkpoint",
    "to_pixels",
    "to_unit",
    "train",
    "train_in",
]
