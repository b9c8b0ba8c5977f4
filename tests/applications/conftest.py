"""A study of scikit-learn's digits, which are always there, with a GAN of a few steps."""

import pytest

from giqa_lib.applications import Study, StudySettings
from giqa_lib.features import ClassifierSettings
from giqa_lib.store import Store

SETTINGS = StudySettings(
    classifier_images=600,
    reference=600,
    held_out=150,
    real=150,
    per_snapshot=20,
    steps=(2, 8, 16),
    labelled=8,
    width=4,
    classifier=ClassifierSettings(epochs=4, channels=8, width=16),
)


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    return Study(SETTINGS, dataset="digits", seed=0, store=store, progress=False)


@pytest.fixture(scope="session")
def space(study):
    return study.features(variance=0.95, max_components=8)
