"""A notebook's declared parameters, and a check of what is given for them.

papermill injects whatever it is given: an unknown name is only a warning, ``-p flag false``
is the string ``"false"``, which is true. Here both are refused before anything runs.
"""

import ast
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import yaml
from nbformat import NotebookNode

from giqa_lib.checks import InputError, error_line

__all__ = ["Parameter", "check_parameters", "declared_parameters", "parse_assignments"]

TYPES: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One line of a notebook's ``parameters`` cell."""

    name: str
    annotation: str
    default: Any


def declared_parameters(notebook: NotebookNode) -> dict[str, Parameter]:
    """The annotated assignments of the cell tagged ``parameters``, in order."""
    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        hint = 'tag exactly one code cell with tags=["parameters"]'
        raise InputError(
            error_line("notebook", expected="one parameters cell", got=str(len(cells)), hint=hint)
        )
    found = {}
    for line in ast.parse(cells[0].source).body:
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            raise _bad_line(line, "write 'name: type = value  # what it is', nothing else")
        annotation = ast.unparse(line.annotation)
        try:
            default = ast.literal_eval(line.value or ast.Name("nothing"))
        except ValueError as error:
            raise _bad_line(line, "derived values belong in the next cell") from error
        if not _fits(default, annotation):
            raise _bad_line(line, f"the default is no {annotation}")
        found[line.target.id] = Parameter(
            name=line.target.id, annotation=annotation, default=default
        )
    return found


def _bad_line(line: ast.stmt, hint: str) -> InputError:
    got = ast.unparse(line)
    return InputError(
        error_line("parameters cell", expected="annotated values", got=got, hint=hint)
    )


def _fits(value: Any, annotation: str) -> bool:
    if annotation.startswith("list[") and annotation.endswith("]"):
        return isinstance(value, list) and all(_fits(v, annotation[5:-1]) for v in value)
    wanted = TYPES.get(annotation)
    if wanted is None:
        hint = f"use {', '.join(TYPES)} or a list of one of them"
        raise InputError(
            error_line("parameters cell", expected="a known type", got=annotation, hint=hint)
        )
    # bool is a subclass of int; an int is a fine float.
    return type(value) is wanted or (wanted is float and type(value) is int)


def check_parameters(given: Mapping[str, Any], declared: Mapping[str, Parameter]) -> dict[str, Any]:
    """``given`` with its types made exact; raises for an unknown name or a wrong type.

    >>> known = {"n": Parameter(name="n", annotation="int", default=3)}
    >>> check_parameters({"n": 5}, known)
    {'n': 5}
    """
    checked = {}
    for name, value in given.items():
        if name not in declared:
            raise InputError(
                error_line(
                    "parameter",
                    expected=f"one of {', '.join(declared)}",
                    got=repr(name),
                    hint="check its spelling",
                )
            )
        annotation = declared[name].annotation
        if not _fits(value, annotation):
            got = f"{value!r} ({type(value).__name__})"
            raise InputError(
                error_line(
                    f"parameter {name}",
                    expected=annotation,
                    got=got,
                    hint="give a value of that type",
                )
            )
        checked[name] = float(value) if annotation == "float" else value
    return checked


def _value(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        hint = "quote it for the shell, and for YAML: -p 'name=\"a: b\"'"
        raise InputError(
            error_line("-p", expected="a value in YAML", got=repr(text), hint=hint)
        ) from error
    # YAML 1.1 reads 1e-3, without a dot, as text.
    if isinstance(value, str):
        with suppress(ValueError):
            return float(value)
    return value


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """``["n=5", "name=a"]`` as values, read as YAML.

    >>> parse_assignments(["n=5", "components=[5, 70]", "flag=false", "rate=1e-3"])
    {'n': 5, 'components': [5, 70], 'flag': False, 'rate': 0.001}
    """
    values = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(
                error_line(
                    "-p", expected="NAME=VALUE", got=repr(text), hint="put an = between them"
                )
            )
        values[name] = _value(value)
    return values
