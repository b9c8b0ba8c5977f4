"""The small classifier: what it learns, its seed, its files, its place in the store."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from store_keys import key_asked_for

from giqa_lib.checks import GiqaError, InputError
from giqa_lib.data import open_images
from giqa_lib.features import (
    ClassifierExtractor,
    ClassifierSettings,
    SmallClassifier,
    extractor,
    fetch_classifier,
    train_classifier,
)
from giqa_lib.features.classifier_training import _moments, _one_cycle
from giqa_lib.store import Store

SMALL = ClassifierSettings(epochs=8, channels=8, width=32, batch_size=64, input_size=16)
TINY = ClassifierSettings(epochs=1, channels=2, width=4, input_size=16)


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    pixels = torch.from_numpy((images.reshape(-1, 1, 8, 8) * 15).astype(np.uint8))
    return pixels, labels


@pytest.fixture(scope="module")
def trained(digits):
    images, labels = digits
    return train_classifier(images[:1200], labels[:1200], settings=SMALL)


def test_it_reads_digits_it_has_not_seen(trained, digits):
    images, labels = digits
    accuracy = (trained.predict(images[1200:]).numpy() == labels[1200:]).mean()
    assert accuracy > 0.9
    assert trained.accuracy > 0.9


def test_features_are_the_penultimate_layer_and_lead_to_the_probabilities(trained, digits):
    images = digits[0][:7]
    features, probabilities = trained(images), trained.probabilities(images)
    assert features.shape == (7, 32)
    assert features.min() >= 0  # after the rectifier
    torch.testing.assert_close(probabilities.sum(1), torch.ones(7))
    assert torch.equal(probabilities.argmax(1), trained.predict(images))


def test_a_seed_decides_the_weights_and_leaves_global_numbers_alone(digits):
    images, labels = digits[0][:100], digits[1][:100]
    state = torch.random.get_rng_state()
    first = train_classifier(images, labels, settings=TINY, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(5)
    second = train_classifier(images, labels, settings=TINY, seed=3)
    third = train_classifier(images, labels, settings=TINY, seed=4)
    assert torch.equal(first(images), second(images))
    assert first.version == second.version != third.version


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 17, 40), (1, 16, 16)])
def test_any_channels_size_and_labels_will_do(shape):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (9, *shape), dtype=torch.uint8, generator=generator)
    labels = np.array([-5, 0, 300] * 3)
    settings = ClassifierSettings(epochs=1, channels=2, width=4, batch_size=8)
    classifier = train_classifier(images, labels, settings=settings)
    assert classifier.classes == (-5, 0, 300)
    assert classifier(images).shape == (9, 4)
    assert set(classifier.predict(images).tolist()) <= {-5, 0, 300}


def test_folded_features_are_the_networks_own(digits):
    images, labels = digits[0][:64], digits[1][:64]
    classifier = train_classifier(images, labels, settings=TINY)
    network = SmallClassifier(1, 10, channels=2, width=4)
    network.load_state_dict(classifier._state)
    with torch.inference_mode():
        logits = network.eval()(classifier.prepare(images))
    torch.testing.assert_close(
        classifier.probabilities(images), logits.softmax(1), rtol=1e-4, atol=1e-6
    )


def test_what_was_saved_gives_bitwise_the_same(trained, digits, tmp_path):
    images = digits[0][:20]
    trained.save(tmp_path / "clf")
    loaded = ClassifierExtractor.load(tmp_path / "clf")
    assert torch.equal(loaded.probabilities(images), trained.probabilities(images))
    assert (loaded.version, loaded.classes, loaded.settings, loaded.accuracy) == (
        trained.version,
        trained.classes,
        trained.settings,
        trained.accuracy,
    )
    assert extractor("classifier", weights=tmp_path / "clf").version == trained.version
    with pytest.raises(InputError, match=r"input_size: expected .16, 16., got 32; train it at"):
        extractor("classifier@32", weights=tmp_path / "clf")
    with pytest.raises(InputError, match=r"folder: expected classifier.json"):
        ClassifierExtractor.load(tmp_path)


def test_the_store_trains_once_for_images_labels_settings_and_seed(digits, tmp_path):
    images = open_images(digits[0][:60])
    images.table["label"] = digits[1][:60]
    store = Store(tmp_path)
    made = [fetch_classifier(store, images, settings=TINY, seed=s).version for s in (0, 0, 1)]
    assert made[0] == made[1] != made[2]
    images.table["label"] = (digits[1][:60] + 1) % 10
    fetch_classifier(store, images, settings=TINY)
    fetch_classifier(store, images.subset(range(50)), settings=TINY)
    fetch_classifier(
        store, images, settings=ClassifierSettings(epochs=1, channels=3, input_size=16)
    )
    assert len(list(tmp_path.glob("classifier/*/classifier.json"))) == 5


def test_classifiers_that_were_trained_earlier_are_still_found(monkeypatch):
    """Every feature of a study lies behind this key: to change it, raise REVISION and say so."""
    pixels = torch.arange(384).remainder(251).to(torch.uint8).view(8, 3, 4, 4)
    images = open_images(pixels, table=pd.DataFrame({"label": range(8)}))
    found = key_asked_for(monkeypatch, lambda store: fetch_classifier(store, images, seed=3))
    assert found == ("classifier", "587c4cb725adcc14")


def test_moments_are_exact():
    images = torch.arange(48, dtype=torch.uint8).view(1, 3, 4, 4)
    mean, std = _moments(images)
    scaled = images.double() / 255
    np.testing.assert_allclose(mean, scaled.mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, scaled.std((0, 2, 3), correction=0), rtol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_the_rate_rises_to_one_and_falls(steps):
    rates = [_one_cycle(step, steps) for step in range(steps)]
    assert max(rates) == pytest.approx(1.0, abs=0.06)
    assert all(0 < rate <= 1 for rate in rates)
    peak = int(np.argmax(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (
            torch.zeros(4, 1, 8, 8, dtype=torch.uint8),
            [0, 0, 1, 1],
            "images: expected >= 16 px, got 8 x 8",
        ),
        (
            torch.zeros(4, 1, 16, 16, dtype=torch.uint8),
            [0, 0, 0, 0],
            "labels: expected 2 classes, got 1",
        ),
        (
            torch.zeros(4, 1, 16, 16, dtype=torch.uint8),
            [0, 1],
            "images and labels: expected one length",
        ),
        (torch.zeros(4, 1, 16, 16, dtype=torch.uint8), [0.5, 1, 0, 1], "labels: expected integers"),
    ],
)
def test_what_cannot_be_learned_is_refused(images, labels, message):
    with pytest.raises(InputError, match=message):
        train_classifier(images, labels)


def test_a_diverging_loss_stops_with_the_step(digits):
    wild = ClassifierSettings(
        epochs=1, channels=2, width=4, batch_size=10, input_size=16, learning_rate=1e30
    )
    with pytest.raises(GiqaError, match=r"loss: expected finite, got (nan|inf) at step \d+; lower"):
        train_classifier(digits[0][:200], digits[1][:200], settings=wild)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs: expected a number > 0"),
        ({"weight_decay": -1.0}, "weight_decay: expected a number >= 0"),
        ({"input_size": 15}, "input_size: expected >= 16, got 15"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        ClassifierSettings(**settings)
