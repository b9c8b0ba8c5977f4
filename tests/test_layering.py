import shutil
from pathlib import Path

import pytest
from layering import problems


@pytest.fixture
def library(root: Path, tmp_path: Path) -> Path:
    """A copy of the library, to plant wrong imports in."""
    quiet = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(root / "giqa_lib", tmp_path / "giqa_lib", ignore=quiet)


def test_the_library_keeps_its_ranks(root: Path) -> None:
    assert problems(root / "giqa_lib") == []


@pytest.mark.parametrize(
    ("module", "line", "message"),
    [
        ("checks.py", "from giqa_lib.store import Store", "giqa_lib.checks imports giqa_lib.store"),
        ("data/planted.py", "import giqa_lib.features", "not of a lower rank"),
        ("scores/planted.py", "from giqa_lib.evaluation import srcc", "not of a lower rank"),
        (
            "gan/planted.py",
            "from giqa_lib import scores",
            "giqa_lib.gan.planted imports giqa_lib.scores",
        ),
        ("results/planted.py", "from giqa_lib.figures.plot import Plot", "not of a lower rank"),
        ("features/planted.py", "def f():\n    import giqa_lib.runner", "not of a lower rank"),
        ("features/planted.py", "import giqa_lib.unheard", "not of a lower rank"),
        ("results/planted.py", "from . import display", "relative imports"),
        ("results/planted.py", "from giqa_lib.results import planted", "circle"),
        ("results/verdicts.py", "from giqa_lib.results.tables import records", "circle"),
        (
            "applications/pairs/planted.py",
            "from giqa_lib.applications.snapshots import Study",
            "not of a lower rank",
        ),
        (
            "applications/gman/planted.py",
            "from giqa_lib.applications.attgf import ATTGF",
            "not of a lower rank",
        ),
        (
            "applications/unheard.py",
            "from giqa_lib.applications.pairs import Pairs",
            "unheard has no rank",
        ),
        ("utils.py", "", "utils has no rank"),
    ],
)
def test_a_wrong_import_is_found(library: Path, module: str, line: str, message: str) -> None:
    path = library / module
    path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")
    found = problems(library)
    assert found
    assert message in found[0]


def test_a_right_import_is_not(library: Path) -> None:
    (library / "figures" / "planted.py").write_text(
        "import giqa_lib\nfrom giqa_lib import __version__, checks\n"
        "from giqa_lib.figures.plot import Plot\nfrom giqa_lib.applications import pairs\n"
    )
    assert problems(library) == []
