import torch

from giqa_lib.figures import coloured_maps


def test_classes_have_colours_that_differ_and_stay():
    maps = torch.arange(34, dtype=torch.uint8).reshape(1, 2, 17)
    shown = coloured_maps(maps, classes=34).flatten(2)[0].T
    assert len(shown.unique(dim=0)) == 34
    gaps = torch.cdist(shown.float(), shown.float()) + 1e3 * torch.eye(34)
    assert float(gaps.min()) > 12
    fewer = coloured_maps(maps[:, :1, :5], classes=5).flatten(2)[0].T
    assert torch.equal(fewer, shown[:5])
