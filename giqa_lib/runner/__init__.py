"""Run notebooks with checked parameters, test claims, plan runs, lay out and render the book."""

from giqa_lib.runner.claim import ClaimTest, run_claim
from giqa_lib.runner.execute import NotebookFailed, Paths, execute
from giqa_lib.runner.fingerprint import dependencies, fingerprint, notebook_path
from giqa_lib.runner.parameters import (
    Parameter,
    check_parameters,
    declared_parameters,
    parse_assignments,
)
from giqa_lib.runner.plan import ChapterPlan, plan, plan_text, training_lines
from giqa_lib.runner.render import RenderFailed, render
from giqa_lib.runner.site import StaleRun, assemble, chapters

__all__ = [
    "ChapterPlan",
    "ClaimTest",
    "NotebookFailed",
    "Parameter",
    "Paths",
    "RenderFailed",
    "StaleRun",
    "assemble",
    "chapters",
    "check_parameters",
    "declared_parameters",
    "dependencies",
    "execute",
    "fingerprint",
    "notebook_path",
    "parse_assignments",
    "plan",
    "plan_text",
    "render",
    "run_claim",
    "training_lines",
]
