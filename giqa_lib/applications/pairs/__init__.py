"""Pairs of images of known order, and how often a score orders them so."""

from giqa_lib.applications.pairs.human_votes import VOTED_FACES, HumanVotes, human_votes
from giqa_lib.applications.pairs.image_pairs import (
    Pairs,
    by_votes,
    clean_over_degraded,
    join,
    later_over_earlier,
    real_over_generated,
)
from giqa_lib.applications.pairs.outcomes import Outcomes, accuracies, differences, outcomes
from giqa_lib.applications.pairs.pair_construction import (
    PAPER_PAIRS,
    PairSettings,
    construct_pairs,
    quality_levels,
)
from giqa_lib.applications.pairs.pair_files import PairFolder, find_lgiqa, read_pair_folder

__all__ = [
    "PAPER_PAIRS",
    "VOTED_FACES",
    "HumanVotes",
    "Outcomes",
    "PairFolder",
    "PairSettings",
    "Pairs",
    "accuracies",
    "by_votes",
    "clean_over_degraded",
    "construct_pairs",
    "differences",
    "find_lgiqa",
    "human_votes",
    "join",
    "later_over_earlier",
    "outcomes",
    "quality_levels",
    "read_pair_folder",
    "real_over_generated",
]
