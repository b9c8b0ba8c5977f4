"""The command ``python -m giqa_lib.collecting``."""

import subprocess
import sys

import pandas as pd
import pytest

from giqa_lib.collecting import Judgements, StudyPlan


def run(*arguments):
    command = [sys.executable, "-m", "giqa_lib.collecting", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def answers(tmp_path):
    plan = StudyPlan(kind="rating", items=(("a",), ("b",)))
    kept = Judgements(tmp_path / "a.sqlite", plan)
    for question in plan.questions("anna"):
        kept.add("anna", question, "4", comment="fine, really")
    return tmp_path / "a.sqlite"


@pytest.mark.parametrize(("ending", "reader"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_answers_are_exported(answers, ending, reader):
    output = answers.with_suffix(f".{ending}")
    done = run("export", answers, output)
    assert (done.returncode, done.stdout) == (0, f"2 answers to {output}\n")
    table = reader(output)
    assert table["vote"].tolist() == [4, 4]
    assert sorted(table["image"]) == ["a", "b"]
    assert table["comment"].tolist() == ["fine, really"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "{}/missing.sqlite", "out.csv"], "missing.sqlite: expected a file, got none"),
        (["export", "{}/a.sqlite", "{}/out.txt"], "output: expected .csv or .parquet"),
        (["serve", "{}", "--kind", "choice"], "--pairs: expected --pairs with --kind choice"),
        (["serve", "{}/nothing"], "nothing"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(answers, arguments, message):
    folder = str(answers.parent)
    done = run(*[each.replace("{}", folder) for each in arguments])
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
