import numpy as np
import pytest
import torch

from giqa_lib.applications.generators import (
    GeneratorJudge,
    JudgeSettings,
    keep_modes,
    repeat_images,
)
from giqa_lib.applications.snapshots import (
    FAMILIES,
    FAMILY_PRESETS,
    Study,
    StudySettings,
    family_snapshots,
)
from giqa_lib.checks import InputError
from giqa_lib.evaluation import frechet_distance
from giqa_lib.features import ClassifierSettings
from giqa_lib.store import Store


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    settings = StudySettings(
        classifier_images=300,
        reference=1000,
        held_out=120,
        real=120,
        per_snapshot=20,
        steps=(5, 10),
        labelled=2,
        width=4,
        classifier=ClassifierSettings(epochs=8),
    )
    store = Store(tmp_path_factory.mktemp("store"))
    return Study(settings, dataset="digits", seed=0, store=store, progress=False)


@pytest.fixture(scope="module")
def judge(study):
    settings = JudgeSettings(components=2, scored=80, fitted=80)
    return GeneratorJudge(study, settings, random_state=0)


def test_real_images_get_one_half_and_noise_less(judge, study):
    held_out = judge.extract(study.real)
    assert judge.quality(held_out).value == pytest.approx(0.5, abs=0.12)
    noise = torch.randint(0, 255, (100, *study.real[0].shape), dtype=torch.uint8)
    assert judge.quality(judge.extract(noise)).value < 0.2


def test_quality_is_the_mean_of_the_calibrated_scores(judge, study):
    rows = judge.extract(study.real)
    assert judge.quality(rows).value == pytest.approx(judge.scores(rows).mean())


def test_fid_is_the_distance_to_the_reference(judge, study):
    rows = judge.extract(study.real)
    expected = frechet_distance(real=judge.reference, generated=rows)
    assert judge.frechet(rows).value == pytest.approx(expected, rel=1e-6)


def test_a_dropped_mode_lowers_diversity_and_coverage(judge, study):
    images = study.reference
    classes = study.classifier.predict(images.tensor()).numpy()
    rows = judge.extract(images)
    whole = judge.judge(rows[keep_modes(classes, range(10), 80, random_state=0)])
    part = judge.judge(rows[keep_modes(classes, range(2), 80, random_state=0)])
    whole, part = (t.set_index("metric")["value"] for t in (whole, part))
    assert list(whole.index) == ["FID", "QS", "DS", "recall", "coverage"]
    assert part["DS"] < whole["DS"] - 0.1
    assert part["coverage"] < whole["coverage"]
    assert part["FID"] > whole["FID"]


def test_planted_collapse_draws_what_it_says():
    modes = np.repeat(np.arange(5), 20)
    rows = keep_modes(modes, [1, 3], 30, random_state=0)
    assert set(modes[rows]) == {1, 3}
    assert len(set(rows)) == 30
    repeated = repeat_images(100, 7, 50, random_state=0)
    counts = np.unique(repeated, return_counts=True)[1]
    assert len(counts) == 7
    assert counts.max() - counts.min() <= 1
    with pytest.raises(InputError, match=r"modes.*got 20"):
        keep_modes(modes, [4], 21, random_state=0)
    with pytest.raises(InputError, match="distinct"):
        repeat_images(5, 6, 5, random_state=0)


@pytest.mark.parametrize("family", [*FAMILIES, "dcgan"])
def test_every_family_is_trained_and_sampled(study, family):
    found = family_snapshots(study, family, FAMILY_PRESETS["quick"])
    made = found.images(found.steps[-1], 3, seed=0)
    assert made.shape == (3, *study.real[0].shape)


def test_an_unknown_family_is_refused(study):
    with pytest.raises(InputError, match="wgan-gp"):
        family_snapshots(study, "biggan", FAMILY_PRESETS["quick"])
