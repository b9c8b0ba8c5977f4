"""The four GMAN models on the digits study: what is trained, what is shared, how it is judged and kept."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from giqa_lib.applications.generators import (
    GeneratorJudge,
    JudgeSettings,
    agreement_with,
    battle_table,
    on_larger_images,
)
from giqa_lib.applications.gman import (
    COLLAPSING,
    GMAN_MODELS,
    GMAN_PAIRS,
    GMAN_PRESETS,
    GMAN_VARIANTS,
    GMANPreset,
    GMANStudy,
    demo_weights,
    gman_demo,
    load_generators,
    save_generators,
    trained_generators,
)
from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.evaluation import FORMULAS, Encounter, Player, gam
from giqa_lib.gan import GMANSettings, to_pixels
from giqa_lib.results import find_checkout

PRESET = GMANPreset(
    width=4, steps=(2, 4), variant_steps=3, collapse_steps=3, batch_size=5, samples=30
)


@pytest.fixture(scope="module")
def gman(study):
    return GMANStudy(study, PRESET)


def first_weights(made, seed=0):
    generator, _ = made.networks(torch.Generator().manual_seed(seed))
    return torch.cat([p.detach().flatten() for p in generator.parameters()])


class TestWhatIsTrained:
    def test_the_four_models_are_the_reports(self, gman):
        found = {run: gman.settings(run).architecture for run in GMAN_MODELS}
        assert [found[run].discriminators for run in GMAN_MODELS] == [1, 5, 1, 5]
        assert [found[run].layers for run in GMAN_MODELS] == ["dense"] * 2 + ["convolutional"] * 2
        assert [found[run].soft_labels for run in GMAN_MODELS] == [True, True, False, False]
        assert [found[run].image_size for run in GMAN_MODELS] == [32, 32, 28, 28]
        assert {each.aggregation.name for each in found.values()} == {"mean of probabilities"}

    @pytest.mark.parametrize("pair", [*GMAN_PAIRS, GMAN_VARIANTS[:2], COLLAPSING], ids=str)
    def test_a_pair_differs_in_the_number_of_discriminators_alone(self, gman, pair):
        one, five = (gman.settings(run) for run in pair)
        assert one.train == five.train
        assert dataclasses.replace(one.architecture, discriminators=5) == five.architecture
        assert torch.equal(first_weights(one.architecture), first_weights(five.architecture))

    def test_variants_differ_from_the_reports_in_what_they_are_named_for(self, gman):
        base = gman.settings("mean of probabilities").architecture
        names = set()
        for run in GMAN_VARIANTS[2:]:
            made = gman.settings(run).architecture
            names.add(str(made.aggregation))
            same = dataclasses.replace(
                made, aggregation=base.aggregation, dropout=(), separate=False
            )
            assert same == base
        # Those with other discriminators share the mean of values.
        assert len(names) == len(GMAN_VARIANTS) - 5

    @pytest.mark.parametrize(
        ("run", "drops", "separate"),
        [("dropout", True, False), ("separate", False, True), ("different", True, True)],
    )
    def test_discriminators_are_made_different_by_one_thing_at_a_time(
        self, gman, run, drops, separate
    ):
        found = gman.settings(run)
        rates = (0.56, 0.52, 0.48, 0.44, 0.40) if drops else ()
        assert found.architecture.dropout == pytest.approx(rates)
        assert found.architecture.separate == separate
        # Each has a batch of its own.
        assert found.train.batch_size == PRESET.batch_size * (5 if separate else 1)

    def test_a_fast_generator_is_faster_at_the_same_mean_rate(self, gman):
        train = gman.settings(COLLAPSING[0]).train
        assert train.generator_rate / train.discriminator_rate == pytest.approx(PRESET.boost)
        assert train.generator_rate * train.discriminator_rate == pytest.approx(PRESET.rate**2)

    def test_each_has_artefacts_of_its_own(self, gman):
        runs = {*GMAN_MODELS, *GMAN_VARIANTS, *COLLAPSING}
        assert len({str(gman.settings(run).describe()) for run in runs}) == len(runs)

    def test_an_unknown_run_is_refused(self, gman):
        with pytest.raises(InputError, match="run"):
            gman.settings("WGAN")

    @pytest.mark.parametrize("profile", GMAN_PRESETS)
    def test_the_profiles_build(self, study, profile):
        made = GMANStudy(study, GMAN_PRESETS[profile])
        for run in GMAN_MODELS:
            assert made.settings(run).architecture.width == GMAN_PRESETS[profile].width


class TestWhatComesOut:
    def test_losses_name_every_discriminator_once(self, gman):
        found = gman.losses("GMAN")
        players = ["generator", *(f"discriminator {n}" for n in range(1, 6))]
        assert set(found["player"]) == set(players)
        assert len(found) == 6 * 4
        assert set(gman.losses("GAN")["player"]) == {"generator", "discriminator"}

    def test_images_are_of_the_data_sets_size_at_each_step(self, gman, study):
        late, early = gman.images("DCGAN", 6), gman.images("DCGAN", 6, step=2)
        assert late.shape == early.shape == (6, *study.train[0].shape)
        assert not torch.equal(late, early)

    def test_both_discriminators_judge_images_of_their_networks_size(self, gman, study):
        met = gman.encounter("DCGAN", "DCGMAN")
        assert met.names == ("DCGAN", "DCGMAN")
        assert len(met.own[0]) == PRESET.samples
        assert len(met.test[0]) == PRESET.samples
        player = gman.player("DCGMAN", place=1)
        shown = player.generate(PRESET.samples)
        assert shown.shape[2:] == (28, 28)
        assert np.allclose(player.judge(shown).numpy(), met.own[1], atol=1e-6)
        first = gman.player("DCGAN")
        assert np.allclose(first.judge(shown).numpy(), met.other[0], atol=1e-6)
        # The players' images are of other latents.
        assert not torch.equal(player.generate(3), gman.player("DCGMAN", place=0).generate(3))

    def test_players_generate_what_images_shows(self, gman, study):
        made = to_pixels(gman.player("DCGAN").generate(4))
        side = study.train[0].shape[1]
        margin = (28 - side) // 2
        cut = made[:, :, margin : margin + side, margin : margin + side]
        assert torch.equal(cut, gman.images("DCGAN", 4))

    def test_a_run_is_judged_as_the_judge_does(self, gman, study):
        settings = JudgeSettings(components=1, scored=60, fitted=100, max_components=8)
        judge = GeneratorJudge(study, settings, random_state=0)
        found = gman.judged(judge, "GAN")
        features = judge.extract(gman.images("GAN", 100))
        assert found["value"].tolist() == pytest.approx(judge.judge(features)["value"].tolist())
        assert set(found["run"]) == {"GAN"}

    @pytest.mark.parametrize("run", ["DCGMAN", "different"])
    def test_verdicts_are_of_each_discriminator_in_evaluation_mode(self, gman, study, run):
        found = gman.verdicts(run, study.real.tensor()[:7])
        assert found.shape == (7, 5)
        assert torch.equal(found, gman.verdicts(run, study.real.tensor()[:7]))
        shown = gman.player(run).judge(
            gman._shown(study.real.tensor()[:7], 28 if run == "DCGMAN" else 32)
        )
        assert torch.allclose(found.double().sigmoid().mean(1), shown, atol=1e-6)


class TestBattles:
    def met(self):
        random = np.random.default_rng(0)
        pair = lambda: (random.random(50), random.random(50))  # noqa: E731
        return Encounter(names=("a", "b"), own=pair(), other=pair(), test=pair())

    def test_a_row_a_formula(self):
        table = battle_table(self.met(), resamples=20, random_state=0).set_index("formula")
        assert list(table.index) == [*FORMULAS, "gmam"]
        one = gam(self.met(), formula="printed", resamples=20, random_state=0)
        assert table.loc["printed", "r_sample"] == one.r_sample.value
        assert table.loc["printed", "winner"] == one.winner
        assert np.isnan(table.loc["gmam", "support"])

    def test_agreement_is_by_the_better_value(self):
        values = pd.DataFrame({"a": [1.0, 3.0, 1.0], "b": [2.0, 2.0, 2.0]})
        winners = pd.Series(["a", "a", "undefined"])
        assert agreement_with(winners, values).tolist() == [True, False, pd.NA]
        equal = agreement_with(winners, values.assign(b=values["a"]))
        assert equal.isna().all()  # nobody is the better
        high = agreement_with(winners, values, lower_is_better=False)
        assert high.tolist() == [False, True, pd.NA]

    def test_a_map_of_probabilities_is_averaged_image_by_image(self):
        player = Player(name="a", generate=torch.zeros, judge=len)
        mean = on_larger_images(player, lambda x: x.flatten())
        assert mean.judge(torch.tensor([[0.0, 0.5], [1.0, 1.0]])).tolist() == [0.25, 1.0]


class TestDemo:
    def test_weights_come_back_in_half_precision(self, gman, tmp_path):
        made = trained_generators(gman)
        path = save_generators(tmp_path / "w.safetensors", made, trained_on="digits")
        found, trained_on = load_generators(path)
        assert trained_on == "digits"
        assert list(found) == list(GMAN_MODELS)
        z = torch.randn(3, 100, generator=torch.Generator().manual_seed(0))
        for name, network in found.items():
            with torch.no_grad():
                one, two = network(z), made[name](z)
            assert torch.allclose(one, two, atol=0.02)
            assert not network.training

    def test_where_they_come_from_stands_beside_them(self, gman, tmp_path, monkeypatch):
        monkeypatch.setenv("GIQA_STORE", str(tmp_path / "store"))
        monkeypatch.setitem(gman_demo.PRESETS, "quick", gman.study.settings)
        monkeypatch.setitem(gman_demo.GMAN_PRESETS, "quick", PRESET)
        path = demo_weights(
            str(tmp_path / "w.safetensors"), dataset="digits", profile="quick", seed=3
        )
        told = json.loads((tmp_path / "w.safetensors.json").read_text())
        assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert told["trained on"] == load_generators(path)[1] == "digits, profile quick, seed 3"
        assert told["runs"]["GMAN"]["train"]["steps"] == PRESET.steps[-1]
        assert told["images"] == gman.study.train.fingerprint

    def test_the_books_file_is_small_and_is_the_one_described(self):
        path = find_checkout(Path(__file__).parent) / "book" / "weights" / "gman.safetensors"
        told = json.loads(path.with_name(f"{path.name}.json").read_text())
        assert path.stat().st_size < 2e6
        assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        found, trained_on = load_generators(path)
        assert trained_on == told["trained on"]
        assert list(found) == list(GMAN_MODELS)

    def test_missing_or_strange_weights_say_what_to_do(self, tmp_path):
        with pytest.raises(DataUnavailable, match="make demo-weights"):
            load_generators(tmp_path / "none.safetensors")
        with pytest.raises(InputError, match="trained_generators"):
            save_generators(tmp_path / "w", {"a": torch.nn.Flatten()}, trained_on="")

    def test_the_papers_width_is_the_reports(self):
        assert GMAN_PRESETS["paper"].width == GMANSettings().width
