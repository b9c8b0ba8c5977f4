"""A run of a notebook and the numbers it measured, as one JSON file with provenance.

``{"run": {...}, "results": [...]}``: see ``CONTRIBUTING.md``, "The life of a number".
Numbers that answer no paper's exhibit carry ``paper: "ours"``.
"""

import json
import math
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, SupportsFloat, SupportsInt

import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from giqa_lib.checks import InputError, check_choice, error_line
from giqa_lib.evaluation import Estimate
from giqa_lib.results.checkout import PROFILES, exhibits, find_checkout
from giqa_lib.results.provenance import commit, device_name, versions
from giqa_lib.store import config_hash

__all__ = ["Record", "Result", "Run", "load_record", "write_json"]

OURS = "ours"
KEY = re.compile(r"[a-z][a-z0-9-]*")  # it becomes part of an HTML anchor


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measured number: what it answers, how sure it is, what it was measured on.

    ``key`` is the short name by which prose cites the number; empty if none does.
    """

    paper: str
    exhibit: str
    row: str
    column: str
    metric: str
    value: float
    standard_error: float | None = None
    n: int | None = None
    seeds: tuple[int, ...] = ()
    dataset: str = ""
    note: str = ""
    key: str = ""

    @property
    def identity(self) -> str:
        """What the number is, apart from its value: one line, unique in a run."""
        return " | ".join(
            (self.paper, self.exhibit, self.metric, self.row, self.column, self.dataset)
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """One line where a notebook's cell ends with a record."""
        error = "" if self.standard_error is None else f" ± {self.standard_error:.4g}"
        printer.text(f"{self.identity}: {self.value:.4g}{error}")

    def interval(self) -> tuple[float, float] | None:
        r"""The 95 % interval; none without a standard error.

        .. math:: \text{value} \mp q \cdot SE, \quad q = t_{S-1}(0.975) \text{ of } S > 1 \text{ seeds, else } 1.96

        Trainings of a few seeds tell little of their own spread: q is 4.3 of three. It is kept where
        images rather than seeds decide the error, which then is too wide, never too narrow.

        >>> number = dict(paper="p", exhibit="e", row="r", column="c", metric="m")
        >>> Result(**number, value=1.0, standard_error=0.0).interval()
        (1.0, 1.0)
        >>> low, high = Result(**number, value=1.0, standard_error=0.1, seeds=(0, 1, 2)).interval()
        >>> round(low, 2), round(high, 2)
        (0.57, 1.43)
        """
        if self.standard_error is None:
            return None
        seeds = len(self.seeds)
        quantile = student.ppf(0.975, seeds - 1) if seeds > 1 else norm.ppf(0.975)
        half = float(quantile) * self.standard_error
        return self.value - half, self.value + half


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a file under ``book/results`` holds."""

    run: dict[str, Any]
    results: tuple[Result, ...]

    def frame(self) -> pd.DataFrame:
        """The results as a table, one row a number."""
        return pd.DataFrame(
            [asdict(r) for r in self.results], columns=[f.name for f in fields(Result)]
        )


def load_record(path: str | os.PathLike[str]) -> Record | None:
    """The record at ``path``, or None if there is none; a broken one raises and is named."""
    path = Path(path)
    if not path.exists():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        results = tuple(Result(**{**r, "seeds": tuple(r["seeds"])}) for r in raw["results"])
        return Record(run=raw["run"], results=results)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            error_line(
                str(path), expected="a record", got=repr(error), hint="run its notebook again"
            )
        ) from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically: a reader sees the old file or the new one, whole."""
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


class Run:
    """The run a notebook is in: it collects results and shows plots.

    >>> run = Run("1_giqa/density_scores", {"profile": "quick", "seed": 0, "device": "cpu"})
    >>> run.record(paper="ours", exhibit="demo", row="a", column="b", metric="mean", value=0.5).value
    0.5
    """

    def __init__(self, notebook: str, parameters: Mapping[str, Any]) -> None:
        self.notebook = notebook
        # Where the record goes decides no number.
        self.parameters = {name: v for name, v in parameters.items() if name != "output"}
        self.profile = check_choice(str(parameters.get("profile")), PROFILES, name="profile")
        self.root = find_checkout()
        self.results: dict[str, Result] = {}
        self._started = time.perf_counter()
        known = exhibits(self.root)
        self._exhibits = set(zip(known["paper"], known["exhibit"], strict=True))

    def record(
        self,
        *,
        paper: str,
        exhibit: str,
        row: object,
        column: object,
        metric: str,
        value: SupportsFloat | Estimate,
        standard_error: SupportsFloat | None = None,
        n: SupportsInt | None = None,
        seeds: Iterable[SupportsInt] = (),
        dataset: str = "",
        note: str = "",
        key: str = "",
    ) -> Result:
        """Record one number; an ``Estimate`` brings its own standard error and n.

        ``row`` and ``column`` are named by their text: 5 and "5" are one column. ``key``, for
        numbers that prose cites, has lower-case letters, digits and hyphens. Raises
        ``InputError`` for an exhibit that no paper has, for a number that is not finite, and
        for a second number of the same place or key.
        """
        if isinstance(value, Estimate):
            standard_error = value.standard_error if standard_error is None else standard_error
            n = value.n if n is None else n
            value = value.value
        # A NumPy scalar would print as np.float64(...) and is no JSON.
        result = Result(
            paper=paper,
            exhibit=exhibit,
            row=str(row),
            column=str(column),
            metric=metric,
            value=float(value),
            standard_error=None if standard_error is None else float(standard_error),
            n=None if n is None else int(n),
            seeds=tuple(int(seed) for seed in seeds),
            dataset=dataset,
            note=note,
            key=key,
        )
        self._check(result)
        self.results[result.identity] = result
        return result

    def _check(self, result: Result) -> None:
        def complain(name: str, *, expected: str, got: str, hint: str) -> InputError:
            return InputError(error_line(name, expected=expected, got=got, hint=hint))

        if result.paper != OURS and (result.paper, result.exhibit) not in self._exhibits:
            raise complain(
                "exhibit",
                expected="a row of book/papers/exhibits.csv",
                got=f"{result.paper} {result.exhibit}",
                hint='spell it as there, or record it with paper="ours"',
            )
        error = 0.0 if result.standard_error is None else result.standard_error
        if not (math.isfinite(result.value) and math.isfinite(error) and error >= 0):
            raise complain(
                result.identity,
                expected="a finite value and an error >= 0",
                got=f"{result.value} and {result.standard_error}",
                hint="find what made it so",
            )
        if result.identity in self.results:
            hint = "name its row, column or data set apart"
            raise complain(result.identity, expected="one number", got="a second one", hint=hint)
        if result.key and not KEY.fullmatch(result.key):
            hint = "for example gain-components"
            wanted = "lower-case letters, digits and hyphens"
            raise complain("key", expected=wanted, got=repr(result.key), hint=hint)
        if result.key and any(r.key == result.key for r in self.results.values()):
            raise complain(
                "key", expected="one number a key", got=f"{result.key!r} again", hint="rename it"
            )

    def table(self, exhibit: str | None = None) -> pd.DataFrame:
        """What has been recorded so far, of one exhibit or of all."""
        record = Record(run={}, results=tuple(self.results.values())).frame()
        return record if exhibit is None else record[record["exhibit"] == exhibit]

    def content(self) -> dict[str, Any]:
        """The record as JSON content."""
        run = {
            "notebook": self.notebook,
            "profile": self.profile,
            "parameters": self.parameters,
            "config_hash": config_hash(self.parameters),
            "versions": versions(),
            "commit": commit(self.root),
            "device": device_name(str(self.parameters.get("device", "cpu"))),
            "seconds": round(time.perf_counter() - self._started, 2),
        }
        return {"run": run, "results": [asdict(r) for r in self.results.values()]}

    def save(self, output: str | os.PathLike[str]) -> Path | None:
        """Write the record below ``output``; with an empty ``output`` nothing is written."""
        if not os.fspath(output):
            return None
        path = Path(output) / self.profile / f"{self.notebook}.json"
        write_json(path, self.content())
        return path
