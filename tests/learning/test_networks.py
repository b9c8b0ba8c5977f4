import pytest
import torch
from torch import nn

from giqa_lib.checks import InputError
from giqa_lib.learning import NetworkSettings, new_network


def made(seed=0, **settings):
    return new_network(NetworkSettings(**settings), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("patch", [4, 7, 21, 28, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_small_network_takes_every_patch(patch, channels):
    network = made(channels=channels, patch=patch, outputs=5, width=4)
    assert network(torch.zeros(2, channels, patch, patch, dtype=torch.uint8)).shape == (2, 5)


@pytest.mark.parametrize(
    ("patch", "left"), [(32, 4), (64, 4), (128, 4), (192, 3), (224, 7), (256, 4)]
)
def test_the_papers_network_leaves_the_official_sides(patch, left):
    with torch.device("meta"):
        network = made(name="vgg19_bn", channels=3, patch=patch, outputs=8)
        body = network[1]
        features = body[: next(i for i, layer in enumerate(body) if isinstance(layer, nn.Flatten))]
        assert features(torch.zeros(1, 3, patch, patch)).shape == (1, 512, left, left)
    assert body[-1].out_features == 8
    assert body[-3].out_features == 1024


def test_vgg_has_the_sixteen_convolutions():
    with torch.device("meta"):
        for patch in (32, 64, 128, 192):
            layers = made(name="vgg19_bn", channels=3, patch=patch).modules()
            assert sum(isinstance(layer, nn.Conv2d) for layer in layers) == 16


def test_any_backbone_of_torchvision_on_grey_images():
    network = made(name="torchvision:squeezenet1_1", channels=1, patch=64, outputs=3)
    network.eval()
    assert network(torch.zeros(1, 1, 64, 64, dtype=torch.uint8)).shape == (1, 3)


@pytest.mark.parametrize("name", ["vgg", "torchvision:resnet19"])
def test_an_unknown_name_says_what_there_is(name):
    with pytest.raises(InputError, match=r"small, vgg19_bn or torchvision:<name>"):
        made(name=name)


def test_a_patch_too_small_for_vgg_is_refused():
    with pytest.raises(InputError, match="at least 32 pixels for vgg19_bn, got 28"):
        made(name="vgg19_bn", patch=28)


def test_weights_follow_the_seed_and_leave_the_global_state():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same, other = made(0), made(0), made(1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one[1][0].weight, same[1][0].weight)
    assert not torch.equal(one[1][0].weight, other[1][0].weight)
