"""The shape that CONTRIBUTING.md promises: names, sizes, notebooks, the book's data files."""

import importlib
import inspect
from pathlib import Path

import pytest
import yaml
from notebook_rules import problems, typed_numbers

from giqa_lib.results import (
    PROFILES,
    claims,
    deviations,
    exhibits,
    load_record,
    paper_values,
)
from giqa_lib.runner import chapters

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = sorted((ROOT / "giqa_lib").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.py"))
BENCHMARKS = sorted((ROOT / "tests" / "benchmarks").glob("bench_*.py"))
RECORDS = sorted(p for f in PROFILES for p in (ROOT / "book" / "results" / f).rglob("*.json"))
MOST_LINES = 400
EXTRAS = {"giqa_lib.distributed", "giqa_lib.cli"}  # may need packages that tests do not install


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def notebook_name(path: Path) -> str:
    return path.relative_to(ROOT / "notebooks").with_suffix("").as_posix()


@pytest.mark.parametrize("path", LIBRARY, ids=module_name)
def test_a_module_says_what_it_is_and_its_public_names_exist(path: Path) -> None:
    if path.name == "__main__.py":
        return
    name = module_name(path)
    if any(name.startswith(extra) for extra in EXTRAS):
        module = pytest.importorskip(name)
    else:
        module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), "no docstring"
    if name == "giqa_lib":
        return
    public = module.__all__
    assert len(set(public)) == len(public)
    for public_name in public:
        value = getattr(module, public_name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert (value.__doc__ or "").strip(), f"{public_name} has no docstring"


@pytest.mark.parametrize("path", LIBRARY, ids=module_name)
def test_a_file_holds_one_idea(path: Path) -> None:
    if path.name == "__init__.py":  # a list of names
        return
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=notebook_name)
def test_a_notebook_obeys_the_rules(path: Path) -> None:
    name = notebook_name(path)
    attempted = {claim["notebook"] for claim in claims(ROOT) if claim["attempted"]}
    differing = {notebook for row in deviations(ROOT) for notebook in row["notebooks"]}
    directives = ["reproduce"]
    directives += ["claims"] if name in attempted else []
    directives += ["deviations"] if name in differing else []
    assert problems(path, name=name, directives=directives) == []


def test_every_page_of_the_contents_has_its_source() -> None:
    sources = {p.with_suffix("").relative_to(ROOT).as_posix() for p in NOTEBOOKS}
    missing = [name for name in chapters(ROOT) if f"notebooks/{name}" not in sources]
    assert not missing

    def files(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node[key] for key in ("file", "root") if key in node]
            return own + [name for value in node.values() for name in files(value)]
        return [name for item in node for name in files(item)] if isinstance(node, list) else []

    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    prose = [name for name in files(contents) if not name.startswith("notebooks/")]
    assert prose
    assert not [name for name in prose if not (ROOT / f"{name}.md").is_file()]


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_says_with_how_many_threads_it_measures(path: Path) -> None:
    assert "set_num_threads(" in path.read_text(encoding="utf-8")


def test_every_notebook_is_a_chapter() -> None:
    assert {notebook_name(p) for p in NOTEBOOKS} == set(chapters(ROOT))


def test_the_papers_numbers_belong_to_exhibits() -> None:
    known = exhibits(ROOT)
    places = list(zip(known["paper"], known["exhibit"], strict=True))
    assert len(set(places)) == len(places)
    values = paper_values(ROOT)
    named = set(zip(values["paper"], values["exhibit"], strict=True))
    assert sorted(named - set(places)) == []
    columns = ["paper", "exhibit", "metric", "row", "column"]
    assert not values.duplicated(columns).any()


def test_claims_and_deviations_name_notebooks_of_the_book() -> None:
    known = set(exhibits(ROOT)["notebook"]) | set(chapters(ROOT))
    places = set(zip(exhibits(ROOT)["paper"], exhibits(ROOT)["exhibit"], strict=True))
    wrong = []
    for claim in claims(ROOT):
        notebook = claim.get("notebook")
        if notebook not in (chapters(ROOT) if claim["attempted"] else known | {None}):
            wrong.append((claim["id"], notebook))
        result = claim.get("result") or {}
        place = (result.get("paper", claim["paper"]), result.get("exhibit", "ours"))
        if "exhibit" in result and place[0] != "ours" and place not in places:
            wrong.append((claim["id"], place))
    for deviation in deviations(ROOT):
        wrong += [(deviation["id"], name) for name in deviation["notebooks"] if name not in known]
    assert wrong == []


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_record_loads_and_names_exhibits(path: Path) -> None:
    record = load_record(path)
    assert record is not None
    known = exhibits(ROOT)
    places = set(zip(known["paper"], known["exhibit"], strict=True))
    for result in record.results:
        assert result.paper == "ours" or (result.paper, result.exhibit) in places, result.identity
    profile, _, notebook = path.relative_to(ROOT / "book" / "results").as_posix().partition("/")
    assert record.run["profile"] == profile
    assert record.run["notebook"] == notebook.removesuffix(".json")
    assert record.run["fingerprint"]
    assert record.run["command"]
    # A control that failed is a finding to look at, not a number to commit.
    failed = [r.identity for r in record.results if r.column == "FAIL"]
    assert not failed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The accuracy is 0.65 here.", ["0.65"]),
        ("It rose by -3.2% (from 0.5, to 12.75).", ["-3.2%", "0.5", "12.75"]),
        ("The sentence ends with 0.5.", ["0.5"]),
        ("$x = 0.5$ and $$ y = 0.25 $$", []),
        ("`alpha=0.5` and ``1.5``", []),
        ("{num}`cpu:1_a/b.c|.3f` and {cite:t}`x2020`", []),
        ("Eq. 8, Table 9, M = 70 and 28 x 28", []),
        ("Section 5.4 and Appendix 2.1, version 1.2.3", []),
        ("```{math}\n0.5\n```", []),
        ("```{note}\nIt is 0.5.\n```", ["0.5"]),
        ("[a link](page-1.5.html)", []),
        ("Python 3.11.7", []),
    ],
)
def test_a_number_typed_in_prose_is_found(text: str, found: list[str]) -> None:
    assert typed_numbers(text) == found


GOOD = """\
# %% [markdown]
# # Title
{head}
# {prose}

# %% tags=["parameters"]
profile: str = "quick"  # quick | cpu | paper
dataset: str = "digits"  # a data set
seed: int = 0  # the seed
device: str = "cpu"  # cpu or cuda
output: str = ""  # a folder
{parameter}
# %%
run = Run("a/b", {{}})
{cells}
# %%
{last}
"""


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"prose": "It is 0.7."}, "the number 0.7 is typed in prose"),
        ({"head": ""}, "has no {reproduce} a/b"),
        ({"parameter": "n: int = 1"}, "parameter n has no comment"),
        ({"parameter": "n = 1"}, "expected annotated values"),
        ({"cells": ""}, "3 code cells"),
        ({"cells": "# %%\nx = 1\n" * 30}, "33 code cells"),
        ({"cells": ("# %%\n" + "x = 1\n" * 7) * 8}, "median of 7"),
        ({"cells": "# %%\nx = 1\n" * 8 + "# %%\n" + "y = 1\n" * 16}, "a cell of 16 lines"),
        ({"last": "run"}, "does not end with run.save"),
    ],
)
def test_a_notebook_that_breaks_a_rule_is_found(
    tmp_path: Path, changes: dict[str, str], problem: str | None
) -> None:
    text = {
        "head": "# ```{reproduce} a/b\n# ```",
        "prose": "Text.",
        "parameter": "",
        "cells": "# %%\nx = 1\n" * 8,
        "last": "run.save(output)",
    }
    path = tmp_path / "b.py"
    path.write_text(GOOD.format(**(text | changes)))
    found = problems(path, name="a/b")
    if problem is None:
        assert found == []
    else:
        assert len(found) == 1
        assert problem in found[0]
