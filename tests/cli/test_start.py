"""The first seconds of the command, in which the library is being read."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def interrupted_early(*arguments):
    """What the command says to an interrupt while torch is being imported."""
    running = subprocess.Popen(
        [sys.executable, "-m", "giqa_lib", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    maps, deadline = Path(f"/proc/{running.pid}/maps"), time.monotonic() + 60
    while "libtorch" not in maps.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said, error = running.communicate(timeout=60)
    return running.returncode, said, error


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="tells by /proc what is loaded")
@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupt_while_the_library_is_read_is_one_line(as_json):
    status, said, error = interrupted_early("data", "list", *["--json"] * as_json)
    assert (status, error) == (130, "giqa: interrupted\n")
    if as_json:
        assert json.loads(said) == {
            "ok": False,
            "exit_status": 130,
            "error": "interrupted",
            "warnings": [],
        }
    else:
        assert said == ""


def test_the_package_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "giqa_lib", "data", "where", "no-such-set"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("giqa: ")
    assert done.stderr.count("\n") == 1
