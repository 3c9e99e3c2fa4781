"""The public names of the statistics of plates."""

from __future__ import annotations

import subprocess
import sys

import pytest

from organelle_widgets import plates


@pytest.mark.parametrize("name", plates.__all__)
def test_public_names_are_there(name):
    assert getattr(plates, name).__name__ if name != "RUN_CHARTS" else plates.RUN_CHARTS.names()
    assert name in dir(plates)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'class_fraction'"):
        plates.class_fraction  # noqa: B018


def test_wells_need_no_scipy():
    code = "import sys, organelle_widgets.plates.wells; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "organelle_widgets.plates.wells" in loaded
    assert not loaded & {"scipy", "matplotlib", "duckdb"}
