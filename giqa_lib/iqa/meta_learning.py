r"""Meta-learning over domains (Tian et al. 2022, Algorithm 1): each source domain in turn plays the unseen one.

.. math::
    \theta' &= \mathrm{Adam}(L_\text{tr}, \theta), \qquad
    g = \sum_{D_\text{te}} \nabla_\theta L_\text{tr}(\theta) + \nabla_\theta L_\text{te}(\theta')

The second gradient goes through :math:`\theta'` (second order) or is taken at it (first order, as in the reference
code of Meta-IQA); the paper does not say which. It hardly matters: Adam's first step has the length of the rate
whatever the size of the gradient, so its derivative is nought but where the gradient is, and both orders agree.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, check_positive, error_line

__all__ = ["META_ORDERS", "adam_step", "meta_gradient"]

META_ORDERS = ("first", "second")
EPSILON = 1e-8

Parameters = Mapping[str, Tensor]
DomainLoss = Callable[[Parameters, Any], Tensor]


def adam_step(
    parameters: Parameters, gradients: Sequence[Tensor], *, rate: float
) -> dict[str, Tensor]:
    r"""Adam's first step: :math:`\theta - \beta\, g / (\lvert g \rvert + \epsilon)`, its bias-corrected moments being g and g².

    >>> found = adam_step({"w": torch.tensor([1.0, 1.0])}, [torch.tensor([5.0, -0.1])], rate=0.25)
    >>> found["w"].tolist()
    [0.75, 1.25]
    """
    return {
        name: value - rate * g / (g.abs() + EPSILON)
        for (name, value), g in zip(parameters.items(), gradients, strict=True)
    }


def meta_gradient(
    train_loss: DomainLoss,
    test_loss: DomainLoss,
    parameters: Parameters,
    domains: Sequence[Any],
    *,
    inner_rate: float,
    order: str = "first",
) -> tuple[dict[str, Tensor], float]:
    """G of Algorithm 1 divided by the number of domains, and the mean of both losses' sum.

    ``train_loss(parameters, batch)`` and ``test_loss(parameters, batch)`` are of one domain's batch; ``domains`` has a
    batch of each source domain, two at least. With ``inner_rate=0`` this is the gradient of the plain sum.

    >>> w = {"w": torch.tensor(1.0, requires_grad=True)}
    >>> square = lambda p, batch: batch * p["w"] ** 2
    >>> found, _ = meta_gradient(square, square, w, [1.0, 2.0], inner_rate=0.0)
    >>> float(found["w"])  # (2 + 4) + (4 + 2), over two
    6.0
    """
    check_choice(order, META_ORDERS, name="order")
    check_positive(inner_rate, name="inner_rate", zero=True)
    if len(domains) < 2:
        hint = "train on two generators or more, or without meta-learning"
        raise InputError(
            error_line("domains", expected="2 or more", got=str(len(domains)), hint=hint)
        )
    values = list(parameters.values())
    total = [torch.zeros_like(value) for value in values]
    losses = 0.0
    for unseen, batch in enumerate(domains):
        others = [other for place, other in enumerate(domains) if place != unseen]
        loss = torch.stack([train_loss(parameters, other) for other in others]).sum()
        inner = torch.autograd.grad(
            loss, values, create_graph=order == "second", materialize_grads=True
        )
        stepped = adam_step(parameters, inner, rate=inner_rate)
        if order == "first":
            stepped = {name: value.detach().requires_grad_() for name, value in stepped.items()}
        wanted = values if order == "second" else list(stepped.values())
        tested = test_loss(stepped, batch)
        outer = torch.autograd.grad(tested, wanted, materialize_grads=True)
        total = [t + a.detach() + b.detach() for t, a, b in zip(total, inner, outer, strict=True)]
        losses += float(loss.detach()) + float(tested.detach())
    count = len(domains)
    return dict(zip(parameters, (t / count for t in total), strict=True)), losses / count
