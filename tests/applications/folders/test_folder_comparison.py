import dataclasses

import numpy as np
import pytest

from giqa_lib.applications.folders import BETTER, REAL, ScorerSettings, compare_sets
from giqa_lib.checks import InputError
from giqa_lib.evaluation import frechet_distance

SETTINGS = ScorerSettings(density="sgm", variance=1.0, held_out=0.4)


@pytest.fixture(scope="module")
def found():
    random = np.random.default_rng(0)
    real, perfect, far = random.normal(size=(3, 600, 4))
    collapsed = random.normal(scale=0.2, size=(600, 4))
    generated = {"perfect": perfect, "far": far + np.eye(4)[0] * 3, "collapsed": collapsed}
    return compare_sets(real=real, generated=generated, settings=SETTINGS)


def value(found, name, measure):
    row = found.table.query("set == @name and measure == @measure")
    return row.iloc[0]


def test_every_set_has_every_measure_and_one_size(found):
    assert found.images == 300  # half of the real images is the reference
    assert len(found.table) == 4 * len(BETTER)
    assert list(found.scores) == [REAL, "perfect", "far", "collapsed"]
    assert all(len(scores) == 300 for scores in found.scores.values())
    assert (found.table["low"] <= found.table["high"]).all()


@pytest.mark.parametrize("measure", BETTER)
def test_a_perfect_generator_is_as_good_as_real_images(found, measure):
    real, perfect = value(found, REAL, measure), value(found, "perfect", measure)
    error = np.hypot(real["standard_error"], perfect["standard_error"])
    assert abs(real["value"] - perfect["value"]) < 4 * error + 0.02


def test_held_out_real_images_have_half_of_everything(found):
    for measure in ("QS", "DS"):
        row = value(found, REAL, measure)
        assert abs(row["value"] - 0.5) < 4 * row["standard_error"]


@pytest.mark.parametrize("measure", BETTER)
def test_a_far_generator_is_worse(found, measure):
    sign = 1 if BETTER[measure] == "higher" else -1
    perfect, far = (sign * value(found, name, measure)["value"] for name in ("perfect", "far"))
    assert far < perfect


def test_a_collapsed_generator_has_quality_without_diversity(found):
    assert value(found, "collapsed", "QS")["value"] > 0.8
    assert value(found, "collapsed", "DS")["value"] < 0.1
    assert value(found, "collapsed", "recall")["value"] < 0.2


def test_fid_is_that_of_the_halves(found):
    random = np.random.default_rng(0)
    real, perfect = random.normal(size=(3, 600, 4))[:2]
    order = np.random.default_rng(0).permutation(600)
    chosen = np.sort(np.random.default_rng(0).permutation(600)[:300])
    exact = frechet_distance(real=real[order[:300]], generated=perfect[chosen])
    assert value(found, "perfect", "FID")["value"] == pytest.approx(exact, rel=1e-9)


def test_what_cannot_be_compared_is_refused():
    rows = np.random.default_rng(0).normal(size=(40, 3))
    cases = [
        ({}, "expected named sets, got none"),
        ({REAL: rows}, f"one named '{REAL}'"),
        ({"a": rows[:3]}, "expected at least 6 images a set, got 3 in a"),
        ({"a": rows[:, :2]}, "features of a: expected 3 columns"),
        ({"a": rows * np.nan}, "features of a: expected finite values"),
    ]
    for generated, message in cases:
        with pytest.raises(InputError, match=message):
            compare_sets(real=rows, generated=generated, settings=SETTINGS)
    with pytest.raises(InputError, match="at least 14 images a set"):
        compare_sets(
            real=rows,
            generated={"a": rows[:10]},
            settings=dataclasses.replace(SETTINGS, density="gmm"),
        )
