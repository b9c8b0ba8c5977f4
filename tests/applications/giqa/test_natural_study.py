from dataclasses import replace

import numpy as np
import pytest
from image_textures import textures

from giqa_lib.applications.giqa import NATURAL_PRESETS, NaturalPreset, natural_scores
from giqa_lib.applications.giqa.natural_study import NATURAL
from giqa_lib.checks import InputError
from giqa_lib.data import resize
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


def test_few_images_leave_most_to_train_on(tmp_path, monkeypatch):
    seen = {}

    def watched(store, name, images, settings, **keywords):
        seen[name] = settings.held_out
        return lambda images: np.zeros(len(images))

    monkeypatch.setattr("giqa_lib.applications.giqa.natural_study.fetch_baseline", watched)
    greedy = replace(PRESET, settings=replace(PRESET.settings, held_out=50))
    natural_scores(Store(tmp_path), textures(80), greedy, seed=0, names=("NIMA",))
    assert seen == {"NIMA": 12}


@pytest.mark.parametrize("side", [28, 64])
def test_the_paper_profile_runs_on_small_and_larger_images(side, tmp_path):
    """Torchvision's network under each measure: two steps of eight images."""
    paper = NATURAL_PRESETS["paper"]
    fit = replace(paper.settings.fit, steps=2, batch_size=8, check_every=1)
    preset = replace(paper, settings=replace(paper.settings, fit=fit))
    images = textures(40, side=side)
    for call in natural_scores(Store(tmp_path), images, preset, seed=0).values():
        found = call(images[:3])
        assert found.shape == (3,)
        assert np.isfinite(found).all()


@pytest.mark.parametrize("name", ["NIQE", "BRISQUE"])
def test_images_too_small_for_scene_statistics_are_enlarged(name, tmp_path):
    """Digits have 8 pixels: fitted and scored as their enlargements are."""
    small = textures(60, side=8)
    large = resize(small, 16)
    one, two = (
        natural_scores(Store(tmp_path), i, PRESET, seed=0, names=(name,)) for i in (small, large)
    )
    if name == "NIQE":
        assert np.array_equal(one[name](small[:5]), two[name](large[:5]))
    assert one[name](small[:5]).shape == (5,)
