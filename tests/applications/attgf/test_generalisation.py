"""Agreement by domain, studies of networks that have not seen a domain, the other measures, real opinions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kendalltau, spearmanr

from giqa_lib.applications.attgf import (
    ALL_IMAGES,
    ATTGF,
    GENERALISATION_PRESETS,
    OTHER_MEASURES,
    VARIANTS,
    WITHIN,
    AgiqaGeneralisation,
    FaceGeneralisation,
    FaceMeasures,
    GeneralisationStudy,
    OpinionPreset,
    VotedFaces,
    combined_gaps,
    degraded_faces,
    generalisation_faces,
    opinion_pairs,
    other_measures,
    with_pairs,
)
from giqa_lib.applications.opinion import (
    agreement,
    agreement_gap,
    check_opinions,
    mean_on_same_images,
    mean_over_domains,
    opinion_rows,
)
from giqa_lib.checks import InputError
from giqa_lib.data import find
from giqa_lib.iqa import AttGFFit, AttGFSettings, DescentSettings, fit_attgf
from giqa_lib.iqa.bisenet import _BiSeNet
from giqa_lib.iqa.face_parser import _UNet
from giqa_lib.store import Store

RANDOM = np.random.default_rng(0)
TINY = replace(
    GENERALISATION_PRESETS["quick"],
    fit=AttGFFit(descent=DescentSettings(steps=3), pairs=2, regressed=()),
)


@pytest.fixture(scope="module")
def databases():
    return degraded_faces(8, size=32, seed=0), degraded_faces(8, size=32, seed=0, held_out=True)


@pytest.fixture(scope="module")
def study(databases, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    return GeneralisationStudy(*databases, TINY, seed=0, store=store)


class TestAgreement:
    def test_it_is_what_scipy_says(self):
        scores, opinions = RANDOM.normal(size=(2, 60))
        found = agreement(scores, opinions, resamples=20, random_state=0).set_index("metric")
        assert found.loc["SRCC", "value"] == pytest.approx(spearmanr(scores, opinions).statistic)
        assert found.loc["KRCC", "value"] == pytest.approx(kendalltau(scores, opinions).statistic)
        assert (found["n"] == 60).all()

    def test_errors_are_about_those_of_the_normal_theory(self):
        scores = RANDOM.normal(size=300)
        opinions = RANDOM.normal(size=300)
        found = agreement(scores, opinions, resamples=400, random_state=0).set_index("metric")
        assert found.loc["SRCC", "standard_error"] == pytest.approx(300**-0.5, rel=0.25)

    def test_a_constant_score_has_no_correlation(self):
        found = agreement(np.ones(9), np.arange(9.0), resamples=5, random_state=0)
        assert found.set_index("metric").loc[["SRCC", "PLCC", "KRCC"], "value"].tolist() == [
            0,
            0,
            0,
        ]

    def test_a_gap_of_a_score_with_itself_is_nought_without_error(self):
        scores, opinions = RANDOM.normal(size=(2, 40))
        found = agreement_gap(scores, scores, opinions, resamples=20, random_state=0)
        assert (found["value"], found["standard_error"]) == (0, 0)

    def test_a_gap_on_the_same_images_is_surer_than_two_correlations(self):
        opinions = RANDOM.normal(size=200)
        first = opinions + RANDOM.normal(size=200)
        second = first + 0.1 * RANDOM.normal(size=200)
        gap = agreement_gap(first, second, opinions, resamples=200, random_state=0)
        alone = agreement(first, opinions, resamples=200, random_state=0)["standard_error"][0]
        assert gap["standard_error"] < alone / 2

    def test_means_over_domains_add_up_errors(self):
        frame = pd.DataFrame({"name": "a", "value": [1.0, 3.0], "standard_error": [0.6, 0.8], "n": 5})  # fmt: skip
        row = mean_over_domains(frame, ["name"]).iloc[0]
        assert (row["value"], row["standard_error"], row["n"]) == (2.0, 0.5, 10)

    def test_networks_on_the_same_images_are_no_more_images(self):
        frame = pd.DataFrame({"name": "a", "value": [1.0, 3.0], "standard_error": [0.6, 0.8], "n": 5})  # fmt: skip
        row = mean_on_same_images(frame, ["name"]).iloc[0]
        assert (row["value"], row["n"]) == (2.0, 5)
        assert row["standard_error"] == pytest.approx(0.5**0.5)  # one network's, not half of it

    def test_constant_opinions_and_one_image_are_refused(self):
        words = "opinions: expected opinions that differ, got a constant 3 for"
        for opinions in (np.full(6, 3.0), np.full(1, 3.0)):
            scores = np.arange(float(len(opinions)))
            with pytest.raises(InputError, match=words):
                agreement(scores, opinions, resamples=5, random_state=0)
            with pytest.raises(InputError, match=words):
                agreement_gap(scores, scores, opinions, resamples=5, random_state=0)
            with pytest.raises(InputError, match=words):
                check_opinions(opinions)


class TestOpinionRows:
    def test_unjudged_images_are_left_out(self):
        opinions = np.array([1, 2, np.nan, 4, 5, 6.0])
        assert opinion_rows(opinions, np.zeros(6), ["a"])["a"].tolist() == [0, 1, 3, 4, 5]

    def test_a_domain_with_one_image_is_refused(self):
        with pytest.raises(InputError, match="domain b: expected 5 or more judged images, got 1"):
            opinion_rows(np.arange(7.0), [0, 0, 0, 0, 0, 0, 1], ["a", "b"])

    def test_a_constant_opinion_is_refused(self):
        with pytest.raises(InputError, match="domain a: expected opinions that differ, got a con"):
            opinion_rows(np.full(6, 3.0), np.zeros(6), ["a"])


class TestStudy:
    def test_each_image_is_judged_by_the_network_that_has_not_seen_its_domain(self, study):
        found = study.unseen_scores()
        for unseen, rows in study.rows.items():
            others = study.scores([name for name in study.domains if name != unseen])
            assert np.array_equal(found[rows], others[rows])

    @pytest.mark.parametrize("variant", [name for name in VARIANTS if name != ATTGF])
    def test_variants_are_other_networks(self, study, variant):
        sources = study.others("blur")
        whole, other = study.scores(sources), study.scores(sources, variant)
        assert np.isfinite(other).all()
        if variant != "second order":  # after Adam's first step both orders are one
            assert not np.array_equal(whole, other)
        else:
            np.testing.assert_allclose(other, whole, atol=1e-3)

    def test_gaps_of_equal_scores_are_nought(self, study):
        scores = [study.unseen_scores()]
        frame = combined_gaps([study], scores, scores, resamples=10)
        assert frame["domain"].tolist() == [*study.domains, "mean"]
        assert (frame["value"] == 0).all()

    def test_seen_minus_unseen_is_the_mean_of_three_networks_minus_the_fourth(self, study):
        found = study.seen_minus_unseen(resamples=5).set_index("domain")["value"]

        def agrees(unseen, domain):
            rows = study.rows[domain]
            scores = study.scores(study.others(unseen))[rows]
            return 0.0 if np.ptp(scores) == 0 else spearmanr(scores, study.opinions[rows]).statistic

        for domain in study.domains:
            seen = np.mean([agrees(other, domain) for other in study.others(domain)])
            assert found[domain] == pytest.approx(seen - agrees(domain, domain))

    def test_agreement_has_a_row_a_domain_and_metric(self, study):
        frame = study.agreements({"a": study.test.mos.numpy()}, resamples=5)
        assert len(frame) == 4 * 4
        assert (frame.loc[frame["metric"] == "SRCC", "value"] == 1).all()

    def test_databases_of_other_domains_are_refused(self, databases, tmp_path):
        other = degraded_faces(8, size=32, seed=0, damages=("blur", "noise"))
        with pytest.raises(InputError, match="test: expected domains blur, noise, jpeg, pixelate"):
            GeneralisationStudy(databases[0], other, TINY, seed=0, store=Store(tmp_path))

    def test_unknown_names_are_refused(self, study):
        with pytest.raises(InputError, match="variant"):
            study.scores(["blur"], "w/o FC")
        with pytest.raises(InputError, match="unseen"):
            study.others("rain")


def test_other_measures_have_a_score_an_image(databases, tmp_path):
    real = degraded_faces(30, size=32, seed=3, damages=("blur", "noise")).images
    measures = FaceMeasures.of_profile("quick")
    fit = replace(measures.natural.settings.fit, steps=2, check_every=1)
    natural = replace(measures.natural, settings=replace(measures.natural.settings, fit=fit))
    measures = replace(measures, natural=natural, meta=replace(measures.meta, tasks=2))
    images = databases[1].images
    found = other_measures(Store(tmp_path), real, images, measures, seed=0)
    assert tuple(found) == tuple(name for name in OTHER_MEASURES if name != "GMM-GIQA")
    assert all(
        np.isfinite(values).all() and len(values) == len(images) for values in found.values()
    )


class TestOpinionPairs:
    def test_no_pair_contradicts_its_opinions_or_leaves_its_domain(self):
        opinions = torch.from_numpy(RANDOM.normal(size=40))
        domain = torch.arange(40) % 2
        pairs = opinion_pairs(opinions, domain, ["a", "b"], count=50, margin=0.5, random_state=0)
        better, worse = pairs.T
        assert (opinions[better] - opinions[worse] >= 0.5).all()
        assert (domain[better] == domain[worse]).all()
        assert torch.bincount(domain[better]).tolist() == [50, 50]
        assert len(pairs.unique(dim=0)) == 100

    def test_a_constant_opinion_and_one_image_are_refused(self):
        for opinions in (torch.ones(4).double(), torch.ones(1).double()):
            with pytest.raises(InputError, match="domain a: expected two images whose opinions"):
                opinion_pairs(
                    opinions,
                    torch.zeros(len(opinions)).long(),
                    ["a"],
                    count=5,
                    margin=0,
                    random_state=0,
                )

    def test_pseudo_opinion_takes_the_place_of_opinion_in_pairs_alone(self, databases):
        train = databases[0]
        turned = with_pairs(train, -train.mos, count=20, margin=0.0, random_state=0)
        better, worse = turned.pairs.T
        assert (train.mos[better] < train.mos[worse]).all()
        assert torch.equal(turned.mos, train.mos)


@pytest.mark.skipif(find("agiqa-3k") is None, reason="agiqa-3k is not here")
def test_a_model_left_out_of_agiqa(tmp_path):
    study = AgiqaGeneralisation(
        seed=0, store=Store(tmp_path), opinions=OpinionPreset(size=32, pairs=20), training=TINY
    )
    train, test, settings = study.databases
    assert len(train.domains) == 6
    assert len(set(settings)) == 10
    assert int(torch.bincount(test.domain).min()) > 50
    assert train.parts == ("image",)
    shared = set(map(bytes, train.images.flatten(1).numpy())) & set(map(bytes, test.images.flatten(1).numpy()))  # fmt: skip
    assert all(len(set(pixels)) == 1 for pixels in shared)  # Glide's two blank images
    found = study.agreement(study.by_opinion, resamples=5)
    assert found["scope"].value_counts().to_dict() == {WITHIN: 10, ALL_IMAGES: 6}
    same = study.gaps((study.by_opinion, ATTGF), (study.by_opinion, ATTGF), resamples=5)
    assert (same["value"] == 0).all()
    mean = AgiqaGeneralisation.mean_agreement(found, ["scope", "seed"]).set_index("scope")
    assert mean.loc[WITHIN, "n"] == mean.loc[ALL_IMAGES, "n"] == len(test)


@pytest.mark.skipif(find("faces64-human") is None, reason="faces64-human is not here")
def test_scores_of_two_networks_are_not_compared_over_both_kinds_of_faces(tmp_path):
    from giqa_lib.iqa import UNetFaceParser

    parser = UNetFaceParser(network=_UNet(3, 2, 2).eval(), classes=("ground", "face"))
    judges = VotedFaces(parser, size=16, store=Store(tmp_path))
    scores = {name: RANDOM.normal(size=len(judges.database)) for name in ("one", "two")}
    found = judges.agreement(scores, seed=0, resamples=5, apart=["two"])
    kinds = {name: rows["faces"].tolist() for name, rows in found.groupby("name")}
    assert kinds == {"one": ["real", "wgan-gp", "all"], "two": ["real", "wgan-gp"]}


class TestReleasedParser:
    @pytest.fixture
    def weights(self, tmp_path):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            torch.save(_BiSeNet().state_dict(), tmp_path / "79999_iter.pth")
        return str(tmp_path / "79999_iter.pth")

    def study(self, dataset, weights, tmp_path):
        quality = generalisation_faces("quick", dataset)
        store = Store(tmp_path / "store")
        return FaceGeneralisation(quality, TINY, seed=0, store=store, parser_weights=weights)

    @pytest.mark.skipif(find("celebamask") is None, reason="celebamask is not here")
    def test_it_takes_the_place_of_the_one_trained_here(self, weights, tmp_path):
        study = self.study("celebamask", weights, tmp_path)
        assert study.parser.name == "BiSeNet, released weights"
        assert study.quality.parse is study.parser
        faces = study.quality.real("reference")[:2]
        assert study.parser(faces).shape == (2, *faces.shape[2:])

    def test_it_is_refused_for_faces_of_other_parts(self, weights, tmp_path):
        with pytest.raises(InputError, match="classes: expected all that BiSeNet tells apart"):
            self.study("toy-faces", weights, tmp_path)


@pytest.mark.slow
def test_the_papers_sizes_take_a_step_with_a_pair_of_each_source():
    preset = GENERALISATION_PRESETS["paper"]
    faces = degraded_faces(2, size=256, seed=0, damages=("blur", "noise"))
    fit = replace(preset.fit, descent=replace(preset.fit.descent, steps=1), pairs=1)
    sizes = AttGFSettings(
        classes=len(faces.parts),
        widths=preset.widths,
        stride=preset.stride,
        reduction=preset.reduction,
    )
    score = fit_attgf(faces, faces.domains, sizes, fit, seed=0)
    assert np.isfinite(replace(score, batch_size=4)(faces.images, faces.maps)).all()
    network = _UNet(3, preset.parser.width, len(faces.parts))
    loss = torch.nn.functional.cross_entropy(network(faces.images[:2]), faces.maps[:2].long())
    before = network.last.weight.clone()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    loss.backward()
    optimiser.step()
    assert not torch.equal(network.last.weight, before)
