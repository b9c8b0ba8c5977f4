from typing import Any

import nbformat
import pytest

from giqa_lib.checks import InputError
from giqa_lib.runner import check_parameters, declared_parameters, parse_assignments


def notebook(*cells: str) -> nbformat.NotebookNode:
    """A notebook whose cells are all tagged as parameters."""
    made = nbformat.v4.new_notebook()
    made.cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]}) for source in cells
    ]
    return made


DECLARED = declared_parameters(
    notebook(
        "profile: str = 'quick'  # which\nn: int = 3\nrate: float = 0.5\nflag: bool = False\n"
        "sizes: list[int] = []\nshift: float = -1"
    )
)


def test_types_and_defaults_are_read() -> None:
    assert {k: (p.annotation, p.default) for k, p in DECLARED.items()} == {
        "profile": ("str", "quick"),
        "n": ("int", 3),
        "rate": ("float", 0.5),
        "flag": ("bool", False),
        "sizes": ("list[int]", []),
        "shift": ("float", -1),
    }


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((), "expected one parameters cell, got 0"),
        (("n: int = 1", "m: int = 2"), "expected one parameters cell, got 2"),
        (("n = 1",), "expected annotated values, got n = 1"),
        (("n: int",), "expected annotated values, got n: int"),
        (("n: int = 1\nm: int = n + 1",), "derived values belong in the next cell"),
        (("n: int = 1.5",), "the default is no int"),
        (("n: set[int] = 1",), r"expected a known type, got set\[int\]"),
        (("import os",), "got import os"),
    ],
)
def test_a_bad_parameters_cell(cells: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        declared_parameters(notebook(*cells))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nn": 1}, "parameter: expected one of profile, n, .* got 'nn'"),
        ({"n": 1.5}, r"parameter n: expected int, got 1.5 \(float\)"),
        ({"n": True}, "expected int, got True"),
        ({"n": "5"}, "expected int, got '5'"),
        ({"flag": "true"}, "expected bool, got 'true'"),
        ({"flag": 1}, "expected bool, got 1"),
        ({"sizes": [1, 2.5]}, r"expected list\[int\], got \[1, 2.5\]"),
        ({"sizes": 1}, r"expected list\[int\], got 1"),
        ({"profile": None}, "expected str, got None"),
    ],
)
def test_unknown_and_mistyped_values_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_parameters(given, DECLARED)


def test_an_int_is_a_float() -> None:
    value = check_parameters({"rate": 1}, DECLARED)["rate"]
    assert value == 1.0
    assert type(value) is float


def test_assignments_are_read_as_yaml() -> None:
    values = parse_assignments(
        ["a=5", "b=1e-3", "c=[5, 70]", "d=true", "e=a=b", "f=", "g='5'", "h=two words"]
    )
    assert values == {
        "a": 5, "b": 0.001, "c": [5, 70], "d": True, "e": "a=b", "f": None, "g": 5.0, "h": "two words",
    }  # fmt: skip


def test_an_assignment_without_equals() -> None:
    with pytest.raises(InputError, match="-p: expected NAME=VALUE, got 'seed 3'"):
        parse_assignments(["seed 3"])
