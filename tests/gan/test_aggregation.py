import math
from itertools import pairwise

import pytest
import torch
from scipy.stats import gmean, hmean

from giqa_lib.checks import InputError
from giqa_lib.gan import (
    NON_SATURATING,
    WASSERSTEIN,
    LearnedSoftMean,
    MaxOfValues,
    MeanOfProbabilities,
    MeanOfValues,
    SoftMean,
    soft_mean,
)
from giqa_lib.gan.aggregation import sum_of_losses

LOSS = NON_SATURATING.generator_loss
FIXED = {
    "probabilities": MeanOfProbabilities(),
    "values": MeanOfValues(),
    "max": MaxOfValues(),
    "arithmetic": SoftMean(mean="arithmetic", softness=1.0),
    "geometric": SoftMean(mean="geometric", softness=1.0),
    "harmonic": SoftMean(mean="harmonic", softness=1.0),
    "learned": LearnedSoftMean(),
}


def logits(judges=5, count=16, seed=0):
    random = torch.Generator().manual_seed(seed)
    return tuple(3 * torch.randn(count, generator=random) for _ in range(judges))


def paid(settings, judged, weights=None):
    ones = torch.ones(len(judged[0])) if weights is None else weights
    return settings.fresh()(LOSS, judged, ones)


@pytest.mark.parametrize("settings", FIXED.values(), ids=FIXED)
def test_with_one_judge_each_is_its_loss_and_gradient_to_the_last_bit(settings):
    (one,) = logits(1)
    plain, own = one.clone().requires_grad_(), one.clone().requires_grad_()
    weights = torch.rand(16)
    expected = sum_of_losses(LOSS, plain, weights)
    found = settings.fresh()(LOSS, (own,), weights)
    assert torch.equal(found, expected)
    expected.backward()
    found.backward()
    assert torch.equal(own.grad, plain.grad)


def test_the_mean_of_probabilities_is_the_loss_of_the_mean():
    judged = logits()
    mean = torch.stack([each.double().sigmoid() for each in judged]).mean(0)
    assert float(paid(MeanOfProbabilities(), judged)) == pytest.approx(
        float(-mean.log().mean()), rel=1e-6
    )


def test_the_mean_of_probabilities_keeps_its_gradient_where_they_round_to_nought():
    judged = tuple(torch.full((2,), value, requires_grad=True) for value in (-200.0, -300.0))
    loss = paid(MeanOfProbabilities(), judged)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(200 + math.log(2), rel=1e-6)
    assert judged[0].grad.tolist() == pytest.approx([-0.5, -0.5])


def test_values_by_hand():
    judged = (torch.zeros(4), torch.full((4,), 1.0), torch.full((4,), -2.0))
    values = [math.log(2), math.log1p(math.exp(-1)), math.log1p(math.exp(2))]
    assert float(paid(MeanOfValues(), judged)) == pytest.approx(sum(values) / 3)
    assert float(paid(MaxOfValues(), judged)) == pytest.approx(values[2])


@pytest.mark.parametrize("softness", [0.0, 0.7, 3.0])
def test_soft_means_are_scipys_weighted_means(softness):
    values = torch.tensor([0.2, 1.5, 0.9, 4.0], dtype=torch.float64)
    weights = torch.exp(softness * values).numpy()
    found = {
        mean: float(soft_mean(values, torch.tensor(softness), mean=mean))
        for mean in ("arithmetic", "geometric", "harmonic")
    }
    assert found["arithmetic"] == pytest.approx((weights * values.numpy()).sum() / weights.sum())
    assert found["geometric"] == pytest.approx(gmean(values.numpy(), weights=weights))
    assert found["harmonic"] == pytest.approx(hmean(values.numpy(), weights=weights))


def test_softness_leads_from_the_mean_to_the_max():
    judged = logits()
    mean, most = (float(paid(each, judged)) for each in (MeanOfValues(), MaxOfValues()))
    found = [float(paid(SoftMean(softness=s), judged)) for s in (0.0, 0.5, 1.0, 5.0, 1000.0)]
    assert found[0] == pytest.approx(mean)
    assert found[-1] == pytest.approx(most)
    assert all(a < b for a, b in pairwise(found))


@pytest.mark.parametrize("name", [name for name in FIXED if name != "probabilities"])
def test_judges_may_see_parts_of_a_batch(name):
    whole = logits(judges=2, count=8)
    weights = torch.rand(8, generator=torch.Generator().manual_seed(1))
    parts = (whole[0][:4], whole[1][4:])
    masked = [weights[:4] * LOSS(parts[0]), weights[4:] * LOSS(parts[1])]
    values = torch.stack([each.mean() for each in masked])
    found = paid(FIXED[name], parts, weights)
    if name in ("values", "max"):
        assert float(found) == pytest.approx(
            float(values.mean() if name == "values" else values.max())
        )
    else:
        reward = 1e-3 if name == "learned" else 0.0
        mean = name if name in ("geometric", "harmonic") else "arithmetic"
        assert float(found.detach()) == pytest.approx(
            float(soft_mean(values, torch.tensor(1.0), mean=mean)) - reward, rel=1e-5
        )


def test_only_the_strongest_judge_moves_the_generator_under_max():
    judged = tuple(each.requires_grad_() for each in logits(3))
    paid(MaxOfValues(), judged).backward()
    moved = [each.grad is not None and bool(each.grad.abs().sum() > 0) for each in judged]
    assert sum(moved) == 1
    strongest = max(range(3), key=lambda i: float(LOSS(judged[i]).detach().mean()))
    assert moved[strongest]


class TestLearned:
    VALUES = torch.tensor([0.5, 0.9, 1.4])

    def judged(self):
        """Logits of three judges whose losses, -log sigma(a), are the values."""
        return tuple(torch.full((2,), float(-torch.log(torch.expm1(v)))) for v in self.VALUES)

    def learned(self, reward, steps):
        rule = LearnedSoftMean(reward=reward, start=1.0).fresh()
        optimizer = torch.optim.Adam(rule.parameters(), lr=2e-3)
        for _ in range(steps):
            optimizer.zero_grad()
            rule(LOSS, self.judged(), torch.ones(2)).backward()
            optimizer.step()
        return float(rule.softness.detach())

    def test_its_derivative_is_the_weighted_variance_minus_the_reward(self):
        rule = LearnedSoftMean(reward=0.05, start=2.0, speed=1.0).fresh()
        rule(LOSS, self.judged(), torch.ones(2)).backward()
        shares = (2.0 * self.VALUES).softmax(0)
        mean = (shares * self.VALUES).sum()
        variance = float((shares * (self.VALUES - mean) ** 2).sum())
        slope = 1 - math.exp(-2.0)  # of lambda = softplus(raw)
        assert float(rule.raw.grad) == pytest.approx((variance - 0.05) * slope, rel=1e-4)

    def test_it_rises_where_the_judges_agree_and_falls_where_they_differ(self):
        assert self.learned(reward=0.3, steps=50) > 1.2
        assert self.learned(reward=0.05, steps=50) < 0.8

    def test_without_a_reward_the_generator_listens_to_the_weakest(self):
        assert self.learned(reward=0.0, steps=2000) < 0.1

    def test_it_stands_still_where_nothing_pays(self):
        rule = LearnedSoftMean(reward=0.0).fresh()
        rule(LOSS, (self.judged()[0],) * 3, torch.ones(2)).backward()
        assert float(rule.raw.grad) == pytest.approx(0.0, abs=1e-7)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="one logit"):
        paid(MeanOfProbabilities(), (torch.zeros(4), torch.zeros(2)))
    with pytest.raises(InputError, match=r"values: expected losses >= 0.*arithmetic"):
        SoftMean(mean="harmonic").fresh()(WASSERSTEIN.generator_loss, logits(), torch.ones(16))
    with pytest.raises(InputError, match="softness"):
        SoftMean(softness=-1.0)
    with pytest.raises(InputError, match="mean"):
        SoftMean(mean="median")
