"""Do sets of images have different spectra, and does one image's spectrum name its set? (AttGF-IQA, Figure 2)."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from torch import Tensor

from giqa_lib.evaluation import (
    Estimate,
    nearest_profile,
    proportion,
    radial_profiles,
    spectrum_difference,
)

__all__ = ["compare_spectra", "false_alarms", "name_by_spectrum", "profile_table"]

Sets = Mapping[str, UInt8[Tensor, "n c h w"]]


def compare_spectra(sets: Sets, *, permutations: int = 9999, random_state: int) -> pd.DataFrame:
    """Every two sets: ``first``, ``second``, ``distance`` of their mean radial profiles and ``p`` by permutation.

    ``error`` is the Monte Carlo standard error of p.
    """
    profiles = {name: radial_profiles(images).numpy() for name, images in sets.items()}
    rows = []
    for first, second in itertools.combinations(profiles, 2):
        found = spectrum_difference(
            profiles[first], profiles[second], permutations=permutations, random_state=random_state
        )
        error = (found.p_value * (1 - found.p_value) / permutations) ** 0.5
        row = {"first": first, "second": second, "distance": found.distance}
        rows.append({**row, "p": found.p_value, "error": error})
    return pd.DataFrame(rows)


def false_alarms(
    images: UInt8[Tensor, "n c h w"],
    *,
    level: float = 0.01,
    halvings: int = 200,
    permutations: int = 499,
    random_state: int,
) -> Estimate:
    """How often two random halves of one set are said to differ, p <= ``level``; a right test does so in that share of cases.

    >>> import torch
    >>> images = torch.randint(0, 256, (12, 1, 8, 8), generator=torch.Generator().manual_seed(0)).byte()
    >>> false_alarms(images, halvings=20, permutations=99, random_state=0).n
    20
    """
    rows = radial_profiles(images).numpy()
    random = np.random.default_rng(random_state)
    alarms = 0
    for _ in range(halvings):
        one, other = np.array_split(rows[random.permutation(len(rows))], 2)
        found = spectrum_difference(one, other, permutations=permutations, random_state=random)
        alarms += found.p_value <= level
    return proportion(alarms, halvings)


def profile_table(sets: Sets) -> pd.DataFrame:
    """Mean radial profiles: ``set``, ``frequency`` (cycles a pixel), ``power`` (log10), ``standard_error`` over images."""
    parts = []
    for name, images in sets.items():
        rows = radial_profiles(images).numpy()
        columns = {
            "frequency": np.arange(1, rows.shape[1] + 1) / images.shape[2],
            "power": rows.mean(axis=0),
            "standard_error": rows.std(axis=0, ddof=1) / np.sqrt(len(rows)),
        }
        parts.append(pd.DataFrame(columns).assign(set=name))
    return pd.concat(parts, ignore_index=True)


def name_by_spectrum(sets: Sets, *, random_state: int) -> tuple[pd.DataFrame, Estimate]:
    """Half of each set names the images of the other half by the nearest mean profile.

    A table of shares (row: the set, column: what it was taken for) and the share named rightly, with Wilson's interval.
    """
    random = np.random.default_rng(random_state)
    known, asked = {}, {}
    for name, images in sets.items():
        rows = radial_profiles(images).numpy()
        order = random.permutation(len(rows))
        known[name], asked[name] = rows[order[::2]], rows[order[1::2]]
    named = {name: nearest_profile(known, rows) for name, rows in asked.items()}
    shares = pd.DataFrame(
        [[np.mean([n == other for n in found]) for other in sets] for found in named.values()],
        index=list(sets),
        columns=list(sets),
    )
    right = sum(n == name for name, found in named.items() for n in found)
    return shares, proportion(right, sum(map(len, named.values())))
