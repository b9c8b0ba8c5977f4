"""Run a notebook under each parameter set of a sweep and gather the numbers in one table.

    python -m giqa_lib.runner sweep 1_giqa/density_scores --over "seed=[0,1,2]" --to FOLDER
    snakemake --snakefile sweep.smk --profile profiles/slurm --config sweep=FOLDER     # on a cluster

The first line plans and runs here; ``--plan`` leaves the running to the second. FOLDER is absolute.
"""

import shlex
import sys
from pathlib import Path

from giqa_lib.runner import dependencies, load_sweep

ROOT = Path(workflow.basedir)
FOLDER = Path(config["sweep"])
SWEEP = load_sweep(FOLDER)
RUNNER = f"GIQA_BOOK={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} -m giqa_lib.runner"


def page(run):
    return str(FOLDER / SWEEP.page(run))


rule all:
    input:
        str(FOLDER / "results.csv"),


# Tried a second time: a killed worker costs a run, not the sweep.
rule notebook:
    input:
        [str(path) for path in dependencies(SWEEP.notebook, ROOT, profile=SWEEP.profile)],
    output:
        page("{run}"),
    threads: 1
    retries: 1
    shell:
        "{RUNNER} sweep-run {FOLDER:q} {wildcards.run}"


rule gather:
    input:
        [page(run) for run in SWEEP.runs],
    output:
        str(FOLDER / "results.csv"),
    localrule: True
    shell:
        "{RUNNER} sweep-gather {FOLDER:q}"
