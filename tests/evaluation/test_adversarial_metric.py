import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from giqa_lib.checks import InputError
from giqa_lib.evaluation import FORMULAS, Encounter, Player, decide, error_rate, gam, gmam, meet

NAMES = ("a", "b")


def encounter(seed=0, count=400):
    random = np.random.default_rng(seed)

    def pair(one, two):
        return random.beta(one, 3, count), random.beta(two, 3, count)

    return Encounter(names=NAMES, own=pair(2, 3), other=pair(2.5, 1.5), test=pair(4, 4.2))


def errors(found, real):
    """By hand, one at a time."""
    wrong = 0
    for value in found:
        says_real = value >= 0.5
        wrong += says_real != real
    return wrong / len(found)


class TestFormulas:
    def test_gam_is_im_et_als(self):
        met = encounter()
        found = gam(met, random_state=0)
        assert found.r_test.value == pytest.approx(
            errors(met.test[0], True) / errors(met.test[1], True)
        )
        assert found.r_sample.value == pytest.approx(
            errors(met.other[0], False) / errors(met.other[1], False)
        )

    def test_printed_is_not_swapped(self):
        met = encounter()
        found = gam(met, formula="printed", random_state=0)
        assert found.r_sample.value == pytest.approx(
            errors(met.own[0], False) / errors(met.own[1], False)
        )

    def test_notebooks_are_means_and_cross_entropies(self):
        met = encounter()
        found = gam(met, formula="notebooks", random_state=0)
        losses = [
            float(functional.binary_cross_entropy(torch.tensor(p), torch.ones(len(p))))
            for p in map(np.float32, met.other)
        ]
        assert found.r_sample.value == pytest.approx(losses[0] / losses[1], rel=1e-5)
        assert found.r_test.value == pytest.approx(met.test[0].mean() / met.test[1].mean())

    def test_a_probability_of_nought_costs_what_torchs_loss_says(self):
        met = replace(encounter(), other=(np.zeros(3), np.full(3, math.exp(-1))))
        assert gam(met, formula="notebooks", random_state=0).r_sample.value == pytest.approx(100)

    def test_the_notebooks_rule_is_the_metrics_turned_round(self):
        """The first discriminator is fooled by every image of the second generator: the second wins."""
        fooled, not_fooled = np.full(50, 0.9), np.full(50, 0.2)
        not_fooled[0] = 0.6
        met = replace(encounter(), other=(fooled, not_fooled), test=(np.full(50, 0.8),) * 2)
        met.test[0][0] = 0.1
        assert gam(met, random_state=0).winner == "b"
        assert gam(met, formula="notebooks", random_state=0).winner == "a"


class TestLaws:
    @pytest.mark.parametrize("formula", FORMULAS)
    @given(seed=st.integers(0, 50))
    def test_swapping_the_players_inverts_the_ratios_and_keeps_the_winner(self, formula, seed):
        met = encounter(seed, count=60)
        one = gam(met, formula=formula, resamples=2, random_state=0)
        two = gam(met.swapped(), formula=formula, resamples=2, random_state=0)
        for name in ("r_test", "r_sample"):
            product = getattr(one, name).value * getattr(two, name).value
            assert product == pytest.approx(1)
        assert one.winner == two.winner

    @pytest.mark.parametrize("formula", FORMULAS)
    def test_a_player_against_itself_ties(self, formula):
        met = encounter()
        same = Encounter(
            names=NAMES,
            own=(met.own[0],) * 2,
            other=(met.own[0],) * 2,
            test=(met.test[0],) * 2,
        )
        found = gam(same, formula=formula, random_state=0)
        assert (found.r_test.value, found.r_sample.value, found.winner) == (1, 1, "tie")
        assert gmam(same, random_state=0).value == 0
        assert gmam(same, random_state=0).winner == "tie"

    def test_swapping_turns_gmams_sign(self):
        met = encounter()
        one, two = gmam(met, random_state=0), gmam(met.swapped(), random_state=0)
        assert one.value == pytest.approx(-two.value)
        assert one.by_first == pytest.approx(-two.by_second)


class TestGMAM:
    def test_by_hand(self):
        def value(test, made):
            return math.log(test) + math.log(1 - made)

        met = Encounter(
            names=NAMES,
            own=(np.full(4, 0.3), np.full(4, 0.4)),
            other=(np.full(4, 0.45), np.full(4, 0.2)),
            test=(np.full(5, 0.8), np.full(5, 0.7)),
        )
        found = gmam(met, random_state=0)
        assert found.by_first == pytest.approx(math.log(value(0.8, 0.45) / value(0.8, 0.3)))
        assert found.by_second == pytest.approx(-math.log(value(0.7, 0.2) / value(0.7, 0.4)))
        assert found.value == pytest.approx(found.by_first + found.by_second)
        assert found.winner == "b"
        assert found.low == pytest.approx(found.value)

    def test_discriminators_that_disagree_leave_it_open(self):
        met = Encounter(
            names=NAMES,
            own=(np.full(4, 0.3), np.full(4, 0.2)),
            other=(np.full(4, 0.45), np.full(4, 0.4)),
            test=(np.full(5, 0.8),) * 2,
        )
        assert gmam(met, random_state=0).winner == "tie"


class TestDecisions:
    @pytest.mark.parametrize(
        ("r_test", "r_sample", "winner", "why"),
        [
            (1.0, 0.9, "a", "below"),
            (1.2, 1.1, "b", "above"),
            (0.81, float("inf"), "b", "above"),
            (1.0, 1.0, "tie", "is 1"),
            (1.26, 0.1, "tie", "not about 1"),
            (0.79, 0.1, "tie", "not about 1"),
            (float("inf"), 0.1, "tie", "not about 1"),
            (float("nan"), 0.1, "undefined", "neither discriminator errs"),
            (1.0, float("nan"), "undefined", "no generated image"),
        ],
    )
    def test_each_case_is_named(self, r_test, r_sample, winner, why):
        found = decide(r_test, r_sample, names=NAMES)
        assert found[0] == winner
        assert why in found[1]

    def test_the_reports_own_rows_all_pass_its_gate(self):
        for r_test in (1.21, 0.95, 0.96, 1.0):
            assert decide(r_test, 1.02, names=NAMES)[0] == "b"

    def test_a_discriminator_that_never_errs_gives_infinity_not_a_warning(self):
        never, test = np.zeros(20), np.full(20, 0.9)
        test[0] = 0.1
        met = Encounter(
            names=NAMES, own=(never,) * 2, other=(np.full(20, 0.7), never), test=(test,) * 2
        )
        found = gam(met, random_state=0)
        assert math.isinf(found.r_sample.value)
        assert found.winner == "b"
        undefined = gam(replace(met, other=(never, never)), random_state=0)
        assert undefined.winner == "undefined"
        assert math.isnan(undefined.r_sample.value)
        assert math.isnan(undefined.r_sample.low)


class TestIntervals:
    def test_cover_the_truth(self):
        random = np.random.default_rng(0)
        covered = 0
        for trial in range(120):
            other = tuple((random.random(200) < p) * 0.4 + 0.3 for p in (0.2, 0.4))
            test = tuple((random.random(200) < 0.8) * 0.4 + 0.3 for _ in range(2))
            met = Encounter(names=NAMES, own=other, other=other, test=test)
            found = gam(met, resamples=200, random_state=trial).r_sample
            covered += found.low <= 0.5 <= found.high
        assert 0.88 <= covered / 120 <= 0.99

    def test_support_is_high_for_a_clear_winner_and_a_coins_for_none(self):
        clear = replace(
            encounter(),
            other=(np.full(400, 0.2), np.full(400, 0.8)),
            test=(np.linspace(0, 1, 400),) * 2,
        )
        assert gam(clear, random_state=0).support == 1
        # As good as each other; of two equal players one is ahead by chance.
        random = np.random.default_rng(3)
        equal = tuple(random.permutation(np.linspace(0, 1, 400)) ** 1.0 for _ in range(2))
        equal[0][equal[0] > 0.995] = 0.4
        close = replace(clear, other=equal)
        assert 0.4 < gam(close, random_state=0).support < 0.7


class TestMeeting:
    @staticmethod
    def player(name="a", level=0.0, judge=None):
        return Player(
            name=name,
            generate=lambda count: torch.full((count, 1, 4, 4), level),
            judge=judge or (lambda images: images.mean((1, 2, 3)).sigmoid()),
        )

    def test_everyone_judges_everything_once(self):
        test, train = torch.full((7, 1, 4, 4), 2.0), torch.full((3, 1, 4, 4), -2.0)
        halved = self.player("b", level=-1.0, judge=lambda x: x.mean((1, 2, 3)).sigmoid() / 2)
        found = meet(self.player("a", level=1.0), halved, test=test, train=train, samples=5)
        high, low = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))
        assert found.own[0].tolist() == pytest.approx([high] * 5)
        assert found.own[1].tolist() == pytest.approx([low / 2] * 5)
        assert found.other[0].tolist() == pytest.approx([low] * 5)
        assert found.other[1].tolist() == pytest.approx([high / 2] * 5)
        assert found.test[1].tolist() == pytest.approx([1 / (1 + math.exp(-2)) / 2] * 7)
        table = found.scores()
        assert len(table) == 8
        assert table.loc[0, "error rate"] == 1.0  # a takes all its own images for real
        assert table["n"].tolist() == [5, 5, 7, 3] * 2

    def test_one_half_is_taken_for_real(self):
        assert error_rate(np.array([0.5]), real=True) == 0
        assert error_rate(np.array([0.5]), real=False) == 1

    def test_no_test_image(self):
        with pytest.raises(InputError, match=r"test images: expected one or more, got none; give"):
            meet(self.player(), self.player("b"), test=torch.zeros(0, 1, 4, 4))

    def test_logits(self):
        logits = self.player("b", judge=lambda images: 3 + images.mean((1, 2, 3)))
        with pytest.raises(
            InputError, match=r"discriminator of b.*got values from 3 to 3.*sigmoid"
        ):
            meet(self.player(), logits, test=torch.zeros(2, 1, 4, 4))

    def test_not_a_number(self):
        broken = self.player("b", judge=lambda images: torch.full((len(images),), float("nan")))
        with pytest.raises(InputError, match="discriminator of b"):
            meet(self.player(), broken, test=torch.zeros(2, 1, 4, 4))

    def test_images_of_another_size(self):
        with pytest.raises(InputError, match=r"images of a: expected \(n, 1, 6, 6\)"):
            meet(self.player(), self.player("b"), test=torch.zeros(2, 1, 6, 6))

    def test_a_generator_that_gives_other_than_it_is_asked_for(self):
        few = Player(name="b", generate=lambda n: torch.zeros(n - 1, 1, 4, 4), judge=len)
        with pytest.raises(InputError, match=r"generator of b: expected 5 images, got 4; generate"):
            meet(self.player(), few, test=torch.zeros(2, 1, 4, 4), samples=5)

    def test_a_discriminator_that_gives_a_map_was_trained_on_another_size(self):
        mapped = self.player("b", judge=lambda images: images[:, 0, :2, :2] + 0.5)
        with pytest.raises(InputError, match=r"one probability.*trained on images of another size"):
            meet(self.player(), mapped, test=torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"test": (np.zeros(0), np.zeros(0))},
            "test: discriminator of a: .*one probability or more",
        ),
        ({"own": (np.full(3, 0.5), np.full(4, 0.5))}, "own: expected one length, got 3 and 4"),
        (
            {"other": (np.full(3, 0.5), np.full(3, 2.5))},
            "other: discriminator of b: .*2.5.*sigmoid",
        ),
        ({"train": (np.full(3, np.nan), np.full(3, 0.5))}, "train: discriminator of a"),
    ],
    ids=["no test image", "other numbers", "logits", "not a number"],
)
def test_verdicts_that_were_not_met_here_are_checked_too(change, message):
    with pytest.raises(InputError, match=message):
        replace(encounter(), **change)


def test_bad_options_are_refused():
    met = encounter()
    with pytest.raises(InputError, match="formula"):
        gam(met, formula="mine", random_state=0)
    with pytest.raises(InputError, match="tolerance"):
        gam(met, tolerance=-0.1, random_state=0)
