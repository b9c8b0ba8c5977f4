"""ScoreGAN's study: a score of the batch as a second objective."""

from giqa_lib.applications.scoregan.batch_scores import (
    density_objective,
    frechet_objective,
    inception_objective,
)
from giqa_lib.applications.scoregan.score_cost import step_operations, step_seconds
from giqa_lib.applications.scoregan.score_course import (
    EARLY_SCORE,
    LATE_FALL,
    at_equal_seconds,
    late_progress,
)
from giqa_lib.applications.scoregan.score_guided import INCEPTION, SCORE_RUNS, ScoreStudy
from giqa_lib.applications.scoregan.score_presets import COLOUR_PRESETS, SCORE_PRESETS, ScorePreset

__all__ = [
    "COLOUR_PRESETS",
    "EARLY_SCORE",
    "INCEPTION",
    "LATE_FALL",
    "SCORE_PRESETS",
    "SCORE_RUNS",
    "ScorePreset",
    "ScoreStudy",
    "at_equal_seconds",
    "density_objective",
    "frechet_objective",
    "inception_objective",
    "late_progress",
    "step_operations",
    "step_seconds",
]
