"""AttGF-IQA's databases, its study of families left out, and real opinions."""

from giqa_lib.applications.attgf.degraded_faces import DAMAGES, degraded_faces
from giqa_lib.applications.attgf.face_families import (
    FACE_FAMILIES,
    FaceFamilies,
    FaceFamily,
    FamilyImages,
)
from giqa_lib.applications.attgf.face_generalisation import (
    INPAINTED,
    OTHER_MEASURES,
    FaceGeneralisation,
    FaceMeasures,
    generalisation_faces,
    other_measures,
)
from giqa_lib.applications.attgf.face_maps import FaceParser, NearestFaceMaps, part_richness
from giqa_lib.applications.attgf.generalisation import (
    ATTGF,
    GENERALISATION_PRESETS,
    VARIANTS,
    GeneralisationPreset,
    GeneralisationStudy,
    combined_gaps,
)
from giqa_lib.applications.attgf.opinion_databases import (
    OpinionPreset,
    agiqa_databases,
    opinion_pairs,
    photograph_density_scores,
    voted_faces,
    with_pairs,
)
from giqa_lib.applications.attgf.panel_trials import panel_trials
from giqa_lib.applications.attgf.quality_presets import QUALITY_PRESETS, QualityPreset
from giqa_lib.applications.attgf.quality_study import QualityStudy, face_database, kept_observers
from giqa_lib.applications.attgf.real_generalisation import (
    ALL_IMAGES,
    OPINION_TRAINING,
    WITHIN,
    AgiqaGeneralisation,
    VotedFaces,
)
from giqa_lib.applications.attgf.spectrum_comparison import (
    compare_spectra,
    false_alarms,
    name_by_spectrum,
    profile_table,
)

__all__ = [
    "ALL_IMAGES",
    "ATTGF",
    "DAMAGES",
    "FACE_FAMILIES",
    "GENERALISATION_PRESETS",
    "INPAINTED",
    "OPINION_TRAINING",
    "OTHER_MEASURES",
    "QUALITY_PRESETS",
    "VARIANTS",
    "WITHIN",
    "AgiqaGeneralisation",
    "FaceFamilies",
    "FaceFamily",
    "FaceGeneralisation",
    "FaceMeasures",
    "FaceParser",
    "FamilyImages",
    "GeneralisationPreset",
    "GeneralisationStudy",
    "NearestFaceMaps",
    "OpinionPreset",
    "QualityPreset",
    "QualityStudy",
    "VotedFaces",
    "agiqa_databases",
    "combined_gaps",
    "compare_spectra",
    "degraded_faces",
    "face_database",
    "false_alarms",
    "generalisation_faces",
    "kept_observers",
    "name_by_spectrum",
    "opinion_pairs",
    "other_measures",
    "panel_trials",
    "part_richness",
    "photograph_density_scores",
    "profile_table",
    "voted_faces",
    "with_pairs",
]
