"""A database of quality that does not fit together is refused when it is made, by what does not fit."""

from dataclasses import replace

import pytest
import torch

from giqa_lib.checks import InputError
from giqa_lib.data import QualityDatabase


@pytest.fixture
def four():
    zeros = torch.zeros(4, dtype=torch.float64)
    return QualityDatabase(
        images=torch.zeros(4, 3, 8, 8, dtype=torch.uint8),
        maps=torch.zeros(4, 8, 8, dtype=torch.uint8),
        parts=("hair", "skin"),
        domains=("a", "b"),
        domain=torch.tensor([0, 0, 1, 1]),
        pseudo=zeros,
        mos=zeros,
        pairs=torch.tensor([[0, 1], [3, 2]]),
    )


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        (
            "maps",
            torch.full((4, 8, 8), 2, dtype=torch.uint8),
            "maps: expected classes 0..1, got class 2; raise classes, or merge",
        ),
        ("domain", torch.tensor([0, 0, 1, 2]), "domain: expected 0..1, got 2; name each in"),
        ("pairs", torch.tensor([[0, 4]]), "pairs: expected 0..3, got 4; pairs are places"),
        ("pairs", torch.tensor([[-1, 3]]), "pairs: expected 0..3, got -1; pairs are places"),
        ("pairs", torch.tensor([[0, 2]]), "pairs: expected pairs within a domain, got 1 across"),
    ],
)
def test_what_does_not_fit_is_named(four, part, value, words):
    with pytest.raises(InputError, match=words):
        replace(four, **{part: value})


def test_no_pairs_are_allowed(four):
    assert len(replace(four, pairs=torch.zeros(0, 2).long()).pairs) == 0
