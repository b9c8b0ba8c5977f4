"""Pictures laid out on a sheet measured in inches, with captions under them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from giqa_lib.figures.style import WIDTH

__all__ = ["Sheet", "sheet_for"]

_GAP = 0.06  # inches between neighbouring pictures
_RIM = 0.03  # inches to the right and below, or the last picture's edge is cut
_LARGEST = 1.4  # inches: small images gain nothing from a wider tile
_POINTS = 72.0  # an inch
_LETTER = 0.6  # width of a letter as a share of the font's size
_DPI = 110


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Where pictures and words go; all lengths in inches, the origin at the top left.

    ``gutter`` is extra room before the column ``gutter_at``.
    """

    rows: int
    columns: int
    tile: tuple[float, float]
    left: float
    top: float
    caption: float
    gutter: float
    gutter_at: int

    @property
    def width(self) -> float:
        """Of the whole sheet."""
        return self.left + self.columns * (self.tile[0] + _GAP) - _GAP + self.gutter + _RIM

    @property
    def height(self) -> float:
        """Of the whole sheet."""
        return self.top + self.rows * (self.tile[1] + self.caption + _GAP) - _GAP + _RIM

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """Left and top of a tile."""
        left = self.left + column * (self.tile[0] + _GAP)
        if self.gutter and column >= self.gutter_at:
            left += self.gutter
        return left, self.top + row * (self.tile[1] + self.caption + _GAP)

    def axes(self, figure: Figure) -> Axes:
        """Axes over the whole of ``figure`` whose data coordinates are the sheet's inches."""
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        return axes

    def picture(
        self,
        axes: Axes,
        image: UInt8[torch.Tensor, "c h w"],
        row: int,
        column: int,
        caption: str = "",
    ) -> None:
        """Draw one picture, small ones with square pixels, and its caption below it."""
        left, top = self.corner(row, column)
        width, height = self.tile
        pixels = image.detach().cpu().permute(1, 2, 0).numpy()
        grey = pixels.shape[2] == 1
        enlarged = pixels.shape[0] <= height * _DPI and pixels.shape[1] <= width * _DPI
        axes.imshow(
            pixels[:, :, 0] if grey else pixels,
            cmap="gray" if grey else None,
            vmin=0 if grey else None,
            vmax=255 if grey else None,
            extent=(left, left + width, top + height, top),
            interpolation="nearest" if enlarged else "antialiased",
            aspect="auto",
        )
        # Without a rim a white picture has no edge on the white page.
        axes.add_patch(
            Rectangle((left, top), width, height, fill=False, edgecolor="0.75", linewidth=0.5)
        )
        if caption:
            place = (left + width / 2, top + height + 0.035)
            size = float(np.clip(width * _POINTS / (_LETTER * len(caption)), 6, 9.5))
            axes.text(*place, caption, fontsize=size, ha="center", va="top", parse_math=False)

    def row_label(self, axes: Axes, text: str, row: int) -> None:
        """Write ``text`` to the left of a row."""
        left, top = self.corner(row, 0)
        axes.text(
            left - 0.1,
            top + self.tile[1] / 2,
            text,
            fontsize=10,
            ha="right",
            va="center",
            parse_math=False,
        )

    def heading(self, axes: Axes, text: str, columns: tuple[int, int]) -> None:
        """Write ``text`` over the tiles from the first to the last of ``columns``."""
        first, last = (self.corner(0, column)[0] for column in columns)
        middle = (first + last + self.tile[0]) / 2
        axes.text(middle, self.top - 0.06, text, fontsize=10.5, ha="center", va="bottom")


def sheet_for(
    *,
    rows: int,
    columns: int,
    shape: tuple[int, int],
    row_labels: Sequence[str] = (),
    captions: bool = False,
    headings: bool = False,
    gutter_at: int = 0,
) -> Sheet:
    """The sheet, at most 7 inches wide, for ``rows`` x ``columns`` pictures of (height, width).

    >>> round(sheet_for(rows=2, columns=10, shape=(28, 28)).width, 6)
    7.0
    """
    longest = max((len(line) for label in row_labels for line in label.split("\n")), default=0)
    left = longest * _LETTER * 10 / _POINTS + 0.12 if longest else 0.02
    gutter = 0.22 if gutter_at else 0.0
    room = WIDTH - left - gutter - _RIM - (columns - 1) * _GAP
    width = min(_LARGEST, room / columns)
    return Sheet(
        rows=rows,
        columns=columns,
        tile=(width, width * shape[0] / shape[1]),
        left=left,
        top=0.32 if headings else 0.02,
        caption=0.2 if captions else 0.0,
        gutter=gutter,
        gutter_at=gutter_at,
    )
