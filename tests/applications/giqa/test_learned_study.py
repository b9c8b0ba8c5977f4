"""What learned scores are trained on, and the sweeps, on the digits' study."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from giqa_lib.applications.giqa import (
    LEARNED_PRESETS,
    LearnedPreset,
    LearnedStudy,
    StudyBed,
    classifier_sweep,
    noise_sweep,
    patch_of,
    patch_sweep,
)
from giqa_lib.applications.pairs import outcomes
from giqa_lib.checks import InputError
from giqa_lib.learning import FitSettings
from giqa_lib.scores import BC, IR, even_thresholds, fetch_learned_score, mbc

PRESET = LearnedPreset(
    per_snapshot=6,
    real=20,
    held_out=4,
    width=4,
    fit=FitSettings(steps=4, batch_size=8, check_every=2),
)


@pytest.fixture(scope="module")
def learned(study):
    return LearnedStudy(study, PRESET)


@pytest.fixture(scope="module")
def bed(study):
    return StudyBed(study)


def test_steps_are_even_and_the_last_one_is_trained_on(study, learned):
    assert study.labelled_steps == (2, 4, 6, 8, 10, 12, 14, 16)
    assert learned.held_out_steps == (4, 12)
    assert learned.train_steps == (2, 6, 8, 10, 14, 16)


def test_labels_are_equation_1(study, learned):
    labels, counts = np.unique(learned.train.labels, return_counts=True)
    assert labels == pytest.approx([0.9 * step / 16 for step in (2, 6, 8, 10, 14, 16)] + [1.0])
    assert counts.tolist() == [6] * 6 + [20]
    assert np.unique(learned.held_out.labels) == pytest.approx([0.225, 0.675, 1.0])


def rows(images):
    return {bytes(image.numpy().tobytes()) for image in images}


def test_no_image_of_the_pool_is_trained_on(study, learned):
    # of the last step: the first ones' images are flat, and so the same from any latent
    last = learned.train.images[torch.as_tensor(learned.train.labels == 0.9)]
    assert len(last) == 6
    assert not rows(last) & rows(study.pool_images)
    real = learned.train.images[torch.as_tensor(learned.train.labels == 1)]
    kept = learned.held_out.images[torch.as_tensor(learned.held_out.labels == 1)]
    assert not rows(real) & (rows(study.pool_images) | rows(kept))


def test_real_training_images_come_from_the_reference(study, learned):
    real = learned.train.images[torch.as_tensor(learned.train.labels == 1)]
    assert torch.equal(real, study.reference.subset(np.arange(20)).tensor())


def test_noise_spoils_the_training_labels_alone(learned, monkeypatch):
    seen = {}

    def watched(store, train, held_out, method, settings, **keywords):
        seen.update(train=train, held_out=held_out)
        return fetch_learned_score(store, train, held_out, method, settings, **keywords)

    monkeypatch.setattr("giqa_lib.applications.giqa.learned_study.fetch_learned_score", watched)
    learned.score(IR, noise=0.5)
    assert not np.array_equal(seen["train"].labels, learned.train.labels)
    assert np.array_equal(seen["train"].labels == 1, learned.train.labels == 1)
    assert seen["held_out"] is learned.held_out


@pytest.mark.parametrize(("share", "pixels"), [(0.125, 4), (0.5, 4), (0.75, 6), (1.0, 8)])
def test_the_patch_is_a_share_of_the_side(learned, share, pixels):
    assert learned.settings(patch=share).network.patch == pixels == patch_of(8, share)


def test_one_classifier_of_the_sweep_is_bc(learned, bed):
    pairs = bed.pairs()
    found = classifier_sweep(learned, bed, pairs, counts=[1, 2])
    values = learned.score(BC)(bed.images)
    for p in pairs:
        assert np.array_equal(found.found["1"][p.name], outcomes(values, p))
    frame = found.accuracies()
    assert set(frame["name"]) == {"1", "2"}
    assert frame["n"].tolist()[:2] == [len(pairs[0])] * 2


def test_differences_are_paired_and_untried_ones_left_out(learned, bed):
    found = patch_sweep(learned, bed, bed.pairs(), shares=[0.75, 1.0], classifiers=2)
    frame = found.differences([("0.75", "1"), ("0.5", "1")])
    assert set(frame["name"]) == {"0.75 minus 1"}
    accuracy = found.accuracies().set_index(["name", "pairs"])["value"]
    for row in frame.itertuples():
        expected = accuracy["0.75", row.pairs] - accuracy["1", row.pairs]
        assert row.value == pytest.approx(expected)


def test_noise_leaves_bc_as_it_was(learned, bed):
    methods = {"BC": BC, "MBC": mbc(even_thresholds(2))}
    found = noise_sweep(learned, bed, bed.pairs(), methods=methods, shares=[0.0, 0.9])
    assert set(found.found) == {"BC, 0", "BC, 0.9", "MBC, 0", "MBC, 0.9"}
    for kind in found.found["BC, 0"]:
        assert np.array_equal(found.found["BC, 0"][kind], found.found["BC, 0.9"][kind])


def test_every_profile_has_a_preset():
    assert set(LEARNED_PRESETS) == {"quick", "cpu", "paper"}
    assert LEARNED_PRESETS["paper"].network == "vgg19_bn"


def test_the_paper_profile_of_small_images_takes_the_small_network(study):
    preset = replace(LEARNED_PRESETS["paper"], per_snapshot=2, real=4, held_out=2)
    network = LearnedStudy(study, preset).settings().network  # digits: a patch of 6 pixels
    assert (network.name, network.patch) == ("small", 6)


def test_a_wrong_preset_is_refused():
    with pytest.raises(InputError, match="patch"):
        LearnedPreset(per_snapshot=1, real=1, held_out=1, patch=1.2, fit=PRESET.fit)
