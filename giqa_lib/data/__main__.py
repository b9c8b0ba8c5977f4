"""``python -m giqa_lib.data``: list the data sets, say where one is, fetch one.

Exit codes: 0 done, 1 not to be had (one line on stderr says what to do), 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence

from giqa_lib.checks import DataUnavailable, GiqaError
from giqa_lib.data.cards import dataset_card, dataset_names
from giqa_lib.data.registry import fetch, find, status

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    >>> main(["where", "no-such-set"])
    1
    """
    parser = argparse.ArgumentParser(prog="python -m giqa_lib.data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every data set, and where it was found")
    for command, text in (("where", "print its path"), ("fetch", "download it if missing")):
        one = commands.add_parser(command, help=text)
        one.add_argument("names", nargs="+", metavar="NAME", help=", ".join(dataset_names()))
    given = parser.parse_args(arguments)
    try:
        if given.command == "list":
            sys.stdout.write(_listing())
        for name in getattr(given, "names", ()):
            path = fetch(name) if given.command == "fetch" else find(name)
            if path is None:
                access = dataset_card(name).access
                raise DataUnavailable(f"{name}: not found here. To have it: {access}.")
            sys.stdout.write(f"{path}\n")
    except GiqaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _listing() -> str:
    table = status()
    table["images"] = table["images"].map("{:,}".format)
    table["found"] = table["found"].replace("", "-")
    return table[["name", "images", "size", "found"]].to_string(index=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
