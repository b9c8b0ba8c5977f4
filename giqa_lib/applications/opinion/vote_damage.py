"""What becomes of votes that are damaged: a table of cases, each put to the functions that read votes."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from giqa_lib.checks import InputError
from giqa_lib.evaluation import check_votes, mean_opinion_scores, read_votes, screen_observers

__all__ = ["damaged_votes"]


def damaged_votes(votes: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """One row a case: ``case`` and ``outcome``, what happens to ``votes`` (a whole panel's) damaged so.

    ``folder`` is where a Parquet export is written and cut short.
    """
    subject, image = votes["subject"].iloc[0], votes["image"].iloc[0]
    session = votes["session"].iloc[0]
    own = (votes["subject"] == subject) & (votes["session"] == session)
    first = own & (votes["image"] == image)
    once = votes.drop(votes.index[(votes["subject"] == subject) & ~first])
    flat = votes.assign(vote=votes["vote"].mask(own, 3))
    cases: dict[str, Callable[[], object]] = {
        "an export cut short": lambda: _cut(votes, folder),
        "a column missing": lambda: check_votes(votes.drop(columns="session")),
        "a rating of 6": lambda: check_votes(votes.assign(vote=votes["vote"].mask(first, 6))),
        "an image judged twice": lambda: check_votes(pd.concat([votes, votes[first]])),
        "an observer with one vote": lambda: _told(once, subject),
        "a session of equal votes": lambda: _told(flat, subject),
    }
    rows = []
    for case, attempt in cases.items():
        try:
            outcome = str(attempt())
        except InputError as error:
            outcome = f"refused: {error}"
        rows.append({"case": case, "outcome": outcome})
    return pd.DataFrame(rows)


def _cut(votes: pd.DataFrame, folder: Path) -> pd.DataFrame:
    path = folder / "votes.parquet"
    votes.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    return read_votes(path)


def _told(votes: pd.DataFrame, subject: object) -> str:
    checked = check_votes(votes)
    screened = screen_observers(checked)
    found = screened[screened["subject"] == subject].iloc[0]
    scores = mean_opinion_scores(checked)
    return (
        f"kept, marked: {found['votes']} votes, {found['constant']} sessions of equal ones, whose z are 0; "
        f"rejected: {'yes' if found['rejected'] else 'no'}; {len(scores)} images with a score"
    )
