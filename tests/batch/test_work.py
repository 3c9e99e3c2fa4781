"""One field of a run becomes a record, whatever happens."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_backends import Blobs, Brightness

from organelle_widgets.batch.plan import plan_batch
from organelle_widgets.batch.work import BatchSettings, analyse_source
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import Cancelled, SettingsError
from organelle_widgets.io import FieldSource
from organelle_widgets.results.records import FailureRecord, FieldRecord

SETTINGS = BatchSettings(Blobs(), Brightness(), 0.5)


def only(folder: Path) -> FieldSource:
    return plan_batch(folder).fields[0]


def test_a_field_becomes_a_record_that_survives_pickling(make_fields: Callable[..., Path]) -> None:
    record = analyse_source(only(make_fields(4)), SETTINGS, "stamp")
    assert isinstance(record, FieldRecord)
    again = pickle.loads(pickle.dumps(record))
    assert (again.name, again.stamp, again.field["n_cells"]) == ("field000", "stamp", 1)
    assert again.field["seconds"] == pytest.approx(
        sum(v for k, v in again.field.items() if k.startswith("seconds_"))
    )
    assert again.field["seconds_read"] > 0
    assert again.embedding is not None
    assert again.embedding.shape == (1, 3)
    assert again.thumbnail[:2] == b"\xff\xd8"


def test_a_damaged_file_becomes_a_known_failure(make_fields: Callable[..., Path]) -> None:
    folder = make_fields(1)
    source = only(folder)
    green = folder / "field000_green.png"
    green.write_bytes(green.read_bytes()[:200])
    record = analyse_source(source, SETTINGS)
    assert isinstance(record, FailureRecord)
    assert record.known
    assert record.error == "InputError"
    assert record.step == "read"
    assert "field000_green.png" in record.source
    assert "damaged or cut short" in record.message


def test_a_bug_is_kept_with_its_traceback(
    make_fields: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    record = analyse_source(only(make_fields(0, ("bug",))), SETTINGS)
    assert isinstance(record, FailureRecord)
    assert not record.known
    assert "nobody foresaw this" in record.message
    assert "in _segment" in record.traceback
    assert "nobody foresaw" in caplog.text


def test_a_wish_to_stop_goes_through(make_fields: Callable[..., Path]) -> None:
    monitor = Monitor()
    monitor.cancel()
    with pytest.raises(Cancelled, match="Stopped on request"):
        analyse_source(only(make_fields(1)), SETTINGS, monitor=monitor)


def test_too_little_memory_is_known(
    make_fields: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: FieldSource, pixel_size_um: float | None = None) -> None:
        raise MemoryError

    monkeypatch.setattr(FieldSource, "read", full)
    record = analyse_source(only(make_fields(1)), SETTINGS)
    assert isinstance(record, FailureRecord)
    assert record.known
    assert "fewer workers" in record.hint


@pytest.mark.parametrize("threshold", [-0.1, 1.5, "half", float("nan")])
def test_settings_refuse_what_is_no_threshold(threshold: object) -> None:
    with pytest.raises(SettingsError, match="threshold from 0 to 1"):
        BatchSettings(Blobs(), Brightness(), threshold)  # type: ignore[arg-type]
