"""Charts in an archive: of a size to print, with the numbers they are drawn from, and word of what is missing."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

import pandas as pd
import pytest
from PIL import Image

from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.export.charts_zip import ChartsExporter
from organelle_widgets.results import ResultsWriter, open_results


@pytest.fixture
def results(run_folder):
    with open_results(run_folder) as opened:
        yield opened


def test_a_result_gives_its_charts_in_three_kinds(disc_result, tmp_path):
    path = ChartsExporter().write(disc_result, tmp_path / "charts.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for name in ("probability", "field_summary"):
            assert archive.read(f"{name}.pdf").startswith(b"%PDF-1.")
            assert b"/FontFile2" in archive.read(f"{name}.pdf")
            root = ElementTree.fromstring(archive.read(f"{name}.svg"))
            assert root.tag.endswith("svg")
            picture = Image.open(io.BytesIO(archive.read(f"{name}.png")))
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            assert picture.width > 1400  # 4.9 inches
        numbers = pd.read_csv(archive.open("probability.csv"))
    expected = sorted(disc_result.field_probabilities.tolist(), reverse=True)
    assert numbers["probability"].tolist() == pytest.approx(expected, abs=1e-5)


def test_a_run_gives_the_charts_that_it_can(results, tmp_path):
    ChartsExporter(format="png", dpi=50).write_run(results, tmp_path / "charts.zip")
    with zipfile.ZipFile(tmp_path / "charts.zip") as archive:
        names = set(archive.namelist())
        about = archive.read("about.txt").decode()
        wells = pd.read_csv(archive.open("plate_map.csv"))
    assert {"class_fractions.png", "plate_map.png", "well_quality.png", "about.txt"} <= names
    assert not {name for name in names if name.endswith((".svg", ".pdf"))}
    assert about.startswith("4 fields of here\n")
    counts = dict(zip(wells["well"], wells["value"], strict=True))
    assert (counts["B02"], counts["B03"]) == (3, 3)


def test_what_is_not_drawn_is_said(tmp_path):
    ResultsWriter.create(tmp_path / "run", {}).close()
    with open_results(tmp_path / "run") as nothing:
        ChartsExporter(format="svg").write_run(nothing, tmp_path / "charts.zip")
    with zipfile.ZipFile(tmp_path / "charts.zip") as archive:
        about = archive.read("about.txt").decode()
    assert "group_comparison: not drawn. Expected cells to compare; found none" in about
    assert "plate_map: not drawn." in about


def test_groups_can_be_named(results, tmp_path):
    ChartsExporter(format="svg", by="well").write_run(results, tmp_path / "charts.zip")
    with zipfile.ZipFile(tmp_path / "charts.zip") as archive:
        shares = pd.read_csv(archive.open("class_fractions.csv"))
    assert {"B2", "B3"} <= set(shares["well"])
    with pytest.raises(InputError, match=r"to group by; found 'gene'.* well, dose, share/%"):
        ChartsExporter(by="gene").write_run(results, tmp_path / "none.zip")


def test_only_the_fields_that_fit_are_counted(results, tmp_path):
    ChartsExporter(format="svg").write_run(results, tmp_path / "c.zip", where="well IN ('B3')")
    with zipfile.ZipFile(tmp_path / "c.zip") as archive:
        wells = pd.read_csv(archive.open("plate_map.csv"))
        quality = pd.read_csv(archive.open("well_quality.csv"))
    assert wells.loc[wells["value"].notna(), "well"].tolist() == ["B03"]
    assert quality["n_fields"].sum() == 1
    assert quality["n_failed"].sum() == 0


def test_kinds_are_checked():
    with pytest.raises(SettingsError, match="format: expected"):
        ChartsExporter(format="jpg")
