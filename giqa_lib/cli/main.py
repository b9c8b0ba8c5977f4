"""The command ``giqa``."""

import sys
from collections.abc import Sequence

import click

from giqa_lib import __version__
from giqa_lib.cli.agree import agree
from giqa_lib.cli.book import book
from giqa_lib.cli.compare import compare
from giqa_lib.cli.data import data
from giqa_lib.cli.exit_status import EXIT_STATUS_HELP, INTERRUPTED, USAGE
from giqa_lib.cli.fit import fit
from giqa_lib.cli.pick import pick
from giqa_lib.cli.reporting import failed, unwritten
from giqa_lib.cli.score import score

__all__ = ["giqa", "main"]


@click.group(epilog=EXIT_STATUS_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="giqa")
def giqa() -> None:
    """The quality of each generated image, relative to real ones.

    \b
    From two folders to the best images:
      giqa fit photos/ --to scorer                 learn what real images look like
      giqa score scorer generated/ --to scores     a score for each image, a gallery
      giqa pick scores generated/ --keep 90% --how copy --to best
      giqa compare photos/ a=run1/ b=run2/ --to comparison

    Images are read from folders, .zip and .parquet files. Every command has --help and --json.
    """


for _command in (fit, score, pick, compare, agree, data, book):
    giqa.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    >>> main(["data", "where", "no-such-set"])
    3
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return int(giqa.main(given, prog_name="giqa", standalone_mode=False) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        asked.show()
        return asked.exit_code
    except click.UsageError as error:
        return failed(_usage(error), USAGE, as_json="--json" in given)
    except OSError as error:
        if "--debug" in given:
            raise
        return unwritten(error)  # commands report their own errors: help could not be printed
    except (click.Abort, KeyboardInterrupt):
        return failed("interrupted", INTERRUPTED, as_json=False)


def _usage(error: click.UsageError) -> str:
    """What is wrong with the words of a command, in one line like every other error."""
    command = error.ctx.command_path if error.ctx else "giqa"
    return f"{' '.join(error.format_message().split())} '{command} --help' shows the usage."
