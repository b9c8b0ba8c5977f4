"""Rows on disk: what counts is what the journal counts."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from giqa_lib.checks import GiqaError
from giqa_lib.features.feature_store import FeatureFile, read_features


def rows(start, count):
    numbers = np.arange(start, start + count)
    return np.stack([numbers, -numbers], axis=1).astype(np.float32), numbers


def test_rows_come_back_in_order_with_their_failures(tmp_path):
    with FeatureFile(tmp_path, width=2) as file:
        file.append(*rows(0, 3), done=4, failures={"bad.png": "empty file"})
        file.append(*rows(4, 2), done=6, failures={"bad.png": "empty file"})
        file.finish()
    values, indices, failures = read_features(tmp_path)
    assert isinstance(values, np.memmap)
    np.testing.assert_array_equal(indices, [0, 1, 2, 4, 5])
    np.testing.assert_array_equal(values[:, 1], -indices)
    assert failures == {"bad.png": "empty file"}


def test_a_file_without_rows_can_be_read(tmp_path):
    with FeatureFile(tmp_path, width=2) as file:
        file.finish()
    values, indices, failures = read_features(tmp_path)
    assert values.shape == (0, 2)
    assert len(indices) == len(failures) == 0


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, 40), part=st.integers(0, 20), batch=st.integers(1, 7))
def test_bytes_of_a_killed_batch_never_count(tmp_path_factory, cut, part, batch):
    """Whatever reached the disk after the last journal is cut off on opening."""
    folder = tmp_path_factory.mktemp("rows")
    with FeatureFile(folder, width=2) as file:
        file.append(*rows(0, batch), done=batch, failures={})
    with (
        (folder / "values.npy").open("ab") as values,
        (folder / "indices.npy").open("ab") as indices,
    ):
        values.write(b"x" * cut)
        indices.write(b"y" * part)
    (folder / "journal.fresh").write_text('{"rows": 9')
    with FeatureFile(folder, width=2) as file:
        assert (file.rows, file.done) == (batch, batch)
        file.append(*rows(batch, 3), done=batch + 3, failures={})
        file.finish()
    values, indices, _ = read_features(folder)
    np.testing.assert_array_equal(indices, np.arange(batch + 3))
    np.testing.assert_array_equal(values[:, 0], np.arange(batch + 3))
    assert (folder / "values.npy").stat().st_size == 128 + 8 * (batch + 3)
    assert (folder / "indices.npy").stat().st_size == 128 + 8 * (batch + 3)


def test_a_kill_before_the_first_journal_starts_anew(tmp_path):
    (tmp_path / "values.npy").write_bytes(b"half a header")
    with FeatureFile(tmp_path, width=2) as file:
        file.append(*rows(0, 2), done=2, failures={})
        file.finish()
    assert read_features(tmp_path)[0].shape == (2, 2)


def test_finishing_twice_changes_nothing(tmp_path):
    """A kill between finish() and the store's rename finishes again."""
    with FeatureFile(tmp_path, width=2) as file:
        file.append(*rows(0, 12), done=12, failures={})
        file.finish()
    with FeatureFile(tmp_path, width=2) as file:
        assert file.done == 12
        file.finish()
    np.testing.assert_array_equal(read_features(tmp_path)[0][:, 0], np.arange(12))


def test_lost_rows_and_another_width_are_refused(tmp_path):
    with FeatureFile(tmp_path, width=2) as file:
        file.append(*rows(0, 5), done=5, failures={})
    with pytest.raises(GiqaError, match="expected width 2, got 3"):
        FeatureFile(tmp_path, width=3)
    (tmp_path / "values.npy").write_bytes(b"")
    with pytest.raises(GiqaError, match=r"values.npy: expected \d+ bytes, got 0; delete"):
        FeatureFile(tmp_path, width=2)
