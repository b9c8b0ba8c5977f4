"""Algorithm 1 against losses whose gradients are known."""

import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.iqa import InnerStep, inner_step, meta_gradient, plain_gradient

DOMAINS = ["a", "b", "c"]


def case():
    random = torch.Generator().manual_seed(0)
    w = torch.randn(3, generator=random, dtype=torch.float64).requires_grad_()
    data = {
        name: (
            torch.randn(4, 3, generator=random, dtype=torch.float64),
            torch.randn(4, generator=random, dtype=torch.float64),
        )
        for name in DOMAINS
    }

    def losses(parameters, testing):
        return {
            name: ((x @ parameters["w"] - y) ** 2).mean() * (2.0 if testing else 1.0)
            for name, (x, y) in data.items()
        }

    return {"w": w}, losses


def test_the_inner_step_is_adams_first_one():
    value = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    gradient = torch.tensor([4.0, -1e-3, 0.2], dtype=torch.float64)
    other = value.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([other], lr=0.1, eps=1e-8)
    other.grad = gradient.clone()
    optimiser.step()
    moved = inner_step({"w": value}, {"w": gradient}, InnerStep(rate=0.1))["w"]
    torch.testing.assert_close(moved, other)


def by_hand(parameters, losses, rate, adam):
    """Algorithm 1 written out, its second order by autograd through everything."""
    w, total = parameters["w"], 0.0
    for unseen in DOMAINS:
        train = sum(losses(parameters, False)[name] for name in DOMAINS if name != unseen)
        (g,) = torch.autograd.grad(train, [w], create_graph=True)
        stepped = w - rate * (g / (g.abs() + 1e-8) if adam else g)
        total = total + train + losses({"w": stepped}, True)[unseen]
    return torch.autograd.grad(total / 3, [w])[0], total / 3


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_second_order_is_the_gradient_of_the_whole(optimiser):
    parameters, losses = case()
    step = InnerStep(rate=0.05, optimiser=optimiser, order="second")
    found, value = meta_gradient(losses, parameters, step)
    wanted, loss = by_hand(parameters, losses, 0.05, optimiser == "adam")
    torch.testing.assert_close(found["w"], wanted)
    assert value == pytest.approx(float(loss.detach()))


def test_first_order_takes_the_gradient_at_the_moved_weights():
    parameters, losses = case()
    found, _ = meta_gradient(losses, parameters, InnerStep(rate=0.05, optimiser="sgd"))
    w, total = parameters["w"], 0.0
    for unseen in DOMAINS:
        train = sum(losses(parameters, False)[name] for name in DOMAINS if name != unseen)
        (g,) = torch.autograd.grad(train, [w])
        moved = (w - 0.05 * g).detach().requires_grad_()
        (t,) = torch.autograd.grad(losses({"w": moved}, True)[unseen], [moved])
        total = total + g + t
    torch.testing.assert_close(found["w"], total / 3)


def test_with_adams_step_both_orders_agree_and_with_plain_descent_they_do_not():
    parameters, losses = case()

    def gap(optimiser):
        found = [
            meta_gradient(losses, parameters,
                          InnerStep(rate=0.05, optimiser=optimiser, order=order))[0]["w"]
            for order in ("first", "second")
        ]  # fmt: skip
        return float((found[0] - found[1]).abs().max())

    assert gap("adam") < 1e-6
    assert gap("sgd") > 1e-2


@pytest.mark.parametrize("order", ["first", "second"])
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_an_inner_rate_of_nought_is_plain_training_bit_for_bit(order, optimiser):
    parameters, losses = case()

    def same(parameters, testing):
        return losses(parameters, False)

    step = InnerStep(rate=0.0, optimiser=optimiser, order=order)
    found, _ = meta_gradient(same, parameters, step)
    plain, _ = plain_gradient(same, parameters)
    assert torch.equal(found["w"], plain["w"])
    total = sum(same(parameters, False).values())
    (wanted,) = torch.autograd.grad(total, [parameters["w"]])
    torch.testing.assert_close(plain["w"], wanted)


def test_one_domain_has_none_to_leave_out():
    parameters, losses = case()
    with pytest.raises(InputError, match="domains: expected two or more"):
        meta_gradient(lambda w, testing: {"a": losses(w, testing)["a"]}, parameters, InnerStep())


@pytest.mark.parametrize(
    ("setting", "value"), [("order", "third"), ("optimiser", "lion"), ("rate", -1.0)]
)
def test_settings_are_checked(setting, value):
    with pytest.raises(InputError, match=setting):
        InnerStep(**{setting: value})
