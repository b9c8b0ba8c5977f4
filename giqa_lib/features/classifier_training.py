"""Training the small classifier, and fetching it from the store.

Adam on cross-entropy; the rate rises linearly over the first fifth of the steps and falls to
zero by a half cosine (one cycle; Smith and Topin, Super-Convergence, 2018). No augmentation:
digits must not be mirrored. All randomness comes from one ``torch.Generator``, so a seed gives
bitwise the same weights on the same kind of CPU with the same number of threads.
"""

import hashlib
import math
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from giqa_lib.checks import GiqaError, InputError, check_images, check_same_length, error_line
from giqa_lib.data import ImageSet, resize
from giqa_lib.features.classifier import (
    REVISION,
    SMALLEST_SIDE,
    ClassifierExtractor,
    ClassifierSettings,
    SmallClassifier,
)
from giqa_lib.store import Store

__all__ = ["fetch_classifier", "train_classifier"]

#: Share of the steps in which the learning rate rises.
_WARM_UP = 0.2


def train_classifier(
    images: UInt8[Tensor, "n c h w"],
    labels: ArrayLike,
    *,
    settings: ClassifierSettings | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> ClassifierExtractor:
    """Train on uint8 images (n, c, h, w) with integer labels (n,), any whole numbers.

    Raises :class:`giqa_lib.checks.InputError` for images below 16 px or fewer than two classes,
    :class:`giqa_lib.checks.GiqaError` with the step if the loss is not finite.

    >>> images = torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1).expand(8, 1, 16, 16) * 30
    >>> train_classifier(images, [0, 0, 0, 0, 7, 7, 7, 7]).classes
    (0, 7)
    """
    settings = ClassifierSettings() if settings is None else settings
    images, classes, targets = _checked(images, labels, settings)
    device = torch.device(device)
    generator = torch.Generator().manual_seed(seed)
    mean, std = _moments(images)
    network = _new_network(images.shape[1], len(classes), settings, generator).to(device)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    shape = (1, -1, 1, 1)
    means, stds = (torch.tensor(v, device=device).view(shape) * 255 for v in (mean, std))
    steps = settings.epochs * math.ceil(len(images) / settings.batch_size)
    step, hits = 0, 0
    with tqdm(total=steps, desc="classifier", unit="step", disable=not progress) as bar:
        for _ in range(settings.epochs):
            hits = 0
            order = torch.randperm(len(images), generator=generator)
            for chosen in order.split(settings.batch_size):
                for group in optimizer.param_groups:
                    group["lr"] = settings.learning_rate * _one_cycle(step, steps)
                batch = (images[chosen].to(device, torch.float32) - means) / stds
                target = targets[chosen].to(device)
                logits = network(batch.contiguous(memory_format=torch.channels_last))
                loss = cross_entropy(logits, target)
                if not torch.isfinite(loss):
                    hint = "lower the learning rate"
                    got = f"{loss.item()} at step {step}"
                    raise GiqaError(error_line("loss", expected="finite", got=got, hint=hint))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                hits += int((logits.argmax(1) == target).sum())
                step += 1
                bar.update()
    return ClassifierExtractor(
        network.cpu().eval(),
        classes=classes,
        input_size=(images.shape[2], images.shape[3]),
        mean=mean,
        std=std,
        settings=settings,
        accuracy=hits / len(images),
        device=device,
    )


def fetch_classifier(
    store: Store,
    images: ImageSet,
    *,
    settings: ClassifierSettings | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> ClassifierExtractor:
    """The classifier of a labelled image set: trained once, then read from the store.

    The key holds the images, their labels, the settings and the seed. All images are held in
    memory at their input size while it is trained.
    """
    settings = ClassifierSettings() if settings is None else settings
    config = {
        "images": images.fingerprint,
        "labels": hashlib.sha256(images.labels.astype("<i8").tobytes()).hexdigest()[:32],
        "settings": asdict(settings),
        "seed": seed,
        "revision": REVISION,
    }

    def make(folder: Path) -> ClassifierExtractor:
        return train_classifier(
            images.tensor(size=settings.input_size),
            images.labels,
            settings=settings,
            seed=seed,
            device=device,
            progress=progress,
        )

    load = partial(ClassifierExtractor.load, device=device)
    return store.fetch_saved("classifier", config, make, load)


def _checked(
    images: Tensor, labels: ArrayLike, settings: ClassifierSettings
) -> tuple[Tensor, tuple[int, ...], Tensor]:
    check_images(images)
    if images.dtype != torch.uint8:
        hint = "map them to 0..255, round and cast"
        raise InputError(error_line("images", expected="uint8", got=str(images.dtype), hint=hint))
    values = np.asarray(labels)
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        got = f"{values.dtype} of shape {values.shape}"
        hint = "number the classes"
        raise InputError(error_line("labels", expected="integers (n,)", got=got, hint=hint))
    check_same_length(images=images, labels=values)
    if settings.input_size is not None:
        images = resize(images, settings.input_size)
    if min(images.shape[2:]) < SMALLEST_SIDE:
        hint = "set input_size in the settings to resize them"
        got = f"{images.shape[2]} x {images.shape[3]}"
        raise InputError(
            error_line("images", expected=f">= {SMALLEST_SIDE} px", got=got, hint=hint)
        )
    classes, places = np.unique(values, return_inverse=True)
    if len(classes) < 2:
        hint = "a classifier needs images of two classes"
        raise InputError(
            error_line("labels", expected="2 classes", got=str(len(classes)), hint=hint)
        )
    return images, tuple(map(int, classes)), torch.from_numpy(places.astype(np.int64))


def _moments(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel in [0, 1], from counts: exact and flat."""
    levels = torch.arange(256, dtype=torch.float64) / 255
    mean, std = [], []
    for channel in images.unbind(1):
        share = torch.bincount(channel.flatten(), minlength=256).double() / channel.numel()
        centre = float(share @ levels)
        mean.append(centre)
        std.append(float(((levels - centre).square() @ share).sqrt().clamp(min=1 / 255)))
    return tuple(mean), tuple(std)


def _new_network(
    in_channels: int, classes: int, settings: ClassifierSettings, generator: torch.Generator
) -> SmallClassifier:
    """A network initialised from ``generator`` alone (He et al., 2015)."""
    with torch.device("meta"):  # the layers' own initialisation would draw global numbers
        network = SmallClassifier(
            in_channels, classes, channels=settings.channels, width=settings.width
        )
    network.to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def _one_cycle(step: int, steps: int) -> float:
    """Share of the peak rate at ``step``, in (0, 1]."""
    rise = max(1.0, _WARM_UP * steps)
    if step + 1 <= rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))
