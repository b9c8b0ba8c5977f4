"""A database of quality: images of several domains (generators) with part masks, opinion scores and training pairs."""

from dataclasses import dataclass

from jaxtyping import Float64, Int64, UInt8
from torch import Tensor

from giqa_lib.checks import InputError, check_images, check_same_length, error_line
from giqa_lib.data.label_maps import check_maps

__all__ = ["QualityDatabase"]


@dataclass(frozen=True, kw_only=True)
class QualityDatabase:
    """Images (n, c, h, w), maps (n, h, w) of ``parts``, and what is known of each image's quality (higher is better).

    ``domain`` counts into ``domains``. ``pseudo`` is the score that made the pairs, comparable within a domain only;
    ``mos`` the opinion score, NaN where nobody voted. ``pairs`` (m, 2) are places (better, worse) in one domain.

    Raises ``InputError`` for maps of another size than the images or with a class that ``parts`` has not, for a domain
    that ``domains`` has not, and for pairs of images that are not there or are of two domains.

    >>> import torch
    >>> zeros = torch.zeros(2, dtype=torch.float64)
    >>> two = QualityDatabase(
    ...     images=torch.zeros(2, 3, 4, 4, dtype=torch.uint8), maps=torch.zeros(2, 4, 4, dtype=torch.uint8),
    ...     parts=("skin",), domains=("toy",), domain=torch.tensor([0, 0]), pseudo=zeros, mos=zeros,
    ...     pairs=torch.tensor([[0, 1]]))
    >>> len(two)
    2
    """

    images: UInt8[Tensor, "n c h w"]
    maps: UInt8[Tensor, "n h w"]
    parts: tuple[str, ...]
    domains: tuple[str, ...]
    domain: Int64[Tensor, " n"]
    pseudo: Float64[Tensor, " n"]
    mos: Float64[Tensor, " n"]
    pairs: Int64[Tensor, "m 2"]

    def __post_init__(self) -> None:
        check_images(self.images)
        check_same_length(
            images=self.images, maps=self.maps, domain=self.domain, pseudo=self.pseudo, mos=self.mos
        )
        size = (self.images.shape[2], self.images.shape[3])
        check_maps(self.maps, classes=len(self.parts), size=size)
        _check_places(self.domain, len(self.domains), name="domain", hint="name each in domains")
        _check_places(self.pairs, len(self), name="pairs", hint="pairs are places of images")
        crossing = int((self.domain[self.pairs[:, 0]] != self.domain[self.pairs[:, 1]]).sum())
        if crossing:
            hint = "scores of two domains can't be compared: pair images of one"
            raise InputError(
                error_line("pairs", expected="pairs within a domain", got=f"{crossing} across", hint=hint)
            )  # fmt: skip

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)


def _check_places(places: Tensor, count: int, *, name: str, hint: str) -> None:
    """Raise unless all are 0 to ``count`` - 1."""
    wrong = places[(places < 0) | (places >= count)]
    if len(wrong):
        expected, got = f"0..{count - 1}", str(int(wrong[0]))
        raise InputError(error_line(name, expected=expected, got=got, hint=hint))
