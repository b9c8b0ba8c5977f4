import math

import pytest
import torch

from giqa_lib.gan import (
    HINGE,
    NON_SATURATING,
    WASSERSTEIN,
    gradient_penalty,
    real_gradient_penalty,
)


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


def test_r1_of_a_quadratic_discriminator_and_its_own_gradient():
    random = torch.Generator().manual_seed(0)
    form = torch.randn(6, 6, generator=random, dtype=torch.float64)
    form = (form + form.T).requires_grad_()
    real = torch.randn(5, 6, 1, 1, generator=random, dtype=torch.float64)
    found = real_gradient_penalty(lambda x: (x.flatten(1) @ form * x.flatten(1)).sum(1) / 2, real)
    slopes = real.flatten(1) @ form  # the gradient of x' A x / 2 with A symmetric
    by_hand = slopes.square().sum(1).mean() / 2
    assert float(found.detach()) == pytest.approx(float(by_hand.detach()), rel=1e-12)
    (ours,) = torch.autograd.grad(found, form)
    (theirs,) = torch.autograd.grad(by_hand, form)
    # A's two triangles are one set of numbers: what R1 gives to either is compared in their sum
    torch.testing.assert_close(ours + ours.T, theirs + theirs.T)
