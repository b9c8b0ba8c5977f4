import pytest
import torch
from torch import nn
from torch.nn import functional

from giqa_lib.checks import InputError
from giqa_lib.gan import Batch, Pix2PixHDSettings, Pix2PixSettings

SMALL = Pix2PixSettings(image_size=32, classes=2, width=4, discriminator_width=4)
NONE = torch.zeros(2, 0)


def generator(settings, seed=0):
    return settings.networks(torch.Generator().manual_seed(seed))[0]


def random_maps(size=32, classes=2):
    return torch.rand(2, classes, size, size, generator=torch.Generator().manual_seed(0))


def test_the_outermost_skip_reaches_the_image():
    made = generator(SMALL).eval()
    maps = random_maps()
    last = made.last[1]
    with torch.no_grad():
        last.weight[: SMALL.width] = 0  # cuts the decoder off
        expected = torch.tanh(
            last(torch.cat([torch.zeros(2, 4, 16, 16), made.down[0](maps).relu()], 1))
        )
        assert torch.allclose(made(NONE, maps), expected, atol=1e-6)
    assert float(expected.std()) > 0


@pytest.mark.parametrize("layer", range(1, 4))
def test_every_encoder_layer_is_handed_to_the_decoder_layer_of_its_side(layer):
    made = generator(SMALL).eval()
    maps = random_maps()
    with torch.no_grad():
        before = made(NONE, maps)
        following = made.up[len(made.up) - layer][1] if layer else made.last[1]
        following.weight[: SMALL.widths[layer]] = 0  # cuts off all that is further in
        cut = made(NONE, maps)
        made.down[layer + 1 if layer + 1 < len(made.down) else layer][1].weight.zero_()
        assert torch.equal(cut, made(NONE, maps))  # what is further in is indeed cut off
        made.down[layer][1].weight.zero_()
        assert not torch.equal(cut, made(NONE, maps))  # and the skip is not
    assert not torch.equal(before, cut)


def test_the_papers_generator():
    paper = Pix2PixSettings(image_size=256, classes=3, width=64)
    made = generator(paper)
    assert paper.widths == (64, 128, 256, 512, 512, 512, 512, 512)
    rates = [[m.p for m in up if isinstance(m, nn.Dropout)] for up in made.up]
    assert rates == [[0.5], [0.5], [0.5], [], [], [], []]
    # 54.41 million is what the official code prints for three channels each
    assert sum(p.numel() for p in made.parameters()) == pytest.approx(54.41e6, rel=1e-3)


def test_dropout_is_the_noise_in_training_and_off_in_evaluation():
    made = generator(SMALL)
    maps = random_maps()
    torch.manual_seed(0)
    assert not torch.equal(made(NONE, maps), made(NONE, maps))
    made.eval()
    assert torch.equal(made(NONE, maps), made(NONE, maps))


@pytest.mark.parametrize("settings", [SMALL, Pix2PixHDSettings(image_size=32, classes=2, width=4)])
def test_a_translation_does_not_depend_on_its_batch(settings):
    made = generator(settings).eval()
    maps = random_maps()
    assert torch.allclose(made(NONE, maps)[1:], made(NONE[1:], maps[1:]), atol=1e-5)


def test_l1_is_weighed_by_a_hundred():
    extra = SMALL.variant(nn.Identity()).generator_extra
    fake, real = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)
    assert float(extra(fake, Batch(images=real))) == 50.0


def test_the_local_enhancer_adds_the_global_features_to_its_own():
    made = generator(Pix2PixHDSettings(image_size=32, classes=2, width=4)).eval()
    maps = random_maps()
    with torch.no_grad():
        whole = made(NONE, maps)
        local = made.entry(maps)
        coarse = made.coarse(functional.avg_pool2d(maps, 3, 2, 1, count_include_pad=False))
        assert local.shape == coarse.shape == (2, 8, 16, 16)
        assert torch.allclose(whole, made.last(made.fine(local + coarse)))
        made.coarse[-1][0].weight.zero_()  # its bias is normed away: no global features
        assert torch.allclose(made(NONE, maps), made.last(made.fine(local)), atol=1e-6)
    assert not torch.allclose(whole, made(NONE, maps))


def test_the_papers_global_generator():
    paper = Pix2PixHDSettings(image_size=64, classes=36, width=32, halvings=4, global_blocks=9, local_blocks=3)  # fmt: skip
    made = generator(paper)
    # about 183 million for Cityscapes' classes and edges
    assert sum(p.numel() for p in made.parameters()) == pytest.approx(183e6, rel=0.01)
    blocks = [m for m in made.coarse if type(m).__name__ == "ResidualBlock"]
    assert len(blocks) == 9
    assert blocks[0].layers[1].weight.shape[:2] == (1024, 1024)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"16, 32, 64, \.\.\., got 48; resize images and maps"):
        Pix2PixSettings(image_size=48, classes=2)
    with pytest.raises(InputError, match="a multiple of 32, at least 16, got 48"):
        Pix2PixHDSettings(image_size=48, classes=2, halvings=4)
    with pytest.raises(InputError, match="classes: expected a number > 0"):
        Pix2PixHDSettings(classes=0)
