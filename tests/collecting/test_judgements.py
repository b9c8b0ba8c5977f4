import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from giqa_lib.checks import InputError
from giqa_lib.collecting import Judgements, StudyPlan, export_judgements
from giqa_lib.evaluation import check_votes


def test_a_question_is_answered_once(tmp_path, rating):
    kept = Judgements(tmp_path / "a.sqlite", rating)
    question = rating.questions("anna")[4]
    assert kept.add("anna", question, "4", seconds=1.5)
    assert not kept.add("anna", question, "1")
    assert kept.answered("anna") == {4}
    assert kept.answered("ben") == set()
    found = export_judgements(tmp_path / "a.sqlite", training=True)
    assert found["vote"].tolist() == [4]
    assert found["seconds"].tolist() == [1.5]


def test_a_rating_study_is_exported_as_votes_without_training(tmp_path, rating):
    kept = Judgements(tmp_path / "a.sqlite", rating)
    for subject in ("anna", "ben"):
        for question in rating.questions(subject):
            kept.add(subject, question, str(1 + question.position % 5))
    votes = check_votes(export_judgements(tmp_path / "a.sqlite"))
    assert len(votes) == 2 * 6
    everything = export_judgements(tmp_path / "a.sqlite", training=True)
    assert len(everything) == 2 * 10
    assert everything["training"].sum() == 2 * 4


def test_a_choice_study_is_exported_as_pairs(tmp_path, choice):
    kept = Judgements(tmp_path / "a.sqlite", choice)
    questions = choice.questions("anna")
    kept.add("anna", questions[0], questions[0].images[1])
    kept.add("anna", questions[1], questions[1].images[0])
    found = export_judgements(tmp_path / "a.sqlite")
    assert found[["better", "worse"]].to_numpy().tolist() == [
        list(questions[0].images[::-1]),
        list(questions[1].images),
    ]


def test_what_a_spreadsheet_would_run_is_quoted(tmp_path, rating):
    kept = Judgements(tmp_path / "a.sqlite", rating)
    question = rating.questions("-1")[2]
    kept.add("-1", question, "3", comment="=HYPERLINK(1)")
    found = export_judgements(tmp_path / "a.sqlite")
    assert found[["subject", "comment"]].to_numpy().tolist() == [["'-1", "'=HYPERLINK(1)"]]


def test_another_studys_file_and_no_database_are_refused(tmp_path, rating):
    Judgements(tmp_path / "a.sqlite", rating)
    other = StudyPlan(kind="rating", items=rating.items, sessions=1, seed=3)
    with pytest.raises(InputError, match=r"expected this study's answers, got another study's"):
        Judgements(tmp_path / "a.sqlite", other)
    (tmp_path / "b.sqlite").write_text("these are not the answers you are looking for" * 50)
    with pytest.raises(InputError, match=r"b\.sqlite: expected a writable SQLite database"):
        Judgements(tmp_path / "b.sqlite", rating)
    with pytest.raises(InputError, match=r"b\.sqlite: expected a database of judgements"):
        export_judgements(tmp_path / "b.sqlite")
    sqlite3.connect(tmp_path / "empty.sqlite").close()
    with pytest.raises(InputError, match=r"empty\.sqlite: expected a database of judgements"):
        export_judgements(tmp_path / "empty.sqlite")
    with pytest.raises(InputError, match="expected a file, got none"):
        export_judgements(tmp_path / "c.sqlite")


WRITER = """
import sys
from giqa_lib.collecting import Judgements, StudyPlan
plan = StudyPlan(kind="rating", items=tuple((str(i),) for i in range(100000)))
kept = Judgements(sys.argv[1], plan)
for question in plan.questions("anna"):
    kept.add("anna", question, "3")
    print(question.position, flush=True)
"""


@pytest.mark.parametrize("wait", [0.05, 0.2])
def test_what_was_acknowledged_survives_kill_9(tmp_path, wait):
    path = tmp_path / "a.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    with writer.stdout as said:
        assert said.readline() == "0\n"
        time.sleep(wait)
        os.kill(writer.pid, signal.SIGKILL)
        told = [0, *map(int, said.read().split())]
    writer.wait()
    plan = StudyPlan(kind="rating", items=tuple((str(i),) for i in range(100000)))
    answered = Judgements(path, plan).answered("anna")
    assert answered >= set(told)
    assert len(answered) <= len(told) + 1
    assert len(export_judgements(path)) == len(answered)
