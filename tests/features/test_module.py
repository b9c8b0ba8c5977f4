"""Any torch module as extractor: pixels shown to it, passes, folding, errors."""

import warnings

import pytest
import torch
from timm.layers import Conv2dSame
from torch import nn

from giqa_lib.checks import InputError
from giqa_lib.data import resize
from giqa_lib.features import ModuleExtractor, PixelExtractor
from giqa_lib.features.folding import fold_batch_norm, fold_same_padding
from giqa_lib.features.module import state_digest


def random_images(n=5, c=3, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, c, size, size), dtype=torch.uint8, generator=generator)


def network(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        )
        body[1].running_mean.normal_()
        body[1].running_var.uniform_(0.5, 2)
        body[1].weight.data.normal_()
        body[1].bias.data.normal_()
    return body


def test_the_network_is_shown_resized_normalised_colour():
    images = random_images(c=1)
    shown = ModuleExtractor(
        nn.Flatten(), name="x", input_size=6, mean=(0.1, 0.2, 0.3), std=(0.5, 1, 2)
    ).prepare(images)
    small = resize(images, 6).expand(-1, 3, -1, -1) / 255
    mean, std = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.5, 1.0, 2.0])
    expected = (small - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    torch.testing.assert_close(shown, expected, rtol=1e-5, atol=1e-6)


def test_colour_becomes_luma_for_a_grey_network():
    shown = ModuleExtractor(nn.Flatten(), name="x", input_size=2, channels=1).prepare(
        torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    )
    torch.testing.assert_close(shown, torch.full((1, 1, 2, 2), 76 / 127.5 - 1))


def test_no_image_is_lost_or_moved_when_many_passes_are_made():
    extractor = ModuleExtractor(nn.Flatten(), name="x", input_size=256, channels=1)
    images = random_images(n=11, c=1, size=256)
    assert extractor.images_a_pass == 4
    torch.testing.assert_close(extractor(images), images.flatten(1) / 127.5 - 1, rtol=0, atol=1e-6)


def test_the_module_is_copied_and_put_into_evaluation_mode():
    body = network().train()
    extractor = ModuleExtractor(body, name="x", input_size=8)
    images = random_images()
    before = extractor(images)
    assert body.training
    assert next(body.parameters()).requires_grad
    with torch.no_grad():
        body[0].weight.zero_()
    torch.testing.assert_close(extractor(images), before, rtol=0, atol=0)
    alone = extractor(images[:1])
    torch.testing.assert_close(alone, before[:1], rtol=1e-5, atol=1e-6)


def test_the_version_is_the_weights():
    one, same, other = (ModuleExtractor(network(s), name="x", input_size=8) for s in (0, 0, 1))
    assert one.version == same.version != other.version
    assert ModuleExtractor(network(), name="x", input_size=8, version="7").version == "7"
    assert state_digest(network().half()) != state_digest(network())


def test_a_layer_can_be_named():
    body = nn.Sequential(network(), nn.Flatten(), nn.Linear(4, 2))
    tapped = ModuleExtractor(body, name="x", input_size=8, layer="1")
    whole = ModuleExtractor(nn.Sequential(body[0], body[1]), name="y", input_size=8)
    assert tapped.width == 4
    torch.testing.assert_close(tapped(random_images()), whole(random_images()))


def test_folding_changes_features_by_rounding_only():
    images = random_images(n=16)
    plain = ModuleExtractor(network(), name="x", input_size=8)(images)
    folded_network = fold_batch_norm(network().eval())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded_network.modules())
    folded = ModuleExtractor(folded_network, name="x", input_size=8)(images)
    torch.testing.assert_close(folded, plain, rtol=1e-5, atol=1e-6)


def test_without_a_compiler_it_warns_and_gives_the_same(monkeypatch):
    extractor = ModuleExtractor(network(), name="x", input_size=8)
    before = extractor(random_images())

    def no_compiler(*args, **kwargs):
        def broken(x):
            raise RuntimeError("no C++ compiler")

        return broken

    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.warns(RuntimeWarning, match=r"torch.compile failed.*no C\+\+ compiler"):
        extractor.compile()
    torch.testing.assert_close(extractor(random_images()), before, rtol=0, atol=0)


@pytest.mark.slow
def test_compiled_features_are_the_same():
    extractor = ModuleExtractor(network(), name="x", input_size=8)
    before = extractor(random_images())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        extractor.compile()
    torch.testing.assert_close(extractor(random_images()), before, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(extractor(random_images(300))[:5], before, rtol=1e-5, atol=1e-6)


def test_pixels_are_in_unit_range_and_order():
    images = random_images(size=4)
    extractor = PixelExtractor(input_size=4)
    torch.testing.assert_close(extractor(images), images.flatten(1) / 255)
    assert extractor.name == "pixels@4"
    assert PixelExtractor(input_size=(4, 6), channels=1).name == "pixels@4x6-grey"


def test_no_images_give_no_rows():
    extractor = ModuleExtractor(network(), name="x", input_size=8)
    assert extractor(random_images(n=0)).shape == (0, 4)


@pytest.mark.parametrize("size", [(8, 8), (6, 10), (7, 8), (8, 5), (2, 2)])
@pytest.mark.parametrize(("kernel", "groups"), [(3, 1), (5, 4), (1, 1), ((3, 5), 1), (4, 1)])
@pytest.mark.parametrize(("stride", "bias"), [(2, True), (2, False), (1, True)])
def test_same_padding_is_folded_exactly(size, kernel, groups, stride, bias):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = Conv2dSame(4, 8, kernel, stride=stride, groups=groups, bias=bias)
        images = torch.randn(3, 4, *size)
    with torch.no_grad():
        folded = fold_same_padding(nn.Sequential(plain))
        assert (type(folded[0]) is Conv2dSame) == (stride == 1 or kernel in (1, 4))
        torch.testing.assert_close(folded(images), plain(images), rtol=1e-6, atol=1e-6)


def test_folding_the_padding_keeps_the_version():
    body = nn.Sequential(Conv2dSame(3, 4, 3, stride=2), nn.AdaptiveAvgPool2d(1))
    extractor = ModuleExtractor(body, name="x", input_size=8)
    assert type(extractor.network[0]) is not Conv2dSame
    assert type(body[0]) is Conv2dSame
    assert extractor.version == state_digest(body)


def test_global_random_numbers_are_left_alone():
    state = torch.random.get_rng_state()
    ModuleExtractor(network(), name="x", input_size=8)(random_images())
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"network": nn.Conv2d(3, 4, 3)},
            r"output of x: expected \(n, d\), got shape \(1, 4, 6, 6\)",
        ),
        ({"layer": "nose"}, "layer: expected a submodule's name, got 'nose'"),
        ({"channels": 4}, "channels: expected 1 or 3, got 4"),
        ({"input_size": 0}, "input_size: expected a number > 0"),
    ],
)
def test_what_cannot_be_an_extractor_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        ModuleExtractor(**({"network": network(), "name": "x", "input_size": 8} | arguments))


def test_float_images_are_refused():
    extractor = PixelExtractor(input_size=4)
    with pytest.raises(Exception, match=r"(?i)uint8"):  # the shape types refuse it under pytest
        extractor(torch.rand(2, 3, 4, 4))
