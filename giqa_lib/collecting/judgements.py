"""The file that keeps judgements: SQLite, one row an answer, on the disk before the observer sees the next question.

An answer has one place (subject, position): a second tab, a doubled click or a repeated request finds it taken. Every write
is a transaction that is flushed (journal WAL, synchronous FULL), so that killing the process at any moment
loses at most the answer that was not yet acknowledged.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from giqa_lib.checks import InputError, error_line
from giqa_lib.collecting.plan import Question, StudyPlan

__all__ = ["Judgements", "export_judgements"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS study (kind TEXT NOT NULL, digest TEXT NOT NULL, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS judgement (
    subject TEXT NOT NULL, position INTEGER NOT NULL, session INTEGER NOT NULL, training INTEGER NOT NULL,
    first TEXT NOT NULL, second TEXT, answer TEXT NOT NULL, seconds REAL, comment TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (subject, position)
) WITHOUT ROWID;
"""
VERSION = 1
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula


class Judgements:
    """A study's database at ``path``, made if it is not there.

    Raises ``InputError`` if the file is no database or belongs to another study.
    """

    def __init__(self, path: str | os.PathLike[str], plan: StudyPlan) -> None:
        self.path = Path(path)
        try:
            with self._open() as connection:
                connection.executescript(SCHEMA)
                known = connection.execute("SELECT kind, digest, version FROM study").fetchone()
                if known is None:
                    row = (plan.kind, plan.digest, VERSION)
                    connection.execute("INSERT INTO study VALUES (?, ?, ?)", row)
        except sqlite3.Error as error:
            hint = "give another file"
            expected, got = "a writable SQLite database", str(error)
            raise InputError(
                error_line(str(path), expected=expected, got=got, hint=hint)
            ) from error
        if known is not None and known != (plan.kind, plan.digest, VERSION):
            hint = "use the same images, sessions, training and seed, or another file"
            raise InputError(
                error_line(
                    str(path), expected="this study's answers", got="another study's", hint=hint
                )
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=30)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            with connection:
                yield connection
        finally:
            connection.close()

    def add(
        self,
        subject: str,
        question: Question,
        answer: str,
        *,
        seconds: float | None = None,
        comment: str = "",
    ) -> bool:
        """Keep an answer; False, and nothing changes, if the question was answered before."""
        images = (*question.images, None)[:2]
        at = datetime.now(UTC).isoformat(timespec="seconds")
        row = (subject, question.position, question.session, int(question.training), *images)
        with self._open() as connection:
            done = connection.execute(
                "INSERT OR IGNORE INTO judgement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, answer, seconds, comment, at),
            )
            return done.rowcount == 1

    def answered(self, subject: str) -> set[int]:
        """Positions of the questions that a subject has answered."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT position FROM judgement WHERE subject = ?", (subject,)
            )
            return {position for (position,) in rows}


def export_judgements(path: str | os.PathLike[str], *, training: bool = False) -> pd.DataFrame:
    """All answers of a database as a table; those to training questions only if asked for.

    A rating study gives ``subject``, ``session``, ``image``, ``vote`` (as
    :func:`giqa_lib.evaluation.mean_opinion_scores` takes them), a choice study ``subject``, ``session``, ``better``, ``worse``; both
    ``position``, ``training``, ``seconds``, ``comment`` and ``at`` (UTC). Text that a spreadsheet would run is quoted. Raises
    ``InputError`` for a file that is no such database.
    """
    if not Path(path).is_file():
        hint = "give the file that the answers were collected in"
        raise InputError(error_line(str(path), expected="a file", got="none", hint=hint))
    try:
        with sqlite3.connect(f"file:{Path(path).absolute()}?mode=ro", uri=True) as connection:
            (kind,) = connection.execute("SELECT kind FROM study").fetchone()
            order = "SELECT * FROM judgement ORDER BY subject, position"
            table = pd.read_sql_query(order, connection)
    except (sqlite3.Error, pd.errors.DatabaseError, TypeError) as error:
        hint = "give the file that the answers were collected in, or its last good copy"
        expected, got = "a database of judgements", f"{error}"[:200]
        raise InputError(error_line(str(path), expected=expected, got=got, hint=hint)) from error
    finally:
        if "connection" in locals():
            connection.close()
    table["training"] = table["training"].astype(bool)
    for column in ("subject", "comment"):
        table[column] = table[column].map(_harmless)
    if kind == "rating":
        table["image"], table["vote"] = table["first"], table["answer"].astype(int)
        judged = ["image", "vote"]
    else:
        other = table["second"].where(table["answer"] == table["first"], table["first"])
        table["better"], table["worse"] = table["answer"], other
        judged = ["better", "worse"]
    rest = ["position", "training", "seconds", "comment", "at"]
    kept = table if training else table[~table["training"]]
    return kept[["subject", "session", *judged, *rest]].reset_index(drop=True)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
