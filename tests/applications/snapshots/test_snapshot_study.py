"""The test bed on scikit-learn's digits, which are always there, with a GAN of a few steps."""

import numpy as np
import pytest
import torch

from giqa_lib.applications.giqa import mixture_sweep, neighbour_sweep
from giqa_lib.applications.pairs import outcomes
from giqa_lib.applications.snapshots import Study, effective_classes, score_pool, step_agreement
from giqa_lib.checks import InputError
from giqa_lib.scores import GaussianMixture, SingleGaussian


def test_no_image_serves_twice(study):
    train = [set(part.names) for part in (study.classifier_part, study.reference)]
    test = [set(part.names) for part in (study.held_out, study.real)]
    assert not train[0] & train[1]
    assert not test[0] & test[1]
    assert len(study.reference) == 600


def test_the_pool_says_what_each_image_is(study):
    pool = study.pool
    assert len(pool) == len(study.pool_images) == 150 + 150 + 3 * 20
    assert sorted(pool["step"].dropna().unique()) == [2, 8, 16]
    real, degraded = study.rows("real"), study.rows("degraded")
    assert torch.equal(study.pool_images[real], study.real.tensor())
    changed = (study.pool_images[real] != study.pool_images[degraded]).flatten(1).any(1)
    assert changed.float().mean() > 0.9


def test_parts_share_no_source(study):
    one = [p.better for p in study.pairs(part="development")]
    two = [p.better for p in study.pairs(part="evaluation")]
    assert not set(np.concatenate(one)) & set(np.concatenate(two))


def test_pairs_are_in_order(study):
    later, real, clean, everything = study.pairs()
    pool = study.pool
    assert (pool["step"][later.better].to_numpy() > pool["step"][later.worse].to_numpy()).all()
    assert set(pool["origin"][real.worse]) == {"generated"}
    assert (pool["source"][clean.better].to_numpy() == pool["source"][clean.worse].to_numpy()).all()
    assert everything.name == "all constructed pairs"


def test_a_second_study_reads_the_same_from_the_store(study):
    again = Study(study.settings, dataset="digits", seed=0, store=study.store, progress=False)
    assert torch.equal(again.pool_images, study.pool_images)
    other = Study(study.settings, dataset="digits", seed=1, store=study.store, progress=False)
    assert list(other.real.names) != list(study.real.names)


def test_real_images_are_uniform_among_held_out_ones(study, space):
    scored = score_pool(study, space, {"SGM": SingleGaussian()})["SGM"]
    real = study.rows("real")
    # 4 standard errors of a mean rank of 150 among 150: both sides are random draws
    error = 4 * np.sqrt(2 / 12 / 150)
    assert scored.calibrated[real].mean() == pytest.approx(0.5, abs=error)
    assert scored.within_mode[real].mean() == pytest.approx(0.5, abs=error)
    assert ((scored.within_mode >= 0) & (scored.within_mode <= 1)).all()


def test_step_agreement_is_one_for_a_score_that_is_the_step(study):
    scores = study.pool["step"].fillna(0).to_numpy(dtype=float)
    found = step_agreement(study, scores, random_state=0, resamples=20)
    assert found.value == 1
    assert found.standard_error == 0


def test_step_agreement_is_nought_for_a_score_that_tells_no_snapshots_apart(study):
    found = step_agreement(study, np.zeros(len(study.pool)), random_state=0, resamples=5)
    assert (found.value, found.standard_error) == (0, 0)


def test_sweeps_give_an_outcome_for_each_pair_and_setting(study, space):
    pairs = study.pairs()
    mixtures = mixture_sweep(
        space.reference, space.pool, space.held_out, pairs, components=[1, 3], random_state=0
    )
    frame = mixtures.accuracies(seed=0)
    assert len(frame) == 2 * len(pairs)
    assert frame["n"].tolist()[:2] == [len(pairs[0])] * 2
    assert mixtures.fits["starved components"].tolist() == [0, 0]
    gains = mixtures.differences([(3, 1), (70, 5)], seed=0)
    assert set(gains["name"]) == {"M=3 minus M=1"}
    first = frame[(frame.pairs == pairs[0].name)].set_index("setting")["value"]
    assert gains["value"][0] == pytest.approx(first["3"] - first["1"])


def test_one_component_of_a_sweep_is_the_single_gaussian(study, space):
    pairs = study.pairs()
    one = mixture_sweep(
        space.reference, space.pool, space.held_out, pairs, components=[1], random_state=0
    ).outcomes[1]
    scores = GaussianMixture(1, random_state=0).fit(space.reference).score_samples(space.pool)
    for kind in pairs:
        assert one[kind.name].mean() == pytest.approx(outcomes(scores, kind).mean(), abs=1e-9)


def test_more_neighbours_than_references_is_refused(study, space):
    with pytest.raises(InputError, match=r"neighbours: expected K <= 600, got \[601\]"):
        neighbour_sweep(space.reference, space.pool, study.pairs(), neighbours=[1, 601])


def test_effective_classes():
    assert effective_classes(np.zeros(5, dtype=int)) == 1
    assert effective_classes(np.arange(10)) == pytest.approx(10)
