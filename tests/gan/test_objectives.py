import math

import pytest
import torch

from giqa_lib.gan import HINGE, NON_SATURATING, WASSERSTEIN, gradient_penalty


def test_an_undecided_discriminator_pays_log_two_on_each_side():
    zero = torch.zeros(3, dtype=torch.float64)
    total = NON_SATURATING.real_loss(zero) + NON_SATURATING.fake_loss(zero)
    assert total.tolist() == pytest.approx([2 * math.log(2)] * 3, rel=1e-12)


@pytest.mark.parametrize("objective", [NON_SATURATING, HINGE, WASSERSTEIN], ids=lambda o: o.name)
def test_losses_fall_as_the_player_wins(objective):
    logits = torch.linspace(-0.9, 0.9, 19, dtype=torch.float64)
    assert (objective.real_loss(logits).diff() < 0).all()
    assert (objective.fake_loss(logits).diff() > 0).all()
    assert (objective.generator_loss(logits).diff() < 0).all()


def test_hinge_stops_paying_at_the_margin():
    assert HINGE.real_loss(torch.tensor([1.0, 3.0])).tolist() == [0, 0]
    assert HINGE.fake_loss(torch.tensor([-1.0, -3.0])).tolist() == [0, 0]


def test_the_generator_keeps_its_gradient_where_it_loses():
    logits = torch.tensor([-30.0], requires_grad=True)
    NON_SATURATING.generator_loss(logits).sum().backward()
    assert logits.grad.item() == pytest.approx(-1, abs=1e-6)


def test_gradient_penalty_of_a_linear_discriminator():
    weights = torch.tensor([3.0, 4.0])
    real, fake = torch.randn(5, 2, 1, 1), torch.randn(5, 2, 1, 1)
    found = gradient_penalty(lambda x: x.flatten(1) @ weights, real, fake, torch.Generator())
    assert float(found) == pytest.approx((5 - 1) ** 2, rel=1e-5)
