"""The losses of AttGF-IQA with numbers worked out by hand."""

import math

import pytest
import torch
from torch.nn import functional

from giqa_lib.checks import InputError
from giqa_lib.iqa import (
    ObjectiveWeights,
    centre_loss,
    focal_rank_loss,
    pair_probability,
    score_regression_loss,
)


def test_equation_13_by_hand():
    first, second = torch.tensor([1.0, 1.0, 0.0]), torch.tensor([0.0, 0.0, 0.0])
    higher = torch.tensor([True, False, True])
    e = math.e
    wanted = torch.tensor([e / (1 + e), 1 - e / (1 + e), 0.5])
    torch.testing.assert_close(pair_probability(first, second, higher), wanted)


def test_equation_14_by_hand():
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    higher = torch.tensor([True, True])
    p = [1 / (1 + math.exp(-1)), 1 / (1 + math.exp(2))]
    for focus in (0.0, 1.0, 2.0):
        by_hand = sum(-((1 - q) ** focus) * math.log(q) for q in p) / 2
        found = focal_rank_loss(first, second, higher, focus=focus)
        assert float(found) == pytest.approx(by_hand, rel=1e-5)
        assert float(focal_rank_loss(second, first, ~higher, focus=focus)) == pytest.approx(by_hand, rel=1e-5)  # fmt: skip


def test_focus_nought_is_the_logistic_loss_and_large_differences_are_finite():
    random = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 5, generator=random)
    yes = torch.ones(5, dtype=torch.bool)
    found = focal_rank_loss(first, second, yes, focus=0.0)
    torch.testing.assert_close(found, functional.softplus(second - first).mean())
    far = focal_rank_loss(torch.tensor([-500.0]), torch.tensor([500.0]), yes[:1])
    assert float(far) == pytest.approx(1000)


def test_equations_15_and_16_draw_each_order_to_its_own_centre():
    centres = torch.tensor([[1.0, 0.0], [0.0, 3.0]], requires_grad=True)
    first, second = torch.tensor([[2.0, 1.0], [0.0, 1.0]]), torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    loss = centre_loss(first, second, torch.tensor([False, True]), centres)
    assert float(loss.detach()) == pytest.approx((0 + 4) / 2)  # (1, 0) to c0, (0, 1) to c1 = (0, 3)
    loss.backward()
    assert centres.grad.tolist() == [[0, 0], [0, 2]]


def test_equation_17_has_a_lower_bound_on_either_side():
    target = torch.zeros(3)
    assert float(score_regression_loss(target, target)) == 0
    assert float(score_regression_loss(target + 2, target)) == 2
    assert float(score_regression_loss(target - 2, target)) == 2


def test_the_weights_are_those_of_section_v_a():
    weights = ObjectiveWeights()
    found = (
        weights.rank,
        weights.centre,
        weights.regression,
        weights.test_rank,
        weights.test_centre,
    )
    assert found == (10, 0.01, 1, 10, 0.01)
    with pytest.raises(InputError, match="centre"):
        ObjectiveWeights(centre=-1)


def test_a_negative_focus_is_refused():
    with pytest.raises(InputError, match="focus"):
        focal_rank_loss(torch.zeros(1), torch.zeros(1), torch.tensor([True]), focus=-1)
