"""One training for NIMA, DeepIQA, RankIQA, dipIQ, UNIQUE and MEON, on degraded copies of real images.

The weights with the best rank correlation of score and quality on held-out degraded images are kept.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from giqa_lib.checks import check_choice, check_positive
from giqa_lib.iqa.baselines import (
    BASELINES,
    MEASURES,
    PAIRWISE_BASELINES,
    BaselineSettings,
    NaturalScore,
)
from giqa_lib.iqa.examples import DegradedExamples, held_out_examples
from giqa_lib.iqa.state import read_network, write_network
from giqa_lib.learning import NetworkSettings, content_digest, fit, rank_correlation
from giqa_lib.learning.batches import check_pixels
from giqa_lib.store import Store

__all__ = ["fetch_baseline", "fit_baseline"]

REVISION = 1  # raise it when a change of the code changes what is trained
STARTS = 3  # trainings of one network, if it ends saturated
SLOWER = 3.0  # by which the rate is divided each time


def fit_baseline(
    measure: str,
    images: UInt8[Tensor, "n c h w"],
    settings: BaselineSettings,
    *,
    seed: int,
    folder: Path | None = None,
    config: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> NaturalScore:
    """Train one of ``BASELINES`` or ``PAIRWISE_BASELINES`` on degraded copies of real images.

    A measure with two stages (RankIQA: ranking, then regression) spends half of the steps on each. A network that ends
    saturated (a softmax or sigmoid without slope, most held-out images with one score) is trained again from other weights at a
    third of the rate, at most twice. With ``folder`` a killed run is taken up again, bitwise.

    >>> from giqa_lib.learning import FitSettings
    >>> images = torch.randint(0, 255, (12, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    >>> small = BaselineSettings(fit=FitSettings(steps=2, batch_size=8), width=4, held_out=4)
    >>> fit_baseline("NIMA", images, small, seed=0)(images).shape
    (12,)
    """
    check_choice(measure, (*BASELINES, *PAIRWISE_BASELINES), name="measure")
    check_pixels(images)
    check_positive(len(images) - settings.held_out, name="images that are not held out")
    for start in range(STARTS):
        found, saturated = _fit_from(
            measure,
            images,
            settings,
            seed=seed,
            start=start,
            folder=None if folder is None else folder / f"start-{start}",
            config=config,
            device=device,
            progress=progress,
        )
        if not saturated:
            break
    for done in () if folder is None else folder.glob("start-*"):
        shutil.rmtree(done)  # nothing is left to go on from
    return found


def _fit_from(
    measure: str,
    images: UInt8[Tensor, "n c h w"],
    settings: BaselineSettings,
    *,
    seed: int,
    start: int,
    folder: Path | None,
    config: Mapping[str, Any] | None,
    device: str | torch.device,
    progress: bool,
) -> tuple[NaturalScore, bool]:
    """One training, from the weights and at the rate of ``start``, and whether it ended saturated: most held-out images have one score."""
    kind = MEASURES[measure]
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=random)
    examples = DegradedExamples(images=images[order[settings.held_out :]])
    degraded, quality = held_out_examples(images[order[: settings.held_out]], seed=seed)
    side = max(4, round(min(images.shape[2:]) * kind.share(settings)))
    shape = NetworkSettings(
        name=settings.network,
        channels=images.shape[1],
        patch=side,
        outputs=kind.outputs,
        width=settings.width,
    )
    for _ in range(start + 1):  # the next weights of the same stream
        network = kind.build(shape, random)

    def scores(network: nn.Module) -> NDArray[np.float64]:
        return NaturalScore(measure=measure, network=network, settings=shape)(degraded)

    def validate(network: nn.Module) -> float:
        return rank_correlation(scores(network), quality.numpy())

    for number, stage in enumerate(kind.stages):
        part = replace(
            settings.fit,
            steps=max(1, settings.fit.steps // len(kind.stages)),
            learning_rate=settings.fit.learning_rate * stage.rate / SLOWER**start,
        )
        place = None if folder is None else folder / f"stage-{number}"
        if place is not None and _finished(place, network):
            continue
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
        fit(
            network,
            lambda random, stage=stage: stage.draw(  # type: ignore[misc]
                examples, settings.fit.batch_size, side, random
            ),
            stage.loss,
            validate,
            part,
            # a stream of its own: a resumed second stage must not depend on the first one's last state
            random=torch.Generator().manual_seed(seed + 1 + number),
            folder=place,
            config=config,
            device=device,
            progress=progress,
        )
        if place is not None:
            write_network(place, network, {"stage": number})
    values = scores(network.eval())
    saturated = len(np.unique(values)) < len(values) / 2
    return NaturalScore(measure=measure, network=network, settings=shape), saturated


def _finished(place: Path, network: nn.Module) -> bool:
    """Whether a stage's weights are there; then they are loaded."""
    if not (place / "network.json").is_file():
        return False
    network.load_state_dict(read_network(place)[0])
    return True


def fetch_baseline(
    store: Store,
    measure: str,
    images: UInt8[Tensor, "n c h w"],
    settings: BaselineSettings,
    *,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> NaturalScore:
    """The measure from the store; trained first if it is not there, from a checkpoint if one is."""
    config = {
        "measure": check_choice(measure, MEASURES, name="measure"),
        "images": content_digest(images),
        "shape": list(images.shape),
        "settings": asdict(settings),
        "seed": seed,
        "revision": REVISION,
    }

    def make(folder: Path) -> NaturalScore:
        return fit_baseline(
            measure,
            images,
            settings,
            seed=seed,
            folder=folder,
            config=config,
            device=device,
            progress=progress,
        )

    load = partial(NaturalScore.load, device=device)
    return store.fetch_saved("natural_score", config, make, load)
