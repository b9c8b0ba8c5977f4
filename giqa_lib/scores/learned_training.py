"""Training MBC-, BC- and IR-GIQA on images with pseudo-labels (GIQA, Section 3.1).

Random patches of labelled images go through one network; the best weights are chosen by the rank
correlation of score and label on images of held-out snapshots, never on the pairs that judge the
score. Known departures from the official code: the rotation by up to 15 degrees and the
mirroring are left out, and its model choice (labels of the constant 77) is not a choice.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from giqa_lib.checks import (
    check_probability,
)
from giqa_lib.learning import (
    CENTRE,
    FitSettings,
    NetworkSettings,
    fit,
    new_network,
    random_crops,
    random_places,
    rank_correlation,
)
from giqa_lib.scores.labelled_images import LabelledImages
from giqa_lib.scores.learned import LearnedScore
from giqa_lib.scores.learned_methods import Method
from giqa_lib.store import Store

__all__ = [
    "LearnedSettings",
    "fetch_learned_score",
    "noisy_labels",
    "train_learned_score",
]

REVISION = 1  # raise it when a change of the code changes what is trained


@dataclass(frozen=True, kw_only=True)
class LearnedSettings:
    """The network with its patch, the fit, how many crops score an image (0: one in the centre), and how many images at a time."""

    network: NetworkSettings
    fit: FitSettings
    crops: int = 3
    batch_size: int = 64


#: As the official command: 112 epochs of 200,000 images in batches of 512, VGG-19 on patches of 192 of 256. Not yet run.
PAPER = LearnedSettings(
    network=NetworkSettings(name="vgg19_bn", channels=3, patch=192),
    fit=FitSettings(steps=43_750, batch_size=512, learning_rate=1e-3, check_every=400, patience=20),
)


def train_learned_score(
    train: LabelledImages,
    held_out: LabelledImages,
    method: Method,
    settings: LearnedSettings,
    *,
    seed: int,
    folder: Path | None = None,
    config: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> LearnedScore:
    """A learned score; with ``folder`` a killed run is taken up again, bitwise.

    ``held_out`` are images of snapshots that ``train`` does not have: the weights with the highest
    rank correlation of score and label on them are kept.

    >>> images = torch.randint(0, 255, (8, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    >>> data = LabelledImages(images=images, labels=np.linspace(0, 1, 8))
    >>> small = LearnedSettings(network=NetworkSettings(patch=6, width=4), fit=FitSettings(steps=2, batch_size=4))
    >>> from giqa_lib.scores.learned_methods import IR
    >>> train_learned_score(data, data, IR, small, seed=0).method
    'IR-GIQA'
    """
    random = torch.Generator().manual_seed(seed)
    shape = replace(settings.network, channels=train.images.shape[1], outputs=method.outputs)
    targets = torch.as_tensor(method.targets(train.labels), dtype=torch.float32)
    places = random_places(settings.crops, seed=seed) if settings.crops else CENTRE

    def draw(random: torch.Generator) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(train.images), (settings.fit.batch_size,), generator=random)
        return random_crops(train.images[rows], shape.patch, random), targets[rows]

    def score(network: nn.Module) -> LearnedScore:
        return LearnedScore(
            method=method.name,
            network=network,
            settings=shape,
            places=places,
            batch_size=settings.batch_size,
        )

    def validate(network: nn.Module) -> float:
        return rank_correlation(score(network)(held_out.images), held_out.labels)

    fitted = fit(
        new_network(shape, random),
        draw,
        method.loss,
        validate,
        settings.fit,
        random=random,
        folder=folder,
        config=config,
        device=device,
        progress=progress,
    )
    return score(fitted.network)


def fetch_learned_score(
    store: Store,
    train: LabelledImages,
    held_out: LabelledImages,
    method: Method,
    settings: LearnedSettings,
    *,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> LearnedScore:
    """The learned score from the store; trained first if it is not there, from a checkpoint if one is."""
    config = {
        "train": train.digest(),
        "held_out": held_out.digest(),
        "method": {"name": method.name, "thresholds": method.thresholds, "loss": _name(method)},
        "settings": asdict(settings),
        "seed": seed,
        "revision": REVISION,
    }

    def make(folder: Path) -> LearnedScore:
        return train_learned_score(
            train,
            held_out,
            method,
            settings,
            seed=seed,
            folder=folder,
            config=config,
            device=device,
            progress=progress,
        )

    load = partial(LearnedScore.load, device=device)
    return store.fetch_saved("learned_score", config, make, load)


def noisy_labels(
    labels: ArrayLike, share: float, random_state: int | np.random.Generator, *, top: float = 0.9
) -> NDArray[np.float64]:
    """Labels with the given share of the generated images' (those at most ``top``) shuffled among themselves.

    The distribution of the labels stays what it was; only which image has which is spoilt.

    >>> noisy_labels([0.1, 0.5, 1.0], 0.0, 0)
    array([0.1, 0.5, 1. ])
    """
    check_probability(share, name="share")
    random = np.random.default_rng(random_state)
    noisy = np.array(labels, dtype=np.float64)
    generated = np.flatnonzero(noisy <= top)
    chosen = random.permutation(generated)[: round(share * len(generated))]
    noisy[chosen] = noisy[random.permutation(chosen)]
    return noisy


def _name(method: Method) -> str:
    return getattr(method.loss, "__name__", repr(method.loss))
