"""Boxes and arrows: who gives what to whom."""

from collections.abc import Mapping, Sequence

import pandas as pd

from giqa_lib.checks import InputError, error_line
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.style import styled_figure
from giqa_lib.figures.wording import listing

__all__ = ["diagram"]

Place = tuple[float, float]


def diagram(
    boxes: Mapping[str, Place],
    arrows: Sequence[tuple[str, str, str]],
    *,
    plain: Sequence[str] = (),
    height: float = 3.4,
) -> Plot:
    """Draw named ``boxes`` at (column, row), row 0 at the top, and ``arrows`` (from, to, label) between them.

    Names in ``plain`` are drawn without a frame: what comes in or goes out. Data: ``source``, ``target``,
    ``label``. Raises InputError for an arrow whose end is no box.

    >>> diagram({"G": (0, 0), "D": (1, 0)}, [("G", "D", "images")]).alt
    'Diagram of 2 boxes: G and D. Arrows: G to D (images).'
    """
    unknown = {end for arrow in arrows for end in arrow[:2]} - set(boxes)
    if unknown or not arrows:
        got = ", ".join(sorted(unknown)) or "no arrow"
        expected, hint = f"ends among {', '.join(boxes)}", "name the boxes as in boxes"
        raise InputError(error_line("arrows", expected=expected, got=got, hint=hint))
    columns, rows = ([place[axis] for place in boxes.values()] for axis in (0, 1))
    with styled_figure(height=height, layout=None) as figure:
        axes = figure.add_axes((0.02, 0.02, 0.96, 0.96))
        axes.set_axis_off()
        axes.set_xlim(min(columns) - 0.5, max(columns) + 0.5)
        axes.set_ylim(max(rows) + 0.5, min(rows) - 0.5)
        drawn = {}
        for name, place in boxes.items():
            frame = {"boxstyle": "round,pad=0.5", "edgecolor": "0.2", "facecolor": "0.95"}
            blank = {"boxstyle": "round,pad=0.3", "edgecolor": "none", "facecolor": "white"}
            drawn[name] = axes.text(
                place[0],
                place[1],
                name,
                ha="center",
                va="center",
                bbox=blank if name in plain else frame,
            )
        for source, target, label in arrows:
            axes.annotate(
                "",
                xy=boxes[target],
                xytext=boxes[source],
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": "0.25",
                    "linewidth": 1.2,
                    "patchA": drawn[source].get_bbox_patch(),
                    "patchB": drawn[target].get_bbox_patch(),
                    "shrinkA": 2,
                    "shrinkB": 2,
                },
            )
            middle = [(a + b) / 2 for a, b in zip(boxes[source], boxes[target], strict=True)]
            if label:
                axes.text(
                    middle[0],
                    middle[1],
                    label,
                    ha="center",
                    va="center",
                    fontsize=8.5,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
                )
    told = [f"{a} to {b} ({label})" if label else f"{a} to {b}" for a, b, label in arrows]
    alt = f"Diagram of {len(boxes)} boxes: {listing(list(boxes))}. Arrows: {listing(told)}."
    data = pd.DataFrame(list(arrows), columns=["source", "target", "label"])
    return Plot(figure, alt=alt.replace("\n", " "), data=data)
