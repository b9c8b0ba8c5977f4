"""One discriminator against five, seed by seed: exact changes on constructed losses, counts of who agrees."""

import numpy as np
import pandas as pd
import pytest

from giqa_lib.applications.generators import (
    GeneratorJudge,
    JudgeSettings,
    classes_hit,
    increment_variance,
    spike_share,
)
from giqa_lib.applications.gman import (
    GMAN_MODELS,
    GMAN_PAIRS,
    GMANPreset,
    GMANStudy,
    class_variety,
    judged_models,
    metric_agreement,
    own_battles,
    steadiness_changes,
)
from giqa_lib.applications.snapshots import effective_classes
from giqa_lib.checks import InputError
from giqa_lib.evaluation import combine_seeds

PRESET = GMANPreset(
    width=4, steps=(2, 4), variant_steps=3, collapse_steps=3, batch_size=5, samples=30
)


@pytest.fixture(scope="module")
def gman(study):
    return GMANStudy(study, PRESET)


@pytest.fixture(scope="module")
def judge(study):
    settings = JudgeSettings(components=1, scored=60, fitted=100, max_components=8)
    return GeneratorJudge(study, settings, random_state=0)


def losses(scale, *, run, seed=0, players=("generator", "discriminator")):
    random = np.random.default_rng([seed, len(players)])
    return pd.concat(
        pd.DataFrame(
            {
                "run": run,
                "seed": seed,
                "player": player,
                "step": range(100),
                "value": scale * random.normal(size=100),
            }
        )
        for player in players
    )


class TestSteadiness:
    FIVE = ("generator", *(f"discriminator {n}" for n in range(1, 6)))

    def frame(self):
        parts = [losses(1.0, run=one) for one, _ in GMAN_PAIRS]
        parts += [losses(2.0, run=five, players=self.FIVE) for _, five in GMAN_PAIRS]
        return pd.concat(parts)

    def test_changes_are_those_of_the_single_measures(self):
        frame = self.frame()
        found = steadiness_changes(frame).set_index(["name", "player", "metric"])["value"]

        def series(run, player):
            chosen = frame[(frame["run"] == run) & (frame["player"] == player)]
            return chosen["value"].to_numpy()

        one = series("GAN", "discriminator")
        five = [series("GMAN", f"discriminator {n}") for n in range(1, 6)]
        ratio = np.mean([increment_variance(x) for x in five]) / increment_variance(one)
        key = ("GMAN over GAN", "a discriminator")
        assert found[(*key, "log2 ratio of increment variance")] == pytest.approx(np.log2(ratio))
        difference = np.mean([spike_share(x) for x in five]) - spike_share(one)
        assert found[(*key, "difference of spikes")] == pytest.approx(difference)

    def test_both_pairs_are_their_mean_seed_by_seed(self):
        two = pd.concat([self.frame(), self.frame().assign(seed=1)])
        found = steadiness_changes(two)
        assert set(found["seed"]) == {0, 1}
        for _, part in found.groupby(["seed", "player", "metric"]):
            single = part[part["name"] != "both pairs"]["value"]
            assert len(single) == len(GMAN_PAIRS)
            both = part[part["name"] == "both pairs"]["value"]
            assert both.tolist() == pytest.approx([single.mean()])

    def test_twice_the_loss_has_four_times_the_variance_and_as_many_spikes(self):
        same = pd.concat([losses(1.0, run="a"), losses(2.0, run="b")])
        found = steadiness_changes(same, [("a", "b")]).set_index(["player", "metric"])["value"]
        assert found["generator", "log2 ratio of increment variance"].tolist() == pytest.approx(
            [2, 2]
        )
        assert found["generator", "difference of spikes"].tolist() == [0, 0]


class TestTrainings:
    def test_each_model_is_judged_and_the_larger_ones_early_too(self, gman, judge):
        found = judged_models([gman], [judge])
        early = {f"{five}, equal time" for _, five in GMAN_PAIRS}
        assert set(found["run"]) == {*GMAN_MODELS, *early}
        alone = gman.judged(judge, "GMAN", step=PRESET.steps[0])["value"].tolist()
        mine = found[found["run"] == "GMAN, equal time"]["value"].tolist()
        assert mine == pytest.approx(alone)
        assert mine != found[found["run"] == "GMAN"]["value"].tolist()

    def test_a_judge_for_each_study(self, gman, judge):
        with pytest.raises(InputError, match="one length"):
            judged_models([gman, gman], [judge])

    def test_variety_is_of_the_predicted_classes(self, gman, study):
        found = class_variety([gman], ["GAN", "DCGAN"], count=40)
        values = found.set_index(["run", "metric"])["value"]
        predicted = gman.predicted(gman.images("GAN", 40))
        assert values["GAN", "classes hit"] == classes_hit(
            predicted, gman.predicted(study.real.tensor())
        )
        assert values["GAN", "effective classes"] == effective_classes(predicted)
        assert set(values.xs("collapsed", level="metric")) <= {0.0, 1.0}
        assert len(combine_seeds(found, by=["run", "metric"])) == 6

    def test_each_pair_meets(self, gman):
        found = own_battles([gman], tolerance=0.25, random_state=0)
        assert set(found["pair"]) == {" vs ".join(pair) for pair in GMAN_PAIRS}
        assert set(found["seed"]) == {gman.study.seed}


class TestAgreement:
    @staticmethod
    def judged(values):
        rows = [
            {"run": run, "seed": seed, "metric": metric, "value": value}
            for (run, seed, metric), value in values.items()
        ]
        return pd.DataFrame(rows)

    def found(self, winners, values):
        battles = pd.DataFrame(
            [{"pair": p, "seed": s, "winner": w} for (p, s), w in winners.items()]
        )
        table = metric_agreement(battles, self.judged(values))
        return {row.what: (row.trainings, row.of) for row in table.itertuples(name="Row")}

    def test_counts(self):
        values = {}
        for seed in (0, 1):
            for run in GMAN_MODELS:
                five = run in {five for _, five in GMAN_PAIRS}
                values[run, seed, "FID"] = 1.0 if five else 2.0  # five are better
                values[run, seed, "QS"] = 0.1 if five else 0.2  # five are worse
                values[run, seed, "DS"] = seed if five else 0.5  # better in the second seed
        winners = {
            ("GAN vs GMAN", 0): "GMAN",
            ("GAN vs GMAN", 1): "GMAN",
            ("DCGAN vs DCGMAN", 0): "DCGAN",
            ("DCGAN vs DCGMAN", 1): "tie",
        }
        assert self.found(winners, values) == {
            "won by five discriminators": (2, 4),
            "won by one": (1, 4),
            "as by FID": (2, 3),
            "as by QS": (1, 3),
            "as by DS": (2, 3),
        }

    def test_rows_of_several_formulas_are_refused(self):
        twice = pd.DataFrame({"pair": ["GAN vs GMAN"] * 2, "seed": 0, "winner": "tie"})
        with pytest.raises(InputError, match="one formula"):
            metric_agreement(twice, pd.DataFrame())

    def test_an_unknown_pair_is_refused(self):
        strange = pd.DataFrame({"pair": ["A vs B"], "seed": 0, "winner": "tie"})
        with pytest.raises(InputError, match="pair"):
            metric_agreement(strange, pd.DataFrame())
