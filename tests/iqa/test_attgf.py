"""AttGF-IQA's equations by hand, one by one."""

import math

import pytest
import torch
from torch.nn import functional

from giqa_lib.checks import InputError
from giqa_lib.iqa import (
    AttGF,
    AttGFSettings,
    AttributeAnalysis,
    BlockAttention,
    attgf_inputs,
    centre_loss,
    focal_rank_loss,
    meta_gradient,
    score_regression_loss,
)

RANDOM = torch.Generator().manual_seed(0)


def randn(*shape):
    return torch.randn(*shape, generator=RANDOM)


class TestBlockAttention:
    def test_it_is_equations_5_to_8(self):
        torch.manual_seed(0)
        block, x = BlockAttention(4, reduction=2), randn(2, 4, 5, 5)
        for_channels = torch.sigmoid(
            functional.linear(
                functional.linear(
                    x.mean((2, 3)), block.narrow.weight[:, :, 0, 0], block.narrow.bias
                ),
                block.widen.weight[:, :, 0, 0],
                block.widen.bias,
            )
        )
        v = for_channels[:, :, None, None] * x
        both = torch.stack([v.max(1).values, v.mean(1)], 1)
        place = torch.sigmoid(
            functional.conv2d(both, block.places.weight, block.places.bias, padding=2)
        )
        torch.testing.assert_close(block(x), place * v + v)

    def test_without_weights_it_multiplies_by_three_quarters(self):
        block = BlockAttention(4)
        for parameter in block.parameters():
            torch.nn.init.zeros_(parameter)
        x = randn(2, 4, 5, 5)
        torch.testing.assert_close(block(x), 0.75 * x)  # 1/2 of channels, 1/2 more of places


class TestAttributeAnalysis:
    def made(self, offset=0.0):
        torch.manual_seed(0)
        return AttributeAnalysis(3, 3, parts=2, offset=offset)

    def test_it_is_equations_9_to_11(self):
        block, x = self.made(), randn(4, 3, 6, 6)
        maps = functional.one_hot(torch.randint(2, (4, 6, 6), generator=RANDOM), 2)
        maps = maps.movedim(-1, 1).float()
        mean = x.mean((0, 2, 3), keepdim=True)
        deviation = ((x**2).mean((0, 2, 3), keepdim=True) - mean**2 + block.norm.eps).sqrt()
        by_hand = block.last(block.gamma(maps) * (x - mean) / deviation + block.beta(maps))
        torch.testing.assert_close(block(x, maps), by_hand, rtol=1e-4, atol=1e-5)

    def test_the_paper_and_spade_begin_alike_and_differ_by_the_normed_features(self):
        plain, spade, maps = self.made(), self.made(offset=1.0), torch.zeros(2, 2, 6, 6)
        x = randn(2, 3, 6, 6)
        spade.load_state_dict(plain.state_dict())
        normed = plain.norm.eval()(x)
        plain.eval(), spade.eval()
        extra = functional.conv2d(normed, plain.last.weight, padding=1)
        torch.testing.assert_close(spade(x, maps) - plain(x, maps), extra, rtol=1e-4, atol=1e-5)

    def test_a_part_changes_the_features_where_it_is(self):
        block = self.made().eval()
        x, nothing, part = randn(1, 3, 16, 16), torch.zeros(1, 2, 16, 16), torch.zeros(1, 2, 16, 16)
        part[0, 1, 2:4, 2:4] = 1
        changed = (block(x, part) - block(x, nothing)).abs().sum(1)[0] > 0
        assert changed[3, 3]
        assert not changed[8:, :].any()  # two convolutions reach two pixels

    def test_other_classes_are_refused(self):
        with pytest.raises(InputError, match=r"maps: expected 2 classes, got 3"):
            self.made()(randn(1, 3, 6, 6), torch.zeros(1, 3, 6, 6))


class TestNetwork:
    def settings(self, **changed):
        return AttGFSettings(parts=3, width=4, most=8, **changed)

    def test_the_score_is_the_head_of_four_scales_even_outputs(self):
        torch.manual_seed(0)
        network = AttGF(self.settings()).eval()
        seen = {}
        for scale, (_, second) in enumerate(network.analysis):
            second.register_forward_hook(lambda m, i, out, s=scale: seen.__setitem__(s, out))
        images, maps = randn(2, 3, 32, 32), torch.zeros(2, 3, 32, 32)
        score, features = network(images, maps)
        pooled = torch.cat([seen[s].mean((2, 3)) for s in range(4)], 1)
        torch.testing.assert_close(features, pooled)
        torch.testing.assert_close(score, network.head(pooled)[:, 0])
        assert [seen[s].shape[2] for s in range(4)] == [16, 8, 4, 2]

    @pytest.mark.parametrize("left_out", ["attention", "attributes"])
    def test_a_module_can_be_left_out(self, left_out):
        network = AttGF(self.settings(**{left_out: False}))
        kinds = {type(module) for module in network.modules()}
        assert (BlockAttention in kinds) == (left_out != "attention")
        assert (AttributeAnalysis in kinds) == (left_out != "attributes")

    def test_without_attributes_the_map_does_not_matter(self):
        network = AttGF(self.settings(attributes=False)).eval()
        images = randn(2, 3, 32, 32)
        one, other = torch.zeros(2, 3, 32, 32), torch.ones(2, 3, 32, 32)
        assert torch.equal(network(images, one)[0], network(images, other)[0])
        with_them = AttGF(self.settings()).eval()
        assert not torch.equal(with_them(images, one)[0], with_them(images, other)[0])

    def test_maps_that_do_not_fit_are_refused(self):
        images = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
        with pytest.raises(InputError, match=r"maps: expected 8 x 8 pixels, got 4 x 4"):
            attgf_inputs(images, torch.zeros(1, 4, 4, dtype=torch.uint8), parts=2)
        with pytest.raises(InputError, match=r"maps: expected classes below 2, got class 5"):
            attgf_inputs(images, torch.full((1, 8, 8), 5, dtype=torch.uint8), parts=2)


class TestLosses:
    def test_focal_rank_loss_by_hand(self):
        first, second = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
        better = torch.tensor([True, True])
        p = [1 / (1 + math.exp(-1)), 1 / (1 + math.exp(2))]
        by_hand = sum(-((1 - q) ** 2) * math.log(q) for q in p) / 2
        assert float(focal_rank_loss(first, second, better)) == pytest.approx(by_hand, rel=1e-6)
        swapped = focal_rank_loss(second, first, ~better)
        assert float(swapped) == pytest.approx(by_hand, rel=1e-6)

    def test_focus_nought_is_the_logistic_loss_and_large_differences_are_finite(self):
        first, second = randn(5), randn(5)
        yes = torch.ones(5, dtype=torch.bool)
        found = focal_rank_loss(first, second, yes, focus=0.0)
        torch.testing.assert_close(found, functional.softplus(second - first).mean())
        far = focal_rank_loss(torch.tensor([-500.0]), torch.tensor([500.0]), yes[:1])
        assert float(far) == pytest.approx(1000)

    def test_each_order_is_drawn_to_its_own_centre(self):
        centres = torch.tensor([[1.0, 0.0], [0.0, 3.0]], requires_grad=True)
        q, zero = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.zeros(2, 2)
        loss = centre_loss(q, zero, torch.tensor([False, True]), centres)
        assert float(loss.detach()) == pytest.approx((0 + 4) / 2)
        loss.backward()
        assert centres.grad.tolist() == [[0, 0], [0, 2]]

    def test_regression_has_a_lower_bound_on_either_side(self):
        target = torch.zeros(3)
        assert float(score_regression_loss(target, target)) == 0
        assert float(score_regression_loss(target + 2, target)) == 2
        assert float(score_regression_loss(target - 2, target)) == 2


class TestMetaLearning:
    def loss(self, parameters, batch):
        x, y = batch
        return ((x @ parameters["w"] - y) ** 2).mean()

    def case(self):
        w = {"w": randn(3).double().requires_grad_()}
        domains = [(randn(4, 3).double(), randn(4).double()) for _ in range(3)]
        return w, domains

    @pytest.mark.parametrize("order", ["first", "second"])
    def test_inner_rate_nought_is_plain_training(self, order):
        w, domains = self.case()
        found, _ = meta_gradient(self.loss, self.loss, w, domains, inner_rate=0.0, order=order)
        # Each domain is in the training part of every sub-batch but one, and once the unseen one.
        plain = sum(self.loss(w, d) for d in domains) * len(domains) / len(domains)
        (wanted,) = torch.autograd.grad(plain, [w["w"]])
        torch.testing.assert_close(found["w"], wanted)

    def test_second_order_is_the_gradient_of_the_whole_and_after_adams_first_step_so_is_the_first(
        self,
    ):
        w, domains = self.case()
        rate = 0.05
        total = 0.0
        for unseen in range(3):
            train = sum(self.loss(w, d) for i, d in enumerate(domains) if i != unseen)
            (g,) = torch.autograd.grad(train, [w["w"]], create_graph=True)
            stepped = {"w": w["w"] - rate * g / (g.abs() + 1e-8)}
            total = total + train + self.loss(stepped, domains[unseen])
        (wanted,) = torch.autograd.grad(total / 3, [w["w"]])
        second, _ = meta_gradient(self.loss, self.loss, w, domains, inner_rate=rate, order="second")
        torch.testing.assert_close(second["w"], wanted)
        # Adam's first step has the length of the rate whatever the gradient, so nothing flows through it.
        first, _ = meta_gradient(self.loss, self.loss, w, domains, inner_rate=rate)
        torch.testing.assert_close(first["w"], second["w"], rtol=1e-5, atol=1e-6)
        plain, _ = meta_gradient(self.loss, self.loss, w, domains, inner_rate=0.0)
        assert not torch.allclose(first["w"], plain["w"])

    def test_one_domain_has_none_to_leave_out(self):
        w, domains = self.case()
        with pytest.raises(InputError, match=r"domains: expected 2 or more, got 1"):
            meta_gradient(self.loss, self.loss, w, domains[:1], inner_rate=0.1)
