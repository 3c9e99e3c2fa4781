"""Errors become sentences, and missing weights an offer."""

from __future__ import annotations

from pathlib import Path

import pytest

from organelle_widgets import weights
from organelle_widgets.controllers.failures import failure_of, missing_weights
from organelle_widgets.errors import Cancelled, InputError, WeightsError


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", str(tmp_path))
    return tmp_path


def test_success_and_a_wish_to_stop_are_no_failures() -> None:
    assert failure_of(None) is None
    assert failure_of(Cancelled("Stopped on request.")) is None


def test_a_file_is_named_and_its_folder_is_not() -> None:
    failure = failure_of(InputError("It is cut short.", source="/x/y/a_blue.png", hint="Copy it."))
    assert failure is not None
    assert (failure.message, failure.hint) == ("a_blue.png: It is cut short.", "Copy it.")
    assert failure.downloads == ()


def test_missing_weights_are_an_offer() -> None:
    with pytest.raises(WeightsError, match="hpa-nuclei") as caught:
        weights.locate("hpa-nuclei")
    failure = missing_weights(failure_of(caught.value))
    assert failure is not None
    assert [wanted.name for wanted in failure.downloads] == ["hpa-nuclei"]
    assert "not on this machine yet" in failure.message
    assert failure.hint == ""
    assert "organelle-widgets models" in failure.otherwise


def test_damaged_weights_are_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "is_here", lambda name: name == "hpa-nuclei")
    damaged = failure_of(WeightsError("Wrong checksum.", weights="hpa-nuclei", hint="Fetch it."))
    assert missing_weights(damaged) is damaged
    assert damaged is not None
    assert damaged.message == "Wrong checksum."


@pytest.mark.parametrize("name", [None, "a-model-of-ones-own"])
def test_weights_that_the_store_has_not_are_not_offered(name: str | None) -> None:
    failure = failure_of(WeightsError("They are not here.", weights=name))
    assert failure is not None
    assert failure.downloads == ()
    assert missing_weights(failure) is failure


def test_files_that_belong_together_are_offered_together(store: Path) -> None:
    with pytest.raises(WeightsError, match="subcell-vit") as caught:
        weights.locate("subcell-vit-encoder")
    failure = failure_of(caught.value)
    assert failure is not None
    names = [wanted.name for wanted in failure.downloads]
    assert names == ["subcell-vit-encoder", "subcell-vit-head-0", "subcell-vit-head-1"]
    (store / weights.catalogue()["subcell-vit-head-0"].file_name).write_bytes(b"PK")
    failure = failure_of(caught.value)
    assert failure is not None
    assert [wanted.name for wanted in failure.downloads] == [names[0], names[2]]
