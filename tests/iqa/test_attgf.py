"""AttGF-IQA's modules and network, equation by equation, by hand."""

import pytest
import torch
from torch.nn import functional

from giqa_lib.checks import InputError
from giqa_lib.iqa import (
    AttGFNetwork,
    AttGFScore,
    AttGFSettings,
    AttributeAnalysis,
    AttributeTransform,
    BlockAttention,
    new_attgf_network,
    part_shares,
)

RANDOM = torch.Generator().manual_seed(0)


def randn(*shape):
    return torch.randn(*shape, generator=RANDOM)


def pixels(count, size=32):
    return torch.randint(0, 256, (count, 3, size, size), generator=RANDOM).byte()


def maps(count, classes=3, size=32):
    return torch.randint(0, classes, (count, size, size), generator=RANDOM).byte()


def zeroed(module):
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)
    return module


class TestBlockAttention:
    def test_channels_are_equation_5_with_numbers(self):
        block = zeroed(BlockAttention(2, reduction=2))
        with torch.no_grad():
            block.squeeze.weight[0, :, 0, 0] = torch.tensor([1.0, 2.0])
            block.expand.weight[:, 0, 0, 0] = torch.tensor([1.0, -1.0])
        features = torch.stack([torch.full((2, 2), 3.0), torch.tensor([[0.0, 1.0], [2.0, 1.0]])])
        weights = block.channel_weights(features[None])[0, :, 0, 0]  # means 3 and 1: 3 + 2 = 5
        torch.testing.assert_close(weights, torch.sigmoid(torch.tensor([5.0, -5.0])))

    def test_places_are_equation_7_with_numbers(self):
        block = zeroed(BlockAttention(2, reduction=1))
        with torch.no_grad():
            block.places.weight[0, 0, 2, 2] = 1.0  # the largest channel, at the place itself
            block.places.weight[0, 1, 0, 0] = 2.0  # the mean, two places up and to the left
        features = torch.zeros(1, 2, 3, 3)
        features[0, 0, 0, 0], features[0, 1, 2, 2] = 4.0, 1.0
        wanted = torch.zeros(3, 3)
        wanted[0, 0], wanted[2, 2] = 4.0, 1.0 + 2 * 2.0
        torch.testing.assert_close(block.place_weights(features)[0, 0], torch.sigmoid(wanted))

    def test_the_whole_is_equations_5_to_8(self):
        torch.manual_seed(0)
        block, x = BlockAttention(4, reduction=2), randn(2, 4, 5, 5)
        squeezed = functional.linear(
            x.mean((2, 3)), block.squeeze.weight[:, :, 0, 0], block.squeeze.bias
        )
        weights = torch.sigmoid(
            functional.linear(squeezed, block.expand.weight[:, :, 0, 0], block.expand.bias)
        )
        v = weights[:, :, None, None] * x
        both = torch.stack([v.max(1).values, v.mean(1)], 1)
        place = torch.sigmoid(
            functional.conv2d(both, block.places.weight, block.places.bias, padding=2)
        )
        torch.testing.assert_close(block(x), place * v + v)

    def test_equations_6_and_8_with_numbers(self):
        block = zeroed(BlockAttention(2, reduction=2))
        with torch.no_grad():
            block.expand.bias[:] = torch.tensor([100.0, -100.0])  # all of one channel, no other
            block.places.weight[0, 0, 2, 2] = 100.0  # places where a channel is above nought
        features = torch.tensor([[[[2.0, -3.0]], [[5.0, 7.0]]]])
        # 2 + 2, and -3 + sigmoid(0) * -3: there the other channel's nought is the largest
        wanted = torch.tensor([[[[4.0, -4.5]], [[0.0, 0.0]]]])
        torch.testing.assert_close(block(features), wanted)

    def test_with_all_weights_nought_it_multiplies_by_three_quarters(self):
        x = randn(2, 4, 5, 5)
        torch.testing.assert_close(zeroed(BlockAttention(4, reduction=2))(x), 0.75 * x)

    def test_a_reduction_that_does_not_divide_is_refused(self):
        with pytest.raises(InputError, match="reduction: expected a divisor of 6 channels, got 4"):
            BlockAttention(6, reduction=4)


class TestAttributes:
    def made(self, form="printed"):
        torch.manual_seed(0)
        return AttributeTransform(3, classes=2, form=form)

    def test_it_is_equations_9_to_11(self):
        block, x = self.made(), randn(4, 3, 6, 6)
        shares = part_shares(maps(4, 2, 6), classes=2)
        mean = x.sum((0, 2, 3)) / (4 * 36)
        deviation = ((x**2).sum((0, 2, 3)) / (4 * 36) - mean**2 + block.normalise.eps).sqrt()
        by_hand = (x - mean[:, None, None]) / deviation[:, None, None]
        by_hand = block.scale(shares) * by_hand + block.shift(shares)
        torch.testing.assert_close(block(x, shares), by_hand, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(("form", "more"), [("printed", 0.0), ("spade", 1.0)])
    def test_equations_9_to_11_with_numbers(self, form, more):
        """Values 1, 3, 5, 7: mean 4, variance 84 / 4 - 16 = 5; gamma 2 on the part and -1 off it, beta 3."""
        block = zeroed(AttributeTransform(1, classes=2, form=form))
        with torch.no_grad():
            block.scale.weight[0, :, 1, 1] = torch.tensor([-1.0, 2.0])
            block.shift.bias[:] = 3.0
        features = torch.tensor([1.0, 3.0, 5.0, 7.0]).view(1, 1, 2, 2)
        part = torch.tensor([[0, 1], [1, 0]], dtype=torch.uint8)[None]
        found = block(features, part_shares(part, classes=2))
        scale = torch.tensor([-1.0, 2.0, 2.0, -1.0]) + more
        by_hand = scale * torch.tensor([-3.0, -1.0, 1.0, 3.0]) / 5**0.5 + 3
        torch.testing.assert_close(found.flatten(), by_hand, rtol=1e-5, atol=1e-5)

    def test_spades_form_adds_the_normalised_features_once_more(self):
        plain, spade = self.made().eval(), self.made("spade").eval()
        spade.load_state_dict(plain.state_dict())
        x, shares = randn(2, 3, 6, 6), part_shares(maps(2, 2, 6), classes=2)
        torch.testing.assert_close(spade(x, shares) - plain(x, shares), plain.normalise(x))

    def test_neither_form_begins_with_features_of_nought(self):
        for form in ("printed", "spade"):
            block = self.made(form)
            torch.nn.init.zeros_(block.scale.weight), torch.nn.init.zeros_(block.shift.weight)
            torch.nn.init.zeros_(block.shift.bias)
            x = randn(4, 3, 6, 6)
            found = block(x, torch.zeros(4, 2, 6, 6))
            torch.testing.assert_close(found.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
            torch.testing.assert_close(found.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)  # fmt: skip

    def test_a_part_changes_the_features_where_it_is(self):
        torch.manual_seed(0)
        block = AttributeAnalysis(3, classes=2).eval()
        x, nothing = randn(1, 3, 16, 16), torch.zeros(1, 2, 16, 16)
        part = nothing.clone()
        part[0, 1, 2:4, 2:4] = 1
        changed = (block(x, part) - block(x, nothing)).abs().sum(1)[0] > 0
        assert changed[3, 3]
        assert not changed[6:, :].any()  # two convolutions reach two pixels

    def test_a_small_part_keeps_its_share_of_a_large_cell(self):
        label = torch.zeros(1, 4, 4, dtype=torch.uint8)
        label[0, 0, 0] = 1
        small = functional.adaptive_avg_pool2d(part_shares(label, classes=2), 1)
        assert small.flatten().tolist() == [15 / 16, 1 / 16]

    def test_an_unknown_form_is_refused(self):
        with pytest.raises(InputError, match="form"):
            AttributeTransform(3, classes=2, form="adain")


class TestNetwork:
    def settings(self, **changed):
        return AttGFSettings(classes=3, widths=(4, 4, 8, 8), **changed)

    def network(self, **changed):
        return new_attgf_network(self.settings(**changed), torch.Generator().manual_seed(0)).eval()

    def test_equation_12_joins_the_second_blocks_of_four_scales(self):
        network, seen = self.network(), {}
        for place, scale in enumerate(network.scales):
            scale.analyses[1].register_forward_hook(
                lambda module, given, out, place=place: seen.__setitem__(place, out)
            )
        scores, features = network(pixels(2), maps(2))
        assert [tuple(seen[place].shape[1:]) for place in range(4)] == [
            (4, 32, 32), (4, 16, 16), (8, 8, 8), (8, 4, 4)]  # fmt: skip
        joined = torch.cat([seen[place].mean((2, 3)) for place in range(4)], 1)
        torch.testing.assert_close(features, joined)
        by_hand = joined @ network.score.weight[0] + network.score.bias
        torch.testing.assert_close(scores, by_hand)

    def test_a_scale_attends_once_and_then_analyses_twice(self):
        network, ran = self.network(), []
        for module in network.modules():
            if isinstance(module, BlockAttention | AttributeAnalysis):
                name = "CBA" if isinstance(module, BlockAttention) else "ABA"
                module.register_forward_hook(lambda *_, name=name: ran.append(name))
        network(pixels(1), maps(1))
        assert ran == ["CBA", "ABA", "ABA"] * 4

    @pytest.mark.parametrize(
        ("left_out", "kind"),
        [("attention", BlockAttention), ("attributes", AttributeTransform)],
    )
    def test_table_vi_leaves_a_module_out(self, left_out, kind):
        modules = list(self.network(**{left_out: False}).modules())
        assert not any(isinstance(module, kind) for module in modules)
        counts = {BlockAttention: 4, AttributeTransform: 8}
        whole = list(self.network().modules())
        assert sum(isinstance(module, kind) for module in whole) == counts[kind]
        assert sum(isinstance(module, AttributeAnalysis) for module in modules) == 8

    def test_without_attributes_the_map_makes_no_difference(self):
        images, one, other = pixels(2), maps(2), maps(2)
        without, whole = self.network(attributes=False), self.network()
        assert torch.equal(without(images, one)[0], without(images, other)[0])
        assert not torch.equal(whole(images, one)[0], whole(images, other)[0])

    def test_a_map_of_one_class_is_normalisation_by_channel(self):
        """What a set without face maps gets; away from the border it is ABA without attributes."""
        block = AttributeTransform(3, classes=1).eval()
        x = randn(1, 3, 8, 8)
        found = block(x, torch.ones(1, 1, 8, 8))
        ratio = (found - found.mean()) / (x - x.mean())
        scale = block.scale.weight.sum((1, 2, 3)) + block.scale.bias
        shift = block.shift.weight.sum((1, 2, 3)) + block.shift.bias
        by_hand = scale[:, None, None] * block.normalise(x)[0] + shift[:, None, None]
        torch.testing.assert_close(found[0, :, 1:-1, 1:-1], by_hand[:, 1:-1, 1:-1])
        assert ratio.isfinite().all()

    def test_masks_that_do_not_fit_are_refused(self):
        network, score = self.network(), AttGFScore(network=self.network())
        for judge in (network, score):
            with pytest.raises(
                InputError, match=r"maps: expected the images' size \(32, 32\), got"
            ):
                judge(pixels(1), maps(1, size=16))
            with pytest.raises(InputError, match=r"maps: expected classes 0..2, got class 7"):
                judge(pixels(1), torch.full((1, 32, 32), 7, dtype=torch.uint8))

    def test_another_number_of_maps_than_images_is_refused(self):
        for judge in (self.network(), AttGFScore(network=self.network())):
            with pytest.raises(InputError, match="one length, got images 2, maps 3; row i of each"):
                judge(pixels(2), maps(3))

    def test_widths_for_three_scales_are_refused(self):
        with pytest.raises(InputError, match="widths: expected 4 numbers, got 3"):
            AttGFSettings(classes=2, widths=(4, 4, 4))


class TestScore:
    def test_laws(self, tmp_path):
        score = AttGFScore(network=new_attgf_network(
            AttGFSettings(classes=3, widths=(4, 4, 8, 8)), torch.Generator().manual_seed(0)).eval())  # fmt: skip
        images, labels = pixels(70), maps(70)
        found = score(images, labels)
        order = torch.randperm(70, generator=RANDOM)
        assert (score(images[order], labels[order]) == found[order.numpy()]).all()
        assert (score(images[:3], labels[:3]) == found[:3]).all()
        again = AttGFScore.load(score.save(tmp_path))
        assert (again(images, labels) == found).all()
        assert again.describe() == score.describe()
        assert isinstance(again.network, AttGFNetwork)
