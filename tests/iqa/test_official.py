import sys
import types

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from giqa_lib.checks import InputError
from giqa_lib.iqa import load_weights, pyiqa_score
from giqa_lib.learning import NetworkSettings, new_network


def network(seed=0, **settings):
    shape = NetworkSettings(patch=8, outputs=10, width=4, **settings)
    return new_network(shape, torch.Generator().manual_seed(seed))


def plain(network):
    return {key: value.contiguous() for key, value in network.state_dict().items()}


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt"])
def test_weights_of_a_file_are_the_networks(tmp_path, suffix):
    theirs, path = network(1), tmp_path / f"nima.{suffix}"
    if suffix == "safetensors":
        save_file(plain(theirs), path)
    else:
        torch.save({"state_dict": plain(theirs)} if suffix == "pth" else plain(theirs), path)
    ours = load_weights(network(0), path)
    image = torch.full((1, 1, 8, 8), 9, dtype=torch.uint8)
    assert torch.equal(ours(image), theirs.eval()(image))
    assert not ours.training


def test_names_can_be_mapped(tmp_path):
    theirs, path = network(1), tmp_path / "port.safetensors"
    save_file({f"module.{key}": value for key, value in plain(theirs).items()}, path)
    with pytest.raises(InputError, match="is missing"):
        load_weights(network(0), path)
    ours = load_weights(network(0), path, rename={"module.": ""})
    assert torch.equal(ours[1][0].weight, theirs[1][0].weight)


def test_what_does_not_fit_is_listed_and_nothing_is_loaded(tmp_path):
    theirs, path = plain(network(1)), tmp_path / "wrong.safetensors"
    last = [key for key in theirs if key.endswith("bias")][-1]
    theirs[last] = torch.zeros(3)
    theirs["surplus"] = torch.zeros(1)
    del theirs[next(iter(theirs))]
    save_file(theirs, path)
    ours = network(0)
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    with pytest.raises(
        InputError,
        match=rf"is missing; surplus is not of the network; {last} is \(3,\), not \(10,\)",
    ):
        load_weights(ours, path)
    assert all(torch.equal(before[key], value) for key, value in ours.state_dict().items())


class Bad:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


def test_a_pickle_that_would_run_code_does_not(tmp_path):
    path = tmp_path / "bad.pth"
    torch.save({"w": Bad()}, path)
    with pytest.raises(InputError, match="tensors and nothing else, got a pickle with code; save"):
        load_weights(network(0), path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.pth", "expected a file"),
        ("deepiqa.model", r"\.safetensors, \.pt or \.pth, got deepiqa.model; convert"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path, name, message):
    path = tmp_path / name
    if name.endswith(".model"):
        path.write_bytes(b"chainer")
    with pytest.raises(InputError, match=message):
        load_weights(network(0), path)


def test_without_pyiqa_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    with pytest.raises(InputError, match=r"pip install pyiqa .*non-commercial"):
        pyiqa_score("niqe")


def test_pyiqas_measures_are_turned_and_scored_singly(monkeypatch):
    """A small module plays pyiqa: the wrapper's own work is what is tested."""
    seen = []

    class Metric:
        lower_better = True

        def __call__(self, images):
            seen.append(tuple(images.shape))
            return images.mean() * 100

    fake = types.ModuleType("pyiqa")
    fake.create_metric = lambda name, device: Metric()
    monkeypatch.setitem(sys.modules, "pyiqa", fake)
    images = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 4, 4)
    assert np.allclose(pyiqa_score("niqe")(images), [0.0, -100.0])
    assert seen == [(1, 3, 4, 4)] * 2
