"""A table as coloured cells with their numbers written in."""

import numpy as np
import pandas as pd
import seaborn as sns

from giqa_lib.checks import InputError, error_line
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import WIDTH, styled_figure
from giqa_lib.figures.wording import counted, listing, number, plain, upper_first

__all__ = ["matrix"]


def matrix(
    frame: pd.DataFrame,
    *,
    label: str,
    row_label: str = "",
    column_label: str = "",
    digits: int = 2,
    centre: float | None = None,
) -> Plot:
    """Draw the numbers of ``frame`` as cells; its index and columns name them.

    ``label`` says what the numbers are. With ``centre`` (0 for correlations) the colours diverge
    from there. NaN leaves a cell empty. Data: the index as the first column, then the columns.
    Raises InputError on columns that are not numbers, infinite values, or nothing to draw.

    >>> table = pd.DataFrame({"FFHQ": [0.7, 0.6]}, index=["GMM", "KNN"])
    >>> matrix(table, label="Pair accuracy").alt
    'Pair accuracy in 2 rows and 1 column of cells, 0.6 to 0.7. Highest at GMM, FFHQ; lowest at KNN, FFHQ. Row means, highest first: GMM 0.7 and KNN 0.6.'
    """
    values = _check_table(frame)
    names = plain(row_label) or str(frame.index.name or "row")
    if names in frame.columns:
        hint = "the data carry it as the first column: choose another"
        expected = "a name that no column has"
        raise InputError(error_line("row_label", expected=expected, got=repr(names), hint=hint))
    rows, columns = (list(map(str, names)) for names in (frame.index, frame.columns))
    # Limits at equal distances, since seaborn's own centring warns under Matplotlib 3.11.
    reach = 0.0 if centre is None else float(np.nanmax(np.abs(values - centre))) or 1.0
    height = 1.3 + 0.42 * len(rows)
    with styled_figure(WIDTH, height) as figure:
        axes = figure.subplots()
        sns.heatmap(
            pd.DataFrame(values, rows, columns),
            ax=axes,
            annot=True,
            fmt=f".{digits}f",
            cmap="PuOr" if centre is not None else "Blues",
            vmin=None if centre is None else centre - reach,
            vmax=None if centre is None else centre + reach,
            linewidths=1,
            linecolor="white",
            cbar_kws={"label": label},
        )
        axes.set_xlabel(column_label)
        axes.set_ylabel(row_label)
        axes.tick_params(length=0)
        axes.tick_params(axis="y", labelrotation=0)
        if max(map(len, columns)) * len(columns) > 60:
            axes.tick_params(axis="x", labelrotation=35)
            for text in axes.get_xticklabels():
                text.set(ha="right", rotation_mode="anchor")
    data = frame.reset_index(drop=True)
    data.insert(0, names, rows)
    return Plot(figure, _alt(values, rows, columns, label), data)


def _check_table(frame: pd.DataFrame) -> np.ndarray:
    if not frame.columns.is_unique:
        got = ", ".join(map(str, frame.columns))
        hint = "rename the repeated ones"
        raise InputError(error_line("frame", expected="different columns", got=got, hint=hint))
    text = [str(c) for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
    if text:
        hint = "make the names of the rows the index with set_index"
        got = f"text in {', '.join(text)}"
        raise InputError(error_line("frame", expected="numbers", got=got, hint=hint))
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(values).any() or np.isinf(values).any():
        got = "an infinite one" if np.isinf(values).any() else "none"
        hint = "check the selection; NaN leaves a cell empty"
        raise InputError(error_line("frame", expected="finite numbers", got=got, hint=hint))
    return values


def _alt(values: np.ndarray, rows: list[str], columns: list[str], label: str) -> str:
    high = divmod(int(np.nanargmax(values)), len(columns))
    low = divmod(int(np.nanargmin(values)), len(columns))
    alt = (
        f"{upper_first(plain(label))} in {counted(len(rows), 'row')} and "
        f"{counted(len(columns), 'column')} of cells, "
        f"{number(values[low])} to {number(values[high])}. "
        f"Highest at {rows[high[0]]}, {columns[high[1]]}; "
        f"lowest at {rows[low[0]]}, {columns[low[1]]}."
    )
    means = [
        (np.nanmean(row), name)
        for row, name in zip(values, rows, strict=True)
        if (row == row).any()
    ]
    told = [f"{name} {number(mean)}" for mean, name in sorted(means, key=lambda item: -item[0])]
    alt += f" Row means, highest first: {listing(told)}." if len(told) > 1 else ""
    empty = int(np.isnan(values).sum())
    return alt + (f" {upper_first(counted(empty, 'cell'))} empty." if empty else "")
