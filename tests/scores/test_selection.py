import numpy as np
import pytest
import torch

from giqa_lib.scores.selection import smallest


def contrived(kind):
    generator = np.random.default_rng(0)
    rows = generator.integers(0, 10**6, size=(40, 20_000))
    if kind == "sorted":
        rows.sort(axis=1)
    if kind == "ties":
        rows //= 10**5
    if kind == "constant":
        rows[:] = 7
    if kind == "sample misses":
        rows[:, ::16] = 10**7  # the threshold keeps far too many
    if kind == "sample hits":
        rows[:, ::16] = -1  # and here too few
    return rows


@pytest.mark.parametrize(
    "kind", ["random", "sorted", "ties", "constant", "sample misses", "sample hits"]
)
@pytest.mark.parametrize("count", [1, 300, 1500, 20_000])
def test_equals_a_sort(kind, count):
    rows = contrived(kind)
    values, indices = smallest(torch.from_numpy(rows), count)
    assert np.array_equal(np.sort(values.numpy(), 1), np.sort(rows, 1)[:, :count])
    assert np.array_equal(np.take_along_axis(rows, indices.numpy(), 1), values.numpy())
    assert all(len(set(row.tolist())) == count for row in indices)


def test_a_row_is_selected_alone():
    rows = torch.from_numpy(contrived("random"))
    values, indices = smallest(rows, 1500)
    alone = [smallest(row[None], 1500) for row in rows]
    assert torch.equal(torch.cat([v for v, _ in alone]), values)
    assert torch.equal(torch.cat([i for _, i in alone]), indices)
