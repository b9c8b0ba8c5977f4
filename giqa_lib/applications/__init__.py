"""What the scores are used for: pairs of known order, sweeps, and the studies of the chapters."""

from giqa_lib.applications.density_sweep import Sweep, mixture_sweep, neighbour_sweep
from giqa_lib.applications.human_votes import HumanVotes, human_votes
from giqa_lib.applications.outcomes import accuracies, combine_seeds, differences, outcomes
from giqa_lib.applications.pairs import (
    Pairs,
    by_votes,
    clean_over_degraded,
    join,
    later_over_earlier,
    real_over_generated,
)
from giqa_lib.applications.scored_pool import (
    ScoredPool,
    auc,
    effective_classes,
    score_pool,
    step_agreement,
)
from giqa_lib.applications.snapshot_study import PRESETS, FeatureSpace, Study, StudySettings

__all__ = [
    "PRESETS",
    "FeatureSpace",
    "HumanVotes",
    "Pairs",
    "ScoredPool",
    "Study",
    "StudySettings",
    "Sweep",
    "accuracies",
    "auc",
    "by_votes",
    "clean_over_degraded",
    "combine_seeds",
    "differences",
    "effective_classes",
    "human_votes",
    "join",
    "later_over_earlier",
    "mixture_sweep",
    "neighbour_sweep",
    "outcomes",
    "real_over_generated",
    "score_pool",
    "step_agreement",
]
