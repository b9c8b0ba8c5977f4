import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from giqa_lib.checks import InputError
from giqa_lib.evaluation import fit_logistic, krcc, mcnemar, pair_accuracy, plcc, rmse, srcc

NUMBERS = st.integers(-5, 5).map(float)
COLUMNS = st.integers(2, 20).flatmap(
    lambda n: st.tuples(*[st.lists(NUMBERS, min_size=n, max_size=n)] * 2)
)


@pytest.mark.parametrize(
    ("ties", "value", "n"), [("half", 0.6, 5), ("wrong", 0.4, 5), ("drop", 2 / 3, 3)]
)
def test_pair_accuracy_counts_ties_as_told(ties, value, n):
    found = pair_accuracy([1, 2, 3, 4, 5], [0, 1, 9, 4, 5], ties=ties)
    assert found.value == pytest.approx(value, abs=1e-15)
    assert (found.n, found.ties) == (n, 2)


def test_pair_accuracy_errors():
    with pytest.raises(InputError, match="expected a pair that differs"):
        pair_accuracy([1.0], [1.0], ties="drop")
    with pytest.raises(InputError, match="better 2, worse 1"):
        pair_accuracy([1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="ties"):
        pair_accuracy([1.0], [2.0], ties="random")
    with pytest.raises(InputError, match="worse: expected finite"):
        pair_accuracy([1.0], [np.nan])


@settings(max_examples=50, deadline=None)
@given(COLUMNS)
def test_exchanging_the_images_exchanges_right_and_wrong(columns):
    first, second = columns
    forward, backward = pair_accuracy(first, second), pair_accuracy(second, first)
    assert forward.value + backward.value == pytest.approx(1.0, abs=1e-12)
    assert forward.low == pytest.approx(1 - backward.high, abs=1e-12)


def test_mcnemar_is_the_sign_test_of_the_pairs_that_differ():
    first = np.repeat([1, 1, 0, 0], [30, 12, 3, 20])
    second = np.repeat([1, 0, 1, 0], [30, 12, 3, 20])
    assert mcnemar(first, second) == pytest.approx(stats.binomtest(12, 15).pvalue, rel=1e-12)
    assert mcnemar(first == 1, second == 1) == mcnemar(second, first)
    assert mcnemar(first, first) == 1.0
    with pytest.raises(InputError, match="first_right: expected booleans, got value 0"):
        mcnemar([0.5], [1])


@settings(max_examples=50, deadline=None)
@given(COLUMNS)
def test_correlations_equal_scipy(columns):
    first, second = columns
    if len(set(first)) == 1 or len(set(second)) == 1:
        with pytest.raises(InputError, match="all equal"):
            srcc(first, second)
        return
    assert srcc(first, second) == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)
    assert krcc(first, second) == pytest.approx(
        stats.kendalltau(first, second).statistic, abs=1e-12
    )
    linear = plcc(first, second, logistic=False)
    assert linear == pytest.approx(stats.pearsonr(first, second).statistic, abs=1e-12)
    assert abs(plcc(first, second)) >= abs(linear) - 1e-9


@pytest.mark.parametrize("metric", [srcc, krcc, plcc])
def test_a_constant_has_no_correlation(metric):
    with pytest.raises(InputError, match="opinions: expected two different values, got 3 value"):
        metric([1.0, 2.0, 3.0], [0.1, 0.1, 0.1])


def test_extreme_scales_do_not_matter(rng):
    first, second = rng.standard_normal((2, 50))
    expected = stats.pearsonr(first, second).statistic
    for factor in (1e-200, 1e200):
        assert plcc(first * factor, second, logistic=False) == pytest.approx(expected, abs=1e-12)
        assert abs(plcc(first * factor, second)) == pytest.approx(
            abs(plcc(first, second)), abs=1e-6
        )


def test_rmse_closed_form():
    assert rmse([0.0, 3.0], [4.0, 3.0]) == pytest.approx(8**0.5, rel=1e-15)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("centre", "scale"), [(0.0, 1.0), (1e4, 0.01), (-5.0, 300.0)])
def test_a_logistic_is_found_again(rng, sign, centre, scale):
    x = rng.standard_normal(200)
    y = 40.0 + sign * 30.0 / (1.0 + np.exp(-3.0 * (x - 0.3)))
    fit = fit_logistic(centre + scale * x, y)
    assert fit.direction == sign
    assert not fit.is_linear
    assert rmse(fit(centre + scale * x), y) < 1e-5
    assert plcc(centre + scale * x, y) == pytest.approx(sign, abs=1e-9)
    b1, b2, b3, b4, b5 = fit.parameters
    raw = centre + scale * x
    formula = b1 * (0.5 - 1 / (1 + np.exp(b2 * (raw - b3)))) + b4 * raw + b5
    assert formula == pytest.approx(fit(raw), rel=1e-6)


def test_a_line_stays_a_line():
    x = np.arange(30.0)
    fit = fit_logistic(x, 7.0 - 2.0 * x)
    assert fit.is_linear
    assert fit.direction == -1
    assert fit([100.0]) == pytest.approx([-193.0], rel=1e-12)


def test_few_images_get_a_line():
    assert fit_logistic(np.arange(5.0), [0.0, 0.0, 0.0, 1.0, 1.0]).is_linear
    assert not fit_logistic(np.arange(6.0), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]).is_linear


@settings(max_examples=50, deadline=None)
@given(COLUMNS)
def test_the_fit_never_raises_and_is_never_worse_than_a_line(columns):
    first, second = (np.array(column) for column in columns)
    fitted = fit_logistic(first, second)(first)
    assert np.isfinite(fitted).all()
    least = second - second.mean()
    if np.ptp(first) > 0:
        slope, offset = np.polyfit(first, second, 1)
        least = second - slope * first - offset
    assert np.sum((fitted - second) ** 2) <= np.sum(least**2) + 1e-8


def test_plcc_is_invariant_to_a_change_of_units(rng):
    first = rng.standard_normal(80)
    second = np.tanh(first) + 0.1 * rng.standard_normal(80)
    assert plcc(1e3 * first - 7, 5 * second + 1) == pytest.approx(plcc(first, second), abs=1e-8)
