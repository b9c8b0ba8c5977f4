"""Run the notebooks that changed and build the book: one rule a step, the same graph on a cluster.

    snakemake --cores 2 --config profile=quick dataset=fashion-mnist
"""

import sys
from pathlib import Path

from giqa_lib.runner import chapters, dependencies

ROOT = Path(workflow.basedir)
PROFILE = config.get("profile", "quick")
DATASET = config.get("dataset", "fashion-mnist")
BUILD = f"build/{PROFILE}"
PYTHON = sys.executable
CHAPTERS = chapters(ROOT)


def relative(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def prose():
    """The book's own files; not the records that this build makes, nor quick ones."""
    made = [ROOT / "book" / "results" / profile for profile in ("quick", PROFILE)]
    files = (path for path in sorted((ROOT / "book").rglob("*")) if path.is_file())
    kept = (path for path in files if path.suffix != ".pyc")
    return relative(p for p in kept if not any(p.is_relative_to(folder) for folder in made))


wildcard_constraints:
    notebook=r"\d_\w+/\w+",


rule all:
    input:
        f"{BUILD}/_build/html/index.html",


# The record under book/results is no output here: Snakemake removes outputs before a run and
# after a failure, and a committed record must survive both.
rule notebook:
    input:
        lambda wildcards: relative(dependencies(wildcards.notebook, ROOT, profile=PROFILE)),
    output:
        f"{BUILD}/notebooks/{{notebook}}.ipynb",
    params:
        dataset=DATASET,
    threads: 1
    shell:
        "{PYTHON:q} -m giqa_lib.runner run {wildcards.notebook} --profile {PROFILE} -p dataset={params.dataset}"


rule book:
    input:
        expand(f"{BUILD}/notebooks/{{notebook}}.ipynb", notebook=CHAPTERS),
        "_config.yml",
        "_toc.yml",
        prose=prose(),
    output:
        f"{BUILD}/_build/html/index.html",
    shell:
        "{PYTHON:q} -m giqa_lib.runner site --profile {PROFILE} && "
        "{PYTHON:q} -m giqa_lib.runner render --profile {PROFILE}"
