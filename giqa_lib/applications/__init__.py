"""What the scores are used for: pairs of known order, sweeps, and the studies of the chapters."""

from giqa_lib.applications.density_sweep import Sweep, mixture_sweep, neighbour_sweep
from giqa_lib.applications.gan_ladder import Ladder, ladder_agreement, ladder_means, load_ladder
from giqa_lib.applications.generator_judge import JUDGE_PRESETS, GeneratorJudge, JudgeSettings
from giqa_lib.applications.human_votes import HumanVotes, human_votes
from giqa_lib.applications.learned_study import (
    LEARNED_PRESETS,
    LearnedPreset,
    LearnedStudy,
    patch_of,
    real_or_generated,
)
from giqa_lib.applications.learned_sweep import (
    JudgedSettings,
    classifier_sweep,
    noise_sweep,
    patch_sweep,
)
from giqa_lib.applications.lgiqa_benchmark import LGIQA_SETTINGS, lgiqa_reference, lgiqa_values
from giqa_lib.applications.natural_study import (
    NATURAL_PRESETS,
    NaturalPreset,
    natural_scores,
    study_natural_scores,
)
from giqa_lib.applications.outcomes import accuracies, combine_seeds, differences, outcomes
from giqa_lib.applications.pair_beds import ALL_PAIRS, StudyBed
from giqa_lib.applications.pair_benchmark import (
    Benchmark,
    density_values,
    judge_pairs,
    lead,
    lead_table,
    mcnemar_table,
)
from giqa_lib.applications.pair_files import PairFolder, find_lgiqa, read_pair_folder
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
from giqa_lib.applications.votes_benchmark import votes_agreement, votes_values

__all__ = [
    "ALL_PAIRS",
    "JUDGE_PRESETS",
    "LEARNED_PRESETS",
    "LGIQA_SETTINGS",
    "NATURAL_PRESETS",
    "PRESETS",
    "Benchmark",
    "FeatureSpace",
    "GeneratorJudge",
    "HumanVotes",
    "JudgeSettings",
    "JudgedSettings",
    "Ladder",
    "LearnedPreset",
    "LearnedStudy",
    "NaturalPreset",
    "PairFolder",
    "Pairs",
    "ScoredPool",
    "Study",
    "StudyBed",
    "StudySettings",
    "Sweep",
    "accuracies",
    "auc",
    "by_votes",
    "classifier_sweep",
    "clean_over_degraded",
    "combine_seeds",
    "density_values",
    "differences",
    "effective_classes",
    "find_lgiqa",
    "human_votes",
    "join",
    "judge_pairs",
    "ladder_agreement",
    "ladder_means",
    "later_over_earlier",
    "lead",
    "lead_table",
    "lgiqa_reference",
    "lgiqa_values",
    "load_ladder",
    "mcnemar_table",
    "mixture_sweep",
    "natural_scores",
    "neighbour_sweep",
    "noise_sweep",
    "outcomes",
    "patch_of",
    "patch_sweep",
    "read_pair_folder",
    "real_or_generated",
    "real_over_generated",
    "score_pool",
    "step_agreement",
    "study_natural_scores",
    "votes_agreement",
    "votes_values",
]
