r"""Algorithm 1 of AttGF-IQA (Tian et al. 2022): in turn each source domain plays the unseen one.

.. math:: \theta' = \mathrm{Adam}(L_{tr}, \theta), \qquad
    g = \sum_{D_{te}} \bigl(\nabla_\theta L_{tr}(\theta) + \nabla_\theta L_{te}(\theta')\bigr), \qquad
    \theta \leftarrow \theta - \frac{\beta}{N} g ,

with L_tr the sum of the other domains' losses. One step of Adam from rest is
:math:`\theta' = \theta - \alpha\, g_{tr} / (\lvert g_{tr} \rvert + \epsilon)`, the sign of the gradient times the rate, so that of
the second order hardly anything is left: :math:`\partial\theta'/\partial\theta = I` but where a gradient is as small as epsilon. The step
of plain descent, :math:`\theta' = \theta - \alpha\, g_{tr}`, is there by name; its second order is MLDG's (Li et al. 2018). With an
inner rate of 0 the sum is that of training without it, bit for bit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, check_positive, error_line

__all__ = [
    "InnerStep",
    "Losses",
    "domain_gradients",
    "gradient_of",
    "inner_step",
    "meta_gradient",
    "plain_gradient",
]

Parameters = dict[str, Tensor]
#: ``losses(parameters, testing)``: the loss of each domain's batch by its name; ``testing`` where one of them plays the unseen one.
#: All at once, since domains may share a pass through the network.
Losses = Callable[[Mapping[str, Tensor], bool], Mapping[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class InnerStep:
    """The step from theta to theta': its rate, ``"adam"`` (as printed) or ``"sgd"``, and ``order`` ``"first"`` or ``"second"``.

    First order takes the gradient of the second loss at theta' for that at theta; second order goes back through the step.
    """

    rate: float = 1e-3
    optimiser: str = "adam"
    order: str = "first"
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_positive(self.rate, name="rate", zero=True)
        check_positive(self.epsilon, name="epsilon")
        check_choice(self.optimiser, ("adam", "sgd"), name="optimiser")
        check_choice(self.order, ("first", "second"), name="order")


def inner_step(
    parameters: Mapping[str, Tensor], gradients: Mapping[str, Tensor], step: InnerStep
) -> Parameters:
    """Theta' of theta and the gradient there; new tensors.

    >>> moved = inner_step({"w": torch.tensor([1.0])}, {"w": torch.tensor([4.0])}, InnerStep(rate=0.5))
    >>> moved["w"].tolist()
    [0.5]
    """
    if step.optimiser == "sgd":
        return {name: value - step.rate * gradients[name] for name, value in parameters.items()}
    # the absolute value instead of the root of the square, which has no slope at 0
    return {
        name: value - step.rate * gradients[name] / (gradients[name].abs() + step.epsilon)
        for name, value in parameters.items()
    }


def meta_gradient(
    losses: Losses, parameters: Mapping[str, Tensor], step: InnerStep
) -> tuple[Parameters, float]:
    """The gradient g / N of one meta-batch, and the mean of L_tr + L_te over its sub-batches. ``parameters`` need a gradient.

    L_tr is a sum over domains, so each domain's gradient at theta is found once. Raises ``InputError`` for fewer than two domains.

    >>> w = torch.tensor(1.0, requires_grad=True)
    >>> squares = lambda parameters, testing: {goal: (parameters["w"] - float(goal)) ** 2 for goal in ("0", "2")}
    >>> float(meta_gradient(squares, {"w": w}, InnerStep(rate=0.0))[0]["w"])
    0.0
    """
    second = step.order == "second"
    taught, values = domain_gradients(losses, parameters, graph=second)
    if len(taught) < 2:
        hint = "give more domains, or train without meta-learning"
        expected = "two or more, one of them to play the unseen one"
        raise InputError(error_line("domains", expected=expected, got=str(len(taught)), hint=hint))
    tested: dict[str, Parameters] = {}
    total = 0.0
    for unseen in taught:
        others = [name for name in taught if name != unseen]
        moved = inner_step(parameters, _sum([taught[name] for name in others]), step)
        if not second:
            moved = {name: value.detach().requires_grad_() for name, value in moved.items()}
        loss = losses(moved, True)[unseen]
        tested[unseen] = gradient_of(loss, parameters if second else moved, graph=second)
        total += sum(values[name] for name in others) + float(loss.detach())
    return _aggregate(taught, tested), total / len(taught)


def plain_gradient(losses: Losses, parameters: Mapping[str, Tensor]) -> tuple[Parameters, float]:
    """The same sums without an inner step: the gradient of the sum of all domains' losses, and that sum.

    >>> w = torch.tensor(1.0, requires_grad=True)
    >>> squares = lambda parameters, testing: {goal: (parameters["w"] - float(goal)) ** 2 for goal in ("0", "3")}
    >>> float(plain_gradient(squares, {"w": w})[0]["w"])
    -2.0
    """
    taught, values = domain_gradients(losses, parameters, graph=False)
    return _aggregate(taught, taught), sum(values.values())


def domain_gradients(
    losses: Losses, parameters: Mapping[str, Tensor], *, graph: bool
) -> tuple[dict[str, Parameters], dict[str, float]]:
    """Each domain's gradient and loss at ``parameters``; with ``graph`` the gradients can be differentiated.

    >>> w = torch.tensor(1.0, requires_grad=True)
    >>> domain_gradients(lambda parameters, testing: {"a": parameters["w"] ** 2}, {"w": w}, graph=False)
    ({'a': {'w': tensor(2.)}}, {'a': 1.0})
    """
    found = losses(parameters, False)
    gradients = {name: gradient_of(loss, parameters, graph=graph) for name, loss in found.items()}
    return gradients, {name: float(loss.detach()) for name, loss in found.items()}


def gradient_of(loss: Tensor, parameters: Mapping[str, Tensor], *, graph: bool) -> Parameters:
    """The gradient of ``loss`` by name, 0 where it does not depend on a parameter.

    >>> w = torch.tensor(3.0, requires_grad=True)
    >>> gradient_of(w**2, {"w": w}, graph=False)
    {'w': tensor(6.)}
    """
    found = torch.autograd.grad(
        loss,
        list(parameters.values()),
        create_graph=graph,
        retain_graph=True,
        materialize_grads=True,
    )  # retained: the losses of several domains come from one pass
    return dict(zip(parameters, found, strict=True))


def _sum(parts: Sequence[Mapping[str, Tensor]]) -> Parameters:
    return {name: torch.stack([part[name] for part in parts]).sum(0) for name in parts[0]}


def _aggregate(taught: Mapping[str, Parameters], tested: Mapping[str, Parameters]) -> Parameters:
    """The mean over sub-batches of the gradients of L_tr and L_te, always summed in one order."""
    rounds = []
    for unseen in taught:
        others = [taught[name] for name in taught if name != unseen]
        rounds.append(_sum([*others, tested[unseen]]))
    summed = _sum(rounds)
    return {name: value.detach() / len(taught) for name, value in summed.items()}
