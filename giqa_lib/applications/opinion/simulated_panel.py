r"""A simulated panel of observers with known faults: a stand-in for people, to see whether screening and scoring work.

Observer s sees image i of true quality q in [0, 1] and votes

.. math:: v = \operatorname{clip}_{1..5} \operatorname{round}\bigl(1 + 4\,(b_s\,(q_i - \tfrac12) + \tfrac12) + a_s + e\bigr),
    \qquad a_s \sim N(0, \sigma_a^2),\; b_s \sim N(1, \sigma_b^2),\; e \sim N(0, \sigma_s^2),

a bias, a use of the scale and a noise of their own. A careless one votes at random. **No people are behind these votes.**
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from giqa_lib.checks import InputError, check_positive, check_scores, error_line

__all__ = ["PanelSettings", "simulate_panel"]


@dataclass(frozen=True, kw_only=True)
class PanelSettings:
    """Observers a session, of whom ``careless`` vote at random; sessions; and the faults of the others in votes."""

    observers: int = 20
    careless: int = 2
    sessions: int = 8
    bias: float = 0.4
    use: float = 0.15
    noise: float = 0.6

    def __post_init__(self) -> None:
        for name in ("observers", "sessions"):
            check_positive(getattr(self, name), name=name)
        for name in ("bias", "use", "noise", "careless"):
            check_positive(getattr(self, name), name=name, zero=True)
        if self.careless >= self.observers:
            got, hint = f"{self.careless} of {self.observers}", "leave someone who looks"
            raise InputError(error_line("careless", expected="fewer than observers", got=got, hint=hint))  # fmt: skip


def simulate_panel(quality: ArrayLike, settings: PanelSettings, *, seed: int) -> pd.DataFrame:
    """Votes of a simulated panel on images of true ``quality`` (n,) in [0, 1], one a row.

    Images are split over the sessions at random, without overlap; all observers sit in every session. Columns ``subject``,
    ``session``, ``image`` (its place in ``quality``), ``vote`` (1..5) and ``careless``.

    >>> votes = simulate_panel([0.0, 1.0], PanelSettings(observers=3, careless=0, sessions=1), seed=0)
    >>> len(votes), bool(votes["vote"].between(1, 5).all())
    (6, True)
    """
    truth = check_scores(quality, name="quality")
    if truth.min() < 0 or truth.max() > 1:
        got, hint = (
            f"{truth.min():g} to {truth.max():g}",
            "rank the images and divide by their number",
        )
        raise InputError(error_line("quality", expected="values in [0, 1]", got=got, hint=hint))
    s, random = settings, np.random.default_rng(seed)
    sessions = np.empty(len(truth), dtype=int)
    for number, part in enumerate(np.array_split(random.permutation(len(truth)), s.sessions)):
        sessions[part] = number + 1
    people = random.permutation(s.observers)
    bias, use = random.normal(0, s.bias, s.observers), random.normal(1, s.use, s.observers)
    noise = s.noise * random.uniform(0.6, 1.4, s.observers)
    parts = []
    for person in range(s.observers):
        careless = bool(people[person] < s.careless)
        seen = 3.0 + 4.0 * use[person] * (truth - 0.5) + bias[person]
        seen = seen + random.normal(0, noise[person], len(truth))
        looked = np.clip(np.round(seen), 1, 5)
        votes = random.integers(1, 6, len(truth)) if careless else looked
        voted = pd.DataFrame({"image": np.arange(len(truth)), "vote": votes.astype(int)})
        voted.insert(0, "session", sessions)
        voted.insert(0, "subject", f"simulated {person + 1:02d}")
        parts.append(voted.assign(careless=careless))
    return pd.concat(parts, ignore_index=True)
