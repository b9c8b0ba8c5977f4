"""What every test stands on: one thread, no window, no network, a store of its own.

These hold for the whole process, doctests of the library too, before anything is imported
that would read them.
"""

import os
import signal
import tempfile
from pathlib import Path

# What a shell starts in the background ignores interrupts, and so does all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # two processes with two threads each are slower than one
os.environ["MPLBACKEND"] = "agg"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"
# A user's own settings must not reach a test, nor a test the user's store.
for name in ("GIQA_BOOK", "GIQA_PROFILE"):
    os.environ.pop(name, None)
_store = tempfile.TemporaryDirectory(prefix="giqa-test-store-")
os.environ["GIQA_STORE"] = _store.name

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _no_global_randomness():
    """Global generators start each test alike, so that what uses them by mistake is repeatable.

    The default type stays float32: a default of float64 would hide what loses precision.
    """
    state, threads = np.random.get_state(), torch.get_num_threads()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    yield
    np.random.set_state(state)  # noqa: NPY002
    assert torch.get_default_dtype() == torch.float32, "a test left another default type"
    assert torch.get_num_threads() == threads, "a test left another number of threads"


@pytest.fixture
def rng() -> np.random.Generator:
    """A NumPy generator, always the same."""
    return np.random.default_rng(0)


@pytest.fixture
def generator() -> torch.Generator:
    """A torch generator, always the same."""
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout that the tests belong to."""
    return ROOT
