"""The published weights of the GMAN report (Xu et al. 2018), as players that can meet again.

Thirty-two files, looked for as the folder ``gman_released`` where data sets are (``$GIQA_DATA``). No licence is
stated for them: they are read for evaluation, and are no part of this project. The report's DCGAN and DCGMAN
judge MNIST at 28 pixels, all else is at 32, to which its notebooks resize the digits bilinearly.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from giqa_lib.checks import DataUnavailable, check_choice, error_line
from giqa_lib.data import find_folder, resize
from giqa_lib.evaluation import Player
from giqa_lib.gan import (
    Ensemble,
    MeanOfProbabilities,
    latents,
    load_report_player,
    probability_of_real,
    to_unit,
    with_batch_statistics,
)

__all__ = ["REPORT_PAIRS", "ReportPair", "find_released", "released_images", "released_players"]

FOLDER = "gman_released"
LATENT = 100
STATISTICS = ("running", "batch")


@dataclass(frozen=True, kw_only=True)
class ReportPair:
    """One row of the report's Figure 13: two models on a data set, where their files are, their image size."""

    dataset: str
    first: str
    second: str
    part: str
    data: str
    size: int

    @property
    def name(self) -> str:
        """As the report's table spells it."""
        return f"{self.first} vs {self.second}"


REPORT_PAIRS = (
    ReportPair(dataset="mnist", first="GAN", second="GMAN", part="DC2", data="MNIST", size=32),
    ReportPair(dataset="mnist", first="DCGAN", second="DCGMAN", part="DC1", data="MNIST", size=28),
    ReportPair(dataset="cifar10", first="GAN", second="GMAN", part="DC2", data="CIFAR", size=32),
    ReportPair(
        dataset="cifar10", first="DCGAN", second="DCGMAN", part="DC1", data="CIFAR", size=32
    ),
)


def find_released() -> Path | None:
    """The folder of the published weights, or None if it is not on this machine."""
    return find_folder(FOLDER)


def released_players(
    pair: ReportPair, *, seed: int, statistics: str = "running", batch_size: int = 100
) -> tuple[Player, Player]:
    """The single- and the multi-adversarial model of a pair, as their weights were published.

    Each generator has latents of its own, drawn by ``seed``. The five discriminators' probability is their
    mean, as in the notebooks. ``statistics``: with ``running`` ones a verdict does not depend on the batch;
    with ``batch`` ones the discriminators norm by the ``batch_size`` images that they are shown together.
    """
    check_choice(statistics, STATISTICS, name="statistics")
    folder = find_released()
    if folder is None:
        hint = "put the report's 32 files there; the committed numbers need none"
        expected = f"a folder {FOLDER} in $GIQA_DATA"
        raise DataUnavailable(
            error_line("published weights", expected=expected, got="none", hint=hint)
        )

    def load(name: str) -> nn.Module:
        return load_report_player(folder / f"{pair.part}_{pair.data}_{name}.safetensors")

    def discriminator(*names: str) -> nn.Module:
        judges = Ensemble([load(name) for name in names], MeanOfProbabilities().fresh())
        return judges if statistics == "running" else with_batch_statistics(judges)

    five = [f"netD{number}" for number in range(1, 6)]
    made = (
        (pair.first, load("netG"), discriminator("netD")),
        (pair.second, load("MnetG"), discriminator(*five)),
    )
    first, second = (
        Player(
            name=name,
            generate=_Images(generator, seed=2 * seed + place),
            judge=probability_of_real(judges, batch_size=batch_size),
        )
        for place, (name, generator, judges) in enumerate(made)
    )
    return first, second


def released_images(
    images: UInt8[Tensor, "n c h w"], pair: ReportPair
) -> Float[Tensor, "n c size size"]:
    """Real images as the pair's networks take them: [-1, 1], resized bilinearly if they are of another size.

    >>> released_images(torch.zeros(2, 1, 28, 28, dtype=torch.uint8), REPORT_PAIRS[0]).shape
    torch.Size([2, 1, 32, 32])
    """
    same = images.shape[2:] == (pair.size, pair.size)
    return to_unit(images if same else resize(images, pair.size))


@dataclass(frozen=True)
class _Images:
    """A count to as many images of a generator, from latents of one seed."""

    generator: nn.Module
    seed: int

    @torch.no_grad()
    def __call__(self, count: int) -> Tensor:
        drawn = latents(count, LATENT, seed=self.seed)
        return torch.cat([self.generator(part) for part in drawn.split(256)])
