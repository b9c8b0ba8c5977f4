import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scratch_book import Book

from giqa_lib.checks import InputError
from giqa_lib.evaluation import Estimate
from giqa_lib.results import Result, Run, load_record, write_json

PLACE = {"paper": "p", "exhibit": "Table 1", "row": "a", "column": 5, "metric": "mean"}


@pytest.fixture
def run(book: Book, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GIQA_BOOK", str(book.root))
    return Run("1_part/chapter", {"profile": "quick", "seed": 0, "device": "cpu", "output": "/x"})


def test_what_is_saved_is_what_was_recorded(run: Run, tmp_path: Path) -> None:
    made = run.record(
        **PLACE, value=np.float64(0.1), standard_error=np.float32(0.5), n=np.int64(3),
        seeds=np.array([1, 2]), dataset="digits", note="a note", key="mean-1",
    )  # fmt: skip
    path = run.save(tmp_path)
    assert path == tmp_path / "quick" / "1_part" / "chapter.json"
    record = load_record(path)
    assert record is not None
    assert record.results == (made,)
    assert record.results[0].column == "5"
    assert type(made.value) is float
    assert type(made.n) is int
    assert record.run["notebook"] == "1_part/chapter"
    assert record.run["versions"]["numpy"] == np.__version__
    assert record.frame().loc[0, "value"] == 0.1


def test_where_the_record_goes_decides_nothing(run: Run, book: Book) -> None:
    other = Run("1_part/chapter", {"profile": "quick", "seed": 0, "device": "cpu", "output": "/y"})
    assert run.content()["run"]["config_hash"] == other.content()["run"]["config_hash"]
    assert "output" not in run.content()["run"]["parameters"]
    third = Run("1_part/chapter", {"profile": "quick", "seed": 1, "device": "cpu"})
    assert run.content()["run"]["config_hash"] != third.content()["run"]["config_hash"]


def test_an_empty_output_writes_nothing(run: Run) -> None:
    assert run.save("") is None


def test_an_estimate_brings_its_error(run: Run) -> None:
    estimate = Estimate(value=0.7, standard_error=0.02, low=0.66, high=0.74, n=50, level=0.95)
    made = run.record(**PLACE, value=estimate)
    assert (made.value, made.standard_error, made.n) == (0.7, 0.02, 50)
    assert run.record(**(PLACE | {"row": "b"}), value=estimate, n=7).n == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exhibit": "Table 99"}, "exhibit: expected a row of book/papers/exhibits.csv"),
        ({"value": math.nan}, "expected a finite value and an error >= 0"),
        ({"standard_error": math.inf}, "expected a finite value and an error >= 0"),
        ({"standard_error": -0.1}, "expected a finite value and an error >= 0"),
        ({"key": "Upper Case"}, "key: expected lower-case letters"),
    ],
)
def test_a_bad_number_is_refused(run: Run, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run.record(**({**PLACE, "value": 1.0} | changes))
    assert run.table().empty


def test_two_numbers_of_one_place_or_key_are_refused(run: Run) -> None:
    run.record(**PLACE, value=1.0, key="mean")
    with pytest.raises(InputError, match=r"p . Table 1 . mean . a . 5 . : expected one number"):
        run.record(**(PLACE | {"column": "5"}), value=2.0)
    with pytest.raises(InputError, match="key: expected one number a key"):
        run.record(**(PLACE | {"column": 6}), value=2.0, key="mean")
    # Another data set is another number; so is a place that no exhibit has, if it is ours.
    run.record(**PLACE, value=2.0, dataset="digits")
    run.record(**(PLACE | {"paper": "ours", "exhibit": "control"}), value=0.0)
    assert len(run.table()) == 3
    assert len(run.table("Table 1")) == 2


def test_an_unknown_profile(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIQA_BOOK", str(book.root))
    with pytest.raises(InputError, match="profile: expected one of cpu, paper, quick"):
        Run("1_part/chapter", {"profile": "fast"})


def test_the_interval_is_the_normal_one_of_one_seed_and_students_of_several() -> None:
    from scipy.stats import norm, t

    made = Result(**(PLACE | {"column": "5"}), value=1.0, standard_error=0.5)
    assert made.interval() == pytest.approx(norm.interval(0.95, 1.0, 0.5), rel=1e-6)
    assert Result(**(PLACE | {"column": "5"}), value=1.0).interval() is None
    one, three = (replace(made, seeds=tuple(range(count))) for count in (1, 3))
    assert one.interval() == made.interval()
    assert three.interval() == pytest.approx(t.interval(0.95, 2, 1.0, 0.5), rel=1e-6)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"run": {}}', '{"run": {}, "results": [{"a": 1}]}']
)
def test_a_broken_record_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"broken\.json: expected a record"):
        load_record(path)


def test_no_record(tmp_path: Path) -> None:
    assert load_record(tmp_path / "none.json") is None


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_json(path, {"b": 1, "a": 2})
    assert json.loads(path.read_text()) == {"a": 2, "b": 1}
    for bad in (math.nan, object()):
        with pytest.raises((ValueError, TypeError)):
            write_json(path, {"a": bad})
    assert [p.name for p in path.parent.iterdir()] == ["b.json"]
    assert json.loads(path.read_text())["a"] == 2
