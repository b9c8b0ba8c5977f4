import pytest
from PIL import Image

from giqa_lib.applications.pairs import find_lgiqa, read_pair_folder
from giqa_lib.checks import DataUnavailable, InputError


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "lgiqa" / "cat"
    (place / "stylegan").mkdir(parents=True)
    for grey, name in enumerate(("a.png", "b.png", "stylegan/c.png")):
        Image.new("RGB", (8, 8), (grey, grey, grey)).save(place / name)
    return place


def write(folder, text):
    (folder / "pairs.csv").write_text(text)
    return folder


def test_pairs_are_rows_of_the_images(folder):
    found = read_pair_folder(
        write(folder, "better,worse\nb.png,stylegan/c.png\nstylegan/c.png,a.png\n")
    )
    pixels = found.images.tensor()[:, 0, 0, 0].tolist()
    assert [pixels[row] for row in found.pairs.better] == [1, 2]
    assert [pixels[row] for row in found.pairs.worse] == [2, 0]
    assert found.pairs.name == "judged pairs of cat"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("better,worse\nb.png,d.png\n", r"line 2: expected an image of the folder, got 'd.png'"),
        ("left,right\na.png,b.png\n", "expected columns better, worse, got left, right"),
        ("better,worse\n", "got no pair"),
        ("better,worse\nb.png\n", "line 2: .*got None"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(folder, text, message):
    with pytest.raises(InputError, match=message):
        read_pair_folder(write(folder, text))


def test_without_a_file_it_says_how_to_write_one(folder):
    with pytest.raises(DataUnavailable, match="one line a pair: better,worse"):
        read_pair_folder(folder)


def test_the_papers_sets_are_found_below_the_data_folder(folder, monkeypatch):
    write(folder, "better,worse\na.png,b.png\n")
    monkeypatch.setenv("GIQA_DATA", str(folder.parent.parent))
    assert find_lgiqa() == {"cat": folder}
    monkeypatch.delenv("GIQA_DATA")
    assert find_lgiqa() == {}
