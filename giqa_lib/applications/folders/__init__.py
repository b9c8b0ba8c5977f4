"""Scoring the images of a folder, and comparing folders."""

from giqa_lib.applications.folders.folder_comparison import (
    BETTER,
    REAL,
    FolderComparison,
    compare_sets,
)
from giqa_lib.applications.folders.scorer import (
    ScoredImages,
    Scorer,
    fit_scorer,
    load_scorer,
)
from giqa_lib.applications.folders.scorer_settings import ScorerSettings
from giqa_lib.applications.folders.stand_in_folders import (
    STAND_IN_LEVELS,
    StandInFolders,
    write_stand_in,
)

__all__ = [
    "BETTER",
    "REAL",
    "STAND_IN_LEVELS",
    "FolderComparison",
    "ScoredImages",
    "Scorer",
    "ScorerSettings",
    "StandInFolders",
    "compare_sets",
    "fit_scorer",
    "load_scorer",
    "write_stand_in",
]
