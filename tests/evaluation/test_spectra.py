import numpy as np
import pytest
import torch
from scipy.stats import norm, permutation_test

from giqa_lib.checks import InputError
from giqa_lib.evaluation import (
    average_spectrum,
    nearest_profile,
    radial_profiles,
    spectrum_difference,
)

SIDE = 32


def wave(cycles, *, amplitude=60, side=SIDE, down=0):
    x = torch.arange(side) / side
    phase = 2 * torch.pi * (cycles * x[None, :] + down * x[:, None])
    return (128 + amplitude * torch.cos(phase)).round().byte()[None, None]


def noise(count, seed=0, side=SIDE):
    random = np.random.default_rng(seed)
    return torch.from_numpy(
        np.clip(128 + 20 * random.normal(size=(count, 1, side, side)), 0, 255)
    ).byte()


def test_a_wave_is_a_pair_of_peaks_at_its_frequency():
    spectrum = average_spectrum(wave(5, down=3))
    middle = SIDE // 2
    top = spectrum.flatten().topk(2).indices
    places = {(int(p) // SIDE - middle, int(p) % SIDE - middle) for p in top}
    assert places == {(3, 5), (-3, -5)}
    assert torch.allclose(spectrum[1:, 1:], spectrum[1:, 1:].flip(0, 1), atol=1e-6)


@pytest.mark.parametrize("cycles", [1, 4, 9, 15])
def test_a_wave_is_a_peak_of_the_profile_at_its_cycles(cycles):
    assert int(radial_profiles(wave(cycles))[0].argmax()) + 1 == cycles


def test_white_noise_has_a_flat_profile_at_its_variance():
    profile = (10 ** radial_profiles(noise(300))).mean(0)
    assert profile.shape == (SIDE // 2,)
    # 400, and a twelfth from rounding down; the removed mean takes some of the first ring
    assert torch.allclose(profile[1:], torch.full_like(profile[1:], 400 + 1 / 12), rtol=0.05)
    assert 330 < float(profile[0]) < 400


def test_a_shift_of_brightness_leaves_no_trace_and_contrast_a_known_one():
    images = wave(4, amplitude=30)
    assert torch.allclose(radial_profiles(images), radial_profiles(images + 9), atol=1e-6)
    doubled = radial_profiles(wave(4, amplitude=60))[0, 3] - radial_profiles(images)[0, 3]
    assert float(doubled) == pytest.approx(2 * np.log10(2), abs=0.01)


def test_colour_counts_by_its_luminance():
    grey = noise(3)
    assert torch.allclose(radial_profiles(grey.expand(-1, 3, -1, -1)), radial_profiles(grey))
    assert torch.allclose(
        average_spectrum(grey.expand(-1, 3, -1, -1).contiguous()), average_spectrum(grey)
    )


def test_enlarged_images_lack_their_highest_frequencies():
    small = noise(20, side=16)
    large = torch.nn.functional.interpolate(small.float(), scale_factor=2, mode="bicubic")
    rows = radial_profiles(large.round().clamp(0, 255).byte())
    assert float((rows[:, :6] - radial_profiles(noise(20))[:, :6]).mean()) > -0.2
    assert float((rows[:, -1] - radial_profiles(noise(20))[:, -1]).mean()) < -1.5


def test_the_p_value_is_scipys():
    random = np.random.default_rng(0)
    one, other = random.normal(size=(4, 3)), random.normal(size=(4, 3)) + 0.9
    both = np.concatenate([one, other])
    spread = both.std(0)

    def statistic(x, y, axis):
        return (((both[x.astype(int)].mean(-2) - both[y.astype(int)].mean(-2)) / spread) ** 2).mean(
            -1
        )

    places = np.arange(4.0), np.arange(4.0, 8)
    exact = permutation_test(
        places, statistic, n_resamples=np.inf, alternative="greater", vectorized=True
    )
    found = spectrum_difference(one, other, permutations=4000, random_state=1)
    assert found.distance**2 == pytest.approx(exact.statistic)
    assert found.p_value == pytest.approx(exact.pvalue, abs=0.02)


def test_equal_populations_give_even_p_values():
    random = np.random.default_rng(0)
    p = [
        spectrum_difference(
            random.normal(size=(12, 4)),
            random.normal(size=(15, 4)),
            permutations=99,
            random_state=i,
        ).p_value
        for i in range(200)
    ]
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.05)
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


def test_a_set_against_itself_and_against_another_world():
    rows = np.random.default_rng(0).normal(size=(30, 4))
    same = spectrum_difference(rows, rows, permutations=99, random_state=0)
    assert same.distance == pytest.approx(0.0, abs=1e-9)
    assert same.p_value == 1.0
    far = spectrum_difference(rows, rows + 5, permutations=99, random_state=0)
    assert far.p_value == far.least == 0.01


def test_profiles_name_their_set():
    random = np.random.default_rng(0)
    centres = {"a": 0.0, "b": 2.0, "c": -2.0}
    mixed = random.normal(size=(4, 4))  # correlated noise
    known = {n: c + random.normal(size=(200, 4)) @ mixed for n, c in centres.items()}
    fresh = {n: c + random.normal(size=(100, 4)) @ mixed for n, c in centres.items()}
    right = [np.mean([f == n for f in nearest_profile(known, rows)]) for n, rows in fresh.items()]
    whitened = np.linalg.solve(mixed.T, np.full(4, 2.0))
    half = norm.cdf(np.linalg.norm(whitened) / 2)
    assert right[1] == pytest.approx(half, abs=0.08)  # one border; the middle set has two
    assert min(right) > 0.4


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(1, 1, 8, 9, dtype=torch.uint8), "images: expected square ones"),
        (torch.zeros(1, 1, 4, 4, dtype=torch.uint8), "8 pixels a side"),
    ],
)
def test_images_without_a_spectrum_are_refused(images, message):
    for function in (average_spectrum, radial_profiles):
        with pytest.raises(InputError, match=message):
            function(images)


def test_equal_profiles_are_refused():
    with pytest.raises(InputError, match="profiles: expected some spread"):
        spectrum_difference(np.ones((3, 2)), np.ones((3, 2)), random_state=0)
