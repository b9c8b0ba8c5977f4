"""The natural-image measures of a study, fitted on its real images, by profile.

Each sees real images of the data set and degraded copies of them, never a generated image: what
GIQA's paper says of such measures is that they know photographs' faults, not generators'.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor

from giqa_lib.applications.snapshots import Study
from giqa_lib.checks import check_positive
from giqa_lib.data import resize
from giqa_lib.iqa import (
    BASELINES,
    SMALLEST_SIDE,
    BaselineSettings,
    fetch_baseline,
    fit_brisque,
    fit_niqe,
    held_out_examples,
)
from giqa_lib.learning import FitSettings
from giqa_lib.store import Store

__all__ = ["NATURAL", "NATURAL_PRESETS", "NaturalPreset", "natural_scores", "study_natural_scores"]

#: Those of the paper's Table 1, and two that it does not have.
NATURAL = (*BASELINES, "NIQE", "BRISQUE")
Callables = dict[str, Callable[[Tensor], NDArray[np.float64]]]


@dataclass(frozen=True, kw_only=True)
class NaturalPreset:
    """How many real images the measures are fitted on, and how."""

    real: int
    settings: BaselineSettings

    def __post_init__(self) -> None:
        check_positive(self.real, name="real")


NATURAL_PRESETS = {
    "quick": NaturalPreset(
        real=400,
        settings=BaselineSettings(
            fit=FitSettings(steps=120, check_every=40, patience=3), width=8, held_out=80
        ),
    ),
    "cpu": NaturalPreset(
        real=5000,
        settings=BaselineSettings(
            fit=FitSettings(steps=1500, check_every=100, patience=8), width=16, held_out=500
        ),
    ),
    "paper": NaturalPreset(
        real=40_000,
        settings=BaselineSettings(
            fit=FitSettings(steps=50_000, batch_size=128, check_every=500, patience=20),
            network="torchvision:mobilenet_v2",
            held_out=2000,
        ),
    ),
}


def natural_scores(
    store: Store,
    images: UInt8[Tensor, "n c h w"],
    preset: NaturalPreset,
    *,
    seed: int,
    names: tuple[str, ...] = NATURAL,
    device: str = "cpu",
    progress: bool = False,
) -> Callables:
    """The measures fitted on real images (n, c, h, w), by name, as callables images -> (n,).

    At most every fifth of them is held out to choose the weights. NIQE and BRISQUE see images below 16 pixels enlarged.
    """
    images = images[: preset.real]
    settings = replace(
        preset.settings, held_out=min(preset.settings.held_out, max(1, len(images) // 5))
    )
    found: Callables = {
        name: fetch_baseline(
            store, name, images, settings, seed=seed, device=device, progress=progress
        )
        for name in BASELINES
        if name in names
    }
    makers: Mapping[str, Callable[[], Callable[[Tensor], NDArray[np.float64]]]] = {
        "NIQE": lambda: _of_large_enough(fit_niqe, images),
        "BRISQUE": lambda: _of_large_enough(lambda large: _brisque(large, seed), images),
    }
    return found | {name: make() for name, make in makers.items() if name in names}


def study_natural_scores(study: Study, preset: NaturalPreset) -> Callables:
    """The measures fitted on the study's reference images."""
    rows = np.arange(min(preset.real, len(study.reference)))
    return natural_scores(
        study.store,
        study.reference.subset(rows).tensor(),
        preset,
        seed=study.seed,
        device=study.device,
        progress=study.progress,
    )


def _of_large_enough(
    make: Callable[[Tensor], Callable[[Tensor], NDArray[np.float64]]], images: Tensor
) -> Callable[[Tensor], NDArray[np.float64]]:
    """A measure by scene statistics; images too small for them (digits) are enlarged, fitted and scored alike."""
    score = make(_enlarged(images))
    if min(images.shape[2:]) >= SMALLEST_SIDE:
        return score
    return lambda small: score(_enlarged(small))


def _enlarged(images: Tensor) -> Tensor:
    return resize(images, SMALLEST_SIDE) if min(images.shape[2:]) < SMALLEST_SIDE else images


def _brisque(images: Tensor, seed: int) -> Callable[[Tensor], NDArray[np.float64]]:
    degraded, quality = held_out_examples(images, seed=seed)
    return fit_brisque(degraded, quality.numpy())
