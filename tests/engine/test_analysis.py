"""A field analysed by workers: the same result as here, and no model in the process that asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.results import FieldResult
from organelle_widgets.engine import DaskEngine, SharedWorkers, analyze_on
from organelle_widgets.errors import BatchError, Cancelled, InputError, SettingsError
from organelle_widgets.pipeline import analyze_field
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.synthetic import virtual_field

pytestmark = pytest.mark.tensorflow

KERNEL = """
import json, sys, time
from organelle_widgets import Dashboard

dashboard = Dashboard.from_environment()
dashboard.open()
steps = []
dashboard.state.events.progress.connect(lambda now, before: steps.append(now.step if now else ""))
def until_idle():
    while dashboard.state.busy or dashboard.state.shown is None:
        time.sleep(0.02)
until_idle()
early = [name for name in ("distributed", "torch", "tensorflow") if name in sys.modules]
sample = dashboard.state.shown
dashboard.analysis.analyse()
until_idle()
failure = dashboard.state.failure
found = {
    "early": early,
    "loaded": [name for name in ("torch", "tensorflow", "keras") if name in sys.modules],
    "failure": failure.message if failure else "",
    "fresh": dashboard.state.shown is not sample,
    "cells": dashboard.state.result.n_cells,
    "steps": steps,
}
dashboard.close()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def field() -> Field:
    """A few virtual cells."""
    return virtual_field((300, 340), seed=4, pixel_size_um=0.32, classes=(2, 7)).field


@pytest.fixture(scope="module")
def here(field: Field) -> FieldResult:
    """The field, analysed in this process."""
    return analyze_field(field)


@pytest.fixture
def shared(cluster: Any) -> Iterator[SharedWorkers]:
    """The workers as a visitor's kernel has them."""
    shared = SharedWorkers(cluster.scheduler_address)
    yield shared
    shared.close()


def assert_same(result: FieldResult, expected: FieldResult) -> None:
    """Equal in everything but how long it took and when it was made."""
    np.testing.assert_array_equal(result.masks.nuclei, expected.masks.nuclei)
    np.testing.assert_array_equal(result.masks.cells, expected.masks.cells)
    np.testing.assert_array_equal(result.probabilities, expected.probabilities)
    assert result.table().equals(expected.table())
    assert result.quality == expected.quality
    assert result.notes == expected.notes
    assert result.threshold == expected.threshold
    assert result.timings.keys() == expected.timings.keys()
    ours, theirs = ({**r.provenance, "created": ""} for r in (result, expected))
    assert ours == theirs
    assert (result.answers is None) == (expected.answers is None)
    if result.answers is not None and expected.answers is not None:
        np.testing.assert_array_equal(result.answers.embedding, expected.answers.embedding)


def test_workers_give_the_same_result(
    shared: SharedWorkers, field: Field, here: FieldResult
) -> None:
    seen: list[tuple[str, float]] = []
    monitor = Monitor(lambda *step: seen.append(step))
    result = shared(field, "unet", "organelle", monitor=monitor)
    assert result.n_cells > 1
    assert result.field is field
    assert_same(result, here)
    steps = [step for step, _ in seen]
    assert steps[:2] == ["Waiting for a free worker"] * 2
    assert "Finding cells" in steps
    assert all(0 <= fraction <= 1 for _, fraction in seen)


def test_maps_of_an_earlier_result_are_used_again(shared: SharedWorkers, field: Field) -> None:
    first = shared(field, "unet", "organelle")
    assert first.maps is not None
    blank = FieldResult(
        first.field,
        first.masks,
        first.probabilities,
        first.timings,
        provenance=first.provenance,
        maps=type(first.maps)(
            np.zeros_like(first.maps.values),
            first.maps.names,
            first.maps.shape,
            first.maps.made_by,
            first.maps.ratio,
        ),
    )
    again = shared(field, make_segmenter("unet"), "organelle", previous=blank)
    assert again.n_cells == 0  # the network did not look: it would have seen cells
    other = Field(field.pixels.copy(), field.name, field.pixel_size_um, field.pixel_size_source)
    assert shared(other, "unet", "organelle", previous=blank).n_cells == first.n_cells


def test_a_wish_to_stop_is_heard_while_the_work_waits(
    shared: SharedWorkers, cluster: Any, field: Field
) -> None:
    engine = DaskEngine(cluster.scheduler_address, prepared=True)
    busy = engine.submit(occupy)
    monitor = Monitor()
    threading.Timer(0.5, monitor.cancel).start()
    start = time.monotonic()
    with pytest.raises(Cancelled, match="Stopped on request"):
        shared(field, "watershed", "organelle", monitor=monitor)
    assert time.monotonic() - start < 3
    deadline = time.monotonic() + 5
    while len(cluster.scheduler.tasks) != 1:  # ours is out of the queue, the other one goes on
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not busy.future.done()
    engine.close()


def occupy(*, monitor: Monitor) -> None:
    while True:
        monitor.report("busy", 0.5)
        time.sleep(0.02)


def test_errors_keep_their_words(shared: SharedWorkers, field: Field) -> None:
    blank = Field(np.zeros((4, 8, 8), np.uint8), "blank", 0.32, "given")
    with pytest.raises(InputError) as there:
        shared(blank, "from_masks", "organelle")
    with pytest.raises(InputError) as by_itself:
        analyze_field(blank, "from_masks", "organelle")
    assert str(there.value) == str(by_itself.value)
    with pytest.raises(SettingsError, match="threshold from 0 to 1"):
        shared(field, "watershed", "organelle", threshold=7)


def test_any_engine_will_do(field: Field, here: FieldResult) -> None:
    from organelle_widgets.engine import LocalEngine

    engine = LocalEngine()
    assert_same(analyze_on(engine)(field, "unet", "organelle"), here)
    engine.close()


def test_a_kernel_of_the_page_loads_no_model(cluster: Any) -> None:
    environment = {**os.environ, "ORGANELLE_WIDGETS_SCHEDULER": cluster.scheduler_address}
    done = subprocess.run(
        [sys.executable, "-c", KERNEL],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["early"] == []
    assert found["loaded"] == []
    assert found["failure"] == ""
    assert found["fresh"]
    assert found["cells"] > 0
    assert "Waiting for a free worker" in found["steps"]


def test_a_pool_that_is_gone_is_said(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("organelle_widgets.engine.shared._PATIENCE_S", 0.2)
    monkeypatch.setattr("organelle_widgets.engine.shared._TRY_S", 0.3)
    with pytest.raises(BatchError, match=r"visitors share can't be reached\. Try again") as caught:
        SharedWorkers("tcp://127.0.0.1:9")(field, "unet", "organelle")
    assert caught.value.hint
