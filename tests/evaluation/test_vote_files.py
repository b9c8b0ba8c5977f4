import pandas as pd
import pytest

from giqa_lib.checks import InputError
from giqa_lib.evaluation import read_votes

VOTES = pd.DataFrame(
    {
        "subject": ["01", "01", "nan"],
        "session": [1, 1, 1],
        "image": ["1.png", "2.png", "1.png"],
        "vote": [1, 5, 3],
    }
)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_votes_come_back_with_names_as_text(tmp_path, ending):
    path = tmp_path / f"votes.{ending}"
    VOTES.to_csv(path, index=False) if ending == "csv" else VOTES.to_parquet(path)
    found = read_votes(path)
    assert found["subject"].tolist() == ["01", "01", "nan"]
    assert found["vote"].tolist() == [1.0, 5.0, 3.0]


def whole(tmp_path, ending):
    path = tmp_path / f"votes.{ending}"
    VOTES.to_csv(path, index=False) if ending == "csv" else VOTES.to_parquet(path)
    return path


def test_damaged_files_are_refused_in_one_line(tmp_path):
    cut = whole(tmp_path, "parquet")
    cut.write_bytes(cut.read_bytes()[:-40])
    short = whole(tmp_path, "csv")
    short.write_text(short.read_text() + "x")  # a last line that was not finished
    empty, binary = tmp_path / "empty.csv", tmp_path / "binary.csv"
    empty.write_text("")
    binary.write_bytes(bytes(range(256)) * 4)
    for path in (cut, short, empty, binary, tmp_path / "none.csv", tmp_path / "votes.txt"):
        with pytest.raises(InputError) as raised:
            read_votes(path)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.assign(vote=[1, 5, 6]), "a number from 1 to 5, got 6"),
        (lambda v: pd.concat([v, v.iloc[:1]]), "got two by subject 01 of image 1.png"),
        (lambda v: v.assign(vote=[1, None, 3]), "an empty cell"),
        (lambda v: v.drop(columns="image"), "got no image"),
    ],
)
def test_votes_that_make_no_sense_are_refused(tmp_path, change, message):
    path = tmp_path / "votes.csv"
    change(VOTES).to_csv(path, index=False)
    with pytest.raises(InputError, match=message):
        read_votes(path)
