"""``python -m giqa_lib.runner``: run a notebook, test a claim, plan, lay out and render the book."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from giqa_lib.checks import GiqaError, check_choice
from giqa_lib.results import PROFILES, find_checkout
from giqa_lib.runner.claim import EXIT_STATUS, run_claim
from giqa_lib.runner.execute import execute
from giqa_lib.runner.fingerprint import dependencies
from giqa_lib.runner.parameters import parse_assignments
from giqa_lib.runner.plan import plan, plan_text, training_lines
from giqa_lib.runner.render import render
from giqa_lib.runner.site import assemble
from giqa_lib.runner.sweep import gather_sweep, plan_sweep, run_of_sweep, run_sweep, save_sweep
from giqa_lib.store import default_store

REFUSED = 4  # the exit status for bad input, a failed notebook or a stale run

HELP = {
    "run": "run one notebook; record to book/results/<profile>, page to build/<profile>",
    "sweep": "run one notebook under every combination of parameters, two or more runs at once, and gather "
    "their numbers in results.csv; repeat it after a break and it does what is missing",
    "sweep-run": "do one run of a sweep; Snakemake calls it",
    "sweep-gather": "gather the numbers of a sweep's runs; Snakemake calls it",
    "claim": "run what one claim needs; exit 0 reproduced, 1 not or direction only, "
    "2 inconclusive, 3 no number",
    "plan": "print what a run of the book would do: parameters, data, measured times, and with "
    "--measure hours and memory of its trainings",
    "site": "lay out the book's sources for jupyter-book",
    "render": "render the laid out sources with jupyter-book",
    "dependencies": "print the files that a notebook depends on",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m giqa_lib.runner", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    added = {}
    for name, text in HELP.items():
        added[name] = commands.add_parser(name, help=text, description=text)
        added[name].add_argument(
            "--profile",
            default=os.environ.get("GIQA_PROFILE") or "quick",
            help=f"{', '.join(PROFILES)}; default: $GIQA_PROFILE, else quick",
        )
    for name in ("run", "sweep", "claim", "plan"):
        text = "set a parameter, as YAML; repeatable"
        added[name].add_argument("-p", metavar="NAME=VALUE", action="append", default=[], help=text)
    for name in ("run", "sweep", "dependencies"):
        added[name].add_argument("notebook", help="for example 1_giqa/density_scores")
    text = "give a parameter each of these values in turn; repeatable: all combinations"
    over = added["sweep"].add_argument
    over("--over", metavar="NAME=[VALUE,...]", action="append", default=[], help=text)
    over("--to", metavar="FOLDER", type=Path, required=True, help="the sweep's own folder")
    over("--jobs", type=int, default=os.cpu_count() or 1, help="runs at once; default: the cores")
    over("--plan", action="store_true", help="only write the plan, for a cluster: see sweep.smk")
    for name in ("sweep-run", "sweep-gather"):
        added[name].add_argument("folder", type=Path, help="the sweep's folder")
    added["sweep-run"].add_argument("name", help="the run, as in sweep.json")
    added["claim"].add_argument("id", help="as in book/papers/claims.yml")
    text = "take a step of each training and estimate its hours and memory (minutes at paper size)"
    added["plan"].add_argument("--measure", action="store_true", help=text)
    text = "TFLOP/s that a GPU is assumed to sustain; default: %(default)s"
    added["plan"].add_argument("--sustained", type=float, default=10.0, help=text)
    return parser


def _run(options: argparse.Namespace, root: Path) -> int:
    """Do what the command line asks for; returns the exit status."""
    profile = check_choice(options.profile, PROFILES, name="profile")
    build = root / "build" / profile
    pages, site = build / "notebooks", build / "site"
    overrides = parse_assignments(getattr(options, "p", []))
    write = sys.stdout.write
    match options.command:
        case "run":
            paths = execute(
                options.notebook,
                profile=profile,
                overrides=overrides,
                root=root,
                results=root / "book" / "results",
                pages=pages,
            )
            write(f"{options.notebook}: {paths.record.relative_to(root)}\n")
        case "sweep":
            over = parse_assignments(options.over)
            sweep = plan_sweep(
                options.notebook, root=root, profile=profile, fixed=overrides, over=over
            )
            save_sweep(sweep, options.to)
            write(f"{len(sweep.runs)} runs planned: {options.to / 'sweep.json'}\n")
            if not options.plan:
                run_sweep(options.to, root=root, jobs=options.jobs)
                write(f"done: {options.to / 'results.csv'}\n")
        case "sweep-run":
            run_of_sweep(options.folder, options.name, root=root)
        case "sweep-gather":
            gather_sweep(options.folder)
        case "claim":
            test = run_claim(options.id, profile=profile, root=root, overrides=overrides)
            write(test.line() + "\n")
            return EXIT_STATUS[test.verdict]
        case "plan":
            entries = plan(root, profile=profile, overrides=overrides)
            write(plan_text(entries, profile=profile) + "\n")
            if options.measure:
                dataset = str(overrides.get("dataset", entries[0].dataset))
                for line in training_lines(
                    profile, dataset=dataset, store=default_store(), sustained=options.sustained
                ):
                    sys.stdout.write(line + "\n")
                    sys.stdout.flush()
        case "site":
            assemble(root, profile=profile, pages=pages, site=site)
        case "render":
            render(site, profile=profile, out=build)
        case "dependencies":
            for path in dependencies(options.notebook, root, profile=profile):
                write(f"{path.relative_to(root)}\n")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options, find_checkout())
    except GiqaError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
