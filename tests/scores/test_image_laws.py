"""Laws of the learned scores. A new one joins with one entry in SCORES; ``test_image_score`` has the density ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from giqa_lib.learning import FitSettings, NetworkSettings
from giqa_lib.scores import (
    BC,
    IR,
    LabelledImages,
    LearnedScore,
    LearnedSettings,
    even_thresholds,
    mbc,
    official_thresholds,
    train_learned_score,
)

SIDE, COUNT = 12, 21


def pictures(count, seed):
    random = torch.Generator().manual_seed(seed)
    grey = torch.linspace(0, 200, SIDE)[None, None, :, None].expand(count, 1, SIDE, SIDE)
    noise = 50 * torch.rand(count, 1, SIDE, SIDE, generator=random)
    return (grey + noise).to(torch.uint8)


def learned(method, crops):
    data = LabelledImages(images=pictures(40, 0), labels=np.tile([0.1, 0.5, 0.9, 1.0], 10))
    settings = LearnedSettings(
        network=NetworkSettings(patch=7, width=4),
        fit=FitSettings(steps=4, check_every=2),
        crops=crops,
    )
    return train_learned_score(data, data, method, settings, seed=0)


SCORES = {
    "MBC, three crops": lambda: learned(mbc(even_thresholds(8)), 3),
    "MBC, official thresholds": lambda: learned(mbc(official_thresholds()), 3),
    "BC, centre": lambda: learned(BC, 0),
    "IR": lambda: learned(IR, 3),
}


@pytest.fixture(scope="module", params=list(SCORES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def score(name):
    return SCORES[name]()


@pytest.fixture(scope="module")
def images():
    return pictures(COUNT, 2)


def test_shape_type_and_range(score, images):
    found = score(images)
    assert found.shape == (COUNT,)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    assert len(np.unique(found)) > COUNT // 2  # it tells images apart


def test_order_does_not_matter(score, images):
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(0))
    assert np.array_equal(score(images[order]), score(images)[order.numpy()])


@pytest.mark.parametrize("size", [1, 4])
def test_batch_does_not_matter(score, images, size):
    parts = [score(part) for part in images.split(size)]
    assert np.array_equal(np.concatenate(parts), score(images))


def test_company_does_not_matter(score, images):
    bad = torch.zeros(70, 1, SIDE, SIDE, dtype=torch.uint8)
    assert np.array_equal(score(torch.cat([bad, images[:3]]))[-3:], score(images)[:3])


def test_images_are_left_as_they_were(score, images):
    before = images.clone()
    score(images)
    assert torch.equal(images, before)


def test_the_global_state_is_left(name, images):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    SCORES[name]()(images)
    assert torch.equal(torch.get_rng_state(), before)


def test_saved_and_loaded_it_scores_the_same(score, images, tmp_path: Path):
    again = LearnedScore.load(score.save(tmp_path))
    assert np.array_equal(again(images), score(images))
