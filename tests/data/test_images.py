import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from giqa_lib.checks import InputError
from giqa_lib.data import UnreadableImage, open_images


def numbered(count, channels=1):
    """Image i is filled with i."""
    return torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).repeat(1, channels, 2, 2)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(1, 50), st.data())
def test_batches_give_every_index_once_in_order(count, batch_size, data):
    images = open_images(numbered(count))
    order = data.draw(st.permutations(range(count)))
    batches = list(images.batches(batch_size, indices=np.array(order, dtype=np.int64)))
    indices = [index for batch in batches for index in batch.indices.tolist()]
    assert indices == order
    assert [int(image[0, 0, 0]) for batch in batches for image in batch.images] == order
    assert all(len(batch) == batch_size for batch in batches[:-1])


def test_items_and_the_end_of_iteration():
    images = open_images(numbered(3))
    assert int(images[-1].max()) == 2
    assert [int(image.max()) for image in images] == [0, 1, 2]
    with pytest.raises(IndexError, match="image 3 of 3"):
        images[3]


def test_subset_keeps_names_table_and_fingerprints_apart():
    table = pd.DataFrame({"label": [5, 6, 7, 8]})
    images = open_images(numbered(4), table=table)
    part = images.subset([3, 1])
    assert part.names == ["3", "1"]
    assert part.labels.tolist() == [8, 6]
    assert part.labels.dtype == np.int64
    assert part.tensor()[:, 0, 0, 0].tolist() == [3, 1]
    batches = list(part.batches(1, indices=[1, 0]))
    assert [batch.indices.tolist() for batch in batches] == [[1], [0]]
    assert [int(batch.images.max()) for batch in batches] == [1, 3]
    assert part.subset([1]).tensor().unique().tolist() == [1]
    assert images.subset(images.labels > 6).names == ["2", "3"]
    keys = [x.fingerprint for x in (images, part, images.subset([1, 3]), part.subset([0, 1]))]
    assert len(set(keys[:3])) == 3
    assert keys[3] == keys[1]


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([0, 4], "expected below 4, got 0 to 4"),
        ([1, 1], "1 repeated"),
        ([0.5], "whole numbers"),
        ([True, False], "one bool an image"),
    ],
)
def test_bad_indices(indices, message):
    with pytest.raises(InputError, match=message):
        open_images(numbered(4)).subset(indices)


def test_arguments_fail_before_the_first_batch():
    images = open_images(numbered(4))
    with pytest.raises(InputError, match="batch_size: expected at least 1, got 0"):
        images.batches(0)
    with pytest.raises(InputError, match="indices"):
        images.batches(2, indices=[9])
    with pytest.raises((InputError, TypeCheckError), match="drop"):
        open_images(numbered(1), on_error="drop")


def test_labels_that_are_not_there():
    with pytest.raises(InputError, match=r"expected a column label, got generator"):
        _ = open_images(numbered(1), table=pd.DataFrame({"generator": ["a"]})).labels
    with pytest.raises(InputError, match="2 rows for 1 images"):
        open_images(numbered(1), table=pd.DataFrame({"label": [1, 2]}))


def test_bad_images_are_reported_and_the_rest_goes_on(mixed_folder, bad_files):
    images = open_images(mixed_folder)
    batches = list(images.batches(3))
    read = [images.names[i] for batch in batches for i in batch.indices.tolist()]
    assert read == ["a/0.webp", "a/deep/1.jpeg", "b/2.PNG", "top.bmp"]
    failures = images.failures.set_index("name")["reason"]
    assert set(failures.index) == set(bad_files)
    assert set(read) | set(failures.index) == set(images.names)
    assert "12000 x 12000" in failures["large.png"]
    assert images.ignored == ("README.txt",)
    list(images.batches(4))
    assert len(images.failures) == len(bad_files)


def test_bad_images_stop_the_run_if_asked(mixed_folder):
    with pytest.raises(UnreadableImage, match=r"^bomb.png: too large"):
        list(open_images(mixed_folder, on_error="raise").batches(100))


def test_tensor_never_shifts_rows(mixed_folder):
    images = open_images(mixed_folder)
    with pytest.raises(UnreadableImage, match=r"bomb.png.*readable\(\)"):
        images.tensor()
    whole = images.readable()
    assert whole.tensor().shape == (4, 3, 6, 8)
    assert list(whole.table["folder"]) == ["a", "a/deep", "b", ""]
    assert len(images.failures) == 8


def test_a_file_deleted_after_listing_is_a_failure(mixed_folder):
    images = open_images(mixed_folder)
    (mixed_folder / "top.bmp").unlink()
    list(images.batches(100))
    assert images.failures.set_index("name")["reason"]["top.bmp"] == "the file is gone"


def test_mixed_sizes_and_channels_say_what_to_pass(tmp_path, encode):
    (tmp_path / "a.png").write_bytes(encode(size=(8, 6)))
    (tmp_path / "b.png").write_bytes(encode(size=(6, 8)))
    (tmp_path / "c.png").write_bytes(encode(size=(8, 6), mode="L"))
    images = open_images(tmp_path)
    with pytest.raises(InputError, match=r"a\.png.*b\.png|b\.png.*a\.png"):
        images.subset([0, 1]).tensor()
    with pytest.raises(InputError, match=r"pass size= to bring"):
        images.subset([0, 1]).tensor()
    with pytest.raises(InputError, match=r"pass channels= to bring"):
        images.subset([0, 2]).tensor()
    with pytest.raises(InputError, match=r"pass size= and channels= to bring"):
        images.tensor()
    together = images.tensor(size=5, channels=3)
    assert together.shape == (3, 3, 5, 5)
    alone = [images.subset([i]).tensor(size=5, channels=3)[0] for i in range(3)]
    assert torch.equal(together, torch.stack(alone))


def test_mixed_sizes_are_found_between_batches():
    class Growing(torch.utils.data.Dataset):
        def __len__(self):
            return 1500

        def __getitem__(self, index):
            return torch.zeros(1, 2 if index < 1024 else 3, 2, dtype=torch.uint8)

    with pytest.raises(InputError, match="pass size="):
        open_images(Growing()).tensor()


def test_empty_set_has_no_batches_and_no_tensor():
    images = open_images(numbered(3)).subset([])
    assert list(images.batches(2)) == []
    assert images.failures.empty
    with pytest.raises(InputError, match="empty set"):
        images.tensor()


def test_works_in_a_data_loader_and_through_pickle(mixed_folder):
    images = open_images(mixed_folder).readable()
    again = pickle.loads(pickle.dumps(images))
    assert torch.equal(again.tensor(), images.tensor())
    assert again.fingerprint == images.fingerprint
    loader = torch.utils.data.DataLoader(images, batch_size=3)
    assert [len(batch) for batch in loader] == [3, 1]
