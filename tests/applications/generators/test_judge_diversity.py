import numpy as np
import pytest
import torch
from torch import nn

from giqa_lib.applications.generators import judge_diversity, judge_verdicts
from giqa_lib.checks import InputError
from giqa_lib.gan import GMANSettings, MeanOfValues


def logits(*columns):
    return np.array(columns, dtype=float).T


class TestDiversity:
    def test_judges_that_are_one_differ_in_nothing(self):
        one = np.random.default_rng(0).normal(size=50)
        found = judge_diversity(logits(one, one, one))
        assert found["correlation"] == pytest.approx(1)
        assert found["disagreement"] == found["spread"] == 0

    def test_opposite_judges_differ_in_everything(self):
        one = np.random.default_rng(0).normal(size=50)
        found = judge_diversity(logits(one, -one))
        assert found["correlation"] == pytest.approx(-1)
        assert found["disagreement"] == 1

    def test_sure_and_opposite_judges_are_half_apart(self):
        assert judge_diversity(logits([90, -90], [-90, 90]))["spread"] == pytest.approx(0.5)

    def test_each_is_the_mean_over_pairs(self):
        random = np.random.default_rng(1).normal(size=(40, 3))
        every = judge_diversity(random)
        pairs = [judge_diversity(random[:, list(p)]) for p in ((0, 1), (0, 2), (1, 2))]
        for name, value in every.items():
            assert value == pytest.approx(np.mean([pair[name] for pair in pairs]))
        assert every["correlation"] == pytest.approx(
            np.corrcoef(random.T)[np.triu_indices(3, 1)].mean()
        )

    def test_independent_coins_disagree_half_the_time(self):
        coins = np.random.default_rng(2).normal(size=(20_000, 5))
        found = judge_diversity(coins)
        assert found["disagreement"] == pytest.approx(0.5, abs=0.02)
        assert found["correlation"] == pytest.approx(0, abs=0.02)

    def test_a_judge_that_always_says_the_same_has_no_correlation(self):
        assert np.isnan(judge_diversity(logits([1, 1], [0, 3]))["correlation"])

    def test_one_judge_is_refused(self):
        with pytest.raises(InputError, match="two judges or more"):
            judge_diversity(logits([1, 2]))


class TestVerdicts:
    @pytest.mark.parametrize("separate", [False, True])
    def test_every_judge_sees_every_image(self, separate):
        aggregation = MeanOfValues()
        made = GMANSettings(
            width=4,
            discriminators=3,
            separate=separate,
            aggregation=aggregation,
            dropout=(0.5,) * 3,
        )
        network = made.networks(torch.Generator().manual_seed(0))[1].eval()
        images = torch.randn(7, 1, 32, 32)
        found = judge_verdicts(network, images, batch_size=3)
        assert found.shape == (7, 3)
        for column, judge in zip(found.T, network.judges, strict=True):
            assert torch.allclose(column, judge(images).detach(), atol=1e-6)

    def test_a_plain_network_is_one_judge(self):
        images = torch.arange(3.0).reshape(3, 1, 1, 1)
        assert judge_verdicts(nn.Flatten(0), images).tolist() == [[0.0], [1.0], [2.0]]
