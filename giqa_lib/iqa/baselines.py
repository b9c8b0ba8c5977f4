"""NIMA, DeepIQA, RankIQA, dipIQ, UNIQUE and MEON: loss and head of each, the only differences, and its score.

One loop trains them all (:func:`giqa_lib.iqa.fit_baseline`) on degraded real images, with the same kind of network. Known departures from the papers: a network from scratch instead of one trained on ImageNet, degradations
with known levels instead of opinions. Official weights: :mod:`giqa_lib.iqa.official`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from giqa_lib.checks import check_choice, check_positive, check_probability
from giqa_lib.iqa.examples import KINDS, DegradedExamples
from giqa_lib.iqa.objectives import (
    OPINIONS,
    absolute_error_loss,
    earth_mover_loss,
    mean_opinion,
    opinion_distribution,
    ranking_loss,
    squared_error_loss,
)
from giqa_lib.iqa.pairwise_measures import (
    damage_loss,
    discriminable_rank_loss,
    fidelity_loss,
    identified_quality,
    identified_quality_loss,
)
from giqa_lib.iqa.patches import WeightedPatches
from giqa_lib.iqa.state import read_network, write_network
from giqa_lib.learning import (
    CENTRE,
    FitSettings,
    NetworkSettings,
    crop_at,
    new_network,
    random_crops,
)
from giqa_lib.learning.batches import check_pixels, in_batches

__all__ = [
    "BASELINES",
    "PAIRWISE_BASELINES",
    "BaselineSettings",
    "NaturalScore",
]

LEVELS = 4  # of a degradation in one of RankIQA's batches

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class BaselineSettings:
    """The network, the fit, and how large a share of the side a crop (NIMA, RankIQA) or a patch (DeepIQA) has.

    ``held_out`` images of those given choose the weights and are not trained on.
    """

    fit: FitSettings
    network: str = "small"
    width: int = 24
    crop: float = 0.875
    patch: float = 0.5
    held_out: int = 200

    def __post_init__(self) -> None:
        for name in ("crop", "patch"):
            share = getattr(self, name)
            check_positive(check_probability(share, name=name), name=name)
        check_positive(self.width, name="width")
        check_positive(self.held_out, name="held_out")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One run of the loop: a batch from the examples, the loss on the network's outputs, and a share of the learning rate."""

    draw: Callable[[DegradedExamples, int, int, torch.Generator], Batch]
    loss: Callable[[Tensor, Tensor], Tensor]
    rate: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is particular to one measure."""

    outputs: int
    build: Callable[[NetworkSettings, torch.Generator], nn.Module]
    view: Callable[[Tensor, int], Tensor]
    score: Callable[[Tensor], Tensor]
    stages: tuple[Stage, ...]
    share: Callable[[BaselineSettings], float]


def _cropped(examples: DegradedExamples, size: int, patch: int, random: torch.Generator) -> Batch:
    images, quality = examples.batch(size, random)
    return random_crops(images, patch, random), quality


def _opinions(examples: DegradedExamples, size: int, patch: int, random: torch.Generator) -> Batch:
    images, quality = _cropped(examples, size, patch, random)
    return images, opinion_distribution(quality)


def _whole(examples: DegradedExamples, size: int, patch: int, random: torch.Generator) -> Batch:
    return examples.batch(size, random)


def _identified(
    examples: DegradedExamples, size: int, patch: int, random: torch.Generator
) -> Batch:
    images, targets = examples.identified(size, random)
    return random_crops(images, patch, random), targets


def _ladder(examples: DegradedExamples, size: int, patch: int, random: torch.Generator) -> Batch:
    images, quality = examples.ladder(max(1, size // LEVELS), LEVELS, random)
    return random_crops(images, patch, random), quality


def _centre(images: Tensor, patch: int) -> Tensor:
    return crop_at(images, patch, CENTRE[0])


def _all(images: Tensor, patch: int) -> Tensor:
    return images


def _only(outputs: Tensor) -> Tensor:
    return outputs[:, 0]


def _patchwise(settings: NetworkSettings, random: torch.Generator) -> nn.Module:
    return WeightedPatches(new_network(replace(settings, outputs=2), random), settings.patch)


def _of_crops(
    outputs: int,
    score: Callable[[Tensor], Tensor],
    *stages: Stage,
) -> Measure:
    """A network of random crops that scores the one in the middle."""
    return Measure(
        outputs=outputs,
        build=new_network,
        view=_centre,
        score=score,
        stages=stages,
        share=lambda settings: settings.crop,
    )


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "NIMA": Measure(
            outputs=OPINIONS,
            build=new_network,
            view=_centre,
            score=mean_opinion,
            stages=(Stage(draw=_opinions, loss=earth_mover_loss),),
            share=lambda settings: settings.crop,
        ),
        "DeepIQA": Measure(
            outputs=1,
            build=_patchwise,
            view=_all,
            score=_only,
            stages=(Stage(draw=_whole, loss=absolute_error_loss),),
            share=lambda settings: settings.patch,
        ),
        "RankIQA": Measure(
            outputs=1,
            build=new_network,
            view=_centre,
            score=_only,
            stages=(
                Stage(draw=_ladder, loss=ranking_loss),
                # fine-tuning: at the full rate it forgets the ranking within fifty steps
                Stage(draw=_cropped, loss=squared_error_loss, rate=0.1),
            ),
            share=lambda settings: settings.crop,
        ),
        "dipIQ": _of_crops(1, _only, Stage(draw=_cropped, loss=discriminable_rank_loss)),
        "UNIQUE": _of_crops(2, _only, Stage(draw=_cropped, loss=fidelity_loss)),
        "MEON": _of_crops(
            2 * len(KINDS),
            identified_quality,
            Stage(draw=_identified, loss=damage_loss),
            Stage(draw=_identified, loss=identified_quality_loss),
        ),
        "Meta-IQA": _of_crops(1, _only),  # trained by giqa_lib.iqa.meta_iqa: not by one loss
    }
)
#: The baselines of GIQA, and those that AttGF-IQA has besides.
BASELINES = ("NIMA", "DeepIQA", "RankIQA")
PAIRWISE_BASELINES = ("dipIQ", "UNIQUE", "MEON")


@dataclass(frozen=True, kw_only=True)
class NaturalScore:
    """Images (n, c, h, w) uint8 to scores (n,) float64, higher is better: one of ``BASELINES`` or ``PAIRWISE_BASELINES``.

    NIMA gives opinions from 1 to 10; dipIQ's and UNIQUE's scores have no unit; the others qualities around 0 to 1. Images go through the
    network in batches of exactly ``batch_size``, the last one padded, so that a score does not
    depend on the batch. The network is to be in evaluation mode. Raises ``InputError`` for images that are not
    uint8, have other channels or are smaller than the patch.

    >>> settings = NetworkSettings(patch=8, outputs=10, width=4)
    >>> network = new_network(settings, torch.Generator().manual_seed(0)).eval()
    >>> score = NaturalScore(measure="NIMA", network=network, settings=settings)
    >>> score(torch.zeros(3, 1, 8, 8, dtype=torch.uint8)).shape
    (3,)
    """

    measure: str
    network: nn.Module
    settings: NetworkSettings
    batch_size: int = 64

    def __post_init__(self) -> None:
        check_choice(self.measure, MEASURES, name="measure")
        check_positive(self.batch_size, name="batch_size")

    def __call__(self, images: UInt8[Tensor, "n c h w"]) -> NDArray[np.float64]:
        """One score an image."""
        check_pixels(images, channels=self.settings.channels)
        return in_batches(self._block, images, self.batch_size)

    @torch.no_grad()
    def _block(self, images: Tensor) -> NDArray[np.float64]:
        kind = MEASURES[self.measure]
        device = next(self.network.parameters()).device
        outputs = self.network(kind.view(images, self.settings.patch).to(device))
        return kind.score(outputs.double()).cpu().numpy()

    def describe(self) -> dict[str, Any]:
        """Measure and network as JSON: what an output must name."""
        return {"score": self.measure, "network": asdict(self.settings), "trained": "giqa_lib"}

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as safetensors and JSON; returns the folder."""
        described = {"measure": self.measure, "settings": asdict(self.settings)}
        return write_network(folder, self.network, described | {"batch_size": self.batch_size})

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str], *, device: str | torch.device = "cpu"
    ) -> "NaturalScore":
        """What ``save`` wrote; its scores are bitwise those of the saved one."""
        weights, described = read_network(folder)
        settings = NetworkSettings(**described["settings"])
        measure = check_choice(described["measure"], MEASURES, name="measure")
        network = MEASURES[measure].build(settings, torch.Generator().manual_seed(0))
        network.load_state_dict(weights)
        return cls(
            measure=measure,
            network=network.to(device).eval(),
            settings=settings,
            batch_size=described["batch_size"],
        )
