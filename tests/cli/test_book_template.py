"""The chapter that scores a folder, as a template: with a user's own folders."""

import json
import zipfile

import pandas as pd
import pytest
from folder_images import smooth, write_folder

CHAPTER = "5_your_images/score_a_folder"


@pytest.mark.slow
def test_it_runs_on_ones_own_folders(giqa, real, generated, tmp_path):
    other = write_folder(tmp_path / "other", smooth(25, seed=9, noise=60))
    archive = tmp_path / "other.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(other.iterdir()):
            file.write(path, path.name)
    names = sorted(path.name for path in generated.iterdir() if path.name != "broken.png")
    opinions = pd.DataFrame({"name": names, "opinion": range(len(names), 0, -1)})
    opinions.to_csv(tmp_path / "opinions.csv", index=False)
    done = giqa(
        "book", "run", CHAPTER, "--to", tmp_path / "out", "--json",
        "-p", f"real={real}", "-p", f"generated=[new={generated}, {archive}]",
        "-p", f"opinions={tmp_path / 'opinions.csv'}", "-p", f"folder={tmp_path / 'kept'}",
        "-p", "extractor=pixels@4", "-p", "density=sgm",
    )  # fmt: skip
    assert done.status == 0, done.err
    record = json.loads((tmp_path / "out/results/quick" / f"{CHAPTER}.json").read_text())
    rows = {r["row"] for r in record["results"] if r["exhibit"] == "comparison"}
    assert rows == {"real, held out", "new", "other"}
    agreement = [r for r in record["results"] if r["exhibit"] == "agreement"]
    assert agreement[0]["value"] > 0
    assert (tmp_path / "kept" / "scores of new" / "gallery.html").is_file()
    assert (tmp_path / "out/notebooks" / f"{CHAPTER}.ipynb").is_file()
