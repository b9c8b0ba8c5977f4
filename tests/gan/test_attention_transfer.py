import torch
from torch.nn import functional

from giqa_lib.gan.models.attention_transfer import covered, transfer_attention


def features(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def hole(size, rows, columns):
    found = torch.zeros(1, 1, size, size)
    found[:, :, rows, columns] = 1
    return found


def transferred_by_hand(fine, coarse, holes, sharpness):
    """Place by place, with loops."""
    side = coarse.shape[2]
    padded = functional.pad(coarse, (1, 1, 1, 1))[0]
    patch = {
        (r, c): padded[:, r : r + 3, c : c + 3].flatten() for r in range(side) for c in range(side)
    }
    step = holes.shape[2] // side
    inside = {
        (r, c): bool(holes[0, 0, r * step : (r + 1) * step, c * step : (c + 1) * step].any())
        for r, c in patch
    }
    outside = [place for place in patch if not inside[place]] or list(patch)
    found = fine.clone()
    for (r, c), own in patch.items():
        likeness = [float(functional.cosine_similarity(own, patch[o], dim=0)) for o in outside]
        weights = torch.softmax(sharpness * torch.tensor(likeness), 0)
        block = sum(
            w * fine[0, :, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
            for w, (y, x) in zip(weights, outside, strict=True)
        )
        for dy in range(2):
            for dx in range(2):
                y, x = 2 * r + dy, 2 * c + dx
                half = step // 2
                if holes[0, 0, y * half : (y + 1) * half, x * half : (x + 1) * half].any():
                    found[0, :, y, x] = block[:, dy, dx]
    return found


def test_it_is_the_sum_over_places_outside():
    fine, coarse = features(0, 1, 3, 8, 8), features(1, 1, 5, 4, 4)
    for holes in (hole(16, slice(3, 9), slice(4, 12)), hole(16, slice(0, 16), slice(0, 16))):
        found = transfer_attention(fine, coarse, holes, sharpness=2.0)
        assert torch.allclose(found, transferred_by_hand(fine, coarse, holes, 2.0), atol=1e-5)


def test_what_lies_outside_the_hole_stays_and_what_lies_inside_is_not_looked_at():
    fine, coarse, holes = features(0, 1, 3, 8, 8), features(1, 1, 5, 4, 4), hole(8, 2, slice(2, 6))
    found = transfer_attention(fine, coarse, holes)
    inside = covered(holes, (8, 8)) > 0
    assert torch.equal(found[~inside.expand_as(found)], fine[~inside.expand_as(fine)])
    changed = torch.where(inside, fine + 100, fine)
    assert torch.equal(transfer_attention(changed, coarse, holes), found)


def test_a_sharp_attention_copies_the_most_alike_block():
    coarse = torch.zeros(1, 2, 6, 6)
    coarse[:, :, 0:3, 0:3] = coarse[:, :, 3:6, 3:6] = features(2, 1, 2, 3, 3)
    fine = features(3, 1, 4, 12, 12)
    holes = hole(12, slice(8, 10), slice(8, 10))  # the middle of the second copy
    found = transfer_attention(fine, coarse, holes, sharpness=1e4)
    assert torch.allclose(found[..., 8:10, 8:10], fine[..., 2:4, 2:4], atol=1e-5)
