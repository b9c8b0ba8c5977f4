"""Conditional generators, label map -> image: what they are, how they are trained and kept, how they translate.

A translator's generator is called ``generator(latents, one_hot_maps)``; one that uses no latent is given
latents of width 0. Trained by the one loop on pairs drawn at random, resumed from checkpoints, kept in the store.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd
import torch
from jaxtyping import UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_images, check_same_length, error_line
from giqa_lib.data import check_maps, open_images
from giqa_lib.gan.architecture import Architecture
from giqa_lib.gan.feeds import one_hot_maps, pairs_at_random
from giqa_lib.gan.pixels import to_pixels
from giqa_lib.gan.runs import network_tensors, read_losses, train_in
from giqa_lib.gan.sampling import evaluation_mode, latents
from giqa_lib.gan.trainer import TrainSettings
from giqa_lib.store import Store

__all__ = [
    "TrainedTranslator",
    "Translator",
    "TranslatorSettings",
    "fetch_translator",
    "translate",
]

REVISION = 1  # raise it when a change of the code changes what is trained
GENERATOR = "generator.safetensors"


@runtime_checkable
class Translator(Architecture, Protocol):
    """An architecture whose both players are given one-hot label maps of ``classes`` classes."""

    @property
    def classes(self) -> int:
        """How many classes the maps tell apart."""
        ...


@dataclass(frozen=True, kw_only=True)
class TranslatorSettings:
    """The networks and their training; with ``flip`` half of the pairs are mirrored."""

    translator: Translator
    train: TrainSettings
    flip: bool = False

    def describe(self) -> dict[str, Any]:
        """The settings as JSON values, which decide where the translator is kept."""
        family, values = self.translator.family, asdict(self.translator)  # type: ignore[call-overload]
        return {family: values, "train": asdict(self.train), "flip": self.flip}


@dataclass(frozen=True, kw_only=True)
class TrainedTranslator:
    """A trained generator, read from ``folder`` when asked for."""

    folder: Path
    settings: TranslatorSettings
    device: str

    @property
    def losses(self) -> pd.DataFrame:
        """Both players' losses: ``step``, ``discriminator``, ``generator``."""
        return read_losses(self.folder)

    @property
    def generator(self) -> nn.Module:
        """The generator (its average, where one is kept) after the last step, in evaluation mode."""
        network, _ = self.settings.translator.networks(torch.Generator())
        network.load_state_dict(load_file(self.folder / GENERATOR))
        return network.to(self.device).eval()

    def translate(self, maps: UInt8[Tensor, "n h w"], *, seed: int = 0) -> UInt8[Tensor, "n c h w"]:
        """One image a map; ``seed`` draws the latents, where the translator has any."""
        made = self.settings.translator
        check_maps(maps, classes=made.classes, size=(made.image_size, made.image_size))
        return translate(
            self.generator,
            maps,
            classes=made.classes,
            latent=made.latent,
            seed=seed,
            device=self.device,
        )


@torch.no_grad()  # not inference_mode: its tensors refuse to be changed in place later
def translate(
    generator: nn.Module,
    maps: UInt8[Tensor, "n h w"],
    *,
    classes: int,
    latent: int = 0,
    seed: int = 0,
    batch_size: int = 64,
    device: str | torch.device = "cpu",
) -> UInt8[Tensor, "n c h w"]:
    """One image (n, c, h, w) of 0..255 for each label map.

    The generator runs in evaluation mode (no dropout, running statistics), so that an image does not
    depend on its batch; its mode is restored.

    >>> from giqa_lib.gan import Pix2PixSettings
    >>> made, _ = Pix2PixSettings(image_size=16, classes=2, width=4).networks(torch.Generator())
    >>> translate(made, torch.ones(3, 16, 16, dtype=torch.uint8), classes=2).shape
    torch.Size([3, 3, 16, 16])
    """
    check_maps(maps, classes=classes)
    drawn = latents(len(maps), latent, seed=seed)
    with evaluation_mode(generator):
        parts = [
            to_pixels(generator(z.to(device), one_hot_maps(part, classes=classes).to(device))).cpu()
            for z, part in zip(drawn.split(batch_size), maps.split(batch_size), strict=True)
        ]
    return torch.cat(parts).contiguous()


def fetch_translator(
    store: Store,
    images: UInt8[Tensor, "n c h w"],
    maps: UInt8[Tensor, "pairs height width"],
    settings: TranslatorSettings,
    *,
    seed: int,
    device: str = "cpu",
    progress: bool = False,
) -> TrainedTranslator:
    """The translator from the store; trained first if it is not there, from a checkpoint if one is.

    Row i of ``images`` and ``maps`` is a pair. Raises ``InputError`` for fewer pairs than a batch, images of
    another size or number of channels than the networks', maps of another size or with unknown classes.
    """
    _check_pairs(images, maps, settings)
    config = {
        "images": open_images(images).fingerprint,
        "maps": open_images(maps[:, None]).fingerprint,
        "settings": settings.describe(),
        "seed": seed,
        "revision": REVISION,
    }

    def make(folder: Path) -> None:
        made = settings.translator
        for reached in train_in(
            folder,
            made,
            pairs_at_random(images, maps, classes=made.classes, flip=settings.flip),
            settings.train,
            at=[settings.train.steps],
            config=config,
            seed=seed,
            device=device,
            progress=progress,
        ):
            save_file(network_tensors(reached.best_generator), folder / GENERATOR)

    folder = store.fetch("translators", config, make)
    return TrainedTranslator(folder=folder, settings=settings, device=device)


def _check_pairs(images: Tensor, maps: Tensor, settings: TranslatorSettings) -> None:
    made, needed = settings.translator, settings.train.batch_size
    check_images(images)
    check_same_length(images=images, maps=maps)
    shape = (made.channels, made.image_size, made.image_size)
    if tuple(images.shape[1:]) != shape:
        hint = "resize the images, or change the translator's settings"
        expected, got = f"(n, {', '.join(map(str, shape))})", f"shape {tuple(images.shape)}"
        raise InputError(error_line("images", expected=expected, got=got, hint=hint))
    check_maps(maps, classes=made.classes, size=shape[1:])
    if len(images) < needed:
        hint = "give more pairs, or lower the batch size"
        expected = f"a batch of {needed} or more"
        raise InputError(error_line("pairs", expected=expected, got=str(len(images)), hint=hint))
