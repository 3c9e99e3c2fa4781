"""A run over real files with quick backends: what is kept, what fails, going on, stopping, changed settings."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from batch_backends import Blobs, Brightness

from organelle_widgets.batch import (
    BatchSettings,
    RunStatus,
    ask_to_stop,
    plan_batch,
    read_status,
    run_batch,
)
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.engine import LocalEngine
from organelle_widgets.errors import BatchError
from organelle_widgets.results import open_results

SETTINGS = BatchSettings(Blobs(), Brightness(), 0.5)
Make = Callable[..., Path]


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine()
    yield engine
    engine.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run(folder: Path, out: Path, engine: LocalEngine, **kwargs: object) -> RunStatus:
    settings = kwargs.pop("settings", SETTINGS)
    return run_batch(plan_batch(folder), out, settings, engine, **kwargs)  # type: ignore[arg-type]


def test_every_field_is_done_or_a_failure(
    make_fields: Make, out: Path, engine: LocalEngine
) -> None:
    folder = make_fields(6, ("bug_here",))
    (folder / "field002_blue.png").write_bytes(b"no image")
    (folder / "field003_blue.png").unlink()
    status = run(folder, out, engine)
    assert status.state == "done"
    assert (status.n_planned, status.n_done, status.n_failed) == (7, 4, 3)
    with open_results(out) as results:
        assert results.field_names() == ["field000", "field001", "field004", "field005"]
        assert results.n_cells == len(results.cells()) == 1 + 2 + 1 + 2 == status.n_cells
        failures = results.failures(order_by="name").set_index("name")
        assert failures["known"].to_dict() == {name: name != "bug_here" for name in failures.index}
        assert set(failures["step"]) == {"plan", "read"} | set(failures.loc[["bug_here"], "step"])
    assert read_status(out) == status


def rows_of(out: Path) -> dict[str, tuple[object, ...]]:
    """What was kept of each field, with the time it took: no two analyses take the same."""
    with open_results(out) as results:
        fields = results.fields()
        rows = fields[["seconds", "finished"]].itertuples(index=False, name=None)
        return dict(zip(fields["field"], rows, strict=True))


def test_resume_repeats_nothing_and_takes_up_new_fields(
    make_fields: Make, out: Path, engine: LocalEngine
) -> None:
    folder = make_fields(3)
    run(folder, out, engine)
    before = rows_of(out)
    for path in folder.glob("field000_*"):
        (folder / path.name.replace("000", "100")).write_bytes(path.read_bytes())
    status = run(folder, out, engine, resume=True)
    assert (status.n_done, status.n_planned) == (4, 4)
    after = rows_of(out)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"field100"}


def test_only_changed_files_are_done_again(
    make_fields: Make, out: Path, engine: LocalEngine
) -> None:
    folder = make_fields(3)
    run(folder, out, engine)
    with open_results(out) as results:
        first = results.fields(order_by="field").set_index("field")["seconds"]
    changed = folder / "field001_green.png"
    os.utime(changed, ns=(1, 1))
    run(folder, out, engine, resume=True)
    with open_results(out) as results:
        second = results.fields(order_by="field").set_index("field")["seconds"]
    assert (first == second).to_dict() == {"field000": True, "field001": False, "field002": True}


def test_a_folder_in_use_needs_resume(make_fields: Make, out: Path, engine: LocalEngine) -> None:
    folder = make_fields(1)
    run(folder, out, engine)
    with pytest.raises(BatchError, match=r"found those of a run.*--resume"):
        run(folder, out, engine)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threshold": 0.4}, r"threshold was 0\.5, is 0\.4"),
        ({"segmenter": Blobs(threshold=0.3)}, r"segmenter settings threshold was 0\.4, is 0\.3"),
        ({"leave_out": "border"}, "leave_out was nothing, is border"),
    ],
)
def test_changed_settings_are_refused_or_done_again(
    make_fields: Make, out: Path, engine: LocalEngine, change: dict, said: str
) -> None:
    folder = make_fields(2)
    run(folder, out, engine)
    other = dataclasses.replace(SETTINGS, **change)
    with pytest.raises(BatchError, match=said):
        run(folder, out, engine, settings=other, resume=True)
    with open_results(out) as results:
        assert results.n_fields == 2  # nothing was lost by asking
    status = run(folder, out, engine, settings=other, resume=True, rerun=True)
    assert status.n_done == 2
    with open_results(out) as results:
        assert results.run["settings"]["threshold"] == other.threshold
        assert results.n_fields == 2


def test_failures_stay_in_a_resumed_run(make_fields: Make, out: Path, engine: LocalEngine) -> None:
    folder = make_fields(2, ("bug",))
    assert run(folder, out, engine).n_failed == 1
    status = run(folder, out, engine, resume=True)
    assert (status.n_done, status.n_failed) == (2, 1)
    with open_results(out) as results:
        assert results.failures()["name"].tolist() == ["bug"]


def test_a_failure_is_tried_again_when_its_files_change_or_on_request(
    make_fields: Make, out: Path, engine: LocalEngine
) -> None:
    folder = make_fields(2)
    good = (folder / "field001_blue.png").read_bytes()
    (folder / "field001_blue.png").write_bytes(good[:100])
    assert run(folder, out, engine).n_failed == 1
    assert run(folder, out, engine, resume=True, retry_failures=True).n_failed == 1
    (folder / "field001_blue.png").write_bytes(good)
    status = run(folder, out, engine, resume=True)
    assert (status.n_done, status.n_failed) == (2, 0)


def test_a_run_can_be_stopped_from_another_place_and_gone_on_with(
    make_fields: Make, out: Path, engine: LocalEngine
) -> None:
    folder = make_fields(8)
    slow = dataclasses.replace(SETTINGS, segmenter=Blobs(seconds=0.3))

    def stop(status: RunStatus) -> None:
        if status.n_done >= 2:
            ask_to_stop(out)

    status = run(folder, out, engine, settings=slow, on_status=stop)
    assert status.state == "stopped"
    assert 2 <= status.n_done < 8
    assert read_status(out) == status
    status = run(folder, out, engine, settings=slow, resume=True)
    assert (status.state, status.n_done) == ("done", 8)
    with open_results(out) as results:
        assert results.sql("select field from cells group by field").shape[0] == 8


def test_a_monitor_stops_a_run(make_fields: Make, out: Path, engine: LocalEngine) -> None:
    monitor = Monitor()
    monitor.cancel()
    assert run(make_fields(2), out, engine, monitor=monitor).state == "stopped"


def test_status_tells_rate_and_time_left(make_fields: Make, out: Path, engine: LocalEngine) -> None:
    seen: list[RunStatus] = []
    slow = dataclasses.replace(SETTINGS, segmenter=Blobs(seconds=0.4))
    start = time.monotonic()
    run(make_fields(6), out, engine, settings=slow, on_status=seen.append)
    taken = time.monotonic() - start
    under_way = [status for status in seen if status.state == "running" and status.n_done >= 2]
    assert under_way
    for status in under_way:
        assert 60 / 2 < status.fields_per_minute < 60 / 0.3
        assert status.seconds_left is not None
        assert status.seconds_left < 2 * taken
    assert any("Finding cells" in text for status in seen for text in status.current)
    assert seen[-1].fraction == 1


def test_extra_columns_reach_cells_fields_and_failures(
    make_fields: Make, out: Path, engine: LocalEngine
) -> None:
    folder = make_fields(3)
    (folder / "field002_blue.png").write_bytes(b"no image")
    rows = [f"field00{i},{folder / f'field00{i}_green.png'},A0{i},{i * 0.5}" for i in range(3)]
    table = folder.parent / "plate.csv"
    table.write_text("\n".join(["name,path,well,dose", *rows]))
    run(table, out, engine)
    with open_results(out) as results:
        cells = results.cells(where="dose > 0.1")
        assert set(cells["well"]) == {"A01"}
        assert results.failures()["well"].tolist() == ["A02"]
        assert results.fields(order_by="field")["dose"].tolist() == [0.0, 0.5]


def test_results_inside_the_source_are_no_fields(make_fields: Make, engine: LocalEngine) -> None:
    folder = make_fields(2)
    run(folder, folder / "results", engine)
    status = run(folder, folder / "results", engine, resume=True)
    assert status.n_planned == 2


def test_a_problem_of_the_plan_is_gone_when_it_is_mended(
    make_fields: Make, out: Path, engine: LocalEngine
) -> None:
    folder = make_fields(3)
    blue = folder / "field001_blue.png"
    content = blue.read_bytes()
    blue.unlink()
    status = run(folder, out, engine)
    assert (status.n_planned, status.n_done, status.n_failed) == (3, 2, 1)
    blue.write_bytes(content)
    status = run(folder, out, engine, resume=True)
    assert (status.n_planned, status.n_done, status.n_failed) == (3, 3, 0)


def test_a_result_is_rebuilt_from_files_whose_channels_were_named(
    tmp_path: Path, out: Path, engine: LocalEngine
) -> None:
    planes = np.full((4, 48, 64), 20, np.uint8)
    planes[0, 10:30, 10:30] = 230  # nuclei come first in this microscope's files
    planes[1:, 8:32, 8:32] = 90
    folder = tmp_path / "images"
    folder.mkdir()
    tifffile.imwrite(folder / "stack.tif", planes, photometric="minisblack")
    channels = {0: "blue", 1: "green", 2: "red", 3: "yellow"}
    run_batch(plan_batch(folder, channels=channels), out, SETTINGS, engine)
    with open_results(out) as results:
        again = results.result("stack")
    assert again.n_cells == 1
    assert again.field.channel("nuclei").max() == 230
    assert (again.field.channel("protein") == planes[1]).all()
