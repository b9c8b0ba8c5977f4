import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture

from giqa_lib.checks import InputError
from giqa_lib.evaluation import diversity_score, mean_calibrated_score, quality_score


class FirstFeature(BaseEstimator):
    """Scores by the first feature; remembers what it was fitted to."""

    def fit(self, X):
        self.fitted_ = X
        return self

    def score_samples(self, X):
        return X[:, 0]


class ShareBelow:
    """Not a scikit-learn estimator, as a calibration need not be."""

    def fit(self, held_out_scores):
        self.held_out = np.sort(held_out_scores)
        return self

    def transform(self, scores):
        return np.searchsorted(self.held_out, scores) / len(self.held_out)


def test_without_calibration_it_is_the_mean_raw_score(make_features):
    real, generated = make_features(200, 150, 3)
    model = GaussianMixture(2, random_state=0)
    quality = quality_score(model, real=real, generated=generated, random_state=0)
    diversity = diversity_score(model, real=real, generated=generated, random_state=0)
    assert quality.value == pytest.approx(
        GaussianMixture(2, random_state=0).fit(real).score(generated), rel=1e-12
    )
    assert diversity.value == pytest.approx(
        GaussianMixture(2, random_state=0).fit(generated).score(real), rel=1e-12
    )
    assert (quality.n, diversity.n) == (150, 200)
    assert not hasattr(model, "means_")  # a clone was fitted


def test_calibrated_it_is_the_chance_to_beat_a_held_out_image(rng):
    real, generated = rng.standard_normal((500, 2)), rng.standard_normal((400, 2)) + 1
    found = quality_score(
        FirstFeature(),
        real=real,
        generated=generated,
        calibration=ShareBelow(),
        held_out_share=0.4,
        random_state=5,
    )
    held_out = real[np.random.default_rng(5).permutation(500)[:200], 0]
    truth = np.repeat([0, 1], [200, 400])
    expected = roc_auc_score(truth, np.concatenate([held_out, generated[:, 0]]))
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.n == 400


def test_the_error_has_both_sets_in_it():
    """Against the spread over repeated draws of all images."""

    def once(seed):
        generator = np.random.default_rng(seed)
        return quality_score(
            FirstFeature(),
            real=generator.standard_normal((250, 1)),
            generated=generator.standard_normal((400, 1)) + 0.5,
            calibration=ShareBelow(),
            random_state=generator,
            resamples=2 if seed else 400,
        )

    spread = np.std([once(seed).value for seed in range(1, 150)])
    assert once(0).standard_error == pytest.approx(spread, rel=0.25)


def test_held_out_images_are_kept_from_the_fit(rng):
    seen = []

    class Recorder(FirstFeature):
        def score_samples(self, X):
            seen.append((self.fitted_.copy(), X.copy()))
            return X[:, 0]

    generated = rng.standard_normal((50, 1))
    diversity_score(
        Recorder(),
        generated=generated,
        real=rng.standard_normal((30, 1)),
        calibration=ShareBelow(),
        random_state=0,
    )
    fitted, held_out = seen[0]
    assert (len(fitted), len(held_out)) == (40, 10)
    assert not set(fitted.ravel()) & set(held_out.ravel())
    assert set(np.concatenate([fitted, held_out]).ravel()) == set(generated.ravel())


def test_a_perfect_generator_gets_half_and_a_missing_mode_shows_in_diversity():
    generator = np.random.default_rng(0)

    def draw(count, share):
        rows = generator.standard_normal((count, 2))
        rows[generator.random(count) < share] += 12.0
        return rows

    options = {
        "density": GaussianMixture(2, random_state=0),
        "calibration": ShareBelow(),
        "random_state": 0,
    }
    real, same, one_mode = draw(1500, 0.5), draw(1500, 0.5), draw(1500, 0.0)
    quality = quality_score(real=real, generated=same, **options)
    diversity = diversity_score(real=real, generated=same, **options)
    assert quality.value == pytest.approx(0.5, abs=4 * quality.standard_error)
    assert diversity.value == pytest.approx(0.5, abs=4 * diversity.standard_error)
    collapsed = diversity_score(real=real, generated=one_mode, **options)
    assert collapsed.value == pytest.approx(0.25, abs=4 * collapsed.standard_error + 0.02)
    kept = quality_score(real=real, generated=one_mode, **options)
    assert kept.value == pytest.approx(0.5, abs=4 * kept.standard_error)


def test_the_same_state_gives_the_same_value(make_features):
    real, generated = make_features(60, 50, 2)
    first, second = (
        diversity_score(
            FirstFeature(),
            real=real,
            generated=generated,
            calibration=ShareBelow(),
            random_state=3,
            resamples=20,
        )
        for _ in range(2)
    )
    assert first == second


def test_errors(make_features):
    real, generated = make_features(9, 9, 3)
    options = {"calibration": ShareBelow(), "random_state": 0}
    with pytest.raises(InputError, match=r"real: expected 2 or more images to fit .* got 8 and 1"):
        quality_score(FirstFeature(), real=real, generated=generated, held_out_share=0.1, **options)
    with pytest.raises(InputError, match="held_out_share"):
        diversity_score(
            FirstFeature(), real=real, generated=generated, held_out_share=20, **options
        )
    with pytest.raises(InputError, match="generated: expected 3 columns"):
        quality_score(FirstFeature(), real=real, generated=generated[:, 1:], **options)
    with pytest.raises(InputError, match="real: expected 3 columns"):
        diversity_score(FirstFeature(), real=real[:, 1:], generated=generated, **options)


def test_scores_of_a_fitted_density_need_no_second_fit(rng):
    held_out, scores = rng.standard_normal(300), rng.standard_normal(200) + 0.5
    found = mean_calibrated_score(
        ShareBelow(), held_out_scores=held_out, scores=scores, random_state=0
    )
    assert found.value == pytest.approx(ShareBelow().fit(held_out).transform(scores).mean())
    assert found.n == 200
    few = mean_calibrated_score(
        ShareBelow(), held_out_scores=held_out[:20], scores=scores, random_state=0
    )
    assert few.standard_error > 1.5 * found.standard_error  # the held-out images bring error too
