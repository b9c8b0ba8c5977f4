"""Two GANs exchange opponents: every discriminator's verdict on everything it is shown.

The testing phase of the generative adversarial metric (Im et al. 2016, Section 4.2; Figures 5 and 6 of the report
Xu et al. 2018). A player is two plain callables, so that any framework's networks can meet; what the
verdicts amount to is :mod:`giqa_lib.evaluation.adversarial_metric`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from giqa_lib.checks import InputError, check_images, check_positive, error_line

__all__ = ["Encounter", "Player", "error_rate", "meet"]

Probabilities = NDArray[np.float64]
THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True)
class Player:
    """A trained GAN: ``generate`` gives that many images (n, c, h, w), ``judge`` their probabilities (n,) of being real."""

    name: str
    generate: Callable[[int], torch.Tensor]
    judge: Callable[[torch.Tensor], Any]


@dataclass(frozen=True, kw_only=True)
class Encounter:
    """Probabilities of being real, for each of the two discriminators in turn.

    ``own`` on its own generator's images, ``other`` on its opponent's, ``test`` on real images that neither
    was trained on, ``train`` on real images that they were trained on, if any were given. Raises ``InputError`` for
    verdicts that are not probabilities, of no image, or of other numbers of images for the two.
    """

    names: tuple[str, str]
    own: tuple[Probabilities, Probabilities]
    other: tuple[Probabilities, Probabilities]
    test: tuple[Probabilities, Probabilities]
    train: tuple[Probabilities, Probabilities] | None = None

    def __post_init__(self) -> None:
        for what in ("own", "other", "test", "train"):
            pair = getattr(self, what)
            if pair is None:
                continue
            if len(pair[0]) != len(pair[1]):
                hint = "let both discriminators judge as many images"
                got = f"{len(pair[0])} and {len(pair[1])}"
                raise InputError(error_line(what, expected="one length", got=got, hint=hint))
            for name, values in zip(self.names, pair, strict=True):
                _check_verdicts(values, f"{what}: discriminator of {name}")

    def swapped(self) -> "Encounter":
        """The same with the players in the other order."""
        pairs = {name: getattr(self, name)[::-1] for name in ("own", "other", "test")}
        train = None if self.train is None else self.train[::-1]
        return Encounter(names=self.names[::-1], train=train, **pairs)

    def scores(self) -> pd.DataFrame:
        """Figure 6 as numbers: ``discriminator``, ``shown``, ``mean probability``, ``error rate``, ``n``."""
        rows = []
        for place, name in enumerate(self.names):
            opponent = self.names[1 - place]
            shown = {
                f"images of {name}": (self.own[place], False),
                f"images of {opponent}": (self.other[place], False),
                "real, test": (self.test[place], True),
            }
            if self.train is not None:
                shown["real, train"] = (self.train[place], True)
            rows += [
                {
                    "discriminator": name,
                    "shown": what,
                    "mean probability": float(found.mean()),
                    "error rate": error_rate(found, real=real),
                    "n": len(found),
                }
                for what, (found, real) in shown.items()
            ]
        return pd.DataFrame(rows)


def error_rate(probabilities: Probabilities, *, real: bool) -> float:
    """Share of images that a discriminator gets wrong; one half or more is "real".

    >>> error_rate(np.array([0.2, 0.5, 0.9]), real=False), error_rate(np.array([0.2, 0.5]), real=True)
    (0.6666666666666666, 0.5)
    """
    return float(errors(probabilities, real=real).mean())


def errors(probabilities: Probabilities, *, real: bool) -> Probabilities:
    """1 where a discriminator is wrong, else 0."""
    taken_for_real = probabilities >= THRESHOLD
    return (taken_for_real != real).astype(np.float64)


def meet(
    first: Player,
    second: Player,
    *,
    test: torch.Tensor,
    samples: int = 1000,
    train: torch.Tensor | None = None,
) -> Encounter:
    """Let both discriminators judge ``samples`` images of both generators, and real images.

    Raises ``InputError`` if there is no test image, if images differ in size or channels, if a generator gives
    another number of them, or if a discriminator gives anything but one probability an image.

    >>> ones = Player(name="a", generate=lambda n: torch.ones(n, 1, 2, 2), judge=lambda x: x.mean((1, 2, 3)) / 2)
    >>> meet(ones, ones, test=torch.ones(3, 1, 2, 2), samples=2).other[0]
    array([0.5, 0.5])
    """
    check_positive(samples, name="samples")
    real = {"test": _check_real(test, "test")}
    if train is not None:
        real["train"] = _check_real(train, "train")
    one, two = (_generated(player, samples) for player in (first, second))
    shown = real | {f"images of {first.name}": one, f"images of {second.name}": two}
    for what, images in shown.items():
        _check_shape(images, tuple(test.shape[1:]), what)
    return Encounter(
        names=(first.name, second.name),
        own=(_judged(first, one), _judged(second, two)),
        other=(_judged(first, two), _judged(second, one)),
        test=(_judged(first, test), _judged(second, test)),
        train=None if train is None else (_judged(first, train), _judged(second, train)),
    )


def _check_real(images: torch.Tensor, name: str) -> torch.Tensor:
    check_images(images, name=f"{name} images")
    if not len(images):
        hint = "give real images that neither GAN was trained on"
        raise InputError(
            error_line(f"{name} images", expected="one or more", got="none", hint=hint)
        )
    return images


def _generated(player: Player, samples: int) -> torch.Tensor:
    images = player.generate(samples)
    if len(images) != samples:
        hint = "generate(n) is to give n images"
        expected, got = f"{samples} images", str(len(images))
        raise InputError(
            error_line(f"generator of {player.name}", expected=expected, got=got, hint=hint)
        )
    return images


def _check_shape(images: torch.Tensor, shape: tuple[int, ...], name: str) -> None:
    check_images(images, name=name)
    if tuple(images.shape[1:]) != shape:
        expected = f"(n, {', '.join(map(str, shape))}) as the test images"
        hint = "bring all images to the size that both discriminators were trained on"
        got = f"shape {tuple(images.shape)}"
        raise InputError(error_line(name, expected=expected, got=got, hint=hint))


def _judged(player: Player, images: torch.Tensor) -> Probabilities:
    """One probability an image, checked."""
    found = player.judge(images)
    if isinstance(found, torch.Tensor):
        found = found.detach().cpu().numpy()
    values = np.asarray(found, dtype=np.float64)
    name = f"discriminator of {player.name}"
    if values.shape != (len(images),):
        hint = (
            "average the parts of its verdict; was it trained on images of another size than "
            f"{tuple(images.shape[2:])}?"
        )
        expected = f"one probability for each of {len(images)} images"
        raise InputError(
            error_line(name, expected=expected, got=f"shape {values.shape}", hint=hint)
        )
    _check_verdicts(values, name)
    return values


def _check_verdicts(values: Probabilities, name: str) -> None:
    if not len(values):
        hint = "show it images"
        raise InputError(
            error_line(name, expected="one probability or more", got="none", hint=hint)
        )
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        hint = "if it returns logits, pass them through a sigmoid first"
        got = f"values from {values.min():.3g} to {values.max():.3g}"
        raise InputError(error_line(name, expected="probabilities in [0, 1]", got=got, hint=hint))
