import numpy as np
import pandas as pd
import pytest

from giqa_lib.applications.generators import (
    NO_PICKING,
    GeneratorJudge,
    JudgeSettings,
    Picker,
    PickerStudy,
)
from giqa_lib.applications.snapshots import effective_classes
from giqa_lib.checks import InputError
from giqa_lib.scores import KNearestNeighbours

SETTINGS = JudgeSettings(components=1, scored=60, fitted=60, max_components=8)


@pytest.fixture(scope="module")
def picker_study(study):
    judges = [GeneratorJudge(study, SETTINGS, random_state=0)]
    other = JudgeSettings(space="pixels@8", components=1, scored=60, fitted=60, max_components=8)
    judges.append(GeneratorJudge(study, other, random_state=0))
    return PickerStudy(judges, study.snapshots, generated=120)


def test_the_first_of_the_kept_are_judged(picker_study):
    scores = np.linspace(1, 0, 120)
    scores[[3, 7]] = -1.0
    kept = picker_study.kept(Picker(name="mine", scores=scores), 0.9)
    expected = [place for place in range(62) if place not in (3, 7)]
    assert kept.tolist() == expected


def test_judges_see_the_kept_images_in_their_own_spaces(picker_study):
    picker = picker_study.density_pickers()[0]
    found = picker_study.judge_picked(picker, [0.5])
    order = np.argsort(-picker.scores, kind="stable")[:60]
    for judge, features in zip(picker_study.judges, picker_study.features, strict=True):
        by_hand = judge.judge(features[np.sort(order)])
        mine = found[found["space"] == judge.settings.space]
        assert mine["value"].tolist() == pytest.approx(by_hand["value"].tolist())
    spread = found.loc[found["metric"] == "effective classes", "value"].item()
    assert spread == effective_classes(picker_study.classes[np.sort(order)])
    assert set(found["rate"]) == {0.5}


def test_picking_by_the_judges_score_raises_its_own_quality_score(picker_study):
    picked = picker_study.judge_picked(picker_study.density_pickers()[0], [0.5])
    as_they_come = picker_study.judge_unpicked()
    assert set(as_they_come["run"]) == {NO_PICKING}

    def own_quality(frame: pd.DataFrame) -> float:
        mine = (frame["metric"] == "QS") & (frame["space"] == "classifier")
        return float(frame.loc[mine, "value"].item())

    assert own_quality(picked) > own_quality(as_they_come)


def test_no_truncation_gives_the_first_images_and_full_truncation_one_image(picker_study):
    assert (picker_study.truncated(1.0) == picker_study.images[:60]).all()
    collapsed = picker_study.truncated(0.0)
    assert (collapsed == collapsed[:1]).all()
    rows = picker_study.judge_truncated([0.5])
    assert set(rows["run"]) == {"truncation"}
    assert set(rows["space"]) == {"classifier", "pixels@8"}


def test_pickers_are_the_densities_and_keep_what_they_say(picker_study):
    first, elsewhere, within, same_share = picker_study.density_pickers()
    judge = picker_study.judges[0]
    assert first.scores == pytest.approx(judge.raw_scores(picker_study.features[0]))
    other = picker_study.judges[1].raw_scores(picker_study.features[1])
    assert elsewhere.scores == pytest.approx(other)
    assert within.scores.min() >= 0
    assert within.scores.max() <= 1
    assert (same_share.modes == picker_study.classes).all()
    nearest = picker_study.density_picker("KNN", KNearestNeighbours(n_neighbors=1))
    reduced = [
        judge.reduction.transform(rows) for rows in (judge.reference, picker_study.features[0])
    ]
    by_hand = KNearestNeighbours(n_neighbors=1).fit(reduced[0]).score_samples(reduced[1])
    assert nearest.scores == pytest.approx(by_hand)


def test_the_control_knows_nothing_and_is_the_same_again(picker_study):
    random = picker_study.random_picker()
    assert (random.scores == picker_study.random_picker().scores).all()
    assert abs(np.corrcoef(random.scores, picker_study.density_pickers()[0].scores)[0, 1]) < 0.4


def test_too_few_left_to_judge_is_refused(picker_study, study):
    with pytest.raises(
        InputError, match=r"rate: expected 60 images left to judge, got 36 at a rate"
    ):
        picker_study.kept(picker_study.random_picker(), 0.3)
    with pytest.raises(InputError, match="generated: expected at least the 60"):
        PickerStudy(picker_study.judges, study.snapshots, generated=50)
    short = Picker(name="short", scores=np.zeros(7))
    with pytest.raises(InputError, match="scores"):
        picker_study.kept(short, 0.5)
