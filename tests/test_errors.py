"""Errors say what happened, and survive the way from a worker."""

from __future__ import annotations

import pickle

import pytest

from organelle_widgets import errors
from organelle_widgets.errors import (
    BackendUnavailableError,
    Cancelled,
    ExportError,
    InputError,
    OrganelleWidgetsError,
    SegmentationError,
    SettingsError,
    StepError,
    WeightsError,
    attributed_to,
)

ALL = [
    kind
    for name in errors.__all__
    if isinstance(kind := getattr(errors, name), type) and issubclass(kind, Exception)
]


@pytest.mark.parametrize("kind", ALL)
def test_pickling_keeps_everything(kind):
    error = kind("Expected 4 planes; found 3.", source="a.tif", step="reading", hint="Add one.")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.message, copy.source, copy.step, copy.hint) == (
        "Expected 4 planes; found 3.",
        "a.tif",
        "reading",
        "Add one.",
    )
    assert str(copy) == "a.tif: Expected 4 planes; found 3. Add one."


def test_pickling_keeps_the_name_of_the_weights():
    copy = pickle.loads(pickle.dumps(WeightsError("Not here.", weights="hpa-nuclei")))
    assert copy.weights == "hpa-nuclei"
    assert WeightsError("Damaged.").weights is None


@pytest.mark.parametrize("kind", ALL)
def test_a_message_is_enough(kind):
    error = kind("No.")
    assert str(error) == "No."
    assert error.source is error.step is error.hint is None


def test_a_source_in_the_message_is_not_repeated():
    assert str(InputError("Can't read a.tif.", source="a.tif")) == "Can't read a.tif."
    assert str(InputError("Found a file.", source="f")) == "f: Found a file."


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (InputError, ValueError),
        (SettingsError, ValueError),
        (BackendUnavailableError, ImportError),
        (SegmentationError, StepError),
        (ExportError, StepError),
        (Cancelled, OrganelleWidgetsError),
    ],
)
def test_the_tree(kind, base):
    assert issubclass(kind, base)
    assert issubclass(kind, OrganelleWidgetsError)


def test_the_tree_in_the_docstring_names_every_error():
    missing = [kind.__name__ for kind in ALL if f" {kind.__name__}" not in f" {errors.__doc__}"]
    assert [name for name in missing if name != "OrganelleWidgetsError"] == []


def fail(error):
    with attributed_to("outer", "segmentation"), attributed_to("inner"):
        raise error


def test_the_innermost_place_is_kept():
    with pytest.raises(SegmentationError, match="inner: No nucleus") as caught:
        fail(SegmentationError("No nucleus."))
    assert (caught.value.source, caught.value.step) == ("inner", "segmentation")


def test_what_an_error_says_of_itself_is_kept():
    with pytest.raises(InputError, match="own: Bad") as caught:
        fail(InputError("Bad.", source="own", step="reading"))
    assert caught.value.step == "reading"


def test_other_exceptions_pass_untouched():
    with pytest.raises(KeyError, match="other") as caught:
        fail(KeyError("other"))
    assert not hasattr(caught.value, "source")
