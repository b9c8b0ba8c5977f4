import json
import signal
import warnings

import numpy as np
import pandas as pd
import pytest

from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.cli.reporting import Report, reporting


def run(command, *, as_json=False, debug=False):
    return reporting(command, as_json=as_json, debug=debug)


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("x: expected a,\n got b"), 3, "x: expected a,  got b"),
        (DataUnavailable("ffhq: not here"), 4, "ffhq: not here"),
        (OSError(28, "No space left on device", "o"), 5, "o: No space left on device; make room"),
        (PermissionError(13, "Permission denied", "o"), 5, "--no-cache"),
        (MemoryError(), 5, "out of memory"),
        (KeyError("n"), 1, "KeyError: 'n' (a fault in giqa; --debug shows where)"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_every_error_is_one_line_and_a_status(capsys, error, status, line):
    assert run(raising(error)) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert line in err
    assert run(raising(error), as_json=True) == status
    content = json.loads(capsys.readouterr().out)
    assert (content["ok"], content["exit_status"]) == (False, status)
    assert line in content["error"]


def test_an_interrupt_that_was_taken_for_another_error(capsys):
    def command():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ValueError("no array") from None

    assert run(command) == 130
    assert capsys.readouterr().err == "giqa: interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_debug_shows_the_traceback():
    with pytest.raises(KeyError):
        run(raising(KeyError("n")), debug=True)


def test_a_warning_is_one_line_once(capsys):
    def command():
        for _ in range(3):
            warnings.warn("two\nlines", UserWarning, stacklevel=1)
        return Report(lines=("done",), content={})

    assert run(command) == 0
    assert capsys.readouterr() == ("done\n", "giqa: warning: two lines\n")


def test_warnings_before_an_error_are_kept(capsys):
    def command():
        warnings.warn("starved", UserWarning, stacklevel=1)
        raise InputError("no")

    assert run(command) == 3
    assert capsys.readouterr().err == "giqa: warning: starved\ngiqa: no\n"


def test_json_has_plain_numbers_and_no_nan(capsys):
    content = {"a": np.float32(0.5), "b": float("nan"), "c": [np.int64(3)], 4: (np.bool_(True),)}
    assert run(lambda: Report(lines=(), content=content), as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["a"], found["b"], found["c"], found["4"]) == (0.5, None, [3], [True])


def test_unreadable_images_are_named_whatever_they_are_called(capsys):
    names = ["a\nb.png", "\x1b[31mred.png", "\udcff.png", *(f"{n}.png" for n in range(5))]
    failures = pd.DataFrame({"name": names, "reason": ["broken"] * 8}, dtype=object)
    assert run(lambda: Report(lines=(), content={}, failures=failures)) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 7
    assert "\x1b" not in "".join(lines)
    assert lines[1] == r"giqa: warning:   a\nb.png: broken"
    assert lines[-1].endswith("and 3 more")
