"""Probability maps: what they hold and what they refuse."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from organelle_widgets.core.maps import ProbabilityMaps
from organelle_widgets.errors import InputError

VALUES = np.array([[[0, 51, 255]], [[255, 102, 0]]], np.uint8)


def maps(values=VALUES, names=("nucleus", "cell")):
    return ProbabilityMaps(values, names, (4, 12), "net 1")


def test_probabilities_are_fractions_by_name():
    found = maps().probability("cell")
    assert found.dtype == np.float32
    assert found.tolist() == [pytest.approx([1, 0.4, 0])]
    found[:] = 9
    assert maps().values.max() == 255


def test_an_unknown_map_is_an_error():
    with pytest.raises(ValueError, match="not in tuple"):
        maps().probability("border")


def test_the_values_are_read_only_and_not_copied():
    values = VALUES.copy()
    kept = maps(values)
    assert np.shares_memory(kept.values, values)
    with pytest.raises(ValueError, match="read-only"):
        kept.values[0, 0, 0] = 1
    values[0, 0, 0] = 7  # the caller's own array stays writable


@pytest.mark.parametrize(
    ("values", "names", "found"),
    [
        (VALUES[0], ("nucleus",), r"found uint8, shape \(1, 3\)"),
        (VALUES / 255, ("nucleus", "cell"), "found float64"),
        (VALUES, ("nucleus",), r"Expected 1 maps of uint8, .*found uint8, shape \(2, 1, 3\)"),
        (VALUES.astype(np.uint16), ("nucleus", "cell"), "found uint16"),
    ],
)
def test_planes_must_fit_the_names(values, names, found):
    with pytest.raises(InputError, match=found):
        maps(values, names)


def test_maps_travel_between_processes():
    there = pickle.loads(pickle.dumps(maps()))
    assert (there.names, there.shape, there.made_by) == (("nucleus", "cell"), (4, 12), "net 1")
    assert np.array_equal(there.values, VALUES)


def test_repr_says_names_and_size():
    assert repr(maps()) == "ProbabilityMaps(nucleus, cell; 3 x 1 px, net 1)"
