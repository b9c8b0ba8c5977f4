"""Every plot of the book: figure, alternative text and data in one object.

    image_grid  sorted_strip  best_and_worst     images with their scores
    score_distributions  cumulative_scores  score_points   how scores are distributed
    fitted_scatter                               scores against opinions
    spectra                                      average spectra of sets of images
    sweep  curves  bars  matrix  power_laws      tables of measurements
    density_contours                             density scores over the plane

Each function returns a :class:`Plot` and changes no setting of Matplotlib. Colours come from a
palette for colour-blind readers, and markers or line styles tell series apart without colour.
"""

from giqa_lib.figures.bars import bars
from giqa_lib.figures.curves import curves
from giqa_lib.figures.densities import density_contours
from giqa_lib.figures.diagram import diagram
from giqa_lib.figures.distributions import cumulative_scores, score_distributions
from giqa_lib.figures.fits import fitted_scatter
from giqa_lib.figures.heatmap import matrix
from giqa_lib.figures.images import best_and_worst, image_grid, sorted_strip
from giqa_lib.figures.label_maps import coloured_maps
from giqa_lib.figures.plot import Plot
from giqa_lib.figures.points import score_points
from giqa_lib.figures.power_laws import power_laws
from giqa_lib.figures.spectra import spectra
from giqa_lib.figures.sweeps import sweep

__all__ = [
    "Plot",
    "bars",
    "best_and_worst",
    "coloured_maps",
    "cumulative_scores",
    "curves",
    "density_contours",
    "diagram",
    "fitted_scatter",
    "image_grid",
    "matrix",
    "power_laws",
    "score_distributions",
    "score_points",
    "sorted_strip",
    "spectra",
    "sweep",
]
