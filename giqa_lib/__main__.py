"""``python -m giqa_lib``, the same as ``giqa``: an interrupt while the library is still being read is one line too."""

import json
import os
import signal
import sys
from types import FrameType

__all__ = ["main"]

INTERRUPTED = 130


def main() -> int:
    """Run the command line; returns the exit status."""
    # Seconds of imports, in which an interrupt may surface as any error of any library: leave at once, there is nothing to undo.
    default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if default:
        signal.signal(signal.SIGINT, _leave)
    from giqa_lib.cli import main as command

    if default:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return command()


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, b"giqa: interrupted\n")
    if "--json" in sys.argv:
        said = {"ok": False, "exit_status": INTERRUPTED, "error": "interrupted", "warnings": []}
        os.write(1, json.dumps(said, indent=1).encode() + b"\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
