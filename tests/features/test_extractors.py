"""The named extractors: every one is built at its own size, shown real and random weights."""

import hashlib

import pytest
import torch
from torch import nn

from giqa_lib.checks import DataUnavailable, InputError
from giqa_lib.data import find, load
from giqa_lib.features import Extractor, extract, extractor, extractor_names
from giqa_lib.features.extractors import _SPECS
from giqa_lib.features.networks import load_in_order

PACKAGED = [name for name in _SPECS if _SPECS[name].package is not None]
WITH_FILE = [name for name in _SPECS if _SPECS[name].package is None]


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No weights in any place that is looked at."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("GIQA_DATA", raising=False)
    return tmp_path


def random_images(n=3, c=3, size=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, c, size, size), dtype=torch.uint8, generator=generator)


@pytest.fixture(scope="module")
def lite0():
    return extractor("efficientnet_lite0@64")


def test_all_names_are_listed():
    assert set(extractor_names()) >= {
        *("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"),
        *("inception_v3_fid", "inception_v3", "mobilenet_v2", "dinov2_vits14", "dinov2_vitb14"),
        *("pixels", "classifier"),
    }


@pytest.mark.parametrize("name", _SPECS)
def test_every_network_has_the_papers_size_and_the_stated_width(name):
    spec = _SPECS[name]
    with torch.device("meta"):  # shapes only: no weights, no arithmetic
        network = spec.build(spec.input_size).eval()
        for head in ("fc", "classifier"):
            if isinstance(getattr(network, head, None), nn.Module):
                setattr(network, head, nn.Identity())
        output = network(torch.empty(2, 3, spec.input_size, spec.input_size))
    assert output.shape == (2, spec.width)


@pytest.mark.parametrize("name", WITH_FILE)
def test_missing_weights_say_where_to_get_and_where_to_put_them(name, nowhere):
    file = _SPECS[name].files[0]
    with pytest.raises(
        DataUnavailable, match=rf"weights of {name}: .*{file} in .*torch.*get it from"
    ):
        extractor(name)
    with pytest.raises(DataUnavailable, match=r"expected a file, got .*none\.pth"):
        extractor(name, weights=nowhere / "none.pth")


def test_a_classifier_must_be_trained_first():
    with pytest.raises(DataUnavailable, match="train one with fetch_classifier"):
        extractor("classifier")


@pytest.mark.parametrize(
    ("name", "size"),
    [("inception_v3_fid", None), ("inception_v3", 75), ("mobilenet_v2", 32), ("dinov2_vits14", 28)],
)
def test_given_weights_are_loaded_and_named_in_the_version(name, size, nowhere):
    spec = _SPECS[name]
    path = nowhere / "given.pth"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(spec.build(size or spec.input_size).state_dict(), path)
    made = extractor(name, weights=path, input_size=size)
    features = made(random_images())
    assert isinstance(made, Extractor)
    assert features.shape == (3, spec.width)
    assert features.dtype == torch.float32
    assert torch.isfinite(features).all()
    assert made.name == name + (f"@{size}" if size else "")
    assert made.version == f"1-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"


def test_weights_are_found_in_the_data_folder(nowhere, monkeypatch):
    spec = _SPECS["mobilenet_v2"]
    (nowhere / "weights").mkdir()
    torch.save(spec.build(224).state_dict(), nowhere / "weights" / spec.files[0])
    monkeypatch.setenv("GIQA_DATA", str(nowhere))
    assert extractor("mobilenet_v2@32").width == 1280


def test_weights_of_another_network_are_refused(nowhere):
    path = nowhere / "other.pth"
    torch.save(nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(
        InputError, match=r"weights: expected this network's tensors, got .*Missing"
    ):
        extractor("mobilenet_v2", weights=path)
    with pytest.raises(InputError, match="weights: expected equal counts, got 2 tensors for 296"):
        extractor("efficientnet_lite0", weights=path)
    path.write_text("a web page")
    with pytest.raises(InputError, match="weights: expected a weight file"):
        extractor("mobilenet_v2", weights=path)
    with pytest.raises(InputError, match=r"weights bias: expected shape \(2, 2\) of weight"):
        load_in_order(nn.Linear(2, 2), {"bias": torch.zeros(3), "weight": torch.zeros(2)})


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_weights_load_in_full(name):
    made = extractor(name, input_size=32)
    assert made.width == 1280
    assert made.version.startswith("1-")
    assert torch.isfinite(made(random_images())).all()


def test_lite0_knows_imagenet(lite0):
    """Its features are those of the network that was trained: folded, in another memory order."""
    import timm

    spec = _SPECS["efficientnet_lite0"]
    plain = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    state = torch.load(spec.package(), weights_only=True)
    plain.load_state_dict(dict(zip(plain.state_dict(), state.values(), strict=True)))
    plain.reset_classifier(0)
    images = random_images(size=64)
    with torch.inference_mode():
        expected = plain.eval()(images / 127.5 - 1)
    features = lite0(images)
    assert (features - expected).norm() / expected.norm() < 2e-5
    assert features.std() > 0.01


def test_features_do_not_depend_on_the_batch(lite0):
    images = random_images(n=70, size=64)
    whole = lite0(images)
    order = torch.randperm(70, generator=torch.Generator().manual_seed(1))
    for other in (
        torch.cat([lite0(image[None]) for image in images[:9]]),
        torch.cat([lite0(part) for part in images.split(7)])[:9],
        lite0(images[order])[order.argsort()][:9],
    ):
        error = (other - whole[:9]).norm(dim=1) / whole[:9].norm(dim=1)
        assert error.max() < 1e-5


def test_grey_is_repeated(lite0):
    grey = random_images(c=1)
    torch.testing.assert_close(lite0(grey), lite0(grey.expand(-1, 3, -1, -1).contiguous()))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("inception", {}, "extractor: expected one of .*inception_v3_fid.*, got 'inception'"),
        ("pixels@x", {}, "extractor: expected name@pixels, got 'pixels@x'"),
        ("pixels@8", {"input_size": 9}, "got 'pixels@8' and input_size=9"),
        ("inception_v3_fid@64", {}, "input_size of inception_v3_fid: expected 299, got 64"),
        ("dinov2_vits14@225", {}, "expected a multiple of 14 from 14, got 225"),
        ("efficientnet_lite0@8", {}, "expected a multiple of 1 from 32, got 8"),
    ],
)
def test_wrong_names_and_sizes_are_named(name, arguments, message):
    with pytest.raises(InputError, match=message):
        extractor(name, **arguments)


def test_an_input_size_makes_another_name():
    assert extractor("pixels", input_size=8).name == extractor("pixels@8").name == "pixels@8"


@pytest.mark.skipif(find("fashion-mnist") is None, reason="fashion-mnist is not on this machine")
def test_real_garments_are_told_apart_by_lite0(lite0):
    images = load("fashion-mnist", "test").subset(range(200))
    features = extract(images, lite0).values
    labels = images.labels
    distances = ((features[:, None] - features[None]) ** 2).sum(-1)
    distances[range(200), range(200)] = float("inf")
    # the nearest other image is of the same class far more often than one in ten
    assert (labels[distances.argmin(1)] == labels).mean() > 0.6


def test_fid_inception_differs_from_torchvisions_as_stated():
    """Against pytorch-fid's blocks, where that package is installed."""
    theirs = pytest.importorskip("pytorch_fid.inception")
    spec = _SPECS["inception_v3_fid"]
    ours = spec.build(299).eval()
    pairs = [
        (ours.Mixed_5b, theirs.FIDInceptionA(192, 32), 192),
        (ours.Mixed_6b, theirs.FIDInceptionC(768, 128), 768),
        (ours.Mixed_7b, theirs.FIDInceptionE_1(1280), 1280),
        (ours.Mixed_7c, theirs.FIDInceptionE_2(2048), 2048),
    ]
    for mine, other, channels in pairs:
        other.load_state_dict(mine.state_dict())
        x = torch.rand(1, channels, 9, 9, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            torch.testing.assert_close(mine(x), other.eval()(x), rtol=1e-5, atol=1e-6)
