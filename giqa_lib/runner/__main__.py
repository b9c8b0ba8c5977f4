"""``python -m giqa_lib.runner``: run a notebook, test a claim, lay out the site."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from giqa_lib.checks import GiqaError
from giqa_lib.results import PROFILES, find_checkout
from giqa_lib.runner.claim import EXIT_STATUS, run_claim
from giqa_lib.runner.execute import execute
from giqa_lib.runner.fingerprint import dependencies
from giqa_lib.runner.parameters import parse_assignments
from giqa_lib.runner.render import render
from giqa_lib.runner.site import assemble


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m giqa_lib.runner", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str, *, parameters: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--profile", choices=PROFILES, default="quick", help="default: quick")
        if parameters:
            command.add_argument(
                "-p", metavar="NAME=VALUE", action="append", default=[], help="set a parameter, as YAML; repeatable"
            )
        return command

    run = add("run", "run one notebook; its record goes to book/results/<profile>, its page to build/<profile>")
    run.add_argument("notebook", help="for example 1_giqa/density_scores")
    claim = add("claim", "run what one claim needs; exit 0 reproduced, 1 not (or direction only), 2 inconclusive")
    claim.add_argument("id", help="as in book/papers/claims.yml")
    add("site", "lay out the book's sources for jupyter-book", parameters=False)
    add("render", "render the laid out sources with jupyter-book", parameters=False)
    files = add("dependencies", "print the files that a notebook depends on", parameters=False)
    files.add_argument("notebook")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    write = sys.stdout.write
    try:
        root = find_checkout()
        build = root / "build" / options.profile
        if options.command == "run":
            paths = execute(
                options.notebook,
                profile=options.profile,
                overrides=parse_assignments(options.p),
                root=root,
                results=root / "book" / "results",
                pages=build / "notebooks",
            )
            write(f"{options.notebook}: {paths.record.relative_to(root)}\n")
        elif options.command == "claim":
            test = run_claim(
                options.id, profile=options.profile, root=root, overrides=parse_assignments(options.p)
            )
            write(test.line() + "\n")
            return EXIT_STATUS[test.verdict]
        elif options.command == "site":
            assemble(root, profile=options.profile, pages=build / "notebooks", site=build / "site")
        elif options.command == "render":
            render(build / "site", profile=options.profile, out=build)
        else:
            for path in dependencies(options.notebook, root):
                write(f"{Path(path).relative_to(root)}\n")
    except GiqaError as error:
        sys.stderr.write(f"{error}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
