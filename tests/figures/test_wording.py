import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa_lib.figures.wording import course, listing, number, plain, to_scale


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.6547, "0.655"),
        (0.9996, "1"),
        (999.7, "1000"),
        (12345.6, "12,346"),
        (-0.05, "−0.05"),
        (1.234e-5, "1.23e−05"),
        (math.nan, "no value"),
        (-math.inf, "−∞"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(-1e6, 1e6))
@settings(max_examples=50, deadline=None)
def test_number_is_right_to_half_a_unit_of_its_third_digit(value: float) -> None:
    read = float(number(value).replace("−", "-").replace(",", ""))
    assert abs(read - value) <= 0.00501 * abs(value)


def test_to_scale_has_no_negative_zero() -> None:
    assert to_scale(-1e-9, 1.0) == "0"
    assert to_scale(3.0, 0.0) == "3"


def test_listing_and_plain() -> None:
    assert listing([]) == ""
    assert listing(["a"]) == "a"
    assert listing(["a", "b"]) == "a and b"
    assert plain("Neighbours\n$K$") == "Neighbours K"


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([1, 2, 3], "rises from 1 at 0 to 3 at 2"),
        ([3, 2, 1], "falls from 3 at 0 to 1 at 2"),
        ([1, 3, 2], "rises from 1 at 0 to 3 at 1, then falls to 2 at 2"),
        ([2, 1, 3], "falls from 2 at 0 to 1 at 1, then rises to 3 at 2"),
        ([1, 2, 1], "rises from 1 at 0 to 2 at 1, then falls to 1 at 2"),
        ([1, 3, 2, 4], "rises from 1 at 0 to 4 at 3, unevenly"),
        ([4, 2, 3, 1], "falls from 4 at 0 to 1 at 3, unevenly"),
        ([2, 1, 4, 3], "runs from 2 at 0 to 3 at 3, lowest 1 at 1, highest 4 at 2"),
        ([2, 2, 2], "stays at 2"),
        ([2], "is 2 at 0"),
    ],
)
def test_course(y: list[int], words: str) -> None:
    assert course(np.arange(len(y), dtype=float), np.array(y, float)) == words


def test_course_claims_no_trend_within_the_error_bars() -> None:
    x, y = np.arange(3.0), np.array([0.60, 0.61, 0.62])
    wide, narrow = np.full(3, 0.02), np.full(3, 0.01)
    assert course(x, y, wide) == "stays between 0.6 and 0.62, with no change beyond its error bars"
    assert course(x, y, narrow).startswith("rises")  # 0.02 > sqrt(2) * 0.01
    assert course(x, y, np.full(3, np.nan)).startswith("rises")
