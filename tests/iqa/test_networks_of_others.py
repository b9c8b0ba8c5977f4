"""Official weights all the way to scores, and what is particular to pyiqa's measures."""

import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
from image_textures import textures
from safetensors.torch import save_file
from torch import nn
from torchvision.models import mobilenet_v2

from giqa_lib.checks import InputError
from giqa_lib.iqa import NaturalScore, load_weights, pyiqa_score
from giqa_lib.iqa.official import PyiqaScore
from giqa_lib.learning import NetworkSettings, new_network


def test_a_port_of_nima_on_torchvisions_mobilenet_scores_images(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        port = mobilenet_v2(weights=None, num_classes=10).eval()
    path = tmp_path / "nima.pth"
    torch.save(port.state_dict(), path)
    settings = NetworkSettings(name="torchvision:mobilenet_v2", channels=3, patch=32, outputs=10)
    network = new_network(settings, torch.Generator().manual_seed(0))
    load_weights(network, path, rename={"": "1."})
    score = NaturalScore(measure="NIMA", network=network, settings=settings, batch_size=4)
    images = textures(4).expand(-1, 3, -1, -1)
    with torch.no_grad():
        opinions = port(images.float() / 127.5 - 1).double().softmax(1).numpy()
    assert score(images) == pytest.approx(opinions @ np.arange(1, 11), abs=1e-4)
    assert replace(score, batch_size=3)(images) == pytest.approx(score(images), abs=1e-4)


def test_a_name_is_mapped_once(tmp_path):
    """By the first beginning that fits: what one rule made, the next does not change again."""
    path = tmp_path / "weights.safetensors"
    network = nn.ModuleDict({"a": nn.Linear(1, 1, bias=False), "b": nn.Linear(1, 1, bias=False)})
    save_file({"b.weight": torch.tensor([[2.0]]), "c.weight": torch.tensor([[3.0]])}, path)
    load_weights(network, path, rename={"b.": "a.", "c.": "b."})
    assert [network[name].weight.tolist() for name in "ab"] == [[[2.0]], [[3.0]]]
    load_weights(network, path, rename={"c.": "b.", "b.": "a."})
    assert [network[name].weight.tolist() for name in "ab"] == [[[2.0]], [[3.0]]]


def test_two_tensors_of_one_new_name_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a.weight": torch.ones(1, 1), "b.weight": torch.zeros(1, 1)}, path)
    with pytest.raises(InputError, match="rename: expected a new name for each tensor, got 1 name"):
        load_weights(nn.Linear(1, 1, bias=False), path, rename={"a.": "", "b.": ""})


def test_a_measure_with_weights_builds_no_graph():
    layer = nn.Linear(1, 1)
    seen = []

    def metric(picture):
        value = layer(picture.mean().view(1, 1))
        seen.append(value.requires_grad)
        return value

    images = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    found = PyiqaScore("nima", metric, lower_better=False)(images)
    assert found == pytest.approx([float(layer.bias.detach())] * 2)
    assert seen == [False, False]


@pytest.mark.parametrize(("lower", "sign"), [(True, -1), (False, 1)])
def test_higher_is_better_whatever_pyiqa_says(monkeypatch, lower, sign):
    """A small module plays pyiqa."""

    class Metric:
        lower_better = lower

        def __call__(self, picture):
            return picture.amax()

    fake = types.ModuleType("pyiqa")
    fake.create_metric = lambda name, device: Metric()
    monkeypatch.setitem(sys.modules, "pyiqa", fake)
    score = pyiqa_score("clipiqa")
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 2, 2)
    found = score(images)
    assert found.dtype == np.float64
    assert found == pytest.approx([0.0, sign * 0.2, sign * 1.0])
    assert score.describe()["score"] == "pyiqa:clipiqa"
