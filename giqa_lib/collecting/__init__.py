"""Collecting people's judgements of images: what is asked in which order, a page that asks, and a file that keeps the answers."""

from giqa_lib.collecting.judgements import Judgements, export_judgements
from giqa_lib.collecting.plan import Question, StudyPlan, read_pairs
from giqa_lib.collecting.server import Collector

__all__ = [
    "Collector",
    "Judgements",
    "Question",
    "StudyPlan",
    "export_judgements",
    "read_pairs",
]
