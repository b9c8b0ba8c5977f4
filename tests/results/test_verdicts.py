from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa_lib.checks import InputError
from giqa_lib.results import VERDICTS, Record, Result, find_result, judge

Z = 1.959964


def number(low: float, high: float, **changes: Any) -> Result:
    """A result whose interval is [low, high]."""
    place = {"paper": "p", "exhibit": "e", "row": "r", "column": "c", "metric": "m"}
    return Result(
        **(place | {"value": (low + high) / 2, "standard_error": (high - low) / 2 / Z} | changes)
    )


def above(margin: float, **more: Any) -> dict[str, Any]:
    return {"id": "A", "paper": "p", "attempted": True, "expect": "above", "margin": margin, **more}


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.2, 0.3, "reproduced"),
        (0.05, 0.3, "direction only"),  # positive for sure, above the margin perhaps
        (0.02, 0.05, "direction only"),  # positive for sure, below the margin for sure
        (-0.05, 0.05, "not reproduced"),
        (-0.3, -0.2, "not reproduced"),
        (-0.05, 0.3, "inconclusive"),
    ],
)
def test_above_and_its_mirror_image(low: float, high: float, verdict: str) -> None:
    assert judge(above(0.1), number(low, high)) == verdict
    assert judge(above(-0.1, expect="below"), number(-high, -low)) == verdict
    # Seen from another null value.
    assert judge(above(0.6, null=0.5), number(0.5 + low, 0.5 + high)) == verdict
    mirrored = above(-0.6, null=-0.5, expect="below")
    assert judge(mirrored, number(-0.5 - high, -0.5 - low)) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.45, 0.55, "reproduced"),
        (0.35, 0.55, "inconclusive"),
        (0.65, 0.75, "not reproduced"),
        (0.25, 0.35, "not reproduced"),
        (0.0, 1.0, "inconclusive"),
    ],
)
def test_equal(low: float, high: float, verdict: str) -> None:
    assert judge(above(0.1, expect="equal", target=0.5), number(low, high)) == verdict
    assert judge(above(0.1, expect="equal", paper_value=0.5), number(low, high)) == verdict


def test_a_number_without_an_error_decides_nothing() -> None:
    assert judge(above(0.1), number(0.2, 0.3, standard_error=None)) == "inconclusive"


def test_no_number_or_no_attempt() -> None:
    assert judge(above(0.1), None) == "not attempted"
    assert judge(above(0.1) | {"attempted": False}, number(0.2, 0.3)) == "not attempted"


@settings(max_examples=50, deadline=None)
@given(
    value=st.floats(-1, 1),
    error=st.floats(0, 1),
    wider=st.floats(1, 10),
    margin=st.floats(0.01, 0.5),
)
def test_a_wider_interval_never_reproduces_more(
    value: float, error: float, wider: float, margin: float
) -> None:
    narrow = number(0, 1, value=value, standard_error=error)
    wide = number(0, 1, value=value, standard_error=error * wider)
    for claim in (above(margin), above(margin, expect="equal", target=0.0)):
        verdicts = judge(claim, narrow), judge(claim, wide)
        assert set(verdicts) <= set(VERDICTS)
        assert verdicts[0] == "reproduced" or verdicts[1] != "reproduced"


def test_the_number_is_found_by_its_fields() -> None:
    one = number(0, 1, row="a", column="5", key="gain")
    record = Record(run={}, results=(one, number(0, 1, row="b"), number(0, 1, row="a", paper="q")))
    assert find_result(above(0.1, result={"row": "a", "column": 5}), record) is one
    assert find_result(above(0.1, result={"key": "gain"}), record) is one
    assert find_result(above(0.1, result={"row": "z"}), record) is None
    assert find_result(above(0.1, result={"row": "a"}), None) is None
    assert find_result(above(0.1, result={"paper": "q", "row": "a"}), record) is record.results[2]


def test_a_claim_that_fits_two_numbers_is_an_error() -> None:
    record = Record(run={}, results=(number(0, 1, row="a"), number(0, 1, row="b")))
    with pytest.raises(
        InputError, match=r"claim A: expected one recorded number, got p . e . m . a"
    ):
        find_result(above(0.1, result={"metric": "m"}), record)
