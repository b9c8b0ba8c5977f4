"""The book's own files: where they lie, and what they say.

The numbers of the papers, the list of exhibits, the claims and the deviations are data of
the book, under ``book/papers``; what was measured lies under ``book/results``.
"""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from giqa_lib.checks import DataUnavailable, InputError, check_choice, error_line

__all__ = [
    "PROFILES",
    "claims",
    "deviations",
    "exhibits",
    "find_checkout",
    "paper_values",
    "record_path",
]

PROFILES = ("quick", "cpu", "paper")


def find_checkout(start: str | os.PathLike[str] = ".") -> Path:
    """The folder of the book: ``$GIQA_BOOK``, else the nearest one above that has a ``_toc.yml``.

    A notebook runs with its own folder as working directory, so the search goes upwards.

    >>> find_checkout().joinpath("_toc.yml").name
    '_toc.yml'
    """
    named = os.environ.get("GIQA_BOOK")
    folder = Path(named or start).resolve()
    for candidate in (folder,) if named else (folder, *folder.parents):
        if (candidate / "_toc.yml").is_file() and (candidate / "book").is_dir():
            return candidate
    hint = "run inside a checkout of the book, or set GIQA_BOOK to one"
    raise DataUnavailable(
        error_line("book", expected="a folder with _toc.yml and book/", got=str(folder), hint=hint)
    )


def record_path(notebook: str, profile: str, *, root: Path) -> Path:
    """Where the record of a notebook's run under a profile lies.

    >>> record_path("1_giqa/density_scores", "cpu", root=Path("r")).as_posix()
    'r/book/results/cpu/1_giqa/density_scores.json'
    """
    return root / "book" / "results" / profile / f"{notebook}.json"


def _complain(place: str, *, expected: str, got: str, hint: str) -> InputError:
    return InputError(error_line(place, expected=expected, got=got, hint=hint))


def _read_csv(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    # Text stays text: a row may be called "None" and a column "5".
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [column for column in columns if column not in frame]
    if missing:
        raise _complain(
            path.name,
            expected=f"columns {', '.join(columns)}",
            got=f"none named {', '.join(missing)}",
            hint="add them",
        )
    return frame


def paper_values(root: Path) -> pd.DataFrame:
    """Every number the papers report: paper, exhibit, metric, row, column, value, std, better."""
    columns = ("paper", "exhibit", "metric", "row", "column", "value", "std", "better", "note")
    frame = _read_csv(root / "book" / "papers" / "values.csv", columns)
    # to_numeric raises for what is no number; an empty std becomes NaN.
    return frame.assign(value=pd.to_numeric(frame["value"]), std=pd.to_numeric(frame["std"]))


def exhibits(root: Path) -> pd.DataFrame:
    """Every table and figure of the papers, the notebook that answers it, and how far it is."""
    columns = ("paper", "exhibit", "kind", "shows", "notebook", "state")
    return _read_csv(root / "book" / "papers" / "exhibits.csv", columns)


def _read_list(path: Path, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    seen: set[str] = set()
    for row in rows:
        place = f"{path.name}, {row.get('id', 'a row without id')}"
        missing = [field for field in fields if row.get(field) in (None, "")]
        if missing:
            raise _complain(
                place,
                expected=f"fields {', '.join(fields)}",
                got=f"no {', '.join(missing)}",
                hint="fill them in",
            )
        if row["id"] in seen:
            raise _complain(place, expected="one row an id", got="a second one", hint="rename one")
        seen.add(row["id"])
    return rows


ATTEMPTED = ("notebook", "scale", "result", "expect", "margin", "margin_reason")
RESULT_FIELDS = ("paper", "exhibit", "row", "column", "metric", "dataset", "key")


def _check_claim(row: dict[str, Any]) -> None:
    place = f"claim {row['id']}"
    if not row["attempted"]:
        if not row.get("reason"):
            hint = "say why it is not attempted"
            raise _complain(place, expected="a reason", got="none", hint=hint)
        return
    missing = [field for field in ATTEMPTED if row.get(field) in (None, "")]
    if missing:
        hint = "an attempted claim states its margin before the run"
        raise _complain(place, expected="complete", got=f"no {', '.join(missing)}", hint=hint)
    unknown = [field for field in row["result"] if field not in RESULT_FIELDS]
    if unknown:
        known = f"some of {', '.join(RESULT_FIELDS)}"
        raise _complain(f"{place}, result", expected=known, got=", ".join(unknown), hint="mend it")
    check_choice(row["expect"], ("above", "below", "equal"), name=f"{place}, expect")
    numbers = {"margin": row["margin"], "null": row.get("null", 0.0)}
    if row["expect"] == "equal":
        numbers["target"] = row.get("target", row.get("paper_value"))
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            hint = "write it with digits and a decimal point"
            raise _complain(f"{place}, {name}", expected="a number", got=repr(number), hint=hint)


def claims(root: Path) -> list[dict[str, Any]]:
    """The claims of ``claims.yml``, each with an id, its place and, if attempted, its margin.

    An attempted claim also names its notebook, the scale it is tried at, the recorded number it
    rests on (``result``: some of paper, exhibit, row, column, metric, dataset, key) and what is
    expected of that number (``giqa_lib.results.verdicts``); another one says why it is not.
    """
    path = root / "book" / "papers" / "claims.yml"
    rows = _read_list(path, ("id", "paper", "claim", "place", "attempted"))
    for row in rows:
        _check_claim(row)
    return rows


def deviations(root: Path) -> list[dict[str, Any]]:
    """What is done otherwise than in a paper: id, paper, notebooks, what, why, expected effect."""
    return _read_list(
        root / "book" / "papers" / "deviations.yml",
        ("id", "paper", "notebooks", "what", "why", "expected_effect"),
    )
