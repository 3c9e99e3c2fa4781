"""Cells as AnnData, read back by anndata."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.labels import CLASS_NAMES, CLASSES
from organelle_widgets.core.results import PROBABILITY_COLUMNS
from organelle_widgets.errors import ExportError
from organelle_widgets.export import _cells
from organelle_widgets.export.csv import CSV_COLUMNS
from organelle_widgets.export.h5ad import H5adExporter
from organelle_widgets.results import open_results


def test_every_value_comes_back(disc_result, tmp_path):
    answers = CellAnswers(disc_result.probabilities, np.arange(12).reshape(3, 4))
    result = dataclasses.replace(disc_result, answers=answers)
    data = anndata.read_h5ad(H5adExporter().write(result, tmp_path / "cells.h5ad"))
    assert data.shape == (3, 19)
    assert data.X.dtype == np.float32
    np.testing.assert_array_equal(data.X, result.probabilities)
    assert data.obs_names.tolist() == ["discs/2", "discs/5", "discs/9"]
    expected = result.table().drop(columns=list(PROBABILITY_COLUMNS))
    found = data.obs[expected.columns].reset_index(drop=True)
    for name in ("predicted_classes", "top_class"):
        assert found[name].dtype == "category"
        found[name] = found[name].astype(object)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert data.obs["touches_border"].dtype == bool
    assert data.obs["cell_id"].dtype == np.int32
    np.testing.assert_array_equal(data.obsm["X_embedding"], answers.embedding)
    assert data.obsm["X_embedding"].dtype == np.float32


def test_places_are_x_and_y_in_um(disc_result, tmp_path):
    data = anndata.read_h5ad(H5adExporter().write(disc_result, tmp_path / "cells.h5ad"))
    place = data.obsm["centroid"]
    np.testing.assert_allclose(place[0], [60 * 0.32, 60 * 0.32])
    np.testing.assert_allclose(place[1], [150 * 0.32, 90 * 0.32], rtol=1e-2)
    assert place[1, 0] > 1.5 * place[1, 1]
    np.testing.assert_array_equal(data.obsm["spatial"], place)
    assert "X_embedding" not in data.obsm


def test_classes_and_what_the_file_says_of_itself(disc_result, tmp_path):
    data = anndata.read_h5ad(H5adExporter().write(disc_result, tmp_path / "cells.h5ad"))
    assert data.var_names.tolist() == list(CLASS_NAMES)
    assert data.var["code"].tolist() == [c.code for c in CLASSES]
    assert data.var["color"].tolist() == [c.color for c in CLASSES]
    assert data.obs["top_class"].cat.categories.tolist() == list(CLASS_NAMES)
    assert data.uns["top_class_colors"].tolist() == [c.color for c in CLASSES]
    assert (data.uns["schema"], data.uns["schema_version"]) == ("organelle_widgets.cells", 1)
    assert data.uns["threshold"] == 0.5
    assert json.loads(data.uns["provenance"])["threshold"] == 0.5
    assert data.uns["columns"]["cell_id"] == CSV_COLUMNS["cell_id"]


def test_no_cells(empty_result, tmp_path):
    data = anndata.read_h5ad(H5adExporter().write(empty_result, tmp_path / "cells.h5ad"))
    assert data.shape == (0, 19)
    assert data.obsm["centroid"].shape == (0, 2)
    assert set(CSV_COLUMNS) - set(PROBABILITY_COLUMNS) < set(data.obs.columns)


@pytest.mark.parametrize("rows", [2, 4, 100])
def test_a_run_by_batches(rows, run_folder, disc_result, tmp_path, monkeypatch):
    monkeypatch.setattr(_cells, "_ROWS", rows)
    with open_results(run_folder) as results:
        done = H5adExporter().write_run(results, tmp_path / "cells.h5ad")
        cells = results.cells()
    data = anndata.read_h5ad(done.path)
    assert (done.n_fields, done.n_cells) == (4, 9)
    np.testing.assert_array_equal(data.X, np.tile(disc_result.probabilities, (3, 1)))
    np.testing.assert_array_equal(data.obsm["X_embedding"], np.stack(cells["embedding"]))
    assert data.obs_names.is_unique
    assert data.obs_names[3] == "B3/discs/2"
    assert data.obs["field"].cat.categories.tolist() == ["B2/discs", "B3/discs", "B5/discs"]
    assert data.obs["well"].astype(str).tolist() == cells["well"].tolist()
    assert data.obs["dose"].isna().tolist() == [False] * 6 + [True] * 3
    assert data.obs["dose"].tolist()[:6] == [0, 0, 0, 1, 1, 1]
    assert data.obs["share_%"].tolist() == [0.5] * 9
    assert json.loads(data.uns["provenance"])["python"] == "3"


def test_whole_numbers_stay_plain_where_all_are_there(run_folder, tmp_path):
    with open_results(run_folder) as results:
        path = H5adExporter().write_run(results, tmp_path / "c.h5ad", where="well < 'B4'").path
    assert anndata.read_h5ad(path).obs["dose"].dtype == np.int64


def test_opened_without_reading_it_whole_and_written_anew(run_folder, tmp_path):
    with open_results(run_folder) as results:
        path = H5adExporter().write_run(results, tmp_path / "cells.h5ad").path
    backed = anndata.read_h5ad(path, backed="r")
    some = backed[backed.obs["well"] == "B3"].to_memory()
    backed.file.close()
    assert some.shape == (3, 19)
    some.write_h5ad(tmp_path / "some.h5ad")
    with h5py.File(path) as ours, h5py.File(tmp_path / "some.h5ad") as theirs:
        assert set(ours) == set(theirs)
        for name in ("X", "obs", "var", "obsm", "obs/well", "obs/cell_id", "obsm/X_embedding"):
            assert dict(ours[name].attrs).keys() == dict(theirs[name].attrs).keys()
            for key in ("encoding-type", "encoding-version"):
                assert ours[name].attrs[key] == theirs[name].attrs[key], name


def test_some_cells_without_an_embedding(tmp_path):
    import pyarrow as pa

    from organelle_widgets.export.h5ad import _write_cells

    schema = _cells._schema({})
    rows = {name: [0, 0] for name in schema.names}
    rows |= {name: ["a", "a"] for name in ("field", "predicted_classes", "top_class")}
    rows |= {name: [False, True] for name in ("touches_border", "is_fragment", "unusual")}
    rows |= {"cell_id": [1, 2], "embedding": [None, [1.0, 2.0]]}
    batch = pa.RecordBatch.from_pydict(rows, schema=schema)
    stream = _cells.CellStream(schema, [batch.slice(0, 1), batch.slice(1)], {"a": 0.5}, {})
    assert _write_cells(stream, tmp_path / "cells.h5ad") == 2
    data = anndata.read_h5ad(tmp_path / "cells.h5ad")
    np.testing.assert_array_equal(data.obsm["X_embedding"], [[np.nan] * 2, [1, 2]])
    assert np.isnan(data.uns["threshold"])


class FullDisk:
    """A file on a disk with room for some bytes."""

    def __init__(self, path, room):
        self.file, self.room = io.FileIO(path, "w+"), room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(len(data), self.room)
        self.room -= taken
        return self.file.write(data[:taken])

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


@pytest.mark.parametrize("room", [0, 100, 3_000, 20_000])
def test_a_full_disk_is_an_error_and_no_crash(room, disc_result, tmp_path, monkeypatch):
    def opened(self, *args, **kwargs):
        return FullDisk(self, room) if "+" in str(args) else whole(self, *args, **kwargs)

    whole = Path.open
    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(ExportError, match=r"discs: Can't write .*: the disk is full"):
        H5adExporter().write(disc_result, tmp_path / "cells.h5ad")
    assert list(tmp_path.iterdir()) == []
