"""GMAN's study: several discriminators, and the released models."""

from giqa_lib.applications.gman.gman_comparison import (
    class_variety,
    judged_models,
    metric_agreement,
    own_battles,
    steadiness_changes,
)
from giqa_lib.applications.gman.gman_demo import (
    demo_weights,
    load_generators,
    save_generators,
    trained_generators,
)
from giqa_lib.applications.gman.gman_study import (
    COLLAPSING,
    GMAN_MODELS,
    GMAN_PAIRS,
    GMAN_PRESETS,
    GMAN_VARIANTS,
    GMANPreset,
    GMANStudy,
)
from giqa_lib.applications.gman.released_gman import (
    REPORT_PAIRS,
    ReportPair,
    find_released,
    released_images,
    released_players,
)

__all__ = [
    "COLLAPSING",
    "GMAN_MODELS",
    "GMAN_PAIRS",
    "GMAN_PRESETS",
    "GMAN_VARIANTS",
    "REPORT_PAIRS",
    "GMANPreset",
    "GMANStudy",
    "ReportPair",
    "class_variety",
    "demo_weights",
    "find_released",
    "judged_models",
    "load_generators",
    "metric_agreement",
    "own_battles",
    "released_images",
    "released_players",
    "save_generators",
    "steadiness_changes",
    "trained_generators",
]
