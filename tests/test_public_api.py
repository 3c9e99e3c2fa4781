"""What ``import organelle_widgets`` gives, and what it does not load."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import organelle_widgets

ROOT = Path(organelle_widgets.__file__).parent
HEAVY = (
    "torch",
    "tensorflow",
    "keras",
    "matplotlib",
    "skimage",
    "ipywidgets",
    "anywidget",
    "scipy",
)


def test_all_is_sorted_and_complete():
    assert organelle_widgets.__all__ == sorted(organelle_widgets.__all__)
    assert set(organelle_widgets.__all__) == set(organelle_widgets._LAZY)
    assert set(organelle_widgets.__all__) <= set(dir(organelle_widgets))


@pytest.mark.parametrize("name", organelle_widgets.__all__)
def test_every_public_name_can_be_imported(name):
    found = getattr(organelle_widgets, name)
    assert found.__name__ == name
    assert found.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'organelle_widgets' has no attribute 'Dashbord'"):
        _ = organelle_widgets.Dashbord


def loaded(statement: str) -> set[str]:
    """The heavy packages that a statement loads in a new process."""
    code = f"import sys\n{statement}\nprint(*(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert loaded("import organelle_widgets") == set()


def test_rendering_and_exporting_load_their_libraries_on_first_use():
    assert loaded("import organelle_widgets.render, organelle_widgets.export") == set()


def test_listing_the_backends_loads_no_framework():
    statement = (
        "from organelle_widgets.segmentation import SEGMENTERS\n"
        "from organelle_widgets.classification import CLASSIFIERS\n"
        "assert SEGMENTERS.names() and CLASSIFIERS.names()"
    )
    assert not loaded(statement) & {"torch", "tensorflow", "keras"}


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_all_is_true(path):
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
            assert len(names) == len(set(names))
            parts = path.relative_to(ROOT.parent).with_suffix("").parts
            dotted = ".".join(part for part in parts if part != "__init__")
            module = importlib.import_module(dotted)
            assert [name for name in names if not hasattr(module, name)] == []
