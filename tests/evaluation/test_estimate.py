import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from giqa_lib.checks import InputError
from giqa_lib.evaluation import Estimate, bootstrap, proportion


def test_error_of_a_mean_is_the_known_one(rng):
    values = rng.standard_normal(400) * 3
    found = bootstrap(np.mean, values, resamples=4000, random_state=0)
    expected = values.std() / 20
    assert found.value == values.mean()
    assert found.n == 400
    assert found.standard_error == pytest.approx(expected, rel=0.06)
    assert found.low == pytest.approx(values.mean() - 1.96 * expected, abs=0.15 * expected)
    assert found.high == pytest.approx(values.mean() + 1.96 * expected, abs=0.15 * expected)


def test_pairs_are_kept_together(rng):
    first = rng.standard_normal(200) * 10
    second = first + 0.1 * rng.standard_normal(200)
    found = {
        paired: bootstrap(
            lambda a, b: float(np.mean(a - b)), first, second, random_state=0, paired=paired
        )
        for paired in (True, False)
    }
    assert found[True].standard_error == pytest.approx(0.1 / 200**0.5, rel=0.2)
    assert found[False].standard_error == pytest.approx(10 * 2**0.5 / 200**0.5, rel=0.2)
    assert (found[True].n, found[False].n) == (200, 400)


def test_unpaired_arrays_may_differ_in_length(rng):
    found = bootstrap(
        lambda a, b: a.mean() - b.mean(),
        rng.random(30),
        rng.random((50, 2)),
        random_state=0,
        paired=False,
        resamples=50,
    )
    assert found.n == 80


def test_groups_are_drawn_whole(rng):
    # All rows of a group are equal: the information is that of 25 numbers, not of 500.
    groups = np.repeat(np.arange(25), 20)
    values = rng.standard_normal(25)[groups]
    order = rng.permutation(500)
    whole = bootstrap(np.mean, values[order], groups=groups[order], resamples=4000, random_state=0)
    single = bootstrap(np.mean, values[order], resamples=4000, random_state=0)
    assert whole.standard_error == pytest.approx(values[::20].std() / 5, rel=0.06)
    assert single.standard_error == pytest.approx(values.std() / 500**0.5, rel=0.06)
    assert whole.n == 500


def test_the_same_state_gives_the_same_estimate():
    values = np.arange(20.0)
    first, second = (bootstrap(np.median, values, random_state=3, resamples=20) for _ in range(2))
    assert first == second
    other = bootstrap(np.median, values, random_state=4, resamples=20)
    assert first != other


@pytest.mark.parametrize(
    ("arrays", "options", "match"),
    [
        ((), {}, "arrays: expected arrays of at least 2 rows"),
        (([1.0],), {}, "at least 2 rows"),
        (([1.0, 2.0], [1.0, 2.0, 3.0]), {}, "array 0 2, array 1 3"),
        (([1.0, 2.0],), {"resamples": 1}, "resamples"),
        (([1.0, 2.0],), {"level": 95}, "not a percentage"),
        (([1.0, 2.0],), {"groups": [0, 0]}, "at least 2 groups"),
        (([1.0, 2.0],), {"groups": [0, 1], "paired": False}, "expected paired arrays"),
        (([1.0, 2.0],), {"groups": [0, 1, 2]}, "groups 3"),
        (([1.0, np.nan],), {}, "statistic: expected finite values"),
    ],
)
def test_errors(arrays, options, match):
    with pytest.raises(InputError, match=match):
        bootstrap(lambda *columns: float(np.mean(columns[0])), *arrays, random_state=0, **options)


def test_a_resample_that_has_no_value_is_named():
    with pytest.raises(InputError, match="of 100 resamples not finite"):
        bootstrap(
            lambda x: float(np.log(x.std()) if x.std() else np.nan),
            [1.0, 2.0],
            random_state=0,
            resamples=100,
        )


@settings(max_examples=50)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipy(case):
    successes, n = case
    found = proportion(successes, n, 0.9)
    expected = binomtest(successes, n).proportion_ci(0.9, method="wilson")
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.standard_error > 0


def test_proportion_of_many_has_the_binomial_error():
    assert proportion(300, 1000).standard_error == pytest.approx((0.21 / 1000) ** 0.5, rel=0.01)
    assert proportion(2.5, 10).value == 0.25


@pytest.mark.parametrize(
    ("successes", "n", "match"), [(3, 2, "0..2"), (-1, 2, "0..2"), (0, 0, "n:")]
)
def test_proportion_errors(successes, n, match):
    with pytest.raises(InputError, match=match):
        proportion(successes, n)


def test_an_estimate_is_a_number_and_reads_as_one():
    found = Estimate(value=0.5, standard_error=0.05, low=0.4, high=0.6, level=0.95, n=100)
    assert float(found) == 0.5
    assert str(found) == "0.5 ± 0.05 (95 % interval 0.4 to 0.6, n = 100)"
    with pytest.raises(InputError, match="low <= high"):
        Estimate(value=0.5, standard_error=0.05, low=0.7, high=0.6, level=0.95, n=100)
