from __future__ import annotations

import os
import time

import numpy as np
import pytest
from PIL import Image

from organelle_widgets.batch._columns import carried_columns, column_type
from organelle_widgets.batch.plan import plan_batch, stamp_of
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.io import FieldSource
from organelle_widgets.results.schema import RESERVED_COLUMNS, check_extra

KEYS = ("red", "green", "blue", "yellow")


def write(folder, *names, keys=KEYS):
    """Fields of four files each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        for key in keys:
            Image.fromarray(np.eye(40, dtype=np.uint8)).save(folder / f"{name}_{key}.png")
    return folder


def names_of(plan):
    """Names of the fields."""
    return [item.name for item in plan.fields]


def test_a_folder(tmp_path, monkeypatch):
    write(tmp_path / "p", "a", "b")
    write(tmp_path / "p", "bad", keys=("green",))
    monkeypatch.chdir(tmp_path)
    plan = plan_batch("p")
    assert names_of(plan) == ["a", "b"]
    assert [problem.source for problem in plan.problems] == ["bad"]
    assert all(path.is_absolute() for item in plan.fields for path in item.paths)
    assert (plan.extra, plan.source) == ({}, "p")
    assert plan.fields[0].read().name == "a"


def test_several_sources_have_names_of_their_own(tmp_path):
    write(tmp_path / "p", "a", "b")
    write(tmp_path / "q", "a")
    for number in (1, 2):
        (tmp_path / f"t{number}.csv").write_text("name,path\na,q/a_red.png\nc,p/b_red.png\n")
    (tmp_path / "t3.csv").write_text("name,path\na,p/a_red.png\n")
    plan = plan_batch([tmp_path / "t1.csv", f"{tmp_path}/p/*_blue.png", tmp_path / "t3.csv"])
    assert names_of(plan) == ["t1/a", "c", "t3/a"]
    assert plan.source == f"{tmp_path}/t1.csv, {tmp_path}/p/*_blue.png, {tmp_path}/t3.csv"
    assert names_of(plan_batch([tmp_path / "p", tmp_path / "q"])) == ["b", "p/a", "q/a"]


def test_columns_are_typed_over_all_rows_and_filled_up(tmp_path):
    write(tmp_path / "p", "a", "b", "c")
    (tmp_path / "t.csv").write_text(
        "path,Dose,plate,code,empty\np/a_red.png,1,7,007,\np/b_red.png,0.5,,12,\n"
    )
    (tmp_path / "u.csv").write_text("path,dose,gene\np/c_red.png,2e-6,TP53\n")
    plan = plan_batch([tmp_path / "t.csv", tmp_path / "u.csv"])
    assert plan.extra == {
        "Dose": "float",
        "plate": "int",
        "code": "string",
        "empty": "string",
        "gene": "string",
    }
    assert dict(plan.fields[2].extra) == {
        "Dose": "2e-6",
        "plate": "",
        "code": "",
        "empty": "",
        "gene": "TP53",
    }
    assert plan_batch(tmp_path / "t.csv", limit=1).extra["Dose"] == "float"


def test_columns_of_ours_are_renamed(tmp_path):
    write(tmp_path / "p", "a")
    columns = "path,Source,class,worker,quality_of_me,p_nucleoplasm,source_worker,well"
    (tmp_path / "t.csv").write_text(f"{columns}\np/a_red.png,s,c,w,q,p,t,A01\n")
    plan = plan_batch(tmp_path / "t.csv")
    extra = dict(plan.fields[0].extra)
    assert extra["source_Source"] == "s"
    assert extra["source_class"] == "c"
    assert extra["source_source_worker"] == "w"
    assert extra["source_worker"] == "t"
    assert extra["source_quality_of_me"] == "q"
    assert extra["well"] == "A01"
    check_extra(plan.extra)


def test_no_name_of_ours_is_left():
    source = FieldSource("a", {}, extra=dict.fromkeys(sorted(RESERVED_COLUMNS), "x"))
    _, types = carried_columns([source])
    check_extra(types)
    assert len(types) == len(RESERVED_COLUMNS)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "", "-20", "0"], "int"),
        (["1", "2.50"], "float"),
        (["1e-6", "1.5E5"], "float"),
        (["01"], "string"),
        (["+1"], "string"),
        (["2E5"], "string"),
        (["1", "x"], "string"),
        (["nan"], "string"),
        (["1,5"], "string"),
        ([".5"], "string"),
        (["1_000"], "string"),
        (["٣"], "string"),
        (["9" * 18], "int"),
        (["", ""], "string"),
    ],
)
def test_types_lose_nothing(values, kind):
    assert column_type(values) == kind


def test_one_bad_source_hides_no_other(tmp_path):
    write(tmp_path / "p", "a")
    (tmp_path / "empty.csv").write_text("")
    plan = plan_batch([tmp_path / "empty.csv", tmp_path / "gone", tmp_path / "p"])
    assert names_of(plan) == ["a"]
    assert [problem.source for problem in plan.problems] == [
        str(tmp_path / "empty.csv"),
        str(tmp_path / "gone"),
    ]


def test_problems_have_sources_of_their_own(tmp_path):
    write(tmp_path / "p", "a")
    write(tmp_path, "a", "b", keys=("green",))
    (tmp_path / "t.csv").write_text("path\nx.png\ny.png\np/a_red.png\n")
    plan = plan_batch([tmp_path / "t.csv", tmp_path])
    assert names_of(plan) == ["a"]
    assert [problem.source for problem in plan.problems] == [
        f"{tmp_path}/t.csv, line 2",
        f"{tmp_path}/t.csv, line 3",
        "a (left out)",
        "b",
    ]


def test_a_problem_is_not_called_like_a_field(tmp_path):
    write(tmp_path, "a", keys=("green",))
    write(tmp_path / "p", "a")
    plan = plan_batch(tmp_path)
    assert names_of(plan) == ["a"]
    assert [problem.source for problem in plan.problems] == ["a (left out)"]


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("gone", "gone: Expected a file or folder; found nothing"),
        ("gone.csv", r"gone\.csv: The table can't be read"),
        ("*.png", "that fit this pattern; found none"),
        ("empty", "Expected images .* found none"),
        ("bad", "Expected a file of the blue channel"),
        (["gone", "bad"], "Found 2 problems"),
        ([], "found nothing"),
    ],
)
def test_without_a_field_there_is_no_plan(tmp_path, monkeypatch, source, match):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "bad", "a", keys=("green", "red"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=match):
        plan_batch(source)


def test_limit_and_pixel_size(tmp_path):
    write(tmp_path / "p", "a", "b", "c")
    (tmp_path / "t.csv").write_text("path,pixel_size_um\np/a_red.png,0.1\np/b_red.png,\n")
    assert [item.pixel_size_um for item in plan_batch(tmp_path / "t.csv").fields] == [0.1, None]
    plan = plan_batch([tmp_path / "t.csv", tmp_path / "p"], pixel_size_um=0.2, limit=2)
    assert [item.pixel_size_um for item in plan.fields] == [0.2, 0.2]
    with pytest.raises(InputError, match="Expected pixel_size_um"):
        plan_batch(tmp_path / "p", pixel_size_um=-1.0)
    with pytest.raises(SettingsError, match="limit: expected a whole number, 1 or more; found 0"):
        plan_batch(tmp_path / "p", limit=0)


def test_a_stamp_changes_with_files_and_pixel_size(tmp_path):
    (source,) = plan_batch(write(tmp_path / "p", "a")).fields
    first = stamp_of(source)
    assert len(first) == 24
    assert stamp_of(source) == first
    (sized,) = plan_batch(tmp_path / "p", pixel_size_um=0.1).fields
    assert stamp_of(sized) != first
    file = tmp_path / "p" / "a_green.png"
    os.utime(file, ns=(1, 1))
    second = stamp_of(source)
    assert second not in ("", first)
    file.unlink()
    assert stamp_of(source) == ""


def test_a_stamp_of_a_zarr_sees_a_chunk(tmp_path):
    import zarr

    path = tmp_path / "a.zarr"
    array = zarr.create_array(str(path), shape=(4, 40, 40), chunks=(1, 40, 40), dtype="uint8")
    array[:] = 1
    source = FieldSource("a", path)
    first = stamp_of(source)
    array[3] = np.eye(40)
    assert stamp_of(source) not in ("", first)


def test_ten_thousand_fields_are_planned_in_seconds(tmp_path):
    for index in range(10_000):
        for key in KEYS:
            os.close(os.open(tmp_path / f"f{index:05}_{key}.png", os.O_CREAT))
    start = time.perf_counter()
    plan = plan_batch(tmp_path)
    seconds = time.perf_counter() - start
    assert len(plan.fields) == 10_000
    assert plan.problems == ()
    assert seconds < 10
