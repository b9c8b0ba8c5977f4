"""Inputs and settings that would give a number without a meaning."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from image_textures import textures

from giqa_lib.checks import InputError
from giqa_lib.iqa import (
    BASELINES,
    BaselineSettings,
    DegradedExamples,
    NaturalScore,
    fit_baseline,
    fit_brisque,
    held_out_examples,
)
from giqa_lib.learning import FitSettings
from giqa_lib.learning.batches import check_pixels, in_batches

SHORT = BaselineSettings(
    fit=FitSettings(steps=2, batch_size=8, check_every=1), width=4, held_out=12
)


def test_float_images_are_refused_since_their_range_is_not_known():
    with pytest.raises(InputError, match=r"images: expected uint8, got torch.float32; map them"):
        check_pixels(torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("measure", BASELINES)
def test_images_unlike_those_it_was_trained_on_are_refused(measure):
    score = fit_baseline(measure, textures(24), SHORT, seed=0)
    with pytest.raises(InputError, match="1 channels, as it was trained on, got 3 channels"):
        score(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    small = 4
    with pytest.raises(InputError, match=f"at least the patch's .* got {small} x {small}"):
        score(torch.zeros(2, 1, small, small, dtype=torch.uint8))


@pytest.mark.parametrize("measure", BASELINES)
def test_no_images_have_no_scores(measure):
    score = fit_baseline(measure, textures(24), SHORT, seed=0)
    assert score(torch.zeros(0, 1, 32, 32, dtype=torch.uint8)).shape == (0,)


def test_batches_are_of_one_size_and_black_images_are_dropped():
    sizes = []

    def count(batch):
        sizes.append((len(batch), int(batch.amax())))
        return batch.double().mean((1, 2, 3)).numpy()

    images = torch.arange(1, 8, dtype=torch.uint8).view(7, 1, 1, 1).expand(7, 1, 2, 2)
    assert in_batches(count, images, 3).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert sizes == [(3, 3), (3, 6), (3, 7)]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("crop", 0.0), ("crop", 1.5), ("patch", -0.5), ("held_out", 0), ("width", 0)],
)
def test_settings_without_a_meaning_are_refused(setting, value):
    with pytest.raises(InputError, match=setting):
        replace(SHORT, **{setting: value})


def test_a_score_of_no_known_measure_or_batch_is_refused():
    fitted = fit_baseline("NIMA", textures(24), SHORT, seed=0)
    with pytest.raises(
        InputError, match="measure: expected one of DeepIQA, MEON, Meta-IQA, NIMA, RankIQA"
    ):
        replace(fitted, measure="BIQI")
    with pytest.raises(InputError, match="batch_size"):
        replace(fitted, batch_size=0)


def test_a_folder_without_a_measure_is_named(tmp_path):
    with pytest.raises(InputError, match=r"expected a saved measure, got no .*network\.json"):
        NaturalScore.load(tmp_path)


def test_no_images_cannot_be_degraded():
    none = torch.zeros(0, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(InputError, match="number of images"):
        DegradedExamples(images=none)
    with pytest.raises(InputError, match="number of images"):
        held_out_examples(none, seed=0)


def test_a_ladder_of_one_rung_ranks_nothing():
    examples = DegradedExamples(images=textures(4))
    with pytest.raises(InputError, match="levels - 1"):
        examples.ladder(2, 1, torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        (np.zeros(5), "one length"),
        (np.full(6, np.nan), "finite values"),
        (np.zeros((6, 1)), "axis"),
    ],
)
def test_brisque_wants_one_finite_quality_an_image(quality, message):
    with pytest.raises(InputError, match=message):
        fit_brisque(textures(6), quality)
