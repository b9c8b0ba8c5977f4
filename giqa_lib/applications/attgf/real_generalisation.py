"""AttGF-IQA against real opinions: leave one model of AGIQA-3K out, leave one kind of voted faces out.

Most of the variance of AGIQA-3K's opinions lies between generators: a score that only knew the generator would have a high
correlation over all images. What a measure of single images is worth shows within one setting of a generator that it has not seen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from giqa_lib.applications.attgf.generalisation import (
    ATTGF,
    GENERALISATION_PRESETS,
    GeneralisationPreset,
    GeneralisationStudy,
)
from giqa_lib.applications.attgf.opinion_databases import (
    OpinionPreset,
    agiqa_databases,
    photograph_density_scores,
    voted_faces,
    with_pairs,
)
from giqa_lib.applications.opinion import (
    agreement_gap,
    check_opinions,
    mean_on_same_images,
    mean_over_domains,
    rank_agreement,
)
from giqa_lib.data import QualityDatabase
from giqa_lib.evaluation import bootstrap
from giqa_lib.iqa import AttGFFit, BiSeNetParser, DescentSettings, UNetFaceParser
from giqa_lib.store import Store

__all__ = ["ALL_IMAGES", "OPINION_TRAINING", "WITHIN", "AgiqaGeneralisation", "VotedFaces"]  # fmt: skip

WITHIN, ALL_IMAGES = "within a setting of the unseen model", "all images"
VOTE_MARGIN = 0.2
VOTE_PAIRS = 1500

#: The network for AGIQA-3K: five source domains, so fewer pairs of each than of the families of faces.
OPINION_TRAINING = replace(
    GENERALISATION_PRESETS["cpu"],
    fit=AttGFFit(descent=DescentSettings(steps=200, rate=2e-3), pairs=5, regressed=()),
)


@dataclass(frozen=True, kw_only=True)
class AgiqaGeneralisation:
    """One seed's split of the prompts, and the networks that leave one model out each."""

    seed: int
    store: Store
    opinions: OpinionPreset = field(default_factory=OpinionPreset)
    training: GeneralisationPreset = OPINION_TRAINING
    device: str = "cpu"

    @cached_property
    def databases(self) -> tuple[QualityDatabase, QualityDatabase, NDArray[np.object_]]:
        """To learn from, to test on, and each test image's setting."""
        return agiqa_databases(self.opinions, seed=self.seed)

    @cached_property
    def by_opinion(self) -> GeneralisationStudy:
        """Trained on pairs of people's opinions on other models."""
        return self._study(self.databases[0])

    @cached_property
    def by_pseudo(self) -> GeneralisationStudy:
        """Trained on pairs of GMM-GIQA of photographs, without any opinion."""
        train = self.databases[0]
        scores = photograph_density_scores(
            train.images, self.opinions, seed=self.seed, store=self.store
        )
        return self._study(
            with_pairs(train, scores, count=self.opinions.pairs, margin=0.0, random_state=self.seed)
        )

    def _study(self, train: QualityDatabase) -> GeneralisationStudy:
        return GeneralisationStudy(
            train,
            self.databases[1],
            self.training,
            seed=self.seed,
            store=self.store,
            device=self.device,
        )

    @cached_property
    def unseen_settings(self) -> dict[str, list[str]]:
        """The settings of each model."""
        _, test, settings = self.databases
        models = np.array(test.domains)[test.domain.numpy()]
        return {name: sorted(set(settings[models == name].tolist())) for name in test.domains}

    def agreement(
        self, study: GeneralisationStudy, variant: str = ATTGF, *, resamples: int = 300
    ) -> pd.DataFrame:
        """SRCC of each network with opinion: ``scope``, ``unseen``, ``value``, ``standard_error``, ``n``, ``seed``.

        ``scope`` is a setting of the model left out, one row each, or all test images, of models seen and unseen.
        """
        _, test, settings = self.databases
        opinions, rows = test.mos.numpy(), []
        for unseen, own in self.unseen_settings.items():
            scores = study.scores(study.others(unseen), variant)
            places = {name: settings == name for name in own} | {
                ALL_IMAGES: np.ones(len(test), bool)
            }
            for name, chosen in places.items():
                found = bootstrap(
                    rank_agreement, scores[chosen], check_opinions(opinions[chosen], name=name),
                    resamples=resamples, random_state=self.seed,
                )  # fmt: skip
                row: dict[str, object] = {
                    "scope": ALL_IMAGES if name == ALL_IMAGES else WITHIN,
                    "unseen": unseen,
                    "setting": name,
                }
                row |= {"value": found.value, "standard_error": found.standard_error}
                rows.append(row | {"n": found.n, "seed": self.seed})
        return pd.DataFrame(rows)

    @staticmethod
    def mean_agreement(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
        """The mean of :meth:`agreement` over networks: settings are of different images, but all images are the same for each."""
        within = frame["scope"] == WITHIN
        return pd.concat(
            [mean_over_domains(frame[within], by), mean_on_same_images(frame[~within], by)],
            ignore_index=True,
        )

    def gaps(
        self,
        first: tuple[GeneralisationStudy, str],
        second: tuple[GeneralisationStudy, str],
        *,
        resamples: int = 300,
    ) -> pd.DataFrame:
        """SRCC of the first (study, variant) minus the second within each setting of the model left out."""
        _, test, settings = self.databases
        opinions, rows = test.mos.numpy(), []
        for unseen, own in self.unseen_settings.items():
            one, other = (
                study.scores(study.others(unseen), variant) for study, variant in (first, second)
            )
            for name in own:
                chosen = settings == name
                found = agreement_gap(
                    one[chosen], other[chosen], opinions[chosen], resamples=resamples,
                    random_state=self.seed,
                )  # fmt: skip
                rows.append({"setting": name, "seed": self.seed, **found})
        return pd.DataFrame(rows)


class VotedFaces:
    """Faces that people took for real or not, and what orders them: networks of other faces' votes, or of no votes at all."""

    def __init__(self, parser: UNetFaceParser | BiSeNetParser, *, size: int, store: Store) -> None:
        self.database = voted_faces(size=size, parse=parser, parts=parser.classes)
        self.store = store

    def agreement(
        self,
        scores: Mapping[str, NDArray[np.float64]],
        *,
        seed: int,
        resamples: int = 300,
        apart: Collection[str] = (),
    ) -> pd.DataFrame:
        """SRCC with the share of votes "real" within each kind of face and over all: ``name``, ``faces``, ``value``, ``standard_error``, ``n``, ``seed``.

        The scores named in ``apart`` come from another network for each kind and can't be compared between kinds: they have no row over all.
        """
        kinds = np.array(self.database.domains)[self.database.domain.numpy()]
        opinions, rows = self.database.mos.numpy(), []
        for faces in (*self.database.domains, "all"):
            chosen = (kinds == faces) | (faces == "all")
            for name, values in scores.items():
                kept = chosen & np.isfinite(values)
                if not kept.any() or (faces == "all" and name in apart):
                    continue
                found = bootstrap(
                    rank_agreement,
                    values[kept],
                    check_opinions(opinions[kept], name=f"votes, {faces}"),
                    resamples=resamples,
                    random_state=seed,
                )
                row = {"name": name, "faces": faces, "value": found.value, "n": found.n}
                rows.append(row | {"standard_error": found.standard_error, "seed": seed})
        return pd.DataFrame(rows)

    def by_votes(self, preset: GeneralisationPreset, *, seed: int) -> NDArray[np.float64]:
        """Scores (n,) of each kind by a network trained on votes of the other kind.

        Two networks: scores of one kind can't be compared with those of the other (``apart`` of :meth:`agreement`).
        """
        paired = with_pairs(
            self.database,
            self.database.mos,
            count=VOTE_PAIRS,
            margin=VOTE_MARGIN,
            random_state=seed,
        )
        study = GeneralisationStudy(paired, paired, preset, seed=seed, store=self.store)
        return study.unseen_scores()

    def by_families(self, study: GeneralisationStudy) -> NDArray[np.float64]:
        """Scores (n,) by a network trained on all of a study's generated faces: on pseudo-opinion alone."""
        return study.network(study.domains)(self.database.images, self.database.maps)
