"""Batches of training pairs of a database of quality, a domain at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from giqa_lib.checks import InputError, check_choice, check_positive, error_line
from giqa_lib.data import QualityDatabase, check_maps

__all__ = ["PairBatch", "PairFeed"]


@dataclass(frozen=True, kw_only=True)
class PairBatch:
    """Pairs of one domain: the m first images, then the m second ones (2m, ...), and whether the first is the ``higher`` one."""

    images: UInt8[Tensor, "two_m c h w"]
    maps: UInt8[Tensor, "two_m h w"]
    pseudo: Float[Tensor, " two_m"]
    higher: Bool[Tensor, " m"]


class PairFeed:
    """Random pairs of each of the ``sources`` among a database's domains.

    A pair's two images come in random order. Raises ``InputError`` for no source, one that is unknown or named twice, one with fewer
    than two images or without a pair, and for maps of another size or class.

    >>> zeros = torch.zeros(2, dtype=torch.float64)
    >>> two = QualityDatabase(
    ...     images=torch.zeros(2, 3, 4, 4, dtype=torch.uint8), maps=torch.zeros(2, 4, 4, dtype=torch.uint8),
    ...     parts=("skin",), domains=("toy",), domain=torch.tensor([0, 0]), pseudo=zeros, mos=zeros,
    ...     pairs=torch.tensor([[0, 1]]))
    >>> PairFeed(two, ["toy"]).draw("toy", 3, torch.Generator().manual_seed(0)).images.shape
    torch.Size([6, 3, 4, 4])
    """

    def __init__(self, database: QualityDatabase, sources: Sequence[str]) -> None:
        size = (database.images.shape[2], database.images.shape[3])
        check_maps(database.maps, classes=len(database.parts), size=size)
        if not sources or len(set(sources)) < len(sources):
            expected, got = "one domain or more, each once", ", ".join(sources) or "none"
            hint = f"choose of {', '.join(database.domains)}"
            raise InputError(error_line("sources", expected=expected, got=got, hint=hint))
        self.database = database
        self.pairs: dict[str, Tensor] = {}
        for name in sources:
            number = database.domains.index(check_choice(name, database.domains, name="source"))
            count = int((database.domain == number).sum())
            own = database.pairs[database.domain[database.pairs[:, 0]] == number]
            if count < 2 or not len(own):
                hint = "leave it out of the sources, or add images and pairs"
                expected, got = "two images or more, and a pair", f"{count} and {len(own)} pairs"
                raise InputError(
                    error_line(f"domain {name}", expected=expected, got=got, hint=hint)
                )
            self.pairs[name] = own

    def draw(self, source: str, count: int, random: torch.Generator) -> PairBatch:
        """``count`` pairs of one source, drawn with repetition."""
        check_positive(count, name="count")
        own = self.pairs[source]
        pairs = own[torch.randint(len(own), (count,), generator=random)]
        higher = torch.rand(count, generator=random) < 0.5
        first = torch.where(higher, pairs[:, 0], pairs[:, 1])
        second = torch.where(higher, pairs[:, 1], pairs[:, 0])
        places = torch.cat([first, second])
        return PairBatch(
            images=self.database.images[places],
            maps=self.database.maps[places],
            pseudo=self.database.pseudo[places].float(),
            higher=higher,
        )
