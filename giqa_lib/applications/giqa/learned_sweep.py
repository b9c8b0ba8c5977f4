"""How patch size, number of classifiers and label noise change a learned score's agreement with pairs.

GIQA, Table 6 (patch size) and Table 7 (number of binary classifiers); the sweep over label noise is
ours: the paper argues that several classifiers bear noise better than regression and never varies it.
Every setting is trained on the same images from the same initial state and judges the same pairs.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from giqa_lib.applications.giqa.learned_study import LearnedStudy
from giqa_lib.applications.giqa.pair_beds import StudyBed
from giqa_lib.applications.pairs import Outcomes, Pairs, accuracies, differences, outcomes
from giqa_lib.scores import LearnedScore, Method, even_thresholds, mbc

__all__ = ["JudgedSettings", "classifier_sweep", "noise_sweep", "patch_sweep"]


class JudgedSettings:
    """The outcomes of each setting on each set of pairs, for one seed."""

    def __init__(self, found: Mapping[str, Mapping[str, Outcomes]], *, seed: int) -> None:
        self.found = found
        self.seed = seed

    def accuracies(self) -> pd.DataFrame:
        """One row a setting and set of pairs: ``name``, ``pairs``, ``seed``, ``value``, ``standard_error``, ``n``."""
        parts = [accuracies(self._of(pairs)).assign(pairs=pairs) for pairs in self._pairs]
        return pd.concat(parts, ignore_index=True).assign(seed=self.seed)

    def differences(self, contrasts: Sequence[tuple[str, str]]) -> pd.DataFrame:
        """Differences on the same pairs of the contrasts that were tried, as :func:`accuracies`."""
        tried = [contrast for contrast in contrasts if set(contrast) <= set(self.found)]
        parts = [differences(self._of(p), tried).assign(pairs=p) for p in self._pairs]
        return pd.concat(parts, ignore_index=True).assign(seed=self.seed)

    @property
    def _pairs(self) -> list[str]:
        return list(next(iter(self.found.values())))

    def _of(self, pairs: str) -> dict[str, Outcomes]:
        return {setting: of[pairs] for setting, of in self.found.items()}


def _judge(
    scores: Mapping[str, LearnedScore], bed: StudyBed, pairs: Sequence[Pairs]
) -> JudgedSettings:
    found = {}
    for name, score in scores.items():
        values = score(bed.images)
        found[name] = {p.name: outcomes(values, p) for p in pairs}
    return JudgedSettings(found, seed=bed.study.seed)


def patch_sweep(
    learned: LearnedStudy,
    bed: StudyBed,
    pairs: Sequence[Pairs],
    *,
    shares: Sequence[float],
    classifiers: int = 8,
) -> JudgedSettings:
    """MBC-GIQA trained and scored on patches of each share of the side; settings are named by the share.

    The whole image (share 1) has one crop; the others the mean of three.
    """
    method = mbc(even_thresholds(classifiers))
    scores = {f"{share:g}": learned.score(method, patch=share) for share in shares}
    return _judge(scores, bed, pairs)


def classifier_sweep(
    learned: LearnedStudy, bed: StudyBed, pairs: Sequence[Pairs], *, counts: Sequence[int]
) -> JudgedSettings:
    """MBC-GIQA with each number of classifiers; one is BC-GIQA. Settings are named by the number."""
    scores = {str(count): learned.score(mbc(even_thresholds(count))) for count in counts}
    return _judge(scores, bed, pairs)


def noise_sweep(
    learned: LearnedStudy,
    bed: StudyBed,
    pairs: Sequence[Pairs],
    *,
    methods: Mapping[str, Method],
    shares: Sequence[float],
) -> JudgedSettings:
    """Each method with each share of the generated images' labels shuffled; settings are ``name, share``."""
    scores = {
        f"{name}, {share:g}": learned.score(method, noise=share)
        for name, method in methods.items()
        for share in shares
    }
    return _judge(scores, bed, pairs)
