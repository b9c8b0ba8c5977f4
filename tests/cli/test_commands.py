"""What each command does when all is well."""

import io
import json
import os
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bs4 import BeautifulSoup
from folder_images import FIT, smooth, write_folder
from PIL import Image

from giqa_lib.applications.folders import load_scorer
from giqa_lib.cli import read_scores
from giqa_lib.data import open_images

COMMANDS = ["fit", "score", "pick", "compare", "agree", "data", "book"]


class TestHelp:
    def test_it_lists_the_commands_and_the_exit_statuses(self, giqa):
        done = giqa("--help")
        assert done.status == 0
        for word in [*COMMANDS, "Exit status: 0 done", "giqa fit photos/ --to scorer"]:
            assert word in done.out

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_teaches_by_example(self, giqa, command):
        done = giqa(command, "--help")
        assert done.status == 0
        assert f"\n    giqa {command} " in done.out
        assert "--json" in done.out or command in ("data", "book")

    @pytest.mark.parametrize("group", [(), ("data",), ("book",)])
    def test_no_summary_of_a_command_is_cut_off(self, giqa, group):
        assert "..." not in giqa(*group, "--help").out.partition("Commands:")[2]

    def test_no_command_is_wrong_usage(self, giqa):
        assert giqa("guess").status == 2
        assert giqa("fit").status == 2
        assert giqa("pick", "x", "--keep", "some").status == 2


class TestFit:
    def test_it_says_what_was_fitted(self, giqa, real, tmp_path):
        done = giqa("fit", real, "--to", tmp_path / "scorer", *FIT, "--json")
        assert done.status == 0
        assert done.content["ok"]
        assert done.content["real"]["fitted"] == 96
        assert done.content["real"]["held_out"] == 24
        assert load_scorer(tmp_path / "scorer").describe()["features"] == "pixels@4"

    def test_the_scorer_holds_no_pickle(self, scorer):
        suffixes = {path.suffix for path in scorer.rglob("*") if path.is_file()}
        assert suffixes == {".json", ".safetensors"}


class TestScore:
    def test_table_sheet_gallery_and_summary(self, scores, generated, scorer):
        table = pd.read_csv(scores / "scores.csv")
        assert list(table) == ["name", "rank", "calibrated", "standard_error", "raw"]
        scored = load_scorer(scorer).score_images(open_images(generated))
        for column in table:
            assert table[column].tolist() == scored.table[column].tolist()
        assert pd.read_csv(scores / "unreadable.csv")["name"].tolist() == ["broken.png"]
        summary = json.loads((scores / "summary.json").read_text())
        assert (summary["images"], summary["unreadable_images"]) == (40, 1)
        assert summary["scorer"]["features"] == "pixels@4"
        with Image.open(scores / "sheet.png") as sheet:
            assert sheet.width > 500
            assert "40 of 40 images" in sheet.text["Description"]

    def test_noisy_images_come_last(self, scores):
        table = pd.read_csv(scores / "scores.csv")
        assert (table["name"].str[:3].astype(int) >= 20).tail(10).all()

    def test_the_gallery_holds_every_image_and_no_other_host(self, scores):
        text = (scores / "gallery.html").read_text()
        page = BeautifulSoup(text, "html.parser")
        cards = page.find_all("figure")
        assert [int(card["data-rank"]) for card in cards] == list(range(1, 41))
        assert all(card.img["src"].startswith("data:image/jpeg;base64,") for card in cards)
        assert all(card["data-name"] in card.img["alt"] for card in cards)
        assert "http://" not in text
        assert "https://" not in text
        assert page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"].startswith(
            "default-src 'none'"
        )

    def test_json_names_what_could_not_be_read(self, giqa, scorer, generated, tmp_path):
        done = giqa(
            "score",
            scorer,
            generated,
            "--to",
            tmp_path / "s",
            "--json",
            "--gallery",
            0,
            "--sheet",
            0,
        )
        assert done.status == 0
        assert done.content["unreadable"][0]["name"] == "broken.png"
        assert "broken.png" in done.err
        assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [
            "scores.csv",
            "summary.json",
            "unreadable.csv",
        ]

    def test_folder_zip_and_parquet_give_the_same_scores(
        self, giqa, scorer, generated, scores, tmp_path
    ):
        files = sorted(generated.iterdir())
        with zipfile.ZipFile(tmp_path / "g.zip", "w") as archive:
            for file in files:
                archive.write(file, file.name)
        rows = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
        pq.write_table(pa.table({"image": rows}), tmp_path / "g.parquet")
        expected = (scores / "scores.csv").read_text()
        for kind in ("zip", "parquet"):
            target = tmp_path / kind
            done = giqa(
                "score",
                scorer,
                tmp_path / f"g.{kind}",
                "--to",
                target,
                "--sheet",
                0,
                "--gallery",
                0,
            )
            assert done.status == 0
            assert (target / "scores.csv").read_text() == expected

    def test_parquet_carries_the_rule(self, giqa, scorer, generated, tmp_path):
        giqa(
            "score",
            scorer,
            generated,
            "--to",
            tmp_path / "s",
            "--format",
            "parquet",
            "--sheet",
            0,
            "--gallery",
            0,
        )
        table = pq.read_table(tmp_path / "s" / "scores.parquet")
        about = json.loads(table.schema.metadata[b"giqa_lib"])
        assert about["rule"] == "calibrated rank of log density"
        assert giqa("pick", tmp_path / "s", "--keep", 2).out.count("\n") == 2


class TestPick:
    def test_a_list_of_the_best(self, giqa, scores):
        best = pd.read_csv(scores / "scores.csv", dtype={"name": str})["name"].tolist()
        assert giqa("pick", scores, "--keep", 3).out.split() == best[:3]
        assert giqa("pick", scores, "--keep", "10%").out.split() == best[:4]
        assert giqa("pick", scores / "scores.csv", "--keep", "0.1").out.split() == best[:4]
        assert giqa("pick", scores, "--keep", 2, "--null").out == f"{best[0]}\0{best[1]}\0"
        assert giqa("pick", scores, "--keep", 2, "--json").content["names"] == best[:2]

    def test_names_that_lines_cannot_hold_are_pointed_out(self, giqa, scorer, generated, tmp_path):
        (tmp_path / "i").mkdir()
        (tmp_path / "i" / "two\nlines.png").write_bytes((generated / "000.png").read_bytes())
        assert giqa("score", scorer, tmp_path / "i", "--to", tmp_path / "s").status == 0
        done = giqa("pick", tmp_path / "s", "--keep", 1)
        assert done.err.startswith(r"giqa: warning: 1 name(s) with a line break, 'two\nlines.png'")
        done = giqa("pick", tmp_path / "s", "--keep", 1, "--null")
        assert (done.out, done.err) == ("two\nlines.png\0", "")

    @pytest.mark.parametrize("how", ["copy", "link"])
    def test_files_are_the_very_files(self, giqa, scores, generated, tmp_path, how):
        done = giqa(
            "pick", scores, generated, "--keep", "50%", "--how", how, "--to", tmp_path / "best"
        )
        assert done.status == 0
        picked = sorted((tmp_path / "best").iterdir())
        assert len(picked) == 20
        assert all(path.read_bytes() == (generated / path.name).read_bytes() for path in picked)
        assert all(path.is_symlink() == (how == "link") for path in picked)

    def test_out_of_a_zip(self, giqa, scores, generated, tmp_path):
        with zipfile.ZipFile(tmp_path / "g.zip", "w") as archive:
            for file in generated.iterdir():
                archive.write(file, file.name)
        arguments = ("pick", scores, tmp_path / "g.zip", "--keep", 5, "--to", tmp_path / "best")
        assert giqa(*arguments, "--how", "copy").status == 0
        assert all(
            path.read_bytes() == (generated / path.name).read_bytes()
            for path in (tmp_path / "best").iterdir()
        )
        refused = giqa(*arguments[:-1], tmp_path / "links", "--how", "link")
        assert refused.status == 3
        assert "expected a folder, got an archive" in refused.err

    def test_a_table_of_the_best(self, giqa, scores, tmp_path):
        assert giqa("pick", scores, "--keep", 3, "--to", tmp_path / "best.csv").status == 0
        assert pd.read_csv(tmp_path / "best.csv")["rank"].tolist() == [1, 2, 3]


class TestCompare:
    def test_measures_and_plots(self, giqa, real, generated, tmp_path):
        far = write_folder(tmp_path / "far", smooth(60, seed=5, noise=150))
        done = giqa(
            "compare", real, f"mixed={generated}", f"far={far}", "--to", tmp_path / "c", *FIT, "--json"
        )  # fmt: skip
        assert done.status == 0
        table = pd.read_csv(tmp_path / "c" / "measures.csv")
        assert set(table["set"]) == {"real, held out", "mixed", "far"}
        assert done.content["images"] == 40
        fid = table.query("measure == 'FID'").set_index("set")["value"]
        assert fid["far"] > fid["real, held out"]
        pictures = {path.name for path in (tmp_path / "c").glob("*.png")}
        assert {"distributions.png", "fid.png", "ds.png", "recall.png"} <= pictures
        assert "mixed: broken.png" in done.err

    def test_words_are_a_table(self, giqa, real, generated, tmp_path):
        done = giqa("compare", real, f"mixed={generated}", "--to", tmp_path / "c", *FIT)
        lines = done.out.splitlines()
        assert "40 images a set" in lines[0]
        assert lines[1].split() == [
            "FID",
            "KID",
            "QS",
            "DS",
            "precision",
            "recall",
            "density",
            "coverage",
        ]
        assert lines[3].startswith("mixed")


class TestAgree:
    def test_opinions(self, giqa, scores, tmp_path):
        table = pd.read_csv(scores / "scores.csv", dtype={"name": str})
        table.assign(MOS=-table["rank"])[["name", "MOS"]].to_csv(tmp_path / "o.csv", index=False)
        done = giqa(
            "agree", scores, tmp_path / "o.csv", "--opinion", "MOS", "--by", "raw", "--json"
        )
        measures = {row["measure"]: row["value"] for row in done.content["measures"]}
        assert measures["SRCC"] == pytest.approx(1)
        assert measures["KRCC"] == pytest.approx(1)

    @pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
    def test_pairs(self, giqa, scores, tmp_path, suffix):
        names = pd.read_csv(scores / "scores.csv", dtype={"name": str})["name"]
        pairs = pd.DataFrame({"better": names[:4].tolist(), "worse": names[-4:].tolist()})
        path = tmp_path / f"pairs.{suffix}"
        if suffix == "csv":
            pairs.to_csv(path, index=False)
        elif suffix == "json":
            path.write_text(pairs.to_json(orient="records"))
        else:
            pairs.to_parquet(path)
        done = giqa("agree", scores, path, "--json")
        assert done.content["measures"][0]["value"] == 1
        assert done.content["measures"][0]["n"] == 4

    def test_names_that_are_not_utf8(self, giqa, scorer, generated, tmp_path):
        (tmp_path / "i").mkdir()
        names = ["\udcff.png", "a.png", "b.png"]
        for place, name in enumerate(names):
            (tmp_path / "i" / name).write_bytes((generated / f"{place:03d}.png").read_bytes())
        assert giqa("score", scorer, tmp_path / "i", "--to", tmp_path / "s").status == 0
        rows = "".join(f"{name},{place}\n" for place, name in enumerate(names))
        (tmp_path / "o.csv").write_text("name,opinion\n" + rows, errors="surrogateescape")
        done = giqa("agree", tmp_path / "s", tmp_path / "o.csv", "--json")
        assert (done.status, done.content["rows"]) == (0, 3)

    def test_an_image_without_a_score_is_named_or_dropped(self, giqa, scores, tmp_path):
        (tmp_path / "p.csv").write_text("better,worse\n000.png,nowhere.png\n000.png,025.png\n")
        refused = giqa("agree", scores, tmp_path / "p.csv")
        assert refused.status == 3
        assert "nowhere.png" in refused.err
        dropped = giqa("agree", scores, tmp_path / "p.csv", "--missing", "drop")
        assert dropped.status == 0
        assert "1 of 2 rows left out" in dropped.out


class TestData:
    def test_list_where_fetch(self, giqa):
        assert "fashion-mnist" in giqa("data", "list").out
        assert {"name", "found"} <= set(giqa("data", "list", "--json").content["sets"][0])
        assert giqa("data", "where", "digits").out == giqa("data", "fetch", "digits").out

    def test_what_is_not_here_is_status_4(self, giqa, monkeypatch, tmp_path):
        monkeypatch.setenv("GIQA_DATA", str(tmp_path))
        done = giqa("data", "where", "lsun-cat")
        assert done.status == 4
        assert done.err.startswith("giqa: lsun-cat: not found here. To have it: ")
        assert done.err.count("\n") == 1


class TestBook:
    def test_list_and_parameters(self, giqa):
        assert "1_giqa/features" in giqa("book", "list").out
        found = giqa("book", "parameters", "1_giqa/features", "--json").content["parameters"]
        assert {"name": "profile", "type": "str", "default": "quick"} in found

    def test_parameters_are_checked_before_anything_runs(self, giqa, tmp_path):
        done = giqa("book", "run", "1_giqa/features", "-p", "sed=1", "--to", tmp_path)
        assert done.status == 3
        assert "expected one of profile, dataset" in done.err
        assert not list(tmp_path.rglob("*.ipynb"))

    def test_outside_a_checkout_it_says_so(self, giqa, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        done = giqa("book", "list")
        assert done.status == 4
        assert "set GIQA_BOOK" in done.err


def test_images_are_named_in_the_gallery_as_text(giqa, scorer, tmp_path):
    names = ["<script>alert(1)<!--.png", 'a"onload="x.png', "two\nlines.png", "\udcff.png"]
    picture = io.BytesIO()
    Image.new("L", (8, 8), 90).save(picture, "PNG")
    for name in names:
        (tmp_path / "i").mkdir(exist_ok=True)
        (tmp_path / "i" / name.replace("/", "_")).write_bytes(picture.getvalue())
    assert giqa("score", scorer, tmp_path / "i", "--to", tmp_path / "s").status == 0
    page = BeautifulSoup((tmp_path / "s" / "gallery.html").read_text(), "html.parser")
    assert len(page.find_all("script")) == 1
    assert not page.find_all(onload=True)
    shown = {card["data-name"] for card in page.find_all("figure")}
    assert shown == {names[0], names[1], "two\\nlines.png", "\\udcff.png"}
    assert set(read_scores(tmp_path / "s")["name"]) == set(names)
    picked = ("pick", tmp_path / "s", tmp_path / "i", "--keep", "100%", "--to", tmp_path / "best")
    done = giqa(*picked, "--how", "copy")
    assert done.status == 0
    assert set(os.listdir(tmp_path / "best")) == set(names)


def test_a_relative_output_is_where_the_user_stands(giqa, scorer, generated, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert giqa("score", scorer, generated, "--to", "s", "--sheet", 0, "--gallery", 0).status == 0
    assert Path("s/scores.csv").is_file()
