"""Figures made of images: a grid, a strip sorted by score, the best beside the worst.

The strip is the form of GIQA's Figure 2 (arXiv 2003.08932), the two ends that of its Figure 3.
Departure: both print each image's score under it, which the paper does not.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike

from giqa_lib.checks import InputError, check_positive, check_scores, error_line
from giqa_lib.figures.inputs import check_pictures
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import styled_figure
from giqa_lib.figures.tiles import Sheet, sheet_for
from giqa_lib.figures.wording import counted, listing, number, upper_first

__all__ = ["best_and_worst", "image_grid", "sorted_strip"]


def image_grid(
    images: torch.Tensor,
    *,
    columns: int,
    row_labels: Sequence[str] | None = None,
    titles: Sequence[str] | None = None,
    alt: str | None = None,
) -> Plot:
    """Show uint8 ``images`` (n, c, h, w) row by row.

    ``row_labels`` has one entry a row, ``titles`` one an image (written under it). ``alt`` can
    say what the images show; by default it says how many there are and how they are labelled.
    Data: ``index``, ``row``, ``column``, and ``row_label`` and ``title`` where given. Raises
    InputError on images of another type and on labels that do not match in number.

    >>> pictures = torch.zeros(6, 1, 8, 8, dtype=torch.uint8)
    >>> image_grid(pictures, columns=3, row_labels=["real", "generated"]).alt
    'Grid of 6 images, 2 rows of 3. Rows from the top: real and generated.'
    """
    check_pictures(images)
    check_positive(columns, name="columns")
    count = len(images)
    columns = min(columns, count)
    rows = -(-count // columns)
    _check_labels(row_labels, rows, "row_labels", "row")
    _check_labels(titles, count, "titles", "image")
    data = pd.DataFrame({"index": range(count)})
    data["row"], data["column"] = data["index"] // columns, data["index"] % columns
    if row_labels is not None:
        data["row_label"] = [row_labels[row] for row in data["row"]]
    if titles is not None:
        data["title"] = list(titles)
    sheet = sheet_for(
        rows=rows,
        columns=columns,
        shape=(images.shape[2], images.shape[3]),
        row_labels=row_labels or (),
        captions=titles is not None,
    )
    plot_alt = alt or _grid_alt(count, rows, columns, row_labels, titles)
    captions = titles if titles is not None else [""] * count
    return _draw(sheet, images, data, captions, row_labels or (), (), plot_alt)


def sorted_strip(
    images: torch.Tensor,
    scores: ArrayLike | torch.Tensor,
    *,
    count: int = 24,
    rows: int = 3,
    score_name: str = "score",
    subject: str = "image",
) -> Plot:
    """Show ``count`` of the ``images`` from the worst to the best ``scores`` (GIQA, Figure 2).

    The images are sorted by score (n,), equal scores by index, and taken at evenly spaced ranks,
    both ends included: a sample along the range by quantile, with no chance in it. ``subject``
    is the singular of what they show, for the alternative text. Data: ``index``, ``score``,
    ``rank`` (0 is the worst), ``row``, ``column``. Raises InputError if there are fewer than
    ``count`` images.

    >>> pictures = torch.zeros(9, 1, 8, 8, dtype=torch.uint8)
    >>> list(sorted_strip(pictures, np.arange(9.0), count=3, rows=1).data["index"])
    [0, 4, 8]
    """
    check_positive(count, name="count")
    check_positive(rows, name="rows")
    check_pictures(images, at_least=count)
    values = check_scores(scores, count=len(images))
    ranks = np.linspace(0, len(values) - 1, count).round().astype(np.int64)
    chosen = np.argsort(values, kind="stable")[ranks]
    columns = -(-count // rows)
    place = np.arange(count)
    data = pd.DataFrame(
        {
            "index": chosen,
            "score": values[chosen],
            "rank": ranks,
            "row": place // columns,
            "column": place % columns,
        }
    )
    used = int(data["row"].max()) + 1
    labels = ["worst" if row == 0 else "best" if row == used - 1 else "" for row in range(used)]
    if used == 1:
        labels = ["worst\nto best"]
    sheet = sheet_for(
        rows=used,
        columns=columns,
        shape=(images.shape[2], images.shape[3]),
        row_labels=labels,
        captions=True,
    )
    alt = (
        f"{count} of {counted(len(values), subject)} in {counted(used, 'row')}, from the lowest "
        f"{score_name} at the top left to the highest at the bottom right, at evenly spaced ranks. "
        f"The {score_name} printed under each rises from {number(data['score'].iloc[0])} through "
        f"{number(data['score'].iloc[(count - 1) // 2])} half way to "
        f"{number(data['score'].iloc[-1])}."
    )
    captions = [number(score) for score in data["score"]]
    return _draw(sheet, images, data, captions, labels, (), alt)


def best_and_worst(
    images: torch.Tensor,
    scores: Mapping[str, ArrayLike | torch.Tensor],
    *,
    count: int = 4,
    subject: str = "image",
) -> Plot:
    """Show each method's ``count`` best and ``count`` worst images (GIQA, Figure 3).

    ``scores`` has for each method the scores (n,) of the same images; a method is a row, the best
    on the left from the very best on, the worst on the right down to the very worst. Data:
    ``method``, ``side`` (best or worst), ``row``, ``column``, ``index``, ``score``. Raises
    InputError if there are fewer than ``2 * count`` images, which would show some on both sides.

    >>> pictures = torch.zeros(9, 1, 8, 8, dtype=torch.uint8)
    >>> list(best_and_worst(pictures, {"GMM": np.arange(9.0)}, count=2).data["index"])
    [8, 7, 1, 0]
    """
    check_positive(count, name="count")
    check_pictures(images, at_least=2 * count)
    if not scores:
        hint = "give {'GMM': scores}"
        raise InputError(error_line("scores", expected="a method", got="none", hint=hint))
    parts = []
    for row, (method, given) in enumerate(scores.items()):
        values = check_scores(given, name=f"scores[{method!r}]", count=len(images))
        order = np.argsort(-values, kind="stable")
        chosen = np.concatenate([order[:count], order[-count:]])
        part = {"method": method, "side": ["best"] * count + ["worst"] * count, "row": row}
        part |= {"column": range(2 * count), "index": chosen, "score": values[chosen]}
        parts.append(pd.DataFrame(part))
    data = pd.concat(parts, ignore_index=True)
    sheet = sheet_for(
        rows=len(scores),
        columns=2 * count,
        shape=(images.shape[2], images.shape[3]),
        row_labels=list(scores),
        captions=True,
        headings=True,
        gutter_at=count,
    )
    headings = (
        (f"Highest {count}", (0, count - 1)),
        (f"Lowest {count}", (count, 2 * count - 1)),
    )
    captions = [number(score) for score in data["score"]]
    alt = _ends_alt(data, count, counted(len(images), subject))
    return _draw(sheet, images, data, captions, list(scores), headings, alt)


def _draw(
    sheet: Sheet,
    images: torch.Tensor,
    data: pd.DataFrame,
    captions: Sequence[str],
    row_labels: Sequence[str],
    headings: Sequence[tuple[str, tuple[int, int]]],
    alt: str,
) -> Plot:
    with styled_figure(sheet.width, sheet.height, layout=None) as figure:
        axes = sheet.axes(figure)
        places = zip(data["index"], data["row"], data["column"], captions, strict=True)
        for index, row, column, caption in places:
            sheet.picture(axes, images[int(index)], int(row), int(column), caption)
        for row, label in enumerate(row_labels):
            sheet.row_label(axes, label, row)
        for text, columns in headings:
            sheet.heading(axes, text, columns)
        # imshow shrinks the limits to the last picture.
        axes.set_xlim(0, sheet.width)
        axes.set_ylim(sheet.height, 0)
    return Plot(figure, alt, data)


def _check_labels(labels: Sequence[str] | None, count: int, name: str, each: str) -> None:
    if labels is not None and len(labels) != count:
        hint = f"give one for each {each}"
        raise InputError(
            error_line(name, expected=f"{count} labels", got=str(len(labels)), hint=hint)
        )


def _grid_alt(
    count: int,
    rows: int,
    columns: int,
    row_labels: Sequence[str] | None,
    titles: Sequence[str] | None,
) -> str:
    alt = f"Grid of {counted(count, 'image')}, {counted(rows, 'row')} of {columns}."
    if row_labels is not None:
        alt += f" Rows from the top: {listing(list(row_labels))}."
    if titles is not None and count <= 12:
        alt += f" Written under them, row by row: {listing(list(titles))}."
    elif titles is not None:
        alt += f" Written under them: from {titles[0]} to {titles[-1]}."
    return alt


def _ends_alt(data: pd.DataFrame, count: int, total: str) -> str:
    """Which scores each method's two ends have, and how many images the methods share."""
    sentences = [f"The {count} highest and the {count} lowest scored of {total}, one row a method."]
    for method, part in data.groupby("method", sort=False):
        best = part.loc[part["side"] == "best", "score"]
        worst = part.loc[part["side"] == "worst", "score"]
        sentences.append(
            upper_first(f"{method}: left {number(best.max())} to {number(best.min())}, ")
            + f"right {number(worst.max())} to {number(worst.min())}."
        )
    if data["method"].nunique() > 1:
        shared = []
        for side in ("best", "worst"):
            sets = [set(p["index"]) for _, p in data[data["side"] == side].groupby("method")]
            shared.append(f"{len(set.intersection(*sets))} of the {side} {count}")
        sentences.append(f"All methods agree on {listing(shared)}.")
    return " ".join(sentences)
