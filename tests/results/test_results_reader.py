"""Asking a results folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from organelle_widgets.core.cell_columns import CELL_TABLE_COLUMNS
from organelle_widgets.errors import InputError
from organelle_widgets.results import RESULTS_SCHEMA_VERSION, ResultsWriter, open_results
from organelle_widgets.results import _parts as parts_module
from organelle_widgets.results import _query as query_module
from organelle_widgets.results import writer as writer_module
from organelle_widgets.results.records import record_of

ODD = 'odd/na\'me "x" ü; -- ' + "y" * 280
GENES = {"a": "TP53", "b": "ACTB", ODD: "TP53", "d": ""}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, run, record, failure, empty_result):
    """Four fields of three cells and one without; two failures; in three commits; a folder of an odd name."""
    out = tmp_path_factory.mktemp("x") / "it's [1]* ü"
    records = [record(name, extra={"gene": gene, "dose": ""}) for name, gene in GENES.items()]
    with ResultsWriter.create(out, run) as writer:
        writer.commit(records[:2], [failure("bad")])
        writer.commit(records[2:])
        writer.commit([record_of(empty_result, name="empty")], [failure("worse", known=False)])
    return out


@pytest.fixture
def results(folder):
    """The folder, open."""
    with open_results(folder) as opened:
        yield opened


def test_counts_and_names(results):
    assert (results.n_fields, results.n_cells, results.n_failures) == (5, 12, 2)
    assert results.field_names() == ["a", "b", ODD, "d", "empty"]
    assert results.extra_columns == ("gene", "dose", "plate number")
    assert "5 fields, 12 cells, 2 failures" in repr(results)


def test_cells_hold_what_the_result_holds(results, full_result):
    cells = results.cells(where="field = 'b'")
    assert cells.columns.tolist() == list(results.columns("cells"))
    expected = full_result.table()
    pd.testing.assert_frame_equal(cells[expected.columns], expected, check_dtype=False)
    assert (cells["gene"] == "ACTB").all()
    assert cells["dose"].isna().all()
    np.testing.assert_array_equal(np.stack(cells["embedding"]), full_result.answers.embedding)


@pytest.mark.parametrize("table", ["cells", "fields", "failures"])
def test_every_column_is_described(table, results):
    meanings = results.columns(table)
    assert getattr(results, table)().columns.tolist() == list(meanings)
    assert all(text.endswith(".") for text in meanings.values())
    if table == "cells":
        assert list(meanings)[1 : 1 + len(CELL_TABLE_COLUMNS)] == list(CELL_TABLE_COLUMNS)


def test_filter_sort_and_page(results):
    confident = results.cells("gene = 'TP53' AND confidence > 0.5", "confidence DESC, field", 3)
    assert confident["field"].tolist() == ["a", ODD, "a"]
    assert confident["confidence"].tolist() == pytest.approx([0.9, 0.9, 0.8])
    second = results.cells(order_by="cell_id", limit=4, offset=3, columns=["cell_id", "field"])
    assert second["cell_id"].tolist() == [2, 5, 5, 5]
    assert second["field"].tolist() == ["d", "a", "b", ODD]
    assert len(results.cells(limit=0)) == 0
    assert results.cells(limit=0).columns.tolist() == list(results.columns())


def test_a_page_is_the_same_however_it_is_found(results, monkeypatch):
    options = {"where": "p_negative < 0.5", "order_by": "area_um2 DESC", "limit": 5, "offset": 1}
    found = results.cells(**options, columns=["field", "cell_id", "p_nucleoli"])
    monkeypatch.setattr(query_module, "_PAGE_ROWS", 0)
    pd.testing.assert_frame_equal(
        found, results.cells(**options, columns=["field", "cell_id", "p_nucleoli"])
    )
    assert len(found) == 5


def test_sample(results):
    one = results.cells(sample=5, seed=1)
    assert len(one) == 5
    assert not one.duplicated(["field", "cell_id"]).any()
    key = ["field", "cell_id"]
    pd.testing.assert_frame_equal(one[key], results.cells(sample=5, seed=1)[key])
    assert {tuple(row) for row in one[key].to_numpy()} != {
        tuple(row) for row in results.cells(sample=5, seed=2)[key].to_numpy()
    }
    ranked = results.cells("cell_id = 2", "field DESC", 2, sample=3, seed=1)
    assert len(ranked) == 2
    assert ranked["field"].is_monotonic_decreasing
    assert len(results.cells(sample=100)) == 12


def test_count(results):
    by_class = results.count("class").set_index("class")
    assert by_class["n_cells"].to_dict() == {"Not sure": 8, "Nucleoli": 4, "Nucleoplasm": 4}
    assert by_class["share"].tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3])
    by_gene = results.count("gene")
    assert by_gene.to_dict("list") == {
        "gene": ["", "ACTB", "TP53"],
        "n_cells": [3, 3, 6],
        "share": [0.25, 0.25, 0.5],
    }
    both = results.count(["class", "gene"], where="gene = 'TP53' AND cell_id = 2")
    assert both.to_dict("list") == {
        "class": ["Nucleoli", "Nucleoplasm"],
        "gene": ["TP53", "TP53"],
        "n_cells": [2, 2],
        "share": [1.0, 1.0],
    }
    assert results.count("class", where="false").empty
    with pytest.raises(InputError, match="columns of the table cells; found 'nope'"):
        results.count(["class", "nope"])
    with pytest.raises(InputError, match="columns of the table cells; found none"):
        results.count([])


def test_fields_and_failures(results):
    fields = results.fields(columns=["field", "n_cells", "confidence", "top_class", "rows", "gene"])
    assert fields["n_cells"].tolist() == [3, 3, 3, 3, 0]
    assert np.isnan(fields["confidence"].iloc[4])
    assert fields["top_class"].tolist()[3:] == ["Nucleoplasm", ""]
    assert fields["rows"].tolist() == [160] * 5
    failures = results.failures("NOT known")
    assert failures["name"].tolist() == ["worse"]
    assert failures["message"].tolist() == ["Expected an image."]


def test_sql(results):
    assert results.sql("SELECT count(*) AS n FROM cells JOIN fields USING (field)")["n"][0] == 12
    found = results.sql("SELECT field FROM fields WHERE gene = ? AND n_cells > ?", ["ACTB", 1])
    assert found["field"].tolist() == ["b"]
    assert results.sql("SELECT field FROM fields WHERE gene = $g", {"g": "ACTB"})["field"][0] == "b"


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ("SELECT nope FROM cells", 'Referenced column "nope" not found'),
        ("DROP VIEW cells", "Expected one SELECT; found DROP"),
        ("SELECT 1; SELECT 2", "Expected one SELECT; found SELECT, SELECT"),
        ("COPY cells TO 'x.csv'", "Expected one SELECT; found COPY"),
        ("", "Expected one SELECT; found nothing"),
        ("SELECT * FROM read_csv('/etc/passwd')", "Permission Error"),
        ("SELECT FROM WHERE", "Parser Error"),
    ],
)
def test_queries_that_are_refused(query, match, results):
    with pytest.raises(InputError, match=match):
        results.sql(query)


def test_expressions_that_are_wrong(results):
    with pytest.raises(InputError, match=r'"nope" not found.* Columns of cells: field, cell_id'):
        results.cells("nope > 1")
    with pytest.raises(InputError, match="Expected a query that can be answered"):
        results.cells("true); DROP VIEW cells; --")
    with pytest.raises(InputError, match="Expected a query that can be answered"):
        results.cells(order_by="confidence SIDEWAYS")
    with pytest.raises(InputError, match=r"columns of the table cells; found 'nope'. It has field"):
        results.cells(columns=["field", "nope"])
    with pytest.raises(InputError, match="limit to be a whole number of rows; found -1"):
        results.cells(limit=-1)
    with pytest.raises(InputError, match=r"sample to be a whole number of rows; found 0\.5"):
        results.cells(sample=0.5)
    with pytest.raises(
        InputError, match="one of the tables cells, fields, failures; found 'wells'"
    ):
        results.columns("wells")
    with pytest.raises(InputError, match='"nope" not found'):
        results.batches(where="nope > 1")


@pytest.mark.parametrize("where", [None, "cell_id <> 5"])
@pytest.mark.parametrize("order_by", [None, "area_um2, field"])
def test_batches_hold_what_tables_hold(where, order_by, results):
    columns = ["field", "cell_id", "embedding", "area_um2"]
    batches = list(results.batches("cells", columns, where, order_by))
    found = pd.concat([batch.to_pandas() for batch in batches], ignore_index=True)
    expected = results.cells(where, order_by, columns=columns)
    assert found[columns[:2]].to_numpy().tolist() == expected[columns[:2]].to_numpy().tolist()
    assert [e.tolist() for e in found["embedding"]] == [e.tolist() for e in expected["embedding"]]
    assert all(batch.schema.names == columns for batch in batches)


def test_a_field_comes_back_whole(results, full_result):
    for name in ("a", ODD):
        found = results.result(name, pixels=False)
        assert found.field.name == name
        np.testing.assert_array_equal(found.probabilities, full_result.probabilities)
        np.testing.assert_array_equal(found.field_probabilities, full_result.field_probabilities)
        np.testing.assert_array_equal(found.masks.cells, full_result.masks.cells)
        np.testing.assert_array_equal(found.masks.nuclei, full_result.masks.nuclei)
        np.testing.assert_array_equal(found.answers.embedding, full_result.answers.embedding)
        np.testing.assert_array_equal(found.answers.strangeness, full_result.answers.strangeness)
        pd.testing.assert_frame_equal(found.table(), full_result.table())
        assert found.warnings == full_result.warnings
        assert found.quality.to_dict() == full_result.quality.to_dict()
        assert found.timings == full_result.timings
        assert found.field.pixel_size_um == 0.32
        assert found.field.notes == ("A note of the field.",)
        assert not found.field.pixels.any()
    assert results.result("b", pixels=False).field.extra == {"gene": "ACTB"}
    np.testing.assert_array_equal(results.masks(ODD).cells, full_result.masks.cells)
    assert results.thumbnail(ODD).startswith(b"\xff\xd8")


def test_a_field_without_cells_comes_back(results, empty_result):
    found = results.result("empty", pixels=False)
    assert (found.n_cells, found.warnings) == (0, ())
    assert found.masks.shape == empty_result.masks.shape


def test_fields_that_are_not_there(results):
    for ask in (results.result, results.masks, results.thumbnail):
        with pytest.raises(InputError, match="name of one of the 5 fields; found 'bad'"):
            ask("bad")
    with pytest.raises(InputError, match="the field came from memory, not from files"):
        results.result("a")


def test_images_are_read_again(tmp_path, run, virtual_files):
    field, result = virtual_files
    with ResultsWriter.create(tmp_path / "out", {"extra": {}}) as writer:
        writer.commit([record_of(result, name="renamed")])
    with open_results(tmp_path / "out") as results:
        again = results.result("renamed").field
        np.testing.assert_array_equal(again.pixels, field.pixels)
        assert again.missing == field.missing == {"yellow"}
        assert again.sources == field.sources
        assert (again.pixel_size_um, again.pixel_size_source) == (0.32, "given")
        gone = field.sources["green"]
        shutil.move(gone, f"{gone}.away")
        with pytest.raises(InputError, match=rf"images that were analysed; missing: {gone}"):
            results.result("renamed")
        assert results.result("renamed", pixels=False).n_cells == result.n_cells


@pytest.fixture
def virtual_files(tmp_path):
    """A field in three files and its result."""
    import imageio.v3 as iio

    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.io import read_field
    from organelle_widgets.synthetic import virtual_field

    made = virtual_field((96, 128), seed=1, pixel_size_um=0.32, n_cells=2)
    for key in ("red", "green", "blue"):
        iio.imwrite(tmp_path / f"x_{key}.png", made.field.channel(key))
    field = read_field(tmp_path / "x_green.png", pixel_size_um=0.32)
    p = np.full((made.masks.n_cells, 19), 0.1, np.float32)
    return field, FieldResult(field, made.masks, p)


def test_planes_of_one_file_are_read_again_as_they_were(tmp_path):
    import tifffile

    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.io import read_field
    from organelle_widgets.synthetic import virtual_field

    made = virtual_field((96, 128), seed=1, pixel_size_um=0.32, n_cells=2)
    planes = made.field.pixels[[2, 1, 0, 3]]
    tifffile.imwrite(tmp_path / "x.tif", planes, photometric="minisblack")
    channels = {0: "blue", 1: "green", 2: "red", 3: "yellow"}
    field = read_field(tmp_path / "x.tif", channels=channels, pixel_size_um=0.32)
    result = FieldResult(field, made.masks, np.full((made.masks.n_cells, 19), 0.1, np.float32))
    with ResultsWriter.create(tmp_path / "out", {}) as writer:
        writer.commit([record_of(result, name="x", channels=channels)])
    with open_results(tmp_path / "out") as results:
        np.testing.assert_array_equal(results.result("x").field.pixels, field.pixels)


def test_nothing_yet(tmp_path, run):
    ResultsWriter.create(tmp_path / "out", run).close()
    with open_results(tmp_path / "out") as results:
        assert (results.n_fields, results.n_cells, results.n_failures) == (0, 0, 0)
        for table in ("cells", "fields", "failures"):
            found = getattr(results, table)(order_by="stamp" if table != "cells" else "cell_id")
            assert found.empty
            assert found.columns.tolist() == list(results.columns(table))
        assert results.cells(sample=5, limit=2).empty
        assert list(results.batches()) == []
        assert results.count("class").columns.tolist() == ["class", "n_cells", "share"]
        assert results.field_names() == []
        with pytest.raises(InputError, match="not found"):
            results.cells("nope = 1")


def test_only_failures(tmp_path, run, failure):
    with ResultsWriter.create(tmp_path / "out", run) as writer:
        writer.commit([], [failure("bad", extra={"gene": "TP53"})])
    with open_results(tmp_path / "out") as results:
        assert results.failures("gene = 'TP53'")["name"].tolist() == ["bad"]
        assert results.fields().empty


def test_a_run_that_goes_on(writer, record, monkeypatch):
    monkeypatch.setattr(writer_module, "due", lambda parts: parts_module.due(parts, 2))
    writer.commit([record("f0")])
    with open_results(writer.path) as results:
        assert not results.refresh()
        for i in range(1, 8):
            writer.commit([record(f"f{i}")])
            assert results.field_names()[0] == "f0"  # its part is merged and gone after a while
        assert results.refresh()
        assert not results.refresh()
        assert results.n_fields == 8
        assert len(results.cells()) == 24


def test_a_run_that_starts_anew_with_other_columns(writer, record):
    writer.commit([record("a")])
    with open_results(writer.path) as results:
        writer.forget(["a"])
        writer.update_run(extra={"well": "string"})
        writer.commit([record("a", extra={"well": "A01"})])
        assert results.refresh()
        assert results.extra_columns == ("well",)
        assert results.cells("well = 'A01'").columns.tolist() == list(results.columns())


@pytest.mark.parametrize("where", [None, "cell_id <> 5"])
def test_batches_while_parts_are_merged(where, writer, record, monkeypatch):
    monkeypatch.setattr(writer_module, "due", lambda parts: parts_module.due(parts, 2))
    names = [f"f{i:02d}" for i in range(7)]
    for name in names:
        writer.commit([record(name)])
    with open_results(writer.path) as results:
        stream = results.batches("cells", ["field", "cell_id"], where)
        found = next(stream).to_pydict()["field"]
        for i in range(7, 19):  # all parts of the reader are merged and removed
            writer.commit([record(f"f{i:02d}")])
        found += [name for batch in stream for name in batch.to_pydict()["field"]]
    assert found == [name for name in names for _ in range(3 if where is None else 2)]


def test_batches_notice_that_fields_were_removed(writer, record):
    for name in "abc":
        writer.commit([record(name)])
    with open_results(writer.path) as results:
        stream = results.batches("cells", ["field"])
        next(stream)
        writer.forget(["b"])
        writer.commit([record("d")])
        with pytest.raises(InputError, match=r"stay while they are read; found some removed"):
            list(stream)


def test_readers_and_a_writer_at_the_same_time(writer, record, monkeypatch):
    monkeypatch.setattr(writer_module, "due", lambda parts: parts_module.due(parts, 3))
    writer.commit([record("f000")])
    ended, problems, looks = threading.Event(), [], []

    def read():
        try:
            with open_results(writer.path) as results:
                while not ended.is_set():
                    results.refresh()
                    cells = results.cells(columns=["field", "cell_id"])
                    looks.append(len(cells))
                    if cells.duplicated().any() or len(cells) % 3:
                        problems.append("rows are doubled or lost")
        except Exception as error:  # noqa: BLE001 - shown below
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(1, 25):
        writer.commit([record(f"f{i:03d}")])
    ended.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert max(looks) > min(looks)


def test_threads_may_ask_at_once(results):
    found = []

    def ask():
        found.extend(len(results.cells(order_by="confidence", limit=7)) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7] * 20


def test_a_part_that_somebody_removed(writer, record):
    writer.commit([record("a")])
    results = open_results(writer.path)
    (part,) = (writer.path / "cells").iterdir()
    part.unlink()
    with pytest.raises(InputError, match=r"parts that the manifest names; found one missing"):
        results.cells()
    results.close()
    with pytest.raises(InputError, match=r"parts that the manifest names; found one missing"):
        open_results(writer.path)


def test_masks_that_somebody_damaged(writer, record):
    writer.commit([record("a")])
    with open_results(writer.path) as results:
        path = writer.path / results.fields()["masks"][0]
        path.write_bytes(b"no tiff")
        with pytest.raises(InputError, match=r"Expected the masks of the field, nuclei and cells"):
            results.masks("a")


def test_folders_without_results(tmp_path, folder):
    with pytest.raises(InputError, match=r"Expected a results folder; found no run.json in"):
        open_results(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    run = json.loads((copy / "run.json").read_text())
    for value in (RESULTS_SCHEMA_VERSION + 1, "2", None):
        (copy / "run.json").write_text(json.dumps({**run, "schema_version": value}))
        with pytest.raises(
            InputError, match=rf"version 1 or older; found version {value!r}.*update organelle_"
        ):
            open_results(copy)
    (copy / "run.json").write_text(json.dumps({"schema": "other"}))
    with pytest.raises(InputError, match=r"schema organelle_widgets\.results; found 'other'"):
        open_results(copy)
    (copy / "run.json").write_text("[")
    with pytest.raises(InputError, match=r"Expected a readable run\.json"):
        open_results(copy)
    (copy / "run.json").write_text(json.dumps(run))
    (copy / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="Expected a manifest of parts"):
        open_results(copy)


def test_importing_costs_little():
    code = "import sys, organelle_widgets.results; print([m for m in ('duckdb', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
