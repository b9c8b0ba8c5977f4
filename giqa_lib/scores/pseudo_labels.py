r"""Pseudo-labels of quality from training iterations: GIQA, Eq. 1 and 2.

A generator's images get better as it trains, so the iteration an image was generated at stands
in for its quality (Eq. 1), with real images above all:

.. math:: S_p(I) = \begin{cases} S_g \cdot iter / max\_iter & \text{generated} \\ 1 & \text{real} \end{cases}

N thresholds :math:`0 < T_1 < \dots < T_N = 1` make it N binary labels :math:`c_i = [S_p \ge T_i]`
(Eq. 2). The paper does not print its thresholds. Known departure of the official code: it compares
strictly (>).
"""

import csv
import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from giqa_lib.checks import (
    InputError,
    check_positive,
    check_probability,
    check_same_length,
    error_line,
)

__all__ = [
    "OFFICIAL_ITERATIONS",
    "LabelledFiles",
    "binary_labels",
    "even_thresholds",
    "official_thresholds",
    "pseudo_labels",
    "read_label_file",
    "read_official_names",
]

#: Iterations that the official code splits StyleGAN's training at, of 770,000, for its eight classifiers.
OFFICIAL_ITERATIONS = (190_000, 280_000, 370_000, 460_000, 550_000, 640_000, 730_000)
OFFICIAL_LAST_ITERATION = 770_000
REAL = "real"
_OFFICIAL_NAME = re.compile(r"(\d+)_(\d+)_(\d+)")


def pseudo_labels(
    iterations: ArrayLike,
    *,
    real: ArrayLike | None = None,
    last_iteration: float | None = None,
    top: float = 0.9,
) -> NDArray[np.float64]:
    """Eq. 1: a label in [0, 1] for each image, higher is better.

    Parameters
    ----------
    iterations : (n,) the training iteration of each generated image, 0 or more; ignored where ``real``.
    real : (n,) true for real images; none by default.
    last_iteration : max_iter; the largest iteration by default.
    top : S_g, the label of the last iteration, in (0, 1).

    >>> pseudo_labels([0, 50, 100, 0], real=[False, False, False, True])
    array([0.  , 0.45, 0.9 , 1.  ])
    """
    check_probability(top, name="top", open_ends=True)
    steps = np.asarray(iterations, dtype=np.float64)
    is_real = np.zeros(len(steps), bool) if real is None else np.asarray(real, dtype=bool)
    check_same_length(iterations=steps, real=is_real)
    generated = steps[~is_real]
    if not np.isfinite(generated).all():
        row = int(np.flatnonzero(~is_real & ~np.isfinite(steps))[0])
        hint = "give each generated image its iteration, or mark it real"
        raise InputError(
            error_line("iterations", expected="a number", got=f"none in row {row}", hint=hint)
        )
    if len(generated) and generated.min() < 0:
        row = int(np.flatnonzero(~is_real & (steps < 0))[0])
        got, hint = f"{steps[row]:g} in row {row}", "iterations count from 0"
        raise InputError(error_line("iterations", expected=">= 0", got=got, hint=hint))
    last = float(generated.max(initial=0)) if last_iteration is None else float(last_iteration)
    if len(generated):
        check_positive(last, name="last_iteration")
    if len(generated) and generated.max() > last:
        row = int(np.flatnonzero(~is_real & (steps > last))[0])
        got, hint = f"{steps[row]:g} in row {row}", "raise last_iteration, or mend the label"
        raise InputError(error_line("iterations", expected=f"<= {last:g}", got=got, hint=hint))
    labels = np.ones(len(steps))
    labels[~is_real] = top * generated / last if len(generated) else 0.0
    if len(labels) == 0 or labels.min() == labels.max():
        got = "no image" if len(labels) == 0 else f"{labels[0]:g} for all {len(labels)} images"
        hint = "add images of other iterations, or real ones"
        raise InputError(error_line("labels", expected="two values or more", got=got, hint=hint))
    return labels


def even_thresholds(count: int, *, top: float = 0.9) -> tuple[float, ...]:
    """The paper's N: N - 1 even steps of the generated images' labels, and 1 (real or not).

    The paper prints only N; even steps are this project's reading. One threshold is BC-GIQA.

    >>> even_thresholds(3), even_thresholds(1)
    ((0.3, 0.6, 1.0), (1.0,))
    """
    check_positive(count, name="count")
    return (*(round(top * i / count, 12) for i in range(1, count)), 1.0)


def official_thresholds(*, top: float = 0.9) -> tuple[float, ...]:
    """The official code's eight: seven iteration thresholds, as labels of Eq. 1, and real against fake.

    >>> [round(t, 3) for t in official_thresholds()]
    [0.222, 0.327, 0.432, 0.538, 0.643, 0.748, 0.853, 1.0]
    """
    return (*(top * step / OFFICIAL_LAST_ITERATION for step in OFFICIAL_ITERATIONS), 1.0)


def binary_labels(labels: ArrayLike, thresholds: Sequence[float]) -> NDArray[np.float64]:
    """Eq. 2: (n, N) of 0 and 1, is the label at least T_i?

    >>> binary_labels([0.2, 0.3, 1.0], (0.3, 1.0))
    array([[0., 0.],
           [1., 0.],
           [1., 1.]])
    """
    rising = all(a < b for a, b in itertools.pairwise(thresholds))
    if not thresholds or not rising or thresholds[0] <= 0 or thresholds[-1] != 1:
        hint = "take even_thresholds(N) or official_thresholds()"
        expected = "0 < T_1 < ... < T_N = 1"
        raise InputError(
            error_line("thresholds", expected=expected, got=str(tuple(thresholds)), hint=hint)
        )
    return (np.asarray(labels)[:, None] >= np.asarray(thresholds)).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class LabelledFiles:
    """Image files with the iteration each was generated at; NaN and ``real`` for real ones."""

    paths: tuple[Path, ...]
    iterations: NDArray[np.float64]
    real: NDArray[np.bool_]

    def labels(
        self, *, last_iteration: float | None = None, top: float = 0.9
    ) -> NDArray[np.float64]:
        """Eq. 1 for each file."""
        return pseudo_labels(
            self.iterations, real=self.real, last_iteration=last_iteration, top=top
        )


def read_label_file(path: str | os.PathLike[str]) -> LabelledFiles:
    r"""A CSV file with the columns ``image`` and ``iteration``: a number, or ``real``.

    Paths are relative to the file. Every wrong row is an error that names it.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = file.write_text("image,iteration\na.png,100\nb.png,real\n")
    >>> read_label_file(file).real
    array([False,  True])
    """
    path = Path(path)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        if not {"image", "iteration"} <= set(columns):
            got, hint = ", ".join(columns) or "none", "name them in the first line"
            raise InputError(
                error_line(str(path), expected="columns image, iteration", got=got, hint=hint)
            )
        rows = list(reader)
    steps = [_iteration(row, path, line) for line, row in enumerate(rows, start=2)]
    return _labelled([path.parent / row["image"] for row in rows], steps, str(path))


def read_official_names(paths: Sequence[str | os.PathLike[str]]) -> LabelledFiles:
    """The official code's convention: ``ITER_GROUP_IDX.png`` is generated, a name without ``_`` real.

    >>> read_official_names(["107900_0_1.png", "00012.png"]).iterations
    array([107900.,     nan])
    """
    files = [Path(path) for path in paths]
    steps = []
    for file in files:
        found = _OFFICIAL_NAME.fullmatch(file.stem)
        if found is None and "_" in file.stem:
            hint = "rename it, or give a label file (image,iteration)"
            expected = "ITER_GROUP_IDX, or a name without _"
            raise InputError(error_line("image", expected=expected, got=file.name, hint=hint))
        steps.append(float("nan") if found is None else float(found[1]))
    return _labelled(files, steps, "paths")


def _iteration(row: dict[str, str], path: Path, line: int) -> float:
    text = (row["iteration"] or "").strip()
    if text == REAL:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        hint = f"write the iteration that {row['image']} was generated at, or {REAL}"
        expected, got = f"an iteration >= 0 or {REAL!r}", repr(text)
        raise InputError(error_line(f"{path}, line {line}", expected=expected, got=got, hint=hint))
    return value


def _labelled(paths: Sequence[Path], steps: Sequence[float], name: str) -> LabelledFiles:
    if not paths:
        hint = "list the images, a line each"
        raise InputError(error_line(name, expected="at least one image", got="none", hint=hint))
    iterations = np.asarray(steps, dtype=np.float64)
    return LabelledFiles(paths=tuple(paths), iterations=iterations, real=np.isnan(iterations))
