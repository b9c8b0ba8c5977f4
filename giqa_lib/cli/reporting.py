"""What a command says: words or JSON on stdout, warnings and progress on stderr.

A command returns a :class:`Report`. With ``--json`` one JSON object goes to stdout and nothing
else, on failure too; without, the report's lines.
"""

import json
import math
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import click
import numpy as np
import pandas as pd

from giqa_lib.cli.exit_status import FAULT, INTERRUPTED, one_line, status_of

__all__ = ["Report", "failed", "reporting", "unwritten"]

SHOWN = 5  # unreadable images named on stderr; all of them are in the output


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a command did: lines for a reader, each closed by ``end``, and the same as JSON values.

    >>> Report(lines=("done",), content={"n": 1}).failures.empty
    True
    """

    lines: tuple[str, ...]
    content: Mapping[str, Any]
    end: str = "\n"
    failures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"name": [], "reason": []}))


def reporting(command: Callable[[], Report], *, as_json: bool, debug: bool) -> int:
    """Run ``command``, print what it reports, and return the exit status.

    >>> reporting(lambda: Report(lines=("two images",), content={}), as_json=False, debug=False)
    two images
    0
    """
    said: list[str] = []
    interrupts: list[int] = []
    try:
        with _interrupts_in(interrupts), _warnings_in(said):
            report = command()
    except KeyboardInterrupt:
        return failed("interrupted", INTERRUPTED, as_json=as_json, said=said)
    except click.exceptions.ClickException:
        raise
    except Exception as error:
        if interrupts:
            return failed("interrupted", INTERRUPTED, as_json=as_json, said=said)
        if debug:
            raise
        status = status_of(error)
        fault = " (a fault in giqa; --debug shows where)" if status == FAULT else ""
        return failed(one_line(error) + fault, status, as_json=as_json, said=said)
    said += _unreadable(report.failures)
    for line in said:
        click.echo(f"giqa: {line}", err=True)
    if not as_json:
        return _print("".join(line + report.end for line in report.lines))
    failures = report.failures.to_dict("records")
    content = {"ok": True, **report.content, "unreadable": failures, "warnings": said}
    return _print(_json(content) + "\n")


def failed(message: str, status: int, *, as_json: bool, said: Sequence[str] = ()) -> int:
    """Say why a command failed, after the warnings ``said``; returns the exit status."""
    for line in said:
        click.echo(f"giqa: {line}", err=True)
    click.echo(f"giqa: {message}", err=True)
    if as_json:
        content = {"ok": False, "exit_status": status, "error": message, "warnings": [*said]}
        _print(_json(content) + "\n")
    return status


def _print(text: str) -> int:
    """Write to stdout now, not at exit; a reader that went away has what it wanted."""
    if sys.stdout is None:  # closed by whoever started this: nobody wants to know
        return 0
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except OSError as error:
        return unwritten(error)
    return 0


def unwritten(error: OSError) -> int:
    """The exit status after stdout could not be written; says so unless the reader went away."""
    # what is still in the buffer would complain once more at exit
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    click.echo(f"giqa: stdout: {one_line(error)}", err=True)
    return status_of(error)


@contextmanager
def _interrupts_in(noted: list[int]) -> Iterator[None]:
    """Interrupts are noted: C code that asks an object what it is takes one for an error of the object's."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored by whoever started this, or somebody else's
        return

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    try:
        signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread, which alone is interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _warnings_in(said: list[str]) -> Iterator[None]:
    """Warnings become single lines, each once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            said += dict.fromkeys(
                f"warning: {' '.join(str(one.message).split())}"
                for one in caught
                if not issubclass(one.category, DeprecationWarning | PendingDeprecationWarning)
            )


def _unreadable(failures: pd.DataFrame) -> list[str]:
    if failures.empty:
        return []
    lines = [f"warning: {len(failures)} image(s) could not be read and have no score:"]
    for row in failures.head(SHOWN).itertuples():
        lines.append(f"warning:   {_plain(row.name)}: {_plain(row.reason)}")
    if len(failures) > SHOWN:
        lines.append(f"warning:   and {len(failures) - SHOWN} more")
    return lines


def _plain(text: object) -> str:
    """One line for a terminal, whatever a file is called."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(text))


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(_values(content), indent=1, allow_nan=False)


def _values(value: Any) -> Any:
    """NumPy's numbers as JSON's; what is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _values(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_values(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
