"""The stand-in database: what is known of it, and that it is drawn anew by each seed."""

import pytest
import torch

from giqa_lib.applications.attgf import degraded_faces
from giqa_lib.checks import InputError
from giqa_lib.data import toy_faces


def test_pairs_keep_to_their_domain_and_contradict_no_quality():
    made = degraded_faces(9, size=32, seed=1)
    better, worse = made.pairs.unbind(1)
    assert (made.mos[better] > made.mos[worse]).all()
    assert (made.domain[better] == made.domain[worse]).all()
    assert len(made.pairs) == 4 * 4
    assert len(made.pairs.flatten().unique()) == 4 * 8  # each image at most once


def test_faces_of_another_seed_and_those_held_out_are_others():
    sets = [degraded_faces(3, size=32, seed=s, held_out=h) for s in (0, 1) for h in (False, True)]
    again = degraded_faces(3, size=32, seed=0)
    assert torch.equal(sets[0].images, again.images)
    maps = [made.maps.flatten(1) for made in sets]
    assert not any(torch.equal(a, b) for i, a in enumerate(maps) for b in maps[i + 1 :])


def test_less_damage_is_nearer_to_the_drawing():
    made = degraded_faces(20, size=32, seed=0, damages=("noise",))
    clean, _ = toy_faces(20, size=32, seed=0)
    distance = (made.images.float() - clean.float()).abs().mean((1, 2, 3)).double()
    assert torch.corrcoef(torch.stack([distance, made.mos]))[0, 1] < -0.8


def test_a_domain_with_one_image_is_refused():
    with pytest.raises(InputError, match="count: expected two images a domain or more, got 1; one"):
        degraded_faces(1, size=32, seed=0)
