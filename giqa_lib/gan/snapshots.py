"""Snapshots of a GAN's training: generators at log-spaced steps, trained once and kept in the store.

GIQA (Section 3.1) rests on the observation that generated images get better as training goes on. The
snapshots give images of known relative age, for pairs and as pseudo-labels.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64, UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.data import ImageSet
from giqa_lib.gan.architecture import Alteration, Architecture
from giqa_lib.gan.feeds import Feed, images_at_random, labelled_at_random
from giqa_lib.gan.pixels import crop_to, pad_to
from giqa_lib.gan.runs import network_tensors, read_losses, train_in
from giqa_lib.gan.sampling import sample
from giqa_lib.gan.trainer import TrainSettings
from giqa_lib.store import Store

__all__ = [
    "SnapshotSettings",
    "Snapshots",
    "evenly_spaced_steps",
    "fetch_fed_snapshots",
    "fetch_snapshots",
    "log_spaced_steps",
]

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
REVISION = 1  # raise it when a change of the code changes what is trained


@dataclass(frozen=True, kw_only=True)
class SnapshotSettings:
    """The networks, their training, and the steps to keep the generator at, or both players with ``both``."""

    architecture: Architecture
    train: TrainSettings
    steps: tuple[int, ...]
    both: bool = False

    def __post_init__(self) -> None:
        increasing = all(a < b for a, b in zip(self.steps, self.steps[1:], strict=False))
        if (
            not self.steps
            or not increasing
            or self.steps[0] < 1
            or self.steps[-1] > self.train.steps
        ):
            hint = "take log_spaced_steps(first, last, count)"
            expected = f"rising steps within 1..{self.train.steps}"
            raise InputError(error_line("steps", expected=expected, got=str(self.steps), hint=hint))

    def describe(self) -> dict[str, Any]:
        """The settings as JSON values, which decide where the snapshots are kept."""
        family, values = self.architecture.family, asdict(self.architecture)  # type: ignore[call-overload]
        described = {family: values, "train": asdict(self.train), "steps": self.steps}
        # Only where it is set: what was kept before there was a choice stays where it is.
        return described | ({"both": True} if self.both else {})


def log_spaced_steps(first: int, last: int, count: int) -> tuple[int, ...]:
    """``count`` whole steps from ``first`` to ``last`` with a constant ratio, rounded, each once.

    >>> log_spaced_steps(100, 800, 4)
    (100, 200, 400, 800)
    """
    check_positive(first, name="first")
    check_positive(last - first, name="last - first")
    check_positive(count - 1, name="count - 1")
    return tuple(int(s) for s in np.unique(np.geomspace(first, last, count).round().astype(int)))


def evenly_spaced_steps(last: int, count: int) -> tuple[int, ...]:
    """``count`` whole steps with a constant distance, rising to ``last``; fewer where steps coincide.

    >>> evenly_spaced_steps(800, 4)
    (200, 400, 600, 800)
    """
    check_positive(last, name="last")
    check_positive(count, name="count")
    return tuple(sorted({max(1, round(last * i / count)) for i in range(1, count + 1)}))


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """Trained generators by step, read from ``folder`` when asked for."""

    folder: Path
    settings: SnapshotSettings
    native_size: tuple[int, int]
    device: str

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps at which there is a generator, rising."""
        return self.settings.steps

    @property
    def losses(self) -> pd.DataFrame:
        """Both players' losses: ``step``, ``discriminator``, ``generator``."""
        return read_losses(self.folder)

    def generator(self, step: int) -> nn.Module:
        """The generator (its average, where one is kept) as it was after ``step`` updates."""
        return self._player(step, GENERATOR)

    def discriminator(self, step: int) -> nn.Module:
        """The discriminator after ``step`` updates, in evaluation mode; kept only if the settings say ``both``."""
        if not self.settings.both:
            hint = "train with SnapshotSettings(both=True)"
            raise InputError(
                error_line("discriminator", expected="a kept one", got="none", hint=hint)
            )
        return self._player(step, DISCRIMINATOR)

    def _player(self, step: int, name: str) -> nn.Module:
        if step not in self.steps:
            known = ", ".join(map(str, self.steps))
            raise InputError(
                error_line(
                    "step", expected=f"one of {known}", got=str(step), hint="take one of them"
                )
            )
        players = self.settings.architecture.networks(torch.Generator())
        network = dict(zip((GENERATOR, DISCRIMINATOR), players, strict=True))[name]
        network.load_state_dict(load_file(_file(self.folder, step, name)))
        return network.to(self.device).eval()

    def images(
        self,
        step: int,
        count: int,
        *,
        seed: int,
        truncation: float = 1.0,
        labels: Int64[Tensor, " n"] | None = None,
    ) -> UInt8[Tensor, "n c h w"]:
        """``count`` images of the data set's own size; the same latents at every step.

        ``labels`` say the class of each, to a generator that was trained with labels.
        """
        made = sample(
            self.generator(step),
            count,
            latent=self.settings.architecture.latent,
            seed=seed,
            truncation=truncation,
            condition=() if labels is None else (labels,),
            device=self.device,
        )
        return crop_to(made, self.native_size)


def fetch_snapshots(
    store: Store,
    images: ImageSet,
    settings: SnapshotSettings,
    *,
    seed: int,
    labels: Int64[Tensor, " n"] | None = None,
    alteration: Alteration | None = None,
    device: str = "cpu",
    progress: bool = False,
) -> Snapshots:
    """The snapshots from the store; trained first if they are not there, from a checkpoint if one is.

    ``labels`` (n,) are the condition of a class-conditional family. ``alteration`` changes the family's training.
    Images smaller than the networks' size are padded with black evenly around and cropped back on sampling; larger
    ones are an error. All images are held in memory.
    """
    config = {
        "images": images.fingerprint,
        "settings": settings.describe(),
        "seed": seed,
        "revision": REVISION,
    }
    if labels is not None:
        config["labels"] = hashlib.sha256(labels.numpy().astype("<i8").tobytes()).hexdigest()[:32]
    if alteration is not None:
        config["alteration"] = dict(alteration.description)

    def feed() -> Feed:
        pixels = pad_to(images.tensor(channels=made.channels), made.image_size)
        return images_at_random(pixels) if labels is None else labelled_at_random(pixels, labels)

    made, (height, width) = settings.architecture, images[0].shape[1:]
    return _fetch(
        store,
        feed,
        settings,
        config=config,
        seed=seed,
        native_size=(height, width),
        alteration=alteration,
        device=device,
        progress=progress,
    )


def fetch_fed_snapshots(
    store: Store,
    feed: Feed,
    settings: SnapshotSettings,
    *,
    data: Mapping[str, Any],
    seed: int,
    device: str = "cpu",
    progress: bool = False,
) -> Snapshots:
    """The same of a family that is trained on another feed than images alone, such as images with holes.

    ``data`` are JSON values that decide what the feed draws: fingerprints of its images and its settings.
    """
    config = {
        "data": dict(data),
        "settings": settings.describe(),
        "seed": seed,
        "revision": REVISION,
    }
    side = settings.architecture.image_size
    return _fetch(
        store,
        lambda: feed,
        settings,
        config=config,
        seed=seed,
        native_size=(side, side),
        device=device,
        progress=progress,
    )


def _fetch(
    store: Store,
    feed: Callable[[], Feed],
    settings: SnapshotSettings,
    *,
    config: Mapping[str, Any],
    seed: int,
    native_size: tuple[int, int],
    alteration: Alteration | None = None,
    device: str,
    progress: bool,
) -> Snapshots:
    def make(folder: Path) -> None:
        for reached in train_in(
            folder,
            settings.architecture,
            feed(),
            settings.train,
            at=settings.steps,
            config=config,
            seed=seed,
            alteration=alteration,
            device=device,
            progress=progress,
        ):
            kept = {GENERATOR: reached.best_generator}
            kept |= {DISCRIMINATOR: reached.discriminator} if settings.both else {}
            for name, network in kept.items():
                save_file(network_tensors(network), _file(folder, reached.step, name))

    folder = store.fetch("snapshots", config, make)
    return Snapshots(folder=folder, settings=settings, native_size=native_size, device=device)


def _file(folder: Path, step: int, name: str) -> Path:
    return folder / f"{name}-{step:07d}.safetensors"
