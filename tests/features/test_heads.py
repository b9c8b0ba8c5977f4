"""Class probabilities from stored features."""

import numpy as np
import pytest
import torch

from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.features import class_probabilities, extractor, has_weights, imagenet_classifier
from giqa_lib.features.heads import _SPECS, head_of


def test_a_networks_last_layer_gives_its_own_answer():
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (5, 3, 64, 64), dtype=torch.uint8, generator=random)
    name = "efficientnet_lite2@64"
    found = class_probabilities(extractor(name)(images).numpy(), name)
    whole = imagenet_classifier("efficientnet_lite2", input_size=64).probabilities(images)
    np.testing.assert_allclose(found, whole.numpy(), rtol=1e-3, atol=1e-6)
    assert found.std() > 0


def test_features_of_another_network_are_refused():
    with pytest.raises(InputError, match="features: expected 1280 columns, got 2048"):
        class_probabilities(np.zeros((2, 2048)), "efficientnet_lite0@64")
    with pytest.raises(InputError, match=r"name: expected one of .*inception_v3_fid"):
        class_probabilities(np.zeros((2, 384)), "dinov2_vits14")


def test_inceptions_last_layer_is_taken_from_its_file_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_DATA", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    assert not has_weights("inception_v3_fid")
    with pytest.raises(DataUnavailable, match="weights of inception_v3_fid: expected pt_inception"):
        head_of("inception_v3_fid")
    spec = _SPECS["inception_v3_fid"]
    state = spec.build(299).state_dict()
    (tmp_path / "weights").mkdir()
    torch.save(state, tmp_path / "weights" / spec.files[0])
    assert has_weights("inception_v3_fid")
    features = np.random.default_rng(0).normal(size=(3, 2048)).astype(np.float32)
    logits = torch.from_numpy(features) @ state["fc.weight"].T + state["fc.bias"]
    np.testing.assert_allclose(
        class_probabilities(features, "inception_v3_fid"), logits.softmax(1), rtol=1e-4, atol=1e-7
    )
