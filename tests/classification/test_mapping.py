"""Names of other classifiers' classes, and their probabilities among ours."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.classification._mapping import ALIASES, ClassMap, our_class
from organelle_widgets.core.labels import CLASS_NAMES
from organelle_widgets.errors import InputError


def test_names_are_found_whatever_their_case():
    assert [our_class(name) for name in CLASS_NAMES] == list(range(19))
    assert our_class(" golgi ") == 7
    assert our_class("MTOC") == 12
    assert our_class("Rods & rings") is None


def test_aliases_are_lower_case_and_stand_for_ours():
    assert all(name == name.lower() for name in ALIASES)
    assert set(ALIASES.values()) <= set(CLASS_NAMES)
    assert not set(ALIASES) & {name.lower() for name in CLASS_NAMES}


def test_the_largest_of_those_that_belong_to_a_class_counts():
    mapped = ClassMap.of(["Lysosomes", "Peroxisomes", "Cytosol", "Debris"], {"Debris": None})
    own = np.array([[0.2, 0.7, 0.1, 1.0], [0.6, 0.5, 0.4, 0.0]], np.float32)
    ours = mapped.to_ours(own)
    np.testing.assert_array_equal(ours[:, 17], own[:, :2].max(axis=1))
    np.testing.assert_array_equal(ours[:, 16], own[:, 2])
    assert not np.delete(ours, [16, 17], axis=1).any()
    assert np.flatnonzero(mapped.known).tolist() == [16, 17]
    assert not mapped.is_ours


def test_a_class_may_be_put_where_its_name_does_not():
    mapped = ClassMap.of(["Tubes", "Cytosol"], {"Tubes": "Microtubules", "Cytosol": None})
    assert mapped.ours == (10, None)


def test_ours_in_their_order_stay_as_they_are():
    mapped = ClassMap.of(CLASS_NAMES)
    assert mapped.is_ours
    own = np.random.default_rng(0).random((3, 19)).astype(np.float32)
    np.testing.assert_array_equal(mapped.to_ours(own), own)


def test_names_and_classes_must_be_as_many():
    with pytest.raises(InputError, match="found 2 names and 1 classes"):
        ClassMap(("a", "b"), (1,))
