import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from giqa_lib.checks import InputError
from giqa_lib.scores import (
    even_thresholds,
    official_thresholds,
    pseudo_labels,
    read_label_file,
    read_official_names,
)
from giqa_lib.scores.pseudo_labels import binary_labels


def test_equation_1_by_hand():
    labels = pseudo_labels([100, 770, 0, 5], real=[0, 0, 0, 1], last_iteration=770, top=0.9)
    assert labels == pytest.approx([0.9 * 100 / 770, 0.9, 0.0, 1.0], abs=1e-15)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=30, unique=True))
def test_labels_keep_the_order_of_the_iterations(steps):
    labels = pseudo_labels(steps)
    assert np.array_equal(np.argsort(labels), np.argsort(steps))
    assert labels.max() == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("steps", "keywords", "message"),
    [
        ([1, float("nan"), 3], {}, r"iterations: expected a number, got none in row 1; give each"),
        ([1, 2, -5], {}, r"expected >= 0, got -5 in row 2; iterations count from 0"),
        ([1, 900, 3], {"last_iteration": 770}, r"expected <= 770, got 900 in row 1; raise"),
        ([4, 4, 4], {}, r"two values or more, got 0.9 for all 3 images; add images of other"),
        ([], {}, r"two values or more, got no image"),
        ([0, 0], {}, r"last_iteration"),
        ([1, 2], {"top": 1.0}, "top"),
        ([1, 2], {"real": [True, True]}, "got 1 for all 2 images"),
        ([1, 2], {"real": [True]}, "real"),
    ],
)
def test_wrong_labels_say_what_is_wrong(steps, keywords, message):
    with pytest.raises(InputError, match=message):
        pseudo_labels(steps, **keywords)


def test_a_real_image_needs_no_iteration():
    labels = pseudo_labels([float("nan"), 3], real=[True, False])
    assert labels == pytest.approx([1.0, 0.9])


def test_equation_2_by_hand():
    found = binary_labels([0.0, 0.3, 0.31, 0.9, 1.0], (0.3, 0.6, 1.0))
    assert found.tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_even_thresholds_split_even_labels_evenly():
    labels = np.linspace(0, 0.9, 8000, endpoint=False)
    shares = binary_labels(labels, even_thresholds(8)).mean(axis=0)
    assert shares == pytest.approx([7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0], abs=1e-3)


def test_the_official_thresholds_are_eight_and_end_in_real_against_fake():
    found = official_thresholds()
    assert len(found) == 8
    assert found[0] == pytest.approx(0.9 * 190 / 770)
    assert found[-1] == 1


@pytest.mark.parametrize(
    "wrong", [(), (0.5,), (0.6, 0.3, 1.0), (0.0, 1.0), (0.5, 0.5, 1.0), (0.5, 1.2)]
)
def test_thresholds_must_rise_to_one(wrong):
    with pytest.raises(InputError, match="even_thresholds"):
        binary_labels([0.5], wrong)


def written(folder, text):
    path = folder / "labels.csv"
    path.write_text(text)
    return path


def test_a_label_file(tmp_path):
    found = read_label_file(
        written(tmp_path, "image,iteration\na.png,100\nsub/b.png, real\nc.png,50\n")
    )
    assert found.real.tolist() == [False, True, False]
    assert found.paths[1] == tmp_path / "sub/b.png"
    assert found.labels() == pytest.approx([0.9, 1.0, 0.45])
    assert found.labels(last_iteration=200)[0] == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "image,iteration\na.png,\n",
            r"line 2: expected an iteration >= 0 or 'real', got ''; write the .* a.png",
        ),
        ("image,iteration\na.png,1\nb.png\n", "line 3: .*got ''"),
        ("image,iteration\na.png,-3\n", "line 2: .*got '-3'"),
        ("image,iteration\na.png,soon\n", "got 'soon'"),
        ("image,iteration\na.png,nan\n", "got 'nan'"),
        ("image,iteration\na.png,inf\n", "got 'inf'"),
        ("name,step\na.png,3\n", "expected columns image, iteration, got name, step"),
        ("", "expected columns image, iteration, got none"),
        ("image,iteration\n", "expected at least one image, got none"),
    ],
)
def test_a_wrong_label_file_names_the_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_label_file(written(tmp_path, text))


def test_a_label_beyond_the_last_iteration_is_refused_when_labels_are_made(tmp_path):
    found = read_label_file(written(tmp_path, "image,iteration\na.png,100\nb.png,real\n"))
    with pytest.raises(InputError, match="<= 50, got 100 in row 0"):
        found.labels(last_iteration=50)


def test_the_official_names():
    found = read_official_names(["107900_0_1.png", "00012.png", "x/770000_9_4.jpg"])
    assert found.real.tolist() == [False, True, False]
    assert found.iterations[[0, 2]].tolist() == [107900, 770000]


def test_a_name_that_is_neither_is_refused():
    with pytest.raises(InputError, match=r"ITER_GROUP_IDX, or a name without _, got seed_12\.png"):
        read_official_names(["seed_12.png"])
