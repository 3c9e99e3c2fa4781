"""The picture of a whole result."""

from __future__ import annotations

import imageio.v3 as iio
import pytest

from organelle_widgets.errors import SettingsError
from organelle_widgets.export.overview_png import OverviewExporter


def test_2400_pixels_wide_on_white_paper(disc_result, tmp_path):
    picture = iio.imread(OverviewExporter().write(disc_result, tmp_path / "overview.png"))
    assert picture.shape[1] == 2400
    assert (picture[5, 5, :3] == 255).all()
    assert (picture[..., :3] < 30).all(axis=-1).mean() > 0.05  # black pictures


def test_resolution_is_a_setting(disc_result, tmp_path):
    path = OverviewExporter(dpi=50).write(disc_result, tmp_path / "overview.png")
    assert iio.imread(path).shape[1] == 600
    with pytest.raises(SettingsError, match="dpi: expected 50 to 600 px/inch; found 1000"):
        OverviewExporter(dpi=1000)
