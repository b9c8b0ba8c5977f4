"""GIQA's benchmark, sweeps and learned scores."""

from giqa_lib.applications.giqa.density_choice import best_mixture, held_out_likelihoods
from giqa_lib.applications.giqa.density_sweep import Sweep, mixture_sweep, neighbour_sweep
from giqa_lib.applications.giqa.faces_study import (
    FACES_PRESETS,
    FacesPreset,
    FacesStudy,
    same_framing,
    unjudged_faces,
)
from giqa_lib.applications.giqa.gan_ladder import (
    Ladder,
    ladder_agreement,
    ladder_means,
    load_ladder,
)
from giqa_lib.applications.giqa.learned_study import (
    LEARNED_PRESETS,
    LabelledGenerator,
    LearnedPreset,
    LearnedStudy,
    patch_of,
)
from giqa_lib.applications.giqa.learned_sweep import (
    JudgedSettings,
    classifier_sweep,
    noise_sweep,
    patch_sweep,
)
from giqa_lib.applications.giqa.lgiqa_benchmark import (
    LGIQA_SETTINGS,
    LgiqaSettings,
    lgiqa_reference,
    lgiqa_values,
)
from giqa_lib.applications.giqa.natural_study import (
    NATURAL_PRESETS,
    NaturalPreset,
    natural_scores,
    study_natural_scores,
)
from giqa_lib.applications.giqa.pair_beds import ALL_PAIRS, StudyBed
from giqa_lib.applications.giqa.pair_benchmark import (
    Benchmark,
    density_values,
    judge_pairs,
    lead,
    lead_table,
    mcnemar_table,
)
from giqa_lib.applications.giqa.unseen_faults import UNSEEN_PAIRS, UnseenFaults
from giqa_lib.applications.giqa.votes_benchmark import VotesBed, votes_agreement

__all__ = [
    "ALL_PAIRS",
    "FACES_PRESETS",
    "LEARNED_PRESETS",
    "LGIQA_SETTINGS",
    "NATURAL_PRESETS",
    "UNSEEN_PAIRS",
    "Benchmark",
    "FacesPreset",
    "FacesStudy",
    "JudgedSettings",
    "LabelledGenerator",
    "Ladder",
    "LearnedPreset",
    "LearnedStudy",
    "LgiqaSettings",
    "NaturalPreset",
    "StudyBed",
    "Sweep",
    "UnseenFaults",
    "VotesBed",
    "best_mixture",
    "classifier_sweep",
    "density_values",
    "held_out_likelihoods",
    "judge_pairs",
    "ladder_agreement",
    "ladder_means",
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
    "patch_of",
    "patch_sweep",
    "same_framing",
    "study_natural_scores",
    "unjudged_faces",
    "votes_agreement",
]
