"""BiSeNet as released: names of its tensors, its parts by hand, its classes in the data's order, what is refused."""

import pytest
import torch
from torch import nn

from giqa_lib.checks import InputError
from giqa_lib.iqa import BISENET_CLASSES, BiSeNetParser, load_bisenet
from giqa_lib.iqa.bisenet import DEVIATION, MEAN, SIDE, _BiSeNet, _Fusion, _Refinement

CLASSES = tuple(sorted(set(BISENET_CLASSES)))
RANDOM = torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return _BiSeNet().eval()


class Fixed(nn.Module):
    """Answers one class everywhere, and keeps what it is shown."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.seen = answer, None
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        self.seen = images
        logits = torch.zeros(len(images), len(BISENET_CLASSES), *images.shape[2:])
        logits[:, self.answer] = 1
        return logits


def test_tensors_have_the_names_and_shapes_of_the_release(network):
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert {
        "cp.resnet.conv1.weight": (64, 3, 7, 7),
        "cp.resnet.layer2.0.downsample.0.weight": (128, 64, 1, 1),
        "cp.resnet.layer4.1.bn2.running_var": (512,),
        "cp.arm16.conv.conv.weight": (128, 256, 3, 3),
        "cp.arm32.conv_atten.weight": (128, 128, 1, 1),
        "cp.arm32.bn_atten.bias": (128,),
        "cp.conv_head16.bn.running_mean": (128,),
        "cp.conv_avg.conv.weight": (128, 512, 1, 1),
        "ffm.convblk.conv.weight": (256, 256, 1, 1),
        "ffm.conv1.weight": (64, 256, 1, 1),
        "conv_out.conv_out.weight": (19, 256, 1, 1),
        "conv_out16.conv.conv.weight": (64, 128, 3, 3),
        "conv_out32.conv_out.weight": (19, 64, 1, 1),
    }.items() <= shapes.items()
    assert not any(name.startswith(("sp.", "cp.resnet.fc")) for name in shapes)


def test_weights_without_a_word_halve_and_add():
    fusion, refinement = _Fusion(8).eval(), _Refinement(4, 4).eval()
    nn.init.zeros_(fusion.conv2.weight), nn.init.zeros_(refinement.conv_atten.weight)
    one, other = torch.randn(2, 2, 4, 3, 3, generator=RANDOM)
    with torch.no_grad():
        joined = fusion.convblk(torch.cat([one, other], 1))
        torch.testing.assert_close(fusion(one, other), 1.5 * joined)  # a half of it, and it
        torch.testing.assert_close(refinement(one), 0.5 * refinement.conv(one))


@pytest.mark.parametrize("answer", range(len(BISENET_CLASSES)))
def test_each_class_becomes_that_of_its_name(answer):
    parser = BiSeNetParser(network=Fixed(answer), classes=CLASSES)
    found = parser(torch.zeros(1, 3, 8, 10, dtype=torch.uint8))
    assert found.shape == (1, 8, 10)
    assert found.unique().tolist() == [CLASSES.index(BISENET_CLASSES[answer])]


def test_it_is_shown_what_the_release_was_trained_on():
    fixed = Fixed(0)
    BiSeNetParser(network=fixed, classes=CLASSES, batch_size=1)(
        torch.full((1, 3, 8, 8), 255, dtype=torch.uint8)
    )
    assert fixed.seen.shape == (1, 3, SIDE, SIDE)
    white = [(1 - mean) / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)]
    torch.testing.assert_close(fixed.seen[0, :, 0, 0], torch.tensor(white))


def test_a_file_is_read_and_gives_the_same_maps(network, tmp_path):
    path = tmp_path / "79999_iter.pth"
    torch.save(network.state_dict(), path)
    images = torch.randint(0, 256, (2, 3, 16, 16), generator=RANDOM).byte()
    found = load_bisenet(path, CLASSES)(images)
    assert torch.equal(found, BiSeNetParser(network=network, classes=CLASSES)(images))
    assert len(found.unique()) > 1


def test_what_does_not_fit_is_refused(network, tmp_path):
    with pytest.raises(InputError, match="classes: expected all that BiSeNet tells apart, got no"):
        BiSeNetParser(network=network, classes=("background", "skin"))
    with pytest.raises(InputError, match="images: expected 3 channels"):
        BiSeNetParser(network=network, classes=CLASSES)(torch.zeros(1, 1, 8, 8).byte())
    with pytest.raises(InputError, match="weights: expected a file, got"):
        load_bisenet(tmp_path / "none.pth", CLASSES)
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"expected the network's tensors, got .* is missing"):
        load_bisenet(tmp_path / "other.pth", CLASSES)
