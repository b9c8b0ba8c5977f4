"""Scores that guide a training, and ScoreGAN's study on scikit-learn's digits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from giqa_lib.applications.scoregan import (
    COLOUR_PRESETS,
    SCORE_PRESETS,
    SCORE_RUNS,
    ScoreStudy,
    density_objective,
    frechet_objective,
    inception_objective,
    score_guided,
    step_operations,
    step_seconds,
)
from giqa_lib.checks import InputError
from giqa_lib.evaluation import frechet_distance, inception_score
from giqa_lib.features import PCA, imagenet_classifier
from giqa_lib.scores import GaussianMixture

PRESET = replace(SCORE_PRESETS["quick"], steps=(1, 2), judged=40, batch_size=4, evaluator_size=32)


@pytest.fixture(scope="module")
def evaluator():
    return imagenet_classifier(input_size=32)


@pytest.fixture(scope="module")
def bench(study):
    return ScoreStudy(study, PRESET)


def images(count, seed=0, spread=1.0):
    random = torch.Generator().manual_seed(seed)
    return spread * (torch.rand(count, 1, 16, 16, generator=random) * 2 - 1)


def features(evaluator, batch):
    return evaluator.features(batch).numpy()


def test_the_inception_objective_is_the_score_of_the_batch(evaluator):
    batch = images(20)
    shares = evaluator(batch).double().softmax(1).numpy()
    expected = inception_score(np.concatenate([shares, shares]), splits=2).value
    assert float(inception_objective(evaluator)(batch)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("count", [30, 1400])
def test_the_frechet_objective_is_minus_the_log_distance(evaluator, count):
    real = np.random.default_rng(0).normal(size=(count, 1280)).astype(np.float32)
    batch = images(12)
    expected = -np.log(frechet_distance(real=real, generated=features(evaluator, batch)))
    assert float(frechet_objective(evaluator, real)(batch)) == pytest.approx(expected, rel=1e-4)


def test_the_density_objective_is_the_mixtures_score_a_dimension(evaluator):
    real = features(evaluator, images(60, spread=0.5))
    reduction = PCA(components=4).fit(real)
    mixture = GaussianMixture(n_components=2, random_state=0).fit(reduction.transform(real))
    batch = images(10, seed=1)
    expected = mixture.score_samples(reduction.transform(features(evaluator, batch))).mean() / 4
    found = float(density_objective(evaluator, reduction, mixture)(batch))
    assert found == pytest.approx(expected, rel=1e-3)


def test_each_objective_has_a_gradient_that_leads_up(evaluator):
    real = features(evaluator, images(60, spread=0.5))
    reduction = PCA(components=4).fit(real)
    mixture = GaussianMixture(n_components=2, random_state=0).fit(reduction.transform(real))
    for score in (
        inception_objective(evaluator),
        frechet_objective(evaluator, real),
        density_objective(evaluator, reduction, mixture),
    ):
        batch = images(8, seed=2).requires_grad_()
        value = score(batch)
        (slope,) = torch.autograd.grad(value, batch)
        step = 1e-3 * slope / slope.norm()
        assert float(score(batch + step).detach()) > float(value.detach())


def test_runs_are_kept_apart_and_the_printed_bound_is_its_own(bench):
    folders = {
        run: bench.snapshots(run).folder for run in ("ControlGAN", "ScoreGAN", "score alone")
    }
    assert len(set(folders.values())) == 3
    descriptions = [str(bench.alteration(run).description) for run in SCORE_RUNS]
    assert len(set(descriptions)) == len(SCORE_RUNS)


def test_a_run_in_the_store_needs_no_score(bench, monkeypatch):
    bench.snapshots("ScoreGAN")
    again = ScoreStudy(bench.study, PRESET)
    monkeypatch.setattr(again, "score", lambda name: pytest.fail("asked for a score"))
    assert again.snapshots("ScoreGAN").folder == bench.snapshots("ScoreGAN").folder


def test_images_are_of_each_class_in_turn_and_of_the_same_latents(bench, study):
    assert bench.labels(12).tolist() == [*range(10), 0, 1]
    made = bench.images("ControlGAN", 20)
    assert made.shape == (20, *study.real[0].shape)
    assert torch.equal(made[:5], bench.images("ControlGAN", 5))
    assert not torch.equal(made, bench.images("ControlGAN", 20, step=1))


def test_digits_are_not_mirrored(bench):
    assert bench.alteration("ControlGAN").description["label guide"]["flip"] is False


def test_the_classifier_is_table_4s_on_cifar_100(bench, monkeypatch):
    paper = ScoreStudy(bench.study, SCORE_PRESETS["paper"])
    monkeypatch.setattr(bench.study, "dataset", "cifar10")
    assert paper.guide.widths == (32, 64, 128, 128)
    monkeypatch.setattr(bench.study, "dataset", "cifar100")
    assert paper.guide.widths == (32, 64, 128, 256)
    assert paper.guide.flip


def test_a_run_is_judged_by_networks_that_did_not_guide_it(bench):
    found = bench.judge_run("ControlGAN", steps=[2])
    assert set(found["judge"]) == {"classifier", "efficientnet_lite2@64", "evaluator"}
    assert set(found["step"]) == {2}
    hit = found[found["metric"] == "label accuracy"]["value"].item()
    made = bench.images("ControlGAN", 40)
    predicted = bench.study.classifier.predict(made)
    assert hit == pytest.approx(float((predicted == bench.labels(40)).double().mean()))
    real = bench.judge_real().set_index(["judge", "metric"])["value"]
    generated = found.set_index(["judge", "metric"])["value"]
    assert real["classifier", "FID"] < generated["classifier", "FID"]
    assert real["classifier", "IS"] > generated["classifier", "IS"]


def test_inception_judges_too_where_its_weights_are(bench, monkeypatch):
    assert "inception_v3_fid" not in bench.judges
    played = "efficientnet_lite1@32"  # its weights are in a package
    monkeypatch.setattr(score_guided, "INCEPTION", played)
    other = ScoreStudy(bench.study, PRESET)
    found = other.judge_real().set_index(["judge", "metric"])["value"]
    assert set(found.index.get_level_values("judge")) == {
        "classifier",
        "efficientnet_lite2@64",
        "evaluator",
        played,
    }
    assert found[played, "IS"] > 1
    known = bench.judge_real().set_index(["judge", "metric"])["value"]
    assert all(found[key] == value for key, value in known.items())


def test_steps_are_timed_in_turn(bench):
    found = step_seconds(
        {"ControlGAN": (bench, "ControlGAN"), "ScoreGAN": (bench, "ScoreGAN")}, count=2
    )
    assert list(found.columns) == ["ControlGAN", "ScoreGAN"]
    assert found.shape == (2, 2)
    assert (found > 0).all(axis=None)


def test_a_step_with_the_evaluator_costs_at_most_half_as_much_again(study):
    chosen = SCORE_PRESETS["cpu"]
    preset = replace(chosen, batch_size=16, guide=replace(chosen.guide, batch_size=16))
    plain, scored = (
        step_operations(ScoreStudy(study, preset), run) for run in ("ControlGAN", "ScoreGAN")
    )
    assert 1.05 * plain < scored <= 1.5 * plain
    larger = ScoreStudy(study, replace(preset, evaluator_size=96))
    assert (
        step_operations(larger, "ScoreGAN") > 1.5 * plain
    )  # four times the pixels would be too many
    assert COLOUR_PRESETS["cpu"] == replace(chosen, steps=COLOUR_PRESETS["cpu"].steps)


def test_unknown_names_are_refused(bench):
    with pytest.raises(InputError, match="run: expected one of ControlGAN"):
        bench.alteration("BigGAN")
    with pytest.raises(InputError, match="name: expected one of density, frechet, inception"):
        bench.score("kid")
