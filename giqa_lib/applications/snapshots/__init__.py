"""The study that most chapters share: images of a GAN at steps of its training, scored."""

from giqa_lib.applications.snapshots.generator_families import (
    FAMILIES,
    FAMILY_PRESETS,
    FamilyPreset,
    family_settings,
    family_snapshots,
)
from giqa_lib.applications.snapshots.scored_pool import (
    ScoredPool,
    auc,
    effective_classes,
    rank_within_modes,
    score_pool,
    step_agreement,
)
from giqa_lib.applications.snapshots.snapshot_study import FeatureSpace, Study, degrade_at_random
from giqa_lib.applications.snapshots.study_settings import PRESETS, StudySettings

__all__ = [
    "FAMILIES",
    "FAMILY_PRESETS",
    "PRESETS",
    "FamilyPreset",
    "FeatureSpace",
    "ScoredPool",
    "Study",
    "StudySettings",
    "auc",
    "degrade_at_random",
    "effective_classes",
    "family_settings",
    "family_snapshots",
    "rank_within_modes",
    "score_pool",
    "step_agreement",
]
