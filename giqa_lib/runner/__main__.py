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
from giqa_lib.store import default_store

REFUSED = 4  # the exit status for bad input, a failed notebook or a stale run

HELP = {
    "run": "run one notebook; record to book/results/<profile>, page to build/<profile>",
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
    for name in ("run", "claim", "plan"):
        text = "set a parameter, as YAML; repeatable"
        added[name].add_argument("-p", metavar="NAME=VALUE", action="append", default=[], help=text)
    for name in ("run", "dependencies"):
        added[name].add_argument("notebook", help="for example 1_giqa/density_scores")
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
