"""The GAN trainings of a profile, which its chapters share through the store, and what they will cost."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from giqa_lib.applications.generators import TRANSLATION_PRESETS
from giqa_lib.applications.gman import COLLAPSING, GMAN_MODELS, GMAN_PRESETS, GMANStudy
from giqa_lib.applications.scoregan import SCORE_PRESETS, ScoreStudy
from giqa_lib.applications.snapshots import (
    FAMILIES,
    FAMILY_PRESETS,
    PRESETS,
    Study,
    family_settings,
)
from giqa_lib.checks import check_choice
from giqa_lib.gan import (
    Architecture,
    Feed,
    SnapshotSettings,
    TrainingCost,
    TrainSettings,
    images_at_random,
    labelled_at_random,
    pairs_at_random,
    training_cost,
)
from giqa_lib.store import Store

__all__ = ["PlannedTraining", "planned_trainings"]


@dataclass(frozen=True, kw_only=True)
class PlannedTraining:
    """A training by name, with the part of the book that asks for it first; one of each seed."""

    part: str
    name: str
    architecture: Architecture
    train: TrainSettings
    classes: int = 0  # of labels, or of label maps; 0: no condition
    maps: bool = False

    def cost(self) -> TrainingCost:
        """Of one seed, by a measured step on blank images; see :func:`giqa_lib.gan.training_cost`."""
        return training_cost(self.architecture, self.train, self._feed())

    def _feed(self) -> Feed:
        made = self.architecture
        blank = torch.zeros(2, made.channels, made.image_size, made.image_size, dtype=torch.uint8)
        if self.maps:
            return pairs_at_random(blank, blank[:, 0], classes=self.classes)
        if self.classes:
            return labelled_at_random(blank, torch.zeros(2, dtype=torch.int64))
        return images_at_random(blank)


def planned_trainings(profile: str, *, dataset: str, store: Store) -> Iterator[PlannedTraining]:
    """The trainings of a profile: GIQA's GAN and generators, the translators, ControlGAN, GMAN's models.

    Not among them: ScoreGAN (ControlGAN with its evaluator), hard mining (each as long as the plain training), GFID's four
    families, and what is no GAN: learned scores, natural-image measures, AttGF-IQA.

    >>> first = next(planned_trainings("paper", dataset="digits", store=Store("unused")))
    >>> first.name, first.train.steps
    ('DCGAN', 100000)
    """
    check_choice(profile, PRESETS, name="profile")
    study = Study(PRESETS[profile], dataset=dataset, seed=0, store=store)

    def planned(
        part: str, name: str, settings: SnapshotSettings, classes: int = 0
    ) -> PlannedTraining:
        made, train = settings.architecture, settings.train
        return PlannedTraining(
            part=part, name=name, architecture=made, train=train, classes=classes
        )

    yield planned("1_giqa", "DCGAN", study.snapshot_settings)
    for family in FAMILIES:
        settings = family_settings(study, family, FAMILY_PRESETS[profile])
        yield planned("1_giqa", family, settings)
    translation = TRANSLATION_PRESETS[profile]
    for translator, batch in translation.translators:
        steps = translation.shown // batch
        yield PlannedTraining(
            part="1_giqa",
            name=translator.family,
            architecture=translator,
            train=translator.training(steps, batch_size=batch),  # type: ignore[attr-defined]
            classes=translator.classes,
            maps=True,
        )
    scores = ScoreStudy(study, SCORE_PRESETS[profile])
    yield planned("2_scoregan", "ControlGAN", scores.settings, scores.classes)
    models = GMANStudy(study, GMAN_PRESETS[profile])
    for name in (*GMAN_MODELS, *COLLAPSING):
        yield planned("4_gman", name, models.settings(name))
