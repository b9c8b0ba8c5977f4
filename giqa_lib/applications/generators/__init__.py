"""Judging generators, and training them with a score: picker, hard mining, battles."""

from giqa_lib.applications.generators.battles import agreement_with, battle_table, on_larger_images
from giqa_lib.applications.generators.generator_judge import (
    JUDGE_PRESETS,
    GeneratorJudge,
    JudgeSettings,
)
from giqa_lib.applications.generators.hard_mining import (
    HardMining,
    hard_mining,
    mining_weights,
    resting_share,
    scores_of_the_next,
)
from giqa_lib.applications.generators.judge_diversity import judge_diversity, judge_verdicts
from giqa_lib.applications.generators.mining_study import MINING_RUNS, MiningRuns, judge_run
from giqa_lib.applications.generators.picker_study import NO_PICKING, Picker, PickerStudy
from giqa_lib.applications.generators.planted_collapse import keep_modes, repeat_images
from giqa_lib.applications.generators.training_stability import (
    classes_hit,
    increment_variance,
    is_collapsed,
    log_ratios,
    spike_share,
    stability,
)
from giqa_lib.applications.generators.translation_study import (
    TRANSLATION_PRESETS,
    TranslationJudge,
    TranslationPreset,
    TranslationStudy,
)

__all__ = [
    "JUDGE_PRESETS",
    "MINING_RUNS",
    "NO_PICKING",
    "TRANSLATION_PRESETS",
    "GeneratorJudge",
    "HardMining",
    "JudgeSettings",
    "MiningRuns",
    "Picker",
    "PickerStudy",
    "TranslationJudge",
    "TranslationPreset",
    "TranslationStudy",
    "agreement_with",
    "battle_table",
    "classes_hit",
    "hard_mining",
    "increment_variance",
    "is_collapsed",
    "judge_diversity",
    "judge_run",
    "judge_verdicts",
    "keep_modes",
    "log_ratios",
    "mining_weights",
    "on_larger_images",
    "repeat_images",
    "resting_share",
    "scores_of_the_next",
    "spike_share",
    "stability",
]
