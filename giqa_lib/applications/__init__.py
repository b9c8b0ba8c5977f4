"""What the scores are used for: pairs of known order, sweeps, and the studies of the chapters."""

from giqa_lib.applications.batch_scores import (
    density_objective,
    frechet_objective,
    inception_objective,
)
from giqa_lib.applications.battles import agreement_with, battle_table, on_larger_images
from giqa_lib.applications.degraded_faces import DAMAGES, degraded_faces
from giqa_lib.applications.density_choice import best_mixture, held_out_likelihoods
from giqa_lib.applications.density_sweep import Sweep, mixture_sweep, neighbour_sweep
from giqa_lib.applications.domain_agreement import (
    agreement,
    agreement_gap,
    check_opinions,
    mean_on_same_images,
    mean_over_domains,
    opinion_rows,
)
from giqa_lib.applications.face_families import (
    FACE_FAMILIES,
    FaceFamilies,
    FaceFamily,
    FamilyImages,
)
from giqa_lib.applications.face_generalisation import (
    INPAINTED,
    OTHER_MEASURES,
    FaceGeneralisation,
    FaceMeasures,
    generalisation_faces,
    other_measures,
)
from giqa_lib.applications.face_maps import FaceParser, NearestFaceMaps, part_richness
from giqa_lib.applications.faces_study import (
    FACES_PRESETS,
    FacesPreset,
    FacesStudy,
    same_framing,
    unjudged_faces,
)
from giqa_lib.applications.folder_comparison import (
    BETTER,
    REAL,
    FolderComparison,
    compare_sets,
)
from giqa_lib.applications.gan_ladder import Ladder, ladder_agreement, ladder_means, load_ladder
from giqa_lib.applications.generalisation import (
    ATTGF,
    GENERALISATION_PRESETS,
    VARIANTS,
    GeneralisationPreset,
    GeneralisationStudy,
    combined_gaps,
)
from giqa_lib.applications.generator_families import (
    FAMILIES,
    FAMILY_PRESETS,
    FamilyPreset,
    family_snapshots,
)
from giqa_lib.applications.generator_judge import JUDGE_PRESETS, GeneratorJudge, JudgeSettings
from giqa_lib.applications.gman_comparison import (
    class_variety,
    judged_models,
    metric_agreement,
    own_battles,
    steadiness_changes,
)
from giqa_lib.applications.gman_demo import (
    demo_weights,
    load_generators,
    save_generators,
    trained_generators,
)
from giqa_lib.applications.gman_study import (
    COLLAPSING,
    GMAN_MODELS,
    GMAN_PAIRS,
    GMAN_PRESETS,
    GMAN_VARIANTS,
    GMANPreset,
    GMANStudy,
)
from giqa_lib.applications.hard_mining import (
    HardMining,
    hard_mining,
    mining_weights,
    resting_share,
    scores_of_the_next,
)
from giqa_lib.applications.human_votes import HumanVotes, human_votes
from giqa_lib.applications.judge_diversity import judge_diversity, judge_verdicts
from giqa_lib.applications.learned_study import (
    LEARNED_PRESETS,
    LabelledGenerator,
    LearnedPreset,
    LearnedStudy,
    patch_of,
)
from giqa_lib.applications.learned_sweep import (
    JudgedSettings,
    classifier_sweep,
    noise_sweep,
    patch_sweep,
)
from giqa_lib.applications.lgiqa_benchmark import LGIQA_SETTINGS, lgiqa_reference, lgiqa_values
from giqa_lib.applications.mining_study import (
    MINING_RUNS,
    MiningRuns,
    judge_run,
    paired_differences,
)
from giqa_lib.applications.natural_study import (
    NATURAL_PRESETS,
    NaturalPreset,
    natural_scores,
    study_natural_scores,
)
from giqa_lib.applications.opinion_agreement import opinion_agreement, order_agreement
from giqa_lib.applications.opinion_databases import (
    OpinionPreset,
    agiqa_databases,
    opinion_pairs,
    photograph_density_scores,
    voted_faces,
    with_pairs,
)
from giqa_lib.applications.outcomes import (
    accuracies,
    combine_on_same_images,
    combine_seeds,
    differences,
    outcomes,
)
from giqa_lib.applications.outside_scores import outside_scores
from giqa_lib.applications.pair_beds import ALL_PAIRS, StudyBed
from giqa_lib.applications.pair_benchmark import (
    Benchmark,
    density_values,
    judge_pairs,
    lead,
    lead_table,
    mcnemar_table,
)
from giqa_lib.applications.pair_construction import (
    PAPER_PAIRS,
    PairSettings,
    construct_pairs,
    quality_levels,
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
from giqa_lib.applications.panel_trials import panel_trials
from giqa_lib.applications.picker import pick
from giqa_lib.applications.picker_study import NO_PICKING, Picker, PickerStudy
from giqa_lib.applications.planned_trainings import PlannedTraining, planned_trainings
from giqa_lib.applications.planted_collapse import keep_modes, repeat_images
from giqa_lib.applications.quality_presets import QUALITY_PRESETS, QualityPreset
from giqa_lib.applications.quality_study import QualityStudy, face_database, kept_observers
from giqa_lib.applications.real_generalisation import (
    ALL_IMAGES,
    OPINION_TRAINING,
    WITHIN,
    AgiqaGeneralisation,
    VotedFaces,
)
from giqa_lib.applications.real_opinions import (
    LEAST_RATERS,
    OpinionSet,
    rated_opinions,
    real_opinions,
)
from giqa_lib.applications.released_gman import (
    REPORT_PAIRS,
    ReportPair,
    find_released,
    released_images,
    released_players,
)
from giqa_lib.applications.score_cost import step_operations, step_seconds
from giqa_lib.applications.score_course import (
    EARLY_SCORE,
    LATE_FALL,
    at_equal_seconds,
    late_progress,
)
from giqa_lib.applications.score_guided import INCEPTION, SCORE_RUNS, ScoreStudy
from giqa_lib.applications.score_presets import COLOUR_PRESETS, SCORE_PRESETS, ScorePreset
from giqa_lib.applications.scored_pool import (
    ScoredPool,
    auc,
    effective_classes,
    rank_within_modes,
    score_pool,
    step_agreement,
)
from giqa_lib.applications.scorer import (
    ScoredImages,
    Scorer,
    ScorerSettings,
    fit_scorer,
    load_scorer,
)
from giqa_lib.applications.simulated_panel import PanelSettings, simulate_panel
from giqa_lib.applications.snapshot_study import PRESETS, FeatureSpace, Study, StudySettings
from giqa_lib.applications.spectrum_comparison import (
    compare_spectra,
    false_alarms,
    name_by_spectrum,
    profile_table,
)
from giqa_lib.applications.stand_in_folders import (
    STAND_IN_LEVELS,
    StandInFolders,
    write_stand_in,
)
from giqa_lib.applications.training_stability import (
    classes_hit,
    increment_variance,
    is_collapsed,
    log_ratios,
    spike_share,
    stability,
)
from giqa_lib.applications.translation_study import (
    TRANSLATION_PRESETS,
    TranslationJudge,
    TranslationPreset,
    TranslationStudy,
)
from giqa_lib.applications.unseen_faults import UNSEEN_PAIRS, UnseenFaults
from giqa_lib.applications.vote_damage import damaged_votes
from giqa_lib.applications.votes_benchmark import VotesBed, votes_agreement

__all__ = [
    "ALL_IMAGES",
    "ALL_PAIRS",
    "ATTGF",
    "BETTER",
    "COLLAPSING",
    "COLOUR_PRESETS",
    "DAMAGES",
    "EARLY_SCORE",
    "FACES_PRESETS",
    "FACE_FAMILIES",
    "FAMILIES",
    "FAMILY_PRESETS",
    "GENERALISATION_PRESETS",
    "GMAN_MODELS",
    "GMAN_PAIRS",
    "GMAN_PRESETS",
    "GMAN_VARIANTS",
    "INCEPTION",
    "INPAINTED",
    "JUDGE_PRESETS",
    "LATE_FALL",
    "LEARNED_PRESETS",
    "LEAST_RATERS",
    "LGIQA_SETTINGS",
    "MINING_RUNS",
    "NATURAL_PRESETS",
    "NO_PICKING",
    "OPINION_TRAINING",
    "OTHER_MEASURES",
    "PAPER_PAIRS",
    "PRESETS",
    "QUALITY_PRESETS",
    "REAL",
    "REPORT_PAIRS",
    "SCORE_PRESETS",
    "SCORE_RUNS",
    "STAND_IN_LEVELS",
    "TRANSLATION_PRESETS",
    "UNSEEN_PAIRS",
    "VARIANTS",
    "WITHIN",
    "AgiqaGeneralisation",
    "Benchmark",
    "FaceFamilies",
    "FaceFamily",
    "FaceGeneralisation",
    "FaceMeasures",
    "FaceParser",
    "FacesPreset",
    "FacesStudy",
    "FamilyImages",
    "FamilyPreset",
    "FeatureSpace",
    "FolderComparison",
    "GMANPreset",
    "GMANStudy",
    "GeneralisationPreset",
    "GeneralisationStudy",
    "GeneratorJudge",
    "HardMining",
    "HumanVotes",
    "JudgeSettings",
    "JudgedSettings",
    "LabelledGenerator",
    "Ladder",
    "LearnedPreset",
    "LearnedStudy",
    "MiningRuns",
    "NaturalPreset",
    "NearestFaceMaps",
    "OpinionPreset",
    "OpinionSet",
    "PairFolder",
    "PairSettings",
    "Pairs",
    "PanelSettings",
    "Picker",
    "PickerStudy",
    "PlannedTraining",
    "QualityPreset",
    "QualityStudy",
    "ReportPair",
    "ScorePreset",
    "ScoreStudy",
    "ScoredImages",
    "ScoredPool",
    "Scorer",
    "ScorerSettings",
    "StandInFolders",
    "Study",
    "StudyBed",
    "StudySettings",
    "Sweep",
    "TranslationJudge",
    "TranslationPreset",
    "TranslationStudy",
    "UnseenFaults",
    "VotedFaces",
    "VotesBed",
    "accuracies",
    "agiqa_databases",
    "agreement",
    "agreement_gap",
    "agreement_with",
    "at_equal_seconds",
    "auc",
    "battle_table",
    "best_mixture",
    "by_votes",
    "check_opinions",
    "class_variety",
    "classes_hit",
    "classifier_sweep",
    "clean_over_degraded",
    "combine_on_same_images",
    "combine_seeds",
    "combined_gaps",
    "compare_sets",
    "compare_spectra",
    "construct_pairs",
    "damaged_votes",
    "degraded_faces",
    "demo_weights",
    "density_objective",
    "density_values",
    "differences",
    "effective_classes",
    "face_database",
    "false_alarms",
    "family_snapshots",
    "find_lgiqa",
    "find_released",
    "fit_scorer",
    "frechet_objective",
    "generalisation_faces",
    "hard_mining",
    "held_out_likelihoods",
    "human_votes",
    "inception_objective",
    "increment_variance",
    "is_collapsed",
    "join",
    "judge_diversity",
    "judge_pairs",
    "judge_run",
    "judge_verdicts",
    "judged_models",
    "keep_modes",
    "kept_observers",
    "ladder_agreement",
    "ladder_means",
    "late_progress",
    "later_over_earlier",
    "lead",
    "lead_table",
    "lgiqa_reference",
    "lgiqa_values",
    "load_generators",
    "load_ladder",
    "load_scorer",
    "log_ratios",
    "mcnemar_table",
    "mean_on_same_images",
    "mean_over_domains",
    "metric_agreement",
    "mining_weights",
    "mixture_sweep",
    "name_by_spectrum",
    "natural_scores",
    "neighbour_sweep",
    "noise_sweep",
    "on_larger_images",
    "opinion_agreement",
    "opinion_pairs",
    "opinion_rows",
    "order_agreement",
    "other_measures",
    "outcomes",
    "outside_scores",
    "own_battles",
    "paired_differences",
    "panel_trials",
    "part_richness",
    "patch_of",
    "patch_sweep",
    "photograph_density_scores",
    "pick",
    "planned_trainings",
    "profile_table",
    "quality_levels",
    "rank_within_modes",
    "rated_opinions",
    "read_pair_folder",
    "real_opinions",
    "real_over_generated",
    "released_images",
    "released_players",
    "repeat_images",
    "resting_share",
    "same_framing",
    "save_generators",
    "score_pool",
    "scores_of_the_next",
    "simulate_panel",
    "spike_share",
    "stability",
    "steadiness_changes",
    "step_agreement",
    "step_operations",
    "step_seconds",
    "study_natural_scores",
    "trained_generators",
    "unjudged_faces",
    "voted_faces",
    "votes_agreement",
    "with_pairs",
    "write_stand_in",
]
