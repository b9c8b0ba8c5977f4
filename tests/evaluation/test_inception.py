import numpy as np
import pytest
from scipy.stats import entropy

from giqa_lib.checks import InputError
from giqa_lib.evaluation import inception_score


def test_equals_the_definition(rng):
    rows = rng.dirichlet(np.ones(5), size=60)
    parts = np.split(rows, 4)
    values = [np.exp(np.mean([entropy(row, part.mean(0)) for row in part])) for part in parts]
    found = inception_score(rows, splits=4)
    assert found.value == pytest.approx(np.mean(values), rel=1e-12)
    assert found.standard_error == pytest.approx(np.std(values, ddof=1) / 2, rel=1e-10)
    assert found.n == 60


@pytest.mark.parametrize("classes", [2, 7])
def test_from_one_to_the_number_of_classes(classes):
    sure = np.tile(np.eye(classes), (4, 1))
    found = inception_score(sure, splits=4)
    assert found.value == pytest.approx(classes, rel=1e-12)
    assert found.standard_error < 1e-12
    assert inception_score(np.full((20, classes), 1 / classes)).value == pytest.approx(1, abs=1e-12)
    assert inception_score(np.tile(np.eye(classes)[0], (20, 1))).value == 1.0


def test_float32_softmax_is_accepted(rng):
    rows = rng.dirichlet(np.ones(1000), size=20).astype(np.float32)
    assert 1 < inception_score(rows, splits=2).value < 1000


@pytest.mark.parametrize(
    ("rows", "splits", "match"),
    [
        (np.ones((4, 3)), 2, "apply softmax"),
        ([[1.5, -0.5], [0.5, 0.5]], 2, "smallest -0"),
        (np.eye(3), 4, "splits: expected 2 to 3, got 4"),
        (np.eye(3), 1, "splits: expected 2 to 3, got 1"),
        (np.full((2, 2), np.nan), 2, "finite"),
    ],
)
def test_errors(rows, splits, match):
    with pytest.raises(InputError, match=match):
        inception_score(rows, splits=splits)
