"""Run notebooks with checked parameters, sweep over them, test claims, plan runs, lay out and render the book."""

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
from giqa_lib.runner.sweep import (
    Sweep,
    SweepUnfinished,
    gather_sweep,
    load_sweep,
    plan_sweep,
    run_of_sweep,
    run_sweep,
    save_sweep,
)

__all__ = [
    "ChapterPlan",
    "ClaimTest",
    "NotebookFailed",
    "Parameter",
    "Paths",
    "RenderFailed",
    "StaleRun",
    "Sweep",
    "SweepUnfinished",
    "assemble",
    "chapters",
    "check_parameters",
    "declared_parameters",
    "dependencies",
    "execute",
    "fingerprint",
    "gather_sweep",
    "load_sweep",
    "notebook_path",
    "parse_assignments",
    "plan",
    "plan_sweep",
    "plan_text",
    "render",
    "run_claim",
    "run_of_sweep",
    "run_sweep",
    "save_sweep",
    "training_lines",
]
