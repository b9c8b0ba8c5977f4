import numpy as np
import pytest
import torch
from image_textures import textures

from giqa_lib.applications import (
    NATURAL_PRESETS,
    LearnedPreset,
    NaturalPreset,
    natural_scores,
    real_or_generated,
)
from giqa_lib.applications.natural_study import NATURAL
from giqa_lib.checks import InputError
from giqa_lib.iqa import BaselineSettings
from giqa_lib.learning import FitSettings
from giqa_lib.store import Store

FIT = FitSettings(steps=4, batch_size=8, check_every=2)
PRESET = NaturalPreset(real=60, settings=BaselineSettings(fit=FIT, width=4, held_out=12))


def test_all_five_score_images(tmp_path):
    images = textures(80)
    found = natural_scores(Store(tmp_path), images, PRESET, seed=0)
    assert tuple(found) == NATURAL == ("NIMA", "DeepIQA", "RankIQA", "NIQE", "BRISQUE")
    for call in found.values():
        assert call(images[:3]).shape == (3,)


def test_only_the_presets_number_of_images_is_used(tmp_path):
    images = textures(80)
    changed = images.clone()
    changed[60:] = 0
    one, two = (
        natural_scores(Store(tmp_path), i, PRESET, seed=0, names=("NIQE",))
        for i in (images, changed)
    )
    assert np.array_equal(one["NIQE"](images[:5]), two["NIQE"](images[:5]))


def test_presets():
    assert set(NATURAL_PRESETS) == {"quick", "cpu", "paper"}
    with pytest.raises(InputError, match="real"):
        NaturalPreset(real=0, settings=PRESET.settings)


def test_real_against_generated_is_told_apart_on_fresh_images(tmp_path):
    """BC-GIQA without snapshots: generated ones are the textures under noise."""
    preset = LearnedPreset(
        per_snapshot=1,
        real=1,
        held_out=1,
        width=8,
        fit=FitSettings(steps=120, batch_size=32, check_every=40),
    )

    def noisy(images):
        noise = torch.randint(-60, 60, images.shape, generator=torch.Generator().manual_seed(0))
        return (images.int() + noise).clamp(0, 255).to(torch.uint8)

    real = textures(150)
    score = real_or_generated(Store(tmp_path), real, noisy(textures(150, seed=1)), preset, seed=0)
    fresh = textures(60, seed=2)
    assert score.method == "BC-GIQA"
    assert (score(fresh) > score(noisy(textures(60, seed=3)))).mean() > 0.9
