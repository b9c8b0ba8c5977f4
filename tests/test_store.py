"""The store: keys, one maker at a time, and what a kill leaves behind."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from giqa_lib.checks import InputError
from giqa_lib.store import Store, config_hash, default_store

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

#: Waits in the middle of its work until it is let go, so that a rival or a kill meets it there.
MAKER = """
import pathlib, sys, time
from giqa_lib.store import Store

root, name = pathlib.Path(sys.argv[1]), sys.argv[2]

def make(folder):
    with (root / "log").open("a") as log:
        log.write("made\\n")
    (folder / "half").write_text("half")
    (root / "begun").touch()
    while not (root / "go").exists():
        time.sleep(0.01)
    (folder / "whole").write_text("whole")

(root / name).touch()
print(Store(root / "store").fetch("thing", {"n": 1}, make))
"""


def start(root, name):
    command = [sys.executable, "-c", MAKER, str(root), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def wait_for(path, seconds=60):
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            pytest.fail(f"{path} did not appear")
        time.sleep(0.01)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_the_hash_sees_content_not_order(config):
    turned = dict(reversed(config.items()))
    assert config_hash(config) == config_hash(turned)
    assert config_hash(config) == config_hash(json.loads(json.dumps(config)))
    assert config_hash(config) != config_hash({**config, "one more": 1})


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), np.zeros(2)])
def test_what_json_cannot_hold_is_no_key(value):
    with pytest.raises(InputError, match="config: expected JSON values"):
        config_hash({"a": value})


def test_an_artefact_is_made_once_and_keeps_its_config(tmp_path):
    made = []

    def make(folder):
        made.append(folder)
        (folder / "x").write_text("1")

    store = Store(tmp_path)
    assert not store.holds("thing", {"n": 1})
    first, second = (store.fetch("thing", {"n": 1}, make) for _ in range(2))
    assert first == second == store.path("thing", {"n": 1})
    assert len(made) == 1
    assert store.holds("thing", {"n": 1})
    assert not store.holds("other", {"n": 1})
    assert json.loads((first / "config.json").read_text()) == {"n": 1}
    assert not list(tmp_path.rglob("*.partial"))


def test_a_failed_maker_leaves_its_work_but_no_artefact(tmp_path):
    store = Store(tmp_path)

    def fails(folder):
        (folder / "half").write_text("half")
        raise RuntimeError("disk full")

    def resumes(folder):
        assert (folder / "half").read_text() == "half"

    with pytest.raises(RuntimeError, match="disk full"):
        store.fetch("thing", {}, fails)
    assert not store.holds("thing", {})
    assert (store.fetch("thing", {}, resumes) / "half").exists()


def test_of_two_processes_one_makes_and_both_get_it(tmp_path):
    first = start(tmp_path, "first")
    wait_for(tmp_path / "begun")
    second = start(tmp_path, "second")
    wait_for(tmp_path / "second")
    time.sleep(0.3)  # the rival is past its imports: without a lock it would have begun
    (tmp_path / "go").touch()
    paths = {process.communicate(timeout=60)[0].strip() for process in (first, second)}
    assert first.returncode == second.returncode == 0
    assert (tmp_path / "log").read_text() == "made\n"
    assert len(paths) == 1
    assert (tmp_path / "store" / "thing" / config_hash({"n": 1}) / "whole").exists()


def test_a_killed_maker_frees_the_lock_and_no_half_artefact_appears(tmp_path):
    victim = start(tmp_path, "victim")
    wait_for(tmp_path / "begun")
    victim.kill()
    victim.communicate(timeout=60)
    store = Store(tmp_path / "store")
    assert not store.holds("thing", {"n": 1})

    def make(folder):
        assert (folder / "half").read_text() == "half"
        (folder / "whole").write_text("whole")

    assert (store.fetch("thing", {"n": 1}, make) / "whole").exists()


class Word:
    """The least that can save itself."""

    def __init__(self, text):
        self.text = text

    def save(self, folder):
        (folder / "word").write_text(self.text)

    @classmethod
    def load(cls, folder):
        return cls((folder / "word").read_text() + ", read back")


def test_what_saves_itself_is_made_once_and_read_back_from_the_first_time_on(tmp_path):
    made = []

    def make(folder):
        made.append(folder.suffix)
        return Word("a")

    store = Store(tmp_path)
    found = [store.fetch_saved("word", {"n": 1}, make, Word.load).text for _ in range(2)]
    assert found == ["a, read back"] * 2
    assert made == [".partial"]  # the maker may keep checkpoints there


def test_the_default_place_is_set_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_STORE", str(tmp_path / "a"))
    assert default_store().root == tmp_path / "a"
    monkeypatch.delenv("GIQA_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert default_store().root == tmp_path / "b" / "giqa_lib"
