"""Runs with and without hard mining on the digits study, and their paired differences."""

import numpy as np
import pytest
import torch

from giqa_lib.applications.generators import (
    MINING_RUNS,
    GeneratorJudge,
    JudgeSettings,
    MiningRuns,
    judge_run,
    mining_weights,
)
from giqa_lib.checks import InputError
from giqa_lib.gan import Variant, latents, to_unit

SETTINGS = JudgeSettings(components=1, scored=60, fitted=100, max_components=8)


@pytest.fixture(scope="module")
def judge(study):
    return GeneratorJudge(study, SETTINGS, random_state=0)


@pytest.fixture(scope="module")
def runs(judge):
    # To this small study's score blank images are typical: below 0.2 there would be none.
    return MiningRuns(judge, (4, 8), threshold=0.55)


def weights(runs, run, fake):
    variant = runs.alteration(run).change(Variant())
    return variant.discriminator_weights(fake), variant.generator_weights(fake)


def test_the_score_is_the_judges_and_the_same_from_the_store(judge, runs, study):
    images = study.real.tensor()
    again = MiningRuns(judge, (4,))
    assert np.array_equal(runs.score(images), again.score(images))
    assert runs.score(images) == pytest.approx(judge.scores(judge.extract(images)), abs=1e-9)


def test_runs_differ_and_are_kept_apart(runs, study):
    folders = {runs.snapshots(run).folder for run in MINING_RUNS}
    assert len(folders) == len(MINING_RUNS)
    assert runs.snapshots("plain").folder == study.snapshots.folder
    assert len(runs.snapshots("OHEM").losses) == 8  # as long as what it is compared with
    made = [runs.images(run, 5) for run in MINING_RUNS]
    assert all(each.shape == (5, *study.real[0].shape) for each in made)
    plain, *mined = (
        torch.cat([p.flatten() for p in runs.snapshots(run).generator(8).parameters()])
        for run in MINING_RUNS
    )
    assert not any(torch.equal(plain, other) for other in mined)


def test_the_score_judges_generated_images_as_they_are_sampled(runs, study):
    plain = study.snapshots
    generator = plain.generator(8)
    with torch.no_grad():
        fake = generator(latents(12, 100, seed=0))
    seen = mining_weights(runs.score(plain.images(8, 12, seed=0)), threshold=runs.threshold)
    at_critic, at_maker = weights(runs, "OHEM", fake)
    assert at_critic.tolist() == seen.tolist()
    assert at_maker.tolist() == [1] * 12


def test_each_run_weights_what_its_name_says(runs, study):
    real = study.real.tensor()[:40]
    margin = (study.network_size - real.shape[-1]) // 2
    fake = to_unit(torch.nn.functional.pad(real, (margin,) * 4))
    own = mining_weights(runs.score(real), threshold=0.55).tolist()
    assert 1 < sum(weight == 2 for weight in own) < 40
    assert [w.tolist() for w in weights(runs, "OHEM", fake)] == [own, [1] * 40]
    assert [w.tolist() for w in weights(runs, "OHEM at the generator", fake)] == [[1] * 40, own]
    assert [w.tolist() for w in weights(runs, "control", fake)] == [[*own[1:], own[0]], [1] * 40]


def test_low_shares_are_of_each_run_and_step(runs):
    found = runs.low_shares(["plain", "OHEM"], 30)
    assert found[["run", "step"]].to_numpy().tolist() == [
        ["plain", 4], ["plain", 8], ["OHEM", 4], ["OHEM", 8]
    ]  # fmt: skip
    scores = runs.score(runs.images("OHEM", 30, step=4))
    assert found["value"][2] == pytest.approx((scores < 0.55).mean())
    assert found["value"].between(0, 1).all()


def test_a_run_is_judged_as_the_judge_does_and_picked_by_the_mining_score(runs, judge):
    images = runs.images("OHEM", 125)
    features = judge.extract(images)
    scores = judge.scores(features)
    kept = sorted(sorted(range(125), key=lambda i: (-scores[i], i))[:100])
    assert kept != list(range(100))
    whole, picked = judge_run(runs, "OHEM", judge), judge_run(runs, "OHEM", judge, kept=0.8)
    plain = judge.judge(judge.extract(runs.images("OHEM", 100)))
    assert whole["value"].tolist() == pytest.approx(plain["value"].tolist())
    assert set(whole["run"]) == {"OHEM"}
    assert set(picked["run"]) == {"OHEM + picker"}
    assert picked["n"][0] == SETTINGS.scored
    by_hand = judge.judge(features[kept])
    assert picked["value"].tolist() == pytest.approx(by_hand["value"].tolist())


@pytest.mark.parametrize("kept", [0.0, 1.5])
def test_a_share_that_keeps_nothing_or_too_much_is_refused(runs, judge, kept):
    with pytest.raises(InputError, match="kept"):
        judge_run(runs, "OHEM", judge, kept=kept)


def test_steps_without_a_plain_snapshot_are_refused(judge):
    with pytest.raises(InputError, match=r"steps: expected some of the plain run's 2, 4"):
        MiningRuns(judge, (3,))


def test_a_bad_threshold_or_run_is_refused_before_training(judge, runs):
    with pytest.raises(InputError, match="threshold"):
        MiningRuns(judge, (4,), threshold=20)
    with pytest.raises(InputError, match="run: expected one of OHEM"):
        runs.alteration("ohem")


def test_another_space_is_refused(study):
    other = GeneratorJudge(study, JudgeSettings(space="efficientnet_lite0@64"), random_state=0)
    with pytest.raises(InputError, match=r"judge\.settings\.space"):
        MiningRuns(other, (4,))
