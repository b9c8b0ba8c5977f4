from dataclasses import replace

import numpy as np
import pytest
import torch

from giqa_lib.applications.generators import (
    TRANSLATION_PRESETS,
    TranslationJudge,
    TranslationPreset,
    TranslationStudy,
)
from giqa_lib.applications.giqa import best_mixture, held_out_likelihoods
from giqa_lib.checks import InputError
from giqa_lib.data import LABEL_MAP_SETS, find, load_pairs
from giqa_lib.evaluation import frechet_distance
from giqa_lib.gan import Pix2PixSettings, SPADESettings
from giqa_lib.scores import SingleGaussian
from giqa_lib.store import Store

TINY = TranslationPreset(
    size=16,
    train=60,
    held_out=30,
    test=30,
    shown=8,
    translators=(
        (Pix2PixSettings(classes=1, image_size=16, width=4, discriminator_width=4, halvings=1), 2),
        (SPADESettings(classes=1, image_size=16, width=4, doublings=2, hidden=4, discriminator_width=4), 4),
    ),
    space="pixels@8",
    dimensions=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def pairs():
    return load_pairs("toy-faces", size=16, count=130)


@pytest.fixture(scope="module")
def study(pairs, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    return TranslationStudy(TINY, pairs, dataset="toy-faces", seed=0, store=store)


def test_no_pair_is_in_two_parts(study):
    parts = [study.train, study.held_out, study.test]
    assert [len(part) for part in parts] == [60, 30, 30]
    every = torch.cat([part.images for part in parts]).flatten(1)
    assert len(every.unique(dim=0)) == 120


def test_another_seed_splits_otherwise(study, pairs):
    other = TranslationStudy(TINY, pairs, dataset="toy-faces", seed=1, store=study.store)
    assert not torch.equal(other.train.images, study.train.images)
    assert torch.equal(
        other.train.images,
        TranslationStudy(TINY, pairs, dataset="toy-faces", seed=1, store=study.store).train.images,
    )


def test_all_translators_are_shown_as_many_images(study):
    for name in TINY.names:
        how = study.settings(name)
        assert how.train.steps * how.train.batch_size == TINY.shown
        assert how.translator.classes == len(study.train.classes)


def test_translations_are_of_the_test_maps(study):
    made = study.translations("pix2pix")
    assert made.shape == study.test.images.shape
    assert torch.equal(made, study.translator("pix2pix").translate(study.test.maps, seed=0))


def test_real_and_generated_images_get_one_encoding(study, pairs):
    jpeg = TranslationStudy(TINY, pairs, dataset="celebamask", seed=0, store=study.store)
    assert torch.equal(study.encoded(pairs.images), pairs.images)  # drawn faces were never JPEG
    if find("celebamask") is not None:
        assert not torch.equal(jpeg.encoded(pairs.images), pairs.images)


def test_real_test_images_score_one_half_and_flags_less(study):
    judge = TranslationJudge(study, SingleGaussian())
    real = judge.quality(study.real["test"])
    assert abs(real.value - 0.5) < 4 * real.standard_error
    half = torch.arange(16) < 8
    flag = (255 * half).byte().expand_as(study.test.images)  # black beside white is no face
    spoilt = judge.quality(study.features(flag.contiguous()))
    assert spoilt.value < real.value - 0.1
    assert spoilt.n == 30


def test_the_quality_score_is_the_mean_rank_among_held_out_images(study):
    judge = TranslationJudge(study, SingleGaussian())
    held_out = judge.raw_scores(study.real["held_out"])
    scores = judge.raw_scores(study.real["test"])
    by_hand = np.mean([(np.sum(held_out < s) + 0.5 * np.sum(held_out == s)) / 30 for s in scores])
    assert judge.quality(study.real["test"]).value == pytest.approx(by_hand, abs=0.02)


def test_fid_is_of_the_training_images(study):
    judge = TranslationJudge(study, SingleGaussian())
    found = judge.frechet(study.real["test"])
    expected = frechet_distance(real=study.real["train"], generated=study.real["test"])
    assert found.value == pytest.approx(expected)
    assert found.n == 30


def test_too_few_pairs_are_refused(study, pairs):
    few = pairs.subset(range(100))
    with pytest.raises(InputError, match="pairs: expected 120 or more, got 100; take a smaller"):
        TranslationStudy(TINY, few, dataset="toy-faces", seed=0, store=study.store)
    with pytest.raises(InputError, match="one of pix2pix, spade, got 'cyclegan'"):
        study.translator("cyclegan")
    with pytest.raises(InputError, match="pix2pix, image_size: expected 32, got 16"):
        replace(TINY, size=32)


def test_presets_fit_their_data():
    assert TRANSLATION_PRESETS["cpu"].pairs <= 1000  # celebamask
    assert TRANSLATION_PRESETS["paper"].pairs <= 2975 + 500  # Cityscapes
    assert "celebamask" in LABEL_MAP_SETS


def test_the_best_mixture_is_the_one_that_made_the_data():
    random = np.random.default_rng(0)
    one = random.normal(size=(200, 3))
    two = np.concatenate([one[:100] - 6, one[100:] + 6])
    for rows, count in ((one, 1), (two, 2)):
        found = held_out_likelihoods(rows, components=[1, 2, 6], random_state=0)
        assert best_mixture(found, random_state=0).n_components == count


def test_the_held_out_likelihood_is_that_of_images_the_fit_has_not_seen():
    rows = np.random.default_rng(0).normal(size=(40, 8))
    found = held_out_likelihoods(rows, components=[1, 4], shrinkages=[None], random_state=0)
    assert (found["held_out"] < found["fitted"]).all()
    assert found["starved"].tolist()[0] == 0
    assert found["starved"].tolist()[1] > 0  # 8 images a component in 8 dimensions
