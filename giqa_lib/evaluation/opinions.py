r"""From votes to mean opinion scores: ITU-R BT.500, z-scores and agreement (AttGF-IQA, Section III-B).

Votes come as a table, one a row: ``subject``, ``session``, ``image``, ``vote``. A vote of subject j in session k is
centred and scaled by that subject's own votes of that session,

.. math:: z_{ijk} = \frac{v_{ijk} - \mu_{jk}}{\sigma_{jk}}, \qquad
    \mu_{jk} = \frac{1}{N_{jk}} \sum_i v_{ijk}, \qquad
    \sigma_{jk}^2 = \frac{1}{N_{jk} - 1} \sum_i (v_{ijk} - \mu_{jk})^2,

with :math:`N_{jk}` the number of images that the subject judged. Departure: the paper prints :math:`N_k`, "the number of
subjects", which would centre each image's votes and leave every image the same mean opinion. Votes of a
session in which a subject gave but one value say nothing of an order: their z is 0. So is that of a single vote.
The mean opinion score is the mean over subjects of :math:`100 (z + 3) / 6`, in which nearly all z lie in [0, 100].
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from giqa_lib.checks import InputError, check_positive, check_probability, error_line
from giqa_lib.evaluation.agreement import srcc

__all__ = [
    "VOTE_COLUMNS",
    "Agreement",
    "check_votes",
    "mean_opinion_scores",
    "observer_agreement",
    "screen_observers",
    "standardise_votes",
]

VOTE_COLUMNS = ("subject", "session", "image", "vote")
# BT.500-13, Annex 2, 2.3.1: shares that reject an observer, and the kurtosis taken for a normal one's.
OFTEN, ONE_SIDED, NORMAL_KURTOSIS = 0.05, 0.3, (2.0, 4.0)


def check_votes(votes: pd.DataFrame, *, lowest: float = 1, highest: float = 5) -> pd.DataFrame:
    """The four columns of a table of votes, checked, in the order of subject, session and image.

    Raises ``InputError`` for a missing column, an empty cell, a vote that is not a number within the scale, and for
    a subject who judged an image twice.

    >>> rows = pd.DataFrame({"subject": ["a"], "session": [1], "image": ["x"], "vote": [4]})
    >>> check_votes(rows)["vote"].tolist()
    [4.0]
    """
    missing = [name for name in VOTE_COLUMNS if name not in votes.columns]
    if missing or votes.empty:
        got = f"no {', '.join(missing)}" if missing else "no rows"
        hint = "one row a vote"
        expected = f"the columns {', '.join(VOTE_COLUMNS)}, and rows"
        raise InputError(error_line("votes", expected=expected, got=got, hint=hint))
    table = votes[list(VOTE_COLUMNS)].reset_index(drop=True)
    empty = table.isna().any(axis=1)
    if empty.any():
        got, hint = (
            f"an empty cell in row {int(empty.argmax())}",
            "leave votes that were not given out",
        )
        raise InputError(error_line("votes", expected="no empty cells", got=got, hint=hint))
    values = pd.to_numeric(table["vote"], errors="coerce").astype(float)
    wrong = ~values.between(lowest, highest)  # NaN is not between
    if wrong.any():
        row = int(wrong.argmax())
        got = f"{table['vote'].tolist()[row]!r} in row {row}"
        expected, hint = f"a number from {lowest:g} to {highest:g}", "say the scale's ends"
        raise InputError(error_line("votes", expected=expected, got=got, hint=hint))
    twice = table.duplicated(["subject", "image"])
    if twice.any():
        second = table[twice].iloc[0]
        got = f"two by subject {second['subject']} of image {second['image']}"
        hint = "keep the first, or give each presentation its own image name"
        expected = "one vote a subject and image"
        raise InputError(error_line("votes", expected=expected, got=got, hint=hint))
    table["vote"] = values
    return table.sort_values(["subject", "session", "image"], ignore_index=True)


def standardise_votes(votes: pd.DataFrame) -> pd.DataFrame:
    """The votes with ``z``: by subject and session, 0 where a subject's votes of a session are all equal.

    >>> rows = pd.DataFrame({"subject": ["a"] * 3, "session": [1] * 3, "image": list("xyz"), "vote": [1, 2, 3]})
    >>> standardise_votes(rows)["z"].tolist()
    [-1.0, 0.0, 1.0]
    """
    groups = votes.groupby(["subject", "session"])["vote"]
    spread = groups.transform("std")  # of a single vote NaN
    away = votes["vote"] - groups.transform("mean")
    return votes.assign(z=np.where(spread > 0, away / spread.where(spread > 0, 1.0), 0.0))


def screen_observers(votes: pd.DataFrame) -> pd.DataFrame:
    r"""BT.500's screening: which observers vote far from the others, and to both sides.

    An image's votes have mean :math:`m`, deviation :math:`s` and kurtosis :math:`\beta_2 = m_4 / m_2^2`. A vote is high if it is at
    or above :math:`m + c s`, low if at or below :math:`m - c s`, with c = 2 where :math:`2 \le \beta_2 \le 4` and
    :math:`\sqrt{20}` elsewhere. Of an observer with P high and Q low votes among N,

    .. math:: \frac{P + Q}{N} > 0.05 \quad\text{and}\quad \left|\frac{P - Q}{P + Q}\right| < 0.3

    reject. One row a subject: ``subject``, ``votes``, ``high``, ``low``, ``rejected``, and ``constant``: sessions in which all
    votes of the subject are equal, which the rule does not see. Images on which all agree count nothing.
    """
    images = votes.groupby("image")["vote"]
    mean, spread = images.transform("mean"), images.transform("std").fillna(0.0)
    centred = votes["vote"] - mean
    by_image = centred.groupby(votes["image"])
    second = by_image.transform(lambda away: (away**2).mean())
    fourth = by_image.transform(lambda away: (away**4).mean())
    kurtosis = fourth / second.where(second > 0, 1.0) ** 2
    reach = spread * np.where(kurtosis.between(*NORMAL_KURTOSIS), 2.0, np.sqrt(20.0))
    table = votes.assign(
        high=(centred >= reach) & (spread > 0), low=(centred <= -reach) & (spread > 0)
    )
    found = table.groupby("subject", as_index=False).agg(
        votes=("vote", "size"), high=("high", "sum"), low=("low", "sum")
    )
    both = found["high"] + found["low"]
    lopsided = (found["high"] - found["low"]).abs() / both.where(both > 0, 1)
    found["rejected"] = (both / found["votes"] > OFTEN) & (lopsided < ONE_SIDED)
    sessions = votes.groupby(["subject", "session"])["vote"]
    constant = (sessions.nunique() == 1).groupby("subject").sum()
    return found.assign(constant=found["subject"].map(constant))


def mean_opinion_scores(votes: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """One row an image: ``image``, ``mos`` on 0..100, ``standard_error``, ``low``, ``high``, ``n``, ``mean_vote``.

    Votes as of :func:`check_votes`, of the observers that are kept. The interval is Student's over the observers, NaN for an
    image with one vote. Raises ``InputError`` as :func:`check_votes` does.

    >>> rows = pd.DataFrame({"subject": list("aabb"), "session": 1, "image": list("xyxy"), "vote": [1, 3, 2, 5]})
    >>> mean_opinion_scores(rows)["mos"].round(2).tolist()
    [38.21, 61.79]
    """
    check_probability(level, name="level", open_ends=True)
    table = standardise_votes(check_votes(votes, lowest=-np.inf, highest=np.inf))
    table["scaled"] = 100.0 * (table["z"] + 3.0) / 6.0
    found = table.groupby("image", as_index=False).agg(
        mos=("scaled", "mean"), spread=("scaled", "std"), n=("scaled", "size"), mean_vote=("vote", "mean")
    )  # fmt: skip
    found["standard_error"] = found["spread"] / np.sqrt(found["n"])
    reach = student.ppf(0.5 + level / 2, found["n"].clip(lower=2) - 1) * found["standard_error"]
    found["low"], found["high"] = found["mos"] - reach, found["mos"] + reach
    return found[["image", "mos", "standard_error", "low", "high", "n", "mean_vote"]]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far observers agree: ``rank`` (mean SRCC of each with the others' mean), ``alpha``, ``split_half``.

    ``alpha`` is Krippendorff's for intervals, 1 for full agreement and 0 for none beyond chance; ``split_half`` the mean correlation
    of the mean z of two random halves of the observers, stepped up to all of them (Spearman-Brown).
    """

    rank: float
    alpha: float
    split_half: float
    observers: int


def observer_agreement(
    votes: pd.DataFrame, *, random_state: int | np.random.Generator, splits: int = 100
) -> Agreement:
    r"""Agreement of at least four observers, by their z-scores.

    .. math:: \alpha = 1 - \frac{D_o}{D_e}, \quad D_o = \frac{1}{n} \sum_u \frac{1}{n_u - 1} \sum_{i \ne j \in u} (z_i - z_j)^2,
        \quad D_e = \frac{1}{n (n - 1)} \sum_{i \ne j} (z_i - z_j)^2

    over images u with at least two votes (Krippendorff 2004). ``split_half`` is by ``splits`` random halvings.
    """
    check_positive(splits, name="splits")
    table = standardise_votes(check_votes(votes, lowest=-np.inf, highest=np.inf))
    wide = table.pivot(index="image", columns="subject", values="z")
    if wide.shape[1] < 4:
        got, hint = f"{wide.shape[1]}", "ask more people"
        raise InputError(error_line("observers", expected="at least 4", got=got, hint=hint))
    random = np.random.default_rng(random_state)
    ranks = [_with_the_rest(wide, subject) for subject in wide.columns]
    halves = [_halves(wide, random) for _ in range(splits)]
    half = float(np.nanmean(halves))
    return Agreement(
        rank=float(np.nanmean(ranks)),
        alpha=_alpha(wide.to_numpy()),
        split_half=2 * half / (1 + half),
        observers=wide.shape[1],
    )


def _with_the_rest(wide: pd.DataFrame, subject: object) -> float:
    rest = wide.drop(columns=[subject]).mean(axis=1)
    both = pd.DataFrame({"own": wide[subject], "rest": rest}).dropna()
    if len(both) < 2 or both.nunique().min() < 2:
        return float("nan")
    return srcc(both["own"], both["rest"])


def _halves(wide: pd.DataFrame, random: np.random.Generator) -> float:
    order = random.permutation(wide.shape[1])
    middle = len(order) // 2
    means = [wide.iloc[:, part].mean(axis=1) for part in (order[:middle], order[middle:])]
    both = pd.concat(means, axis=1).dropna()
    return float(np.corrcoef(both.to_numpy().T)[0, 1]) if len(both) > 1 else float("nan")


def _alpha(z: np.ndarray) -> float:
    counts = np.isfinite(z).sum(axis=1)
    used = z[counts > 1]
    counts = counts[counts > 1]
    values = used[np.isfinite(used)]
    total = len(values)
    if total < 2:
        return float("nan")
    # sum over pairs of (a - b)^2 is 2 (n sum a^2 - (sum a)^2), for each image and for all votes
    within = 2 * (counts * np.nansum(used**2, axis=1) - np.nansum(used, axis=1) ** 2)
    observed = (within / (counts - 1)).sum() / total
    expected = 2 * (total * (values**2).sum() - values.sum() ** 2) / (total * (total - 1))
    return float(1 - observed / expected) if expected > 0 else float("nan")
