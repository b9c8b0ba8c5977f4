"""``python -m giqa_lib.collecting``: ask people about the images of a folder, and export what they said."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from giqa_lib.checks import GiqaError, InputError, error_line
from giqa_lib.collecting.judgements import Judgements, export_judgements
from giqa_lib.collecting.plan import KINDS, StudyPlan, read_pairs
from giqa_lib.collecting.server import Collector
from giqa_lib.data import ImageSet, open_images


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m giqa_lib.collecting", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve", help="serve the page until interrupted; it goes on where it was stopped"
    )
    serve.add_argument("images", help="folder, zip or Parquet file")
    serve.add_argument(
        "--answers",
        default="judgements.sqlite",
        help="database of the answers (default: %(default)s)",
    )
    serve.add_argument(
        "--kind",
        choices=KINDS,
        default="rating",
        help="one image on a scale of five, or the better of two",
    )
    serve.add_argument(
        "--pairs", help="for choices: CSV with the columns first and second, names of images"
    )
    serve.add_argument("--sessions", type=int, default=1)
    serve.add_argument(
        "--training", type=int, default=3, help="questions that open each session and do not count"
    )
    serve.add_argument("--seed", type=int, default=0, help="of the sessions and orders")
    serve.add_argument(
        "--host",
        default="127.0.0.1",
        help="another address than this machine's own needs the printed token",
    )
    serve.add_argument("--port", type=int, default=8737)
    export = commands.add_parser("export", help="answers as CSV or Parquet, by the output's ending")
    export.add_argument("answers")
    export.add_argument("output")
    export.add_argument(
        "--training", action="store_true", help="also the answers that do not count"
    )
    return parser


def _serve(given: argparse.Namespace) -> None:
    if (given.kind == "choice") != (given.pairs is not None):
        hint = "pairs.csv with the columns first and second"
        expected = "--pairs with --kind choice, and only there"
        raise InputError(error_line("--pairs", expected=expected, got=str(given.pairs), hint=hint))
    images = _readable(given.images)
    pairs = read_pairs(given.pairs, images.names) if given.pairs else None
    items = tuple((name,) for name in images.names) if pairs is None else pairs
    plan = StudyPlan(
        kind=given.kind,
        items=items,
        sessions=given.sessions,
        training=given.training,
        seed=given.seed,
    )
    collector = Collector(
        plan, images, Judgements(given.answers, plan), host=given.host, port=given.port
    )
    asyncio.run(_until_interrupted(collector))


def _readable(path: str) -> ImageSet:
    """The images that can be shown; the others are named and left out, before anybody is asked."""
    images = open_images(path)
    shown = images.readable()
    for failure in images.failures.itertuples():
        print(f"left out: {failure.name}: {failure.reason}", file=sys.stderr)
    if not len(shown):
        hint = "give a folder, zip or Parquet file with images that can be read"
        raise InputError(error_line(str(path), expected="images", got="none that can be read", hint=hint))  # fmt: skip
    return shown


async def _until_interrupted(collector: Collector) -> None:
    stopped = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    collector.start()
    print(f"Open {collector.address}", flush=True)
    print(f"Answers go to {collector.judgements.path}. Stop with Ctrl-C.", flush=True)
    await stopped.wait()
    await collector.close()


def _export(given: argparse.Namespace) -> None:
    table = export_judgements(given.answers, training=given.training)
    output = Path(given.output)
    if output.suffix == ".parquet":
        table.to_parquet(output, index=False)
    elif output.suffix == ".csv":
        table.to_csv(output, index=False)
    else:
        hint = "name it answers.csv or answers.parquet"
        raise InputError(
            error_line("output", expected=".csv or .parquet", got=str(output), hint=hint)
        )
    print(f"{len(table)} answers to {output}")


def main() -> int:
    """Run a command; 0 if it went well, 2 for bad input."""
    given = _parser().parse_args()
    try:
        (_serve if given.command == "serve" else _export)(given)
    except (GiqaError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
