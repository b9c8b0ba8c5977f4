import pytest
from hypothesis import given
from hypothesis import strategies as st

from giqa_lib.checks import InputError
from giqa_lib.distributed import Worker, this_worker, threads_each


@given(st.integers(1, 9), st.integers(0, 60))
def test_every_worker_would_do_every_piece_once_and_own_pieces_are_shared_out(count, total):
    orders = [Worker(rank=rank, count=count).order(total) for rank in range(count)]
    assert all(sorted(order) == list(range(total)) for order in orders)
    own = [order[: len(range(rank, total, count))] for rank, order in enumerate(orders)]
    assert sorted(sum(own, [])) == list(range(total))  # noqa: RUF017


def test_launchers_are_known():
    assert this_worker({}) == Worker()
    assert this_worker({"RANK": "2", "WORLD_SIZE": "3"}) == Worker(rank=2, count=3)
    slurm = {"SLURM_PROCID": "5", "SLURM_NTASKS": "8"}
    assert this_worker(slurm) == Worker(rank=5, count=8)
    assert this_worker(slurm | {"RANK": "0", "WORLD_SIZE": "2"}) == Worker(rank=0, count=2)


def test_a_rank_that_is_none_is_refused():
    with pytest.raises(InputError, match="rank: expected 0 to 1, got 2"):
        Worker(rank=2, count=2)


@pytest.mark.parametrize(
    ("count", "environment", "threads"),
    [
        (1, {}, 8),
        (4, {}, 2),
        (16, {}, 1),  # more workers than cores: one thread, not none
        (16, {"LOCAL_WORLD_SIZE": "4"}, 2),  # four machines of four workers
        (16, {"SLURM_CPUS_PER_TASK": "3"}, 3),
    ],
)
def test_workers_of_a_machine_share_its_cores(count, environment, threads):
    worker = Worker(rank=0, count=count)
    assert threads_each(worker, cores=8, environment=environment) == threads
