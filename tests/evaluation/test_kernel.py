import numpy as np
import pytest

from giqa_lib.checks import InputError
from giqa_lib.evaluation import kernel, kernel_distance, kernel_estimate


def by_loops(real, generated):
    def value(x, y):
        return (float(np.dot(x, y)) / len(x) + 1.0) ** 3

    def within(rows):
        pairs = [value(x, y) for i, x in enumerate(rows) for j, y in enumerate(rows) if i != j]
        return np.mean(pairs)

    across = np.mean([value(x, y) for x in real for y in generated])
    return within(real) + within(generated) - 2 * across


@pytest.mark.parametrize("block", [2048, 4])
def test_equals_loops(make_features, monkeypatch, block):
    monkeypatch.setattr(kernel, "_BLOCK", block)
    real, generated = make_features(13, 9, 4)
    expected = by_loops(real, generated)
    assert kernel_distance(real=real, generated=generated) == pytest.approx(expected, rel=1e-11)
    assert kernel_distance(real=generated, generated=real) == pytest.approx(expected, rel=1e-11)


def test_unbiased():
    """Over many small sets of one distribution the mean is 0, unlike that of the V-statistic."""
    values = []
    for seed in range(400):
        rows = np.random.default_rng(seed).standard_normal((2, 6, 3))
        values.append(kernel_distance(real=rows[0], generated=rows[1]))
    error = np.std(values) / 20
    assert abs(np.mean(values)) < 3 * error
    assert min(values) < 0


def test_subsets_centre_on_the_distance_of_all(make_features):
    real, generated = make_features(300, 300, 5)
    found = kernel_estimate(
        real=real, generated=generated, subsets=400, subset_size=50, random_state=0
    )
    every = kernel_distance(real=real, generated=generated)
    assert found.value == pytest.approx(every, abs=0.25 * found.standard_error)
    assert found.n == 600


@pytest.mark.parametrize("subset_size", [None, 40])
def test_error_is_that_of_repeated_samples(make_features, subset_size):
    def once(seed):
        real, generated = make_features(200, 200, 4, seed=seed)
        return real, generated + 0.5

    values = [kernel_distance(real=r, generated=g) for r, g in map(once, range(80))]
    real, generated = once(1000)
    found = kernel_estimate(real=real, generated=generated, subset_size=subset_size, random_state=0)
    assert found.standard_error == pytest.approx(np.std(values), rel=0.4)


def test_errors(make_features):
    real, generated = make_features(10, 10, 3)
    with pytest.raises(InputError, match="subset_size: expected 2 to 5"):
        kernel_estimate(real=real, generated=generated, subset_size=6, random_state=0)
    with pytest.raises(InputError, match="generated: expected 3 columns"):
        kernel_distance(real=real, generated=generated[:, 1:])
    with pytest.raises(InputError, match="real: expected at least 2"):
        kernel_distance(real=real[:1], generated=generated)
    with pytest.raises(InputError, match="subsets"):
        kernel_estimate(real=real, generated=generated, subsets=1, random_state=0)
