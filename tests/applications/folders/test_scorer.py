import dataclasses
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from folder_images import smooth, write_folder
from hostile_scorers import edit, resign
from safetensors.numpy import load_file, save_file

from giqa_lib.applications.folders import Scorer, ScorerSettings, fit_scorer, load_scorer
from giqa_lib.checks import GiqaError, InputError
from giqa_lib.data import open_images
from giqa_lib.store import Store

SMALL = ScorerSettings(extractor="pixels@4", density="sgm", variance=1.0, max_dimensions=8)
KINDS = {
    "sgm": SMALL,
    "gmm": dataclasses.replace(SMALL, density="gmm", components=2),
    "knn": dataclasses.replace(SMALL, density="knn"),
    "within": dataclasses.replace(SMALL, density="gmm", components=1, within_component=True),
}


def tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images)[:, None]


@pytest.fixture(scope="module", params=KINDS, ids=str)
def scorer(request) -> Scorer:
    return fit_scorer(tensor(smooth(200, seed=0)), KINDS[request.param])


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    fitted = fit_scorer(tensor(smooth(200, seed=0)), SMALL)
    return fitted.save(tmp_path_factory.mktemp("scorer"))


@pytest.fixture
def copy(saved, tmp_path) -> Path:
    return shutil.copytree(saved, tmp_path / "scorer")


class TestScores:
    def test_an_image_scores_the_same_alone_in_company_and_in_any_order(self, scorer):
        images = tensor(smooth(70, seed=1, noise=20))
        everything = scorer.score_images(open_images(images)).table.set_index("index")
        backwards = scorer.score_images(open_images(images.flip(0))).table.set_index("index")
        for column in ("raw", "calibrated"):
            whole = everything[column].sort_index().to_numpy()
            assert np.array_equal(whole, backwards[column].sort_index().to_numpy()[::-1])
            alone = scorer.score_images(open_images(images[33:34])).table
            assert alone[column].iloc[0] == whole[33]

    def test_ranks_are_best_first(self, scorer):
        table = scorer.score_images(open_images(tensor(smooth(70, seed=1, noise=20)))).table
        assert table["rank"].tolist() == list(range(1, 71))
        assert table["calibrated"].is_monotonic_decreasing
        assert sorted(table["index"]) == list(range(70))
        if scorer.score.modes is None:
            assert table["raw"].is_monotonic_decreasing

    def test_real_images_score_a_half_and_noisy_ones_less(self, scorer):
        real, noisy = (
            scorer.score_images(open_images(tensor(smooth(300, seed=2, noise=n)))).table[
                "calibrated"
            ]
            for n in (5, 40)
        )
        assert abs(real.mean() - 0.5) < 0.15
        assert noisy.mean() < 0.25

    def test_saved_and_loaded_it_gives_the_very_scores(self, scorer, tmp_path):
        again = load_scorer(scorer.save(tmp_path))
        images = open_images(tensor(smooth(20, seed=3)))
        first, second = (one.score_images(images).table for one in (scorer, again))
        assert first.equals(second)
        assert again.describe() == scorer.describe()

    def test_blocks_of_rows_change_nothing(self, scorer, monkeypatch):
        images = open_images(tensor(smooth(40, seed=3)))
        whole = scorer.score_images(images).table
        monkeypatch.setattr("giqa_lib.applications.folders.scorer.ROWS", 7)
        assert scorer.score_images(images).table.equals(whole)


class TestFolders:
    def test_unreadable_images_are_listed_and_have_no_row(self, saved, tmp_path):
        folder = write_folder(tmp_path / "images", smooth(12, seed=4))
        (folder / "005.png").write_bytes(b"no image")
        found = load_scorer(saved).score_images(open_images(folder))
        assert found.failures["name"].tolist() == ["005.png"]
        assert sorted(found.table["name"]) == sorted(
            {f"{n:03d}.png" for n in range(12)} - {"005.png"}
        )
        images = open_images(folder)
        assert all(
            images.names[i] == n
            for i, n in zip(found.table["index"], found.table["name"], strict=True)
        )

    def test_a_store_changes_no_score(self, saved, tmp_path):
        images = open_images(write_folder(tmp_path / "images", smooth(12, seed=4)))
        scorer, store = load_scorer(saved), Store(tmp_path / "store")
        fresh = scorer.score_images(images)
        assert scorer.score_images(images, store=store).table.equals(fresh.table)
        assert scorer.score_images(images, store=store).table.equals(fresh.table)

    def test_nothing_readable_is_one_line(self, saved, tmp_path):
        (tmp_path / "a.png").write_bytes(b"no image")
        with pytest.raises(InputError, match=r"expected readable ones, got 1 unreadable.*a\.png"):
            load_scorer(saved).score_images(open_images(tmp_path))


class TestFit:
    def test_the_seed_decides_what_is_held_out(self):
        images = tensor(smooth(100, seed=0))
        first, again, other = (
            fit_scorer(images, dataclasses.replace(SMALL, seed=seed)).score(images[:3]).tolist()
            for seed in (0, 0, 1)
        )
        assert first == again != other

    def test_too_few_images_are_refused_with_both_numbers(self):
        with pytest.raises(InputError, match=r"10 readable ones to fit on and 10 .* got 24 and 6;"):
            fit_scorer(tensor(smooth(30, seed=0)), SMALL)
        with pytest.raises(InputError, match=r"expected 200 readable ones"):
            fit_scorer(
                tensor(smooth(100, seed=0)),
                dataclasses.replace(SMALL, density="knn", neighbours=200),
            )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"extractor": "vgg"}, "extractor: expected one of"),
            ({"extractor": "pixels@100000"}, "at most 2048"),
            ({"density": "kde"}, "density: expected one of gmm, knn, sgm"),
            ({"components": 0}, "components: expected a number > 0"),
            ({"batch_size": 10**9}, "at most 4096"),
            ({"held_out": 1.0}, "held_out: expected a number in"),
            ({"within_component": True}, "expected a mixture"),
        ],
    )
    def test_settings_are_checked(self, change, message):
        with pytest.raises(InputError, match=message):
            dataclasses.replace(SMALL, **change)


def refusal(folder: Path) -> str | None:
    """Why a scorer is not loaded."""
    try:
        load_scorer(folder)
    except GiqaError as error:
        return str(error)
    return None


class Payload:
    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


class TestSavedByOthers:
    def test_every_damaged_file_is_refused(self, copy, rng):
        for path in sorted(p for p in copy.rglob("*") if p.is_file()):
            whole = path.read_bytes()
            for _ in range(6):
                damaged = bytearray(whole)
                damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
                path.write_bytes(damaged)
                said = refusal(copy)
                # a changed letter of scorer.json may mean nothing: a space, a number of images
                assert said is not None or path.name == "scorer.json"
                assert "\n" not in (said or "")
            for broken in (whole[: len(whole) // 2], b"", b"[" * 100_000, b"\xff" * 40):
                path.write_bytes(broken)
                with pytest.raises(GiqaError):
                    load_scorer(copy)
            path.unlink()
            with pytest.raises(GiqaError):
                load_scorer(copy)
            path.write_bytes(whole)
        load_scorer(copy)

    def test_another_format_says_which_version_wrote_it(self, copy):
        edit(copy / "scorer.json", format=2, giqa_lib="9.1")
        with pytest.raises(InputError, match=r"expected format 1, got format 2; .*giqa_lib 9\.1"):
            load_scorer(copy)

    def test_a_pickle_in_place_of_arrays_is_never_opened(self, copy):
        for name in ("density/score.safetensors", "transform/pca.safetensors"):
            whole = (copy / name).read_bytes()
            (copy / name).write_bytes(pickle.dumps(Payload()))
            resign(copy)
            with pytest.raises(InputError, match="undamaged"):
                load_scorer(copy)
            (copy / name).write_bytes(whole)

    def test_a_method_cannot_be_replaced(self, copy):
        path = copy / "density" / "score.json"
        state = json.loads(path.read_text())
        edit(path, attributes=state["attributes"] | {"score_samples": "x"})
        resign(copy)
        with pytest.raises(InputError, match="score_samples"):
            load_scorer(copy)

    def test_parameters_must_be_those_that_the_settings_make(self, copy):
        path = copy / "density" / "score.json"
        state = json.loads(path.read_text())
        edit(path, parameters=state["parameters"] | {"reg_covar": 1e9})
        resign(copy)
        with pytest.raises(InputError, match="another density than the settings name"):
            load_scorer(copy)
        edit(path, parameters=state["parameters"] | {"unheard": 1})
        resign(copy)
        with pytest.raises(InputError, match="unheard"):
            load_scorer(copy)

    def test_a_batch_that_would_fill_the_memory_is_refused(self, copy):
        edit(copy / "image_score.json", batch_size=10**12)
        resign(copy)
        with pytest.raises(InputError, match="undamaged"):
            load_scorer(copy)

    def test_nan_in_the_arrays_is_refused(self, copy):
        for name in ("density/score.safetensors", "transform/pca.safetensors"):
            whole = (copy / name).read_bytes()
            arrays = load_file(copy / name)
            poisoned = max(arrays, key=lambda key: arrays[key].size)
            arrays[poisoned] = np.full_like(arrays[poisoned], np.nan)
            save_file(arrays, copy / name)
            resign(copy)
            with pytest.raises(GiqaError):
                load_scorer(copy)
            (copy / name).write_bytes(whole)

    def test_other_weights_are_refused(self, copy):
        edit(copy / "scorer.json", version="1-00000000")
        with pytest.raises(InputError, match="the weights that the scorer was fitted with"):
            load_scorer(copy)

    def test_links_out_of_the_folder_and_pipes_do_not_hang(self, copy):
        path = copy / "calibration" / "score.json"
        path.unlink()
        path.symlink_to("/dev/zero")
        with pytest.raises(InputError, match="no such file"):
            load_scorer(copy)
