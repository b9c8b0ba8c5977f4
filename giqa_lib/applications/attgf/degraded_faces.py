"""A stand-in for a database of generated faces: drawn faces, each kind of damage a domain, quality what is left undamaged.

No generator and no person is in it: it has what the model of AttGF-IQA needs (domains, part maps, pairs, a quality
that is known) and shows that the model can learn, not how well it judges generated faces.
"""

from collections.abc import Sequence

import torch

from giqa_lib.checks import InputError, check_choice, error_line
from giqa_lib.data import DEGRADATIONS, TOY_FACE_PARTS, QualityDatabase, degrade, toy_faces

__all__ = ["DAMAGES", "degraded_faces"]

DAMAGES = ("blur", "noise", "jpeg", "pixelate")
DRAWN_APART = 10_000  # seeds of the drawings: of one seed's train and test sets, and of two seeds


def degraded_faces(
    count: int, *, size: int, seed: int, damages: Sequence[str] = DAMAGES, held_out: bool = False
) -> QualityDatabase:
    """``count`` toy faces a domain, each damaged at a level drawn from [0, 1]; quality is 1 minus the level.

    ``pseudo`` and ``mos`` are both that quality, which no pseudo-opinion would know so well. Each image is in one pair,
    the better first, with another of its domain. ``held_out`` draws other faces than without it.

    >>> made = degraded_faces(4, size=32, seed=0, damages=("blur", "noise"))
    >>> len(made), len(made.pairs), made.domains
    (8, 4, ('blur', 'noise'))
    """
    if count < 2:
        expected, hint = "two images a domain or more", "one image has nothing to be paired with"
        raise InputError(error_line("count", expected=expected, got=str(count), hint=hint))
    for name in damages:
        check_choice(name, DEGRADATIONS, name="damages")
    drawing = DRAWN_APART * (2 * seed + held_out)
    faces, maps = toy_faces(count * len(damages), size=size, seed=drawing)
    random = torch.Generator().manual_seed(drawing + 1)
    level = torch.rand(len(faces), generator=random, dtype=torch.float64)
    images = torch.stack(
        [
            degrade(face[None], damages[row // count], float(level[row]), random)[0]
            for row, face in enumerate(faces)
        ]
    )
    domain = torch.arange(len(faces)) // count
    return QualityDatabase(
        images=images,
        maps=maps,
        parts=TOY_FACE_PARTS,
        domains=tuple(damages),
        domain=domain,
        pseudo=1 - level,
        mos=1 - level,
        pairs=_pairs(1 - level, domain, random),
    )


def _pairs(quality: torch.Tensor, domain: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    found = []
    for place in domain.unique():
        rows = (domain == place).nonzero()[:, 0]
        rows = rows[torch.randperm(len(rows), generator=random)]
        one, other = rows[: len(rows) // 2], rows[len(rows) // 2 : 2 * (len(rows) // 2)]
        swap = quality[one] < quality[other]
        found.append(torch.stack([torch.where(swap, other, one), torch.where(swap, one, other)], 1))
    return torch.cat(found)
