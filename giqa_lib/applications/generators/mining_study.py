r"""GIQA, Table 5: a study's GAN trained with and without hard mining, from the same seeds.

For each seed the runs share initial weights, real images and latents; the plain run is the study's own. It is
judged at the step at which the others end, which is one of its snapshots: until a step, a training does
not depend on how long it goes on.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from numpy.typing import ArrayLike
from torch import Tensor

from giqa_lib.applications.generators.generator_judge import GeneratorJudge
from giqa_lib.applications.generators.hard_mining import HardMining, hard_mining, scores_of_the_next
from giqa_lib.checks import (
    InputError,
    check_choice,
    check_positive,
    check_probability,
    error_line,
)
from giqa_lib.gan import Alteration, Snapshots, crop_to, fetch_snapshots
from giqa_lib.scores import ImageScore, pick

__all__ = ["MINING_RUNS", "MiningRuns", "judge_run"]


def _itself(score: Callable[[Tensor], ArrayLike]) -> Callable[[Tensor], ArrayLike]:
    return score


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Whose loss is weighted, and by whose score."""

    player: str
    scored: str = "the image itself"
    by: Callable[[Callable[[Tensor], ArrayLike]], Callable[[Tensor], ArrayLike]] = _itself


PLAIN = "plain"
_KINDS = {
    "OHEM": _Kind(player="discriminator"),
    "OHEM at the generator": _Kind(player="generator"),
    "control": _Kind(player="discriminator", scored="the next of its batch", by=scores_of_the_next),
}
MINING_RUNS = (PLAIN, *_KINDS)


class MiningRuns:
    """One seed's trainings, by name: plain, OHEM (at the discriminator), OHEM at the generator, control.

    The control weights the discriminator's loss by the score of another image of the batch: as much weight,
    without aim. ``judge``, of the classifier's feature space, brings study, density and calibration of the
    mining score. ``steps`` are those to look at, rising; each is a snapshot of the study's own GAN, and the
    last ends the mined runs.
    """

    def __init__(
        self,
        judge: GeneratorJudge,
        steps: Sequence[int],
        *,
        threshold: float = 0.2,
        weight: float = 2.0,
    ) -> None:
        check_choice(judge.settings.space, ("classifier",), name="judge.settings.space")
        self.judge, self.study, self.steps = judge, judge.study, tuple(steps)
        self.threshold, self.weight = threshold, weight
        # Bad settings are refused before anything is trained.
        HardMining(threshold=threshold, weight=weight)
        own = self.study.snapshots.steps
        if not self.steps or not set(self.steps) <= set(own):
            expected, got = f"some of the plain run's {', '.join(map(str, own))}", str(self.steps)
            raise InputError(
                error_line("steps", expected=expected, got=got, hint="take study.labelled_steps")
            )

    @cached_property
    def score(self) -> ImageScore:
        """The calibrated mining score, fitted once and read from the store: each run has the same bits."""

        def make(folder: Path) -> None:
            ImageScore(
                extractor=self.study.classifier,
                density=self.judge.density,
                transform=self.judge.reduction,
                calibration=self.judge.calibration,
            ).save(folder)

        folder = self.study.store.fetch("mining_score", self._score_config, make)
        return ImageScore.load(folder, extractor=self.study.classifier, device=self.study.device)

    def alteration(self, run: str) -> Alteration | None:
        """How a run's training differs from the plain one's, for which it is None."""
        check_choice(run, MINING_RUNS, name="run")
        if run == PLAIN:
            return None
        kind = _KINDS[run]
        settings = HardMining(threshold=self.threshold, weight=self.weight, player=kind.player)
        described = {"score": self._score_config, "score of": kind.scored}
        return hard_mining(kind.by(self._score_generated), settings, description=described)

    def snapshots(self, run: str) -> Snapshots:
        """A run's generators at ``steps``; trained first if they are not in the store."""
        study, plain = self.study, self.study.snapshots
        alteration = self.alteration(run)
        if alteration is None:
            return plain
        train = replace(plain.settings.train, steps=self.steps[-1])
        return fetch_snapshots(
            study.store,
            study.train,
            replace(plain.settings, train=train, steps=self.steps),
            seed=study.seed,
            alteration=alteration,
            device=study.device,
            progress=study.progress,
        )

    def images(self, run: str, count: int, *, step: int | None = None) -> UInt8[Tensor, "n c h w"]:
        """Images of a run's generator, of the same latents for all runs; of the last step unless told."""
        chosen = self.steps[-1] if step is None else step
        made = self.snapshots(run).images(chosen, count, seed=self.study.seed)
        return self.study.encoded(made)

    def low_shares(self, runs: Sequence[str], count: int) -> pd.DataFrame:
        """Share of ``count`` images of each run and step that score below the threshold.

        ``run``, ``step``, ``seed``, ``value``, ``standard_error`` (binomial), ``n``.
        """
        rows = []
        for run in runs:
            for step in self.steps:
                scores = self.score(self.images(run, count, step=step))
                share = float((scores < self.threshold).mean())
                rows.append(
                    {
                        "run": run,
                        "step": step,
                        "seed": self.study.seed,
                        "value": share,
                        "standard_error": float(np.sqrt(share * (1 - share) / count)),
                        "n": count,
                    }
                )
        return pd.DataFrame(rows)

    @property
    def _score_config(self) -> Mapping[str, Any]:
        study, settings = self.study, self.judge.settings
        return {
            "variance": settings.variance,
            "max_components": settings.max_components,
            "components": settings.components,
            "random_state": self.judge.random_state,
            "extractor": [study.classifier.name, study.classifier.version],
            "reference": study.reference.fingerprint,
            "held_out": study.held_out.fingerprint,
        }

    def _score_generated(self, images: Tensor) -> ArrayLike:
        """Scores of images of the networks' size, cut and encoded as the data set's own."""
        height, width = self.study.train[0].shape[1:]
        own = crop_to(images, (height, width))
        return self.score(self.study.encoded(own.cpu()))


def judge_run(
    runs: MiningRuns, run: str, judge: GeneratorJudge, *, kept: float = 1.0
) -> pd.DataFrame:
    """A run's last generator judged in the space of ``judge``; with ``kept`` < 1 after the image picker.

    The picker keeps that share of the images, the best by the mining score. As many are generated as leave
    what the judge asks for. Columns of :meth:`GeneratorJudge.judge`, and ``run``, ``space``, ``seed``.
    """
    check_probability(kept, name="kept")
    check_positive(kept, name="kept")
    images = runs.images(run, math.ceil(judge.settings.fitted / kept))
    scores = runs.judge.scores(runs.judge.extract(images))
    best = np.sort(pick(scores, share=kept))
    name = run if kept == 1 else f"{run} + picker"
    found = judge.judge(judge.extract(images)[best])
    return found.assign(run=name, space=judge.settings.space, seed=runs.study.seed)
