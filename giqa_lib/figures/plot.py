"""A plot as the book needs it: the figure, what it shows in words, and the data it draws."""

from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from giqa_lib.checks import InputError, error_line

__all__ = ["Plot"]


@dataclass(frozen=True)
class Plot:
    """A figure, its alternative text, and exactly the data that it draws.

    The figure is not registered with pyplot: nothing shows it twice and nothing has to close it.

    >>> Plot(Figure(), alt="One point at 1, 2.", data=pd.DataFrame({"x": [1], "y": [2]}))
    Plot(alt='One point at 1, 2.')
    """

    figure: Figure = field(repr=False)
    alt: str
    data: pd.DataFrame = field(repr=False)

    def __post_init__(self) -> None:
        if not self.alt.strip():
            hint = "say what a reader would see: what is plotted, its range, its trend"
            raise InputError(
                error_line("alt", expected="a description", got="an empty one", hint=hint)
            )
        if self.data.empty:
            hint = "give the plotted values, one row each"
            raise InputError(error_line("data", expected="rows", got="none", hint=hint))
