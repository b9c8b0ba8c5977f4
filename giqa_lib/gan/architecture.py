"""What a family of GANs is to everything else: two networks, and how they are trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from giqa_lib.gan.trainer import Companion, Variant

__all__ = ["Alteration", "Architecture", "altered"]


@runtime_checkable
class Architecture(Protocol):
    """Settings of a family: a frozen dataclass, which decides what its artefacts are kept under."""

    @property
    def family(self) -> str:
        """Its name."""
        ...

    @property
    def image_size(self) -> int:
        """Pixels a side."""
        ...

    @property
    def channels(self) -> int:
        """1 or 3."""
        ...

    @property
    def latent(self) -> int:
        """Width of the latents."""
        ...

    @property
    def average_decay(self) -> float | None:
        """Of the generator's moving average, or None."""
        ...

    def networks(self, random: torch.Generator) -> tuple[nn.Module, nn.Module]:
        """A generator and a discriminator with initial weights drawn from ``random``."""
        ...

    def variant(self, discriminator: nn.Module) -> Variant:
        """Objective, extra losses and schedule."""
        ...


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """A change of how a family is trained (OHEM), and the description its artefacts are kept under.

    ``companions`` are what else the training consists of, by name; they are saved and resumed with it.

    >>> Alteration().change(Variant()) == Variant()
    True
    """

    description: Mapping[str, Any] = field(default_factory=dict)
    change: Callable[[Variant], Variant] = lambda variant: variant
    companions: Mapping[str, Companion] = field(default_factory=dict)


def altered(*alterations: Alteration) -> Alteration:
    """Several alterations as one, made in this order.

    >>> altered(Alteration(description={"a": 1}), Alteration(description={"b": 2})).description
    {'a': 1, 'b': 2}
    """

    def change(variant: Variant) -> Variant:
        for each in alterations:
            variant = each.change(variant)
        return variant

    description: dict[str, Any] = {}
    companions: dict[str, Companion] = {}
    for each in alterations:
        description |= each.description
        companions |= each.companions
    return Alteration(description=description, change=change, companions=companions)
