"""What each observer is asked, and in which order (ITU-R BT.500; AttGF-IQA, Section III-B).

Two kinds of study: *rating*, one image at a time on a scale of five (single stimulus), and *choice*, the better of two
(two-alternative forced choice, as LGIQA was collected). Questions are split over sessions at random and without overlap, the same
split for all observers; within a session each observer gets an order of their own, after the same training
questions, whose answers do not count. In a choice each observer's sides are drawn too.
"""

import csv
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from giqa_lib.checks import InputError, check_choice, check_positive, error_line

__all__ = ["KINDS", "Question", "StudyPlan", "read_pairs"]

KINDS = ("rating", "choice")
SPLIT, ORDER = 0, 1  # streams of random numbers


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question to an observer: its place, session, and the image shown, or the two (left, right)."""

    position: int
    session: int
    training: bool
    images: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """The questions of a study: one image each (rating) or a pair (choice), by name, and how they are dealt out.

    ``training`` questions of ``items`` open each session. Raises ``InputError`` for names that repeat, and for
    fewer questions than sessions.

    >>> plan = StudyPlan(kind="rating", items=(("a",), ("b",), ("c",)), sessions=1, training=1, seed=0)
    >>> [question.training for question in plan.questions("anna")]
    [True, False, False]
    """

    kind: str
    items: tuple[tuple[str, ...], ...]
    sessions: int = 1
    training: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice(self.kind, KINDS, name="kind")
        check_positive(self.sessions, name="sessions")
        check_positive(self.training, name="training", zero=True)
        shown = 1 if self.kind == "rating" else 2
        wrong = [item for item in self.items if len(item) != shown or len(set(item)) != shown]
        if wrong or len(set(self.items)) != len(self.items):
            got = repr(wrong[0]) if wrong else "one of them twice"
            expected = (
                f"{shown} different image{'s' if shown > 1 else ''} a question, each question once"
            )
            raise InputError(error_line("items", expected=expected, got=got, hint="check the list"))
        asked = len(self.items) - self.training
        if asked < self.sessions:
            got = f"{len(self.items)} questions, {self.training} of them for training"
            expected, hint = f"at least one a session ({self.sessions})", "ask for fewer sessions"
            raise InputError(error_line("items", expected=expected, got=got, hint=hint))

    @property
    def digest(self) -> str:
        """Changes with anything that changes the questions."""
        told = repr((self.kind, self.items, self.sessions, self.training, self.seed))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def questions(self, subject: str) -> list[Question]:
        """All questions to one observer, in order; the same whenever asked."""
        split = np.random.default_rng([self.seed, SPLIT])
        shuffled = split.permutation(len(self.items))
        training, asked = shuffled[: self.training], shuffled[self.training :]
        own = np.random.default_rng([self.seed, ORDER, *hashlib.sha256(subject.encode()).digest()])
        found: list[Question] = []
        for number, part in enumerate(np.array_split(asked, self.sessions)):
            for place, item in enumerate([*training, *own.permutation(part)]):
                images = self.items[item]
                if self.kind == "choice" and own.random() < 0.5:
                    images = images[::-1]
                found.append(
                    Question(
                        position=len(found),
                        session=number + 1,
                        training=place < len(training),
                        images=images,
                    )
                )
        return found


def read_pairs(path: str | os.PathLike[str], names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of image names from a CSV file with the columns ``first`` and ``second``.

    Raises ``InputError`` for a missing column and for a name that is not among ``names``.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"first", "second"} <= set(rows[0]):
        got = ", ".join(rows[0]) if rows else "no rows"
        hint = "write a header line"
        raise InputError(
            error_line(str(path), expected="the columns first and second", got=got, hint=hint)
        )
    known = set(names)
    for number, row in enumerate(rows, start=2):
        for side in ("first", "second"):
            if row[side] not in known:
                got, hint = f"{row[side]!r} in line {number}", "name files as below the folder"
                raise InputError(
                    error_line(str(path), expected="names of the images", got=got, hint=hint)
                )
    return tuple((row["first"], row["second"]) for row in rows)
