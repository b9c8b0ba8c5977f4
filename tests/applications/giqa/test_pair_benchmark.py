import numpy as np
import pytest

from giqa_lib.applications.giqa import StudyBed, density_values, judge_pairs, lead, mcnemar_table
from giqa_lib.applications.pairs import Pairs
from giqa_lib.evaluation import mcnemar
from giqa_lib.scores import SingleGaussian

SCORES = {
    "perfect": np.arange(8.0),
    "blind": np.zeros(8),
    "wrong": -np.arange(8.0),
    "half": np.array([0, 1, 0, 1, 2, 0, 0, 1.0]),
}
PAIRS = Pairs(name="kind", better=np.array([1, 3, 5, 7]), worse=np.array([0, 2, 4, 6]))


def test_accuracies_and_ties_by_hand():
    frame = judge_pairs(SCORES, [PAIRS], seed=3).accuracies().set_index("name")
    assert frame["value"].to_dict() == {"perfect": 1.0, "blind": 0.5, "wrong": 0.0, "half": 0.75}
    assert frame["ties"].to_dict() == {"perfect": 0, "blind": 4, "wrong": 0, "half": 0}
    assert set(frame["seed"]) == {3}


def test_the_lead_is_chosen_on_one_half_and_measured_on_the_other():
    chosen = judge_pairs(
        {"a": SCORES["perfect"], "b": SCORES["half"], "c": SCORES["wrong"]}, [PAIRS], seed=0
    )
    measured = judge_pairs(
        {"a": SCORES["wrong"], "b": SCORES["half"], "c": SCORES["perfect"]}, [PAIRS], seed=0
    )
    best = lead(chosen, measured, ["a", "b"], ["c"]).iloc[0]
    assert (best["first"], best["second"], best["value"]) == ("a", "c", -1.0)
    worst = lead(chosen, measured, ["a", "b"], ["c"], worst=True).iloc[0]
    assert (worst["first"], worst["value"]) == ("b", -0.25)


def test_mcnemar_pools_seeds_and_counts_ties_as_wrong():
    one, two = (judge_pairs(SCORES, [PAIRS], seed=s) for s in (0, 1))
    table = mcnemar_table([one, two], "kind").set_index(["first", "second"])
    row = table.loc[("perfect", "blind")]
    assert (row["only first"], row["only second"]) == (8, 0)
    assert row["p"] == mcnemar([True] * 8, [False] * 8)
    assert len(table) == 6
    assert (table["adjusted p"] >= table["p"]).all()
    assert table["adjusted p"].min() == pytest.approx(6 * table["p"].min())


def test_density_values_are_the_densitys_own(study, space):
    images = StudyBed(study).images
    found = density_values(study, images, {"SGM-GIQA": SingleGaussian()})["SGM-GIQA"]
    by_hand = study.features()
    expected = SingleGaussian().fit(by_hand.reference).score_samples(by_hand.pool)
    assert found.shape == (len(images),)
    assert np.allclose(found[: len(study.pool)], expected)
