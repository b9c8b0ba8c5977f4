import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from giqa_lib.applications.generators import (
    classes_hit,
    increment_variance,
    is_collapsed,
    spike_share,
    stability,
)
from giqa_lib.checks import InputError


def noise(count=200_000, seed=0):
    return np.random.default_rng(seed).normal(size=count)


class TestIncrements:
    def test_of_independent_noise_it_is_twice_the_variance(self):
        assert increment_variance(3 * noise()) == pytest.approx(2 * 9, rel=0.02)

    def test_a_slow_trend_is_nothing(self):
        assert increment_variance(np.linspace(0, 5, 1000)) == pytest.approx(0, abs=1e-20)

    def test_a_mean_of_five_is_five_times_as_steady_without_any_being_so(self):
        five = noise().reshape(5, -1)
        assert increment_variance(five.mean(0)) == pytest.approx(2 / 5, rel=0.05)

    def test_the_start_is_left_out(self):
        wild = np.concatenate([100 * noise(200), np.zeros(800)])
        assert increment_variance(wild) == 0
        assert increment_variance(wild, skipped=0.0) > 100


class TestSpikes:
    def test_of_a_normal_distribution_they_are_its_tails(self):
        assert spike_share(noise().cumsum()) == pytest.approx(2 * norm.sf(3), rel=0.1)

    def test_they_have_no_scale(self):
        losses = noise(5000)
        losses[::50] += 20
        assert spike_share(losses) == spike_share(1000 * losses)
        assert spike_share(losses) == pytest.approx(2 / 50, rel=0.1)


class TestTable:
    def test_discriminators_count_one_by_one(self):
        series = {
            "generator": noise(50),
            "discriminator 1": noise(50, 1),
            "discriminator 2": noise(50, 2),
        }
        frame = pd.concat(
            pd.DataFrame({"run": "r", "seed": 3, "player": p, "step": range(50), "value": v})
            for p, v in series.items()
        )
        found = stability(frame.sample(frac=1, random_state=0)).set_index("player")
        own = [increment_variance(series[f"discriminator {n}"]) for n in (1, 2)]
        assert found.loc["a discriminator", "increment variance"] == pytest.approx(np.mean(own))
        assert found.loc["generator", "increment variance"] == pytest.approx(
            increment_variance(series["generator"])
        )


class TestClasses:
    def test_a_class_is_hit_by_a_fifth_of_its_share(self):
        real = np.arange(10).repeat(10)
        predicted = np.array([0] * 95 + [1] * 3 + [2] * 1 + [3] * 1)
        assert classes_hit(predicted, real) == 2  # a fifth of a tenth is two in a hundred
        assert classes_hit(real, real) == 10

    def test_a_class_that_real_images_lack_is_none(self):
        assert classes_hit(np.array([0, 1, 1]), np.array([0, 0, 0])) == 1

    def test_half_of_the_effective_number_is_the_border(self):
        real = np.arange(8).repeat(3)
        assert not is_collapsed(np.arange(4).repeat(3), real)
        assert is_collapsed(np.arange(3).repeat(3), real)


def test_too_few_steps_are_refused():
    with pytest.raises(InputError, match="losses"):
        increment_variance([1.0, 2.0])
    with pytest.raises(InputError, match="after the start"):
        increment_variance([1.0] * 6, skipped=0.9)
