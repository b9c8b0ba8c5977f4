import pytest
import torch

from giqa_lib.applications.folders import STAND_IN_LEVELS, write_stand_in
from giqa_lib.checks import InputError
from giqa_lib.data import load, open_images


def test_the_folders_hold_what_they_say(tmp_path):
    made = write_stand_in(tmp_path, dataset="digits", real=20, generated=10, seed=0)
    real = open_images(made.real).tensor()
    train = load("digits", "train").tensor()
    assert all(bool((train == image).flatten(1).all(1).any()) for image in real)
    for name, path in made.generated.items():
        opinions = made.opinions[name]
        assert list(open_images(path).names) == opinions["name"].tolist()
        assert opinions["opinion"].between(1 - STAND_IN_LEVELS[name], 1).all()


def test_the_seed_decides_them(tmp_path):
    sets = [
        open_images(
            write_stand_in(
                tmp_path / str(number), dataset="digits", real=5, generated=5, seed=seed
            ).generated["careless"]
        ).tensor()
        for number, seed in enumerate((0, 0, 1))
    ]
    assert torch.equal(sets[0], sets[1])
    assert not torch.equal(sets[0], sets[2])


def test_more_than_the_data_set_has_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected at most 355, got 400"):
        write_stand_in(tmp_path, dataset="digits", real=5, generated=200, seed=0)
