"""The command line ``giqa``, and what its commands write, for use from Python."""

from giqa_lib.cli.compare import measure_plot, write_comparison
from giqa_lib.cli.contact_sheet import contact_sheet, write_png
from giqa_lib.cli.gallery import gallery, write_gallery
from giqa_lib.cli.main import main
from giqa_lib.cli.options import named_set
from giqa_lib.cli.pick import write_picked
from giqa_lib.cli.score import write_scores
from giqa_lib.cli.scores_file import read_scores, read_table, write_table
from giqa_lib.cli.thumbnails import thumbnails
from giqa_lib.cli.writing import whole_file, whole_folder

__all__ = [
    "contact_sheet",
    "gallery",
    "main",
    "measure_plot",
    "named_set",
    "read_scores",
    "read_table",
    "thumbnails",
    "whole_file",
    "whole_folder",
    "write_comparison",
    "write_gallery",
    "write_picked",
    "write_png",
    "write_scores",
    "write_table",
]
