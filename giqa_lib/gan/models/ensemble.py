"""Several discriminators as one player: all judge the same images, or each its own share of a batch."""

from collections.abc import Iterable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from giqa_lib.checks import InputError, check_positive, error_line
from giqa_lib.gan.aggregation import Aggregate

__all__ = ["Ensemble", "SeparateEnsemble", "dropout_rates"]


class Ensemble(nn.Module):
    """``judges`` that all see every image; ``aggregate`` is what their verdicts cost the generator.

    >>> from giqa_lib.gan import MeanOfValues
    >>> made = Ensemble([nn.Flatten(0), nn.Flatten(0)], MeanOfValues().fresh())
    >>> import torch
    >>> [tuple(logits.shape) for logits in made(torch.zeros(3, 1, 1, 1))]
    [(3,), (3,)]
    """

    def __init__(self, judges: Iterable[nn.Module], aggregate: Aggregate) -> None:
        super().__init__()
        self.judges = nn.ModuleList(judges)
        # In a tuple, out of this module's parameters: what it may learn is the generator's.
        self._aggregate = (aggregate,)

    @property
    def aggregate(self) -> Aggregate:
        """What the generator pays."""
        return self._aggregate[0]

    def forward(self, images: Float[Tensor, "n c h w"]) -> tuple[Tensor, ...]:
        """Logits (n,) of each judge, positive for real."""
        return tuple(judge(images) for judge in self.judges)


class SeparateEnsemble(Ensemble):
    """Judges that each see their own n / N images of a batch, real and generated (Durugkar et al., their code)."""

    def forward(self, images: Float[Tensor, "n c h w"]) -> tuple[Tensor, ...]:
        """Logits (n / N,) of each judge, of consecutive parts of the batch."""
        if len(images) % len(self.judges):
            hint = "change the batch size"
            expected = f"a multiple of {len(self.judges)} images"
            raise InputError(
                error_line("batch", expected=expected, got=str(len(images)), hint=hint)
            )
        parts: Sequence[Tensor] = images.chunk(len(self.judges))
        return tuple(judge(part) for judge, part in zip(self.judges, parts, strict=True))


def dropout_rates(count: int) -> tuple[float, ...]:
    r"""Shares of features that each of N discriminators drops: :math:`0.6 - \frac{0.2}{N} i`, i = 1..N.

    Of Durugkar et al.'s code (it keeps :math:`0.4 + \frac{0.2}{N} i`).

    >>> [round(rate, 2) for rate in dropout_rates(5)]
    [0.56, 0.52, 0.48, 0.44, 0.4]
    """
    check_positive(count, name="count")
    return tuple(0.6 - 0.2 / count * (place + 1) for place in range(count))
