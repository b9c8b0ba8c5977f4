import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from image_textures import textures
from store_keys import key_asked_for

from giqa_lib.checks import InputError
from giqa_lib.data import degrade
from giqa_lib.iqa import (
    BASELINES,
    PAIRWISE_BASELINES,
    BaselineSettings,
    DegradedExamples,
    NaturalScore,
    baseline_training,
    fetch_baseline,
    fit_baseline,
    held_out_examples,
)
from giqa_lib.iqa.patches import WeightedPatches, grid_patches, weighted_mean
from giqa_lib.learning import FitSettings
from giqa_lib.store import Store

SETTINGS = BaselineSettings(
    fit=FitSettings(steps=200, batch_size=32, check_every=40, patience=9), width=8, held_out=60
)
SHORT = replace(SETTINGS, fit=replace(SETTINGS.fit, steps=8, check_every=4))


@pytest.fixture(scope="module")
def images():
    return textures(260)


@pytest.fixture(scope="module", params=(*BASELINES, *PAIRWISE_BASELINES))
def measure(request):
    return request.param


@pytest.fixture(scope="module")
def score(images, measure):
    return fit_baseline(measure, images, SHORT, seed=0)


@pytest.mark.parametrize("measure", BASELINES)
def test_it_learns_damage(images, measure):
    score = fit_baseline(measure, images, SETTINGS, seed=0)
    fresh = textures(80, seed=7)
    bad = degrade(fresh, "noise", 0.8, torch.Generator().manual_seed(0))
    assert (score(fresh) > score(bad)).mean() > 0.8


def test_laws(score, images, tmp_path):
    few = images[:11]
    found = score(few)
    assert found.shape == (11,)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    order = torch.randperm(11, generator=torch.Generator().manual_seed(0))
    assert np.array_equal(score(few[order]), found[order.numpy()])
    assert np.array_equal(np.concatenate([score(image[None]) for image in few]), found)
    dark = torch.zeros(70, *few.shape[1:], dtype=torch.uint8)
    assert np.array_equal(score(torch.cat([dark, few]))[70:], found)
    again = NaturalScore.load(score.save(tmp_path))
    assert np.array_equal(again(few), found)
    assert again.describe() == score.describe()


def test_the_seed_decides_and_the_global_state_is_left(score, images, measure):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    same, other = (fit_baseline(measure, images, SHORT, seed=s) for s in (0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(same(images), score(images))
    assert not np.array_equal(other(images), score(images))


def test_opinions_are_on_nimas_scale(images):
    found = fit_baseline("NIMA", images, SHORT, seed=0)(images)
    assert ((found >= 1) & (found <= 10)).all()


def test_the_store_keeps_it(images, tmp_path, monkeypatch):
    store = Store(tmp_path)
    first = fetch_baseline(store, "RankIQA", images, SHORT, seed=0)(images)
    monkeypatch.setattr("giqa_lib.iqa.baseline_training.fit_baseline", None)
    assert np.array_equal(fetch_baseline(store, "RankIQA", images, SHORT, seed=0)(images), first)
    with pytest.raises(TypeError):  # another seed is another measure, and it cannot be fitted now
        fetch_baseline(store, "RankIQA", images, SHORT, seed=1)


def test_measures_that_were_trained_earlier_are_still_found(monkeypatch):
    """Trainings of hours lie under these keys: to change one, raise REVISION and say so."""
    images = torch.arange(384).remainder(251).to(torch.uint8).view(8, 3, 4, 4)
    settings = BaselineSettings(fit=FitSettings(steps=2), held_out=2)
    found = key_asked_for(
        monkeypatch, lambda store: fetch_baseline(store, "RankIQA", images, settings, seed=3)
    )
    assert found == ("natural_score", "03f25d673a6762d0")


CHILD = """
import sys
sys.path[:0] = [{tests!r}, {above!r}]
import test_baselines as t
long = t.replace(t.SHORT, fit=t.replace(t.SHORT.fit, steps=200, check_every=4))
t.fetch_baseline(t.Store({folder!r}), "RankIQA", t.textures(260), long, seed=0)
"""


@pytest.mark.parametrize("stage", ["stage-0", "stage-1"])
def test_kill_9_in_either_stage_changes_nothing(images, tmp_path, stage):
    long = replace(SHORT, fit=replace(SHORT.fit, steps=200, check_every=4))
    folder = str(tmp_path / "killed")
    here = os.path.dirname(__file__)
    code = CHILD.format(tests=here, above=os.path.dirname(here), folder=folder)
    child = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 90
    while not list((tmp_path / "killed").rglob(f"{stage}/checkpoint.safetensors")):
        assert time.monotonic() < deadline, "no checkpoint appeared"
        assert child.poll() is None, "it ended before it was killed"
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    resumed = fetch_baseline(Store(folder), "RankIQA", images, long, seed=0)
    assert np.array_equal(resumed(images), fit_baseline("RankIQA", images, long, seed=0)(images))


class TestSaturation:
    """A softmax whose logits ran away has no slope left: nothing more is learned."""

    RUNAWAY = replace(SHORT, fit=replace(SHORT.fit, learning_rate=30.0))

    def test_it_is_seen_and_the_last_start_kept(self, images, monkeypatch):
        ended = self.starts(monkeypatch)
        fit_baseline("NIMA", images, self.RUNAWAY, seed=0)
        assert ended == [True] * 3

    def test_other_weights_get_another_chance(self, images, monkeypatch, tmp_path):
        plain = fit_baseline("NIMA", images, SHORT, seed=0)
        ended = self.starts(monkeypatch, first=self.RUNAWAY)
        found = fit_baseline("NIMA", images, SHORT, seed=0, folder=tmp_path)
        assert ended == [True, False]
        assert not list(tmp_path.iterdir())
        assert not np.array_equal(found(images), plain(images))

    def test_what_is_not_saturated_starts_once(self, images, monkeypatch):
        ended = self.starts(monkeypatch)
        fit_baseline("NIMA", images, SHORT, seed=0)
        assert ended == [False]

    @staticmethod
    def starts(monkeypatch, first=None):
        """What each training ended as; ``first`` are the first one's settings, if not the given ones."""
        ended, real = [], baseline_training._fit_from

        def spied(measure, images, settings, *, start, **rest):
            settings = settings if first is None or start else first
            found = real(measure, images, settings, start=start, **rest)
            ended.append(found[1])
            return found

        monkeypatch.setattr(baseline_training, "_fit_from", spied)
        return ended


def test_an_unknown_measure_is_refused(images):
    with pytest.raises(InputError, match="measure"):
        fit_baseline("BIQI", images, SHORT, seed=0)


def test_all_images_held_out_is_refused(images):
    with pytest.raises(InputError, match="images that are not held out"):
        fit_baseline("NIMA", images[:60], SHORT, seed=0)


def test_levels_are_the_quality(images):
    examples = DegradedExamples(images=images)
    batch, quality = examples.batch(64, torch.Generator().manual_seed(0))
    again, same = examples.batch(64, torch.Generator().manual_seed(0))
    assert torch.equal(batch, again)
    assert torch.equal(quality, same)
    assert len(quality.unique()) == 8  # a level a group


def test_a_ladder_is_one_image_at_falling_qualities(images):
    examples = DegradedExamples(images=images)
    for seed in range(6):
        batch, quality = examples.ladder(5, 4, torch.Generator().manual_seed(seed))
        levels = batch.view(4, 5, *batch.shape[1:]).float()
        assert (quality[:-1] > quality[1:]).all()
        away = (levels - levels[:1]).abs().flatten(2).mean(2)  # from the best level
        assert (away[3] >= away[1] - 1e-6).all()


def test_held_out_examples_are_the_same_for_a_seed(images):
    one, two = (held_out_examples(images[:20], seed=4) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert one[1].std() > 0.1


def test_patches_are_the_cells_of_the_grid():
    images = torch.arange(2 * 3 * 9 * 8).view(2, 3, 9, 8)
    found = grid_patches(images, 4)
    assert torch.equal(found[1, 3], images[1, :, 4:8, 4:8])
    assert torch.equal(found[0, 1], images[0, :, 0:4, 4:8])
    with pytest.raises(InputError, match="at least the patch's 9 x 9"):
        grid_patches(images, 9)


def test_the_weighted_mean_by_hand():
    quality = torch.tensor([[1.0, 2.0, 4.0]])
    assert float(weighted_mean(quality, torch.tensor([[1.0, 3.0, 0.0]]))) == pytest.approx(1.75)
    assert float(weighted_mean(quality, torch.tensor([[-9.0, 5.0, -9.0]]))) == pytest.approx(
        2.0, abs=1e-5
    )
    # no patch wants weight: the floor makes it the plain mean
    assert float(weighted_mean(quality, torch.full((1, 3), -1.0))) == pytest.approx(7 / 3)


def test_quality_is_pooled_over_the_patches():
    class Body(torch.nn.Module):
        def forward(self, patches):
            mean = patches.float().mean((1, 2, 3))
            return torch.stack([mean, torch.ones_like(mean)], dim=1)

    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    found = WeightedPatches(Body(), 4)(images)
    assert found[:, 0] == pytest.approx(images.mean((1, 2, 3)), abs=1e-6)
