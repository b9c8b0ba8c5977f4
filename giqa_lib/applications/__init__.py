"""What the scores are used for: pairs of known order, sweeps, and the studies of the chapters."""

from giqa_lib.applications.outcomes import accuracies, combine_seeds, differences, outcomes
from giqa_lib.applications.pairs import (
    Pairs,
    by_votes,
    clean_over_degraded,
    join,
    later_over_earlier,
    real_over_generated,
)

__all__ = [
    "Pairs",
    "accuracies",
    "by_votes",
    "clean_over_degraded",
    "combine_seeds",
    "differences",
    "join",
    "later_over_earlier",
    "outcomes",
    "real_over_generated",
]
