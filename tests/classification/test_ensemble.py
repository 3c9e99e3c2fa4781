"""Ensembles: who is in them, how their answers come together, and what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from organelle_widgets.classification import CLASSIFIERS, Classifier, Ensemble, make_classifier
from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import Cancelled, SettingsError, WeightsError


@dataclass(frozen=True)
class Says(Classifier):
    """Says one number of the classes that it knows."""

    value: float
    classes: tuple[int, ...] = tuple(range(19))
    embedded: bool = False
    missing: bool = False
    asked: list = field(default_factory=list, compare=False)

    def known_classes(self):
        known = np.zeros(19, bool)
        known[list(self.classes)] = True
        return known

    def check_ready(self):
        if self.missing:
            message = "The weights of this one are not here."
            raise WeightsError(message)

    def _predict(self, crops):
        self.asked.append(len(crops))
        return np.where(self.known_classes(), self.value, 0) * np.ones((len(crops), 1), np.float32)

    def _answer(self, crops):
        said = self._predict(crops)
        if not self.embedded:
            return CellAnswers(said)
        own = np.full((len(crops), 2), self.value)
        return CellAnswers(said, own * 7, own[:, 0] / 2, own, ("a", "b"))


def test_the_mean_is_over_those_that_know_a_class(disc_field, disc_masks):
    ensemble = Ensemble((Says(0.2), Says(0.8, (0, 1)), Says(0.5, (1,))))
    said = ensemble.classify(disc_field, disc_masks)
    assert said.shape == (3, 19)
    assert said.dtype == np.float32
    np.testing.assert_allclose(said[:, 0], 0.5)
    np.testing.assert_allclose(said[:, 1], 0.5)
    np.testing.assert_allclose(said[:, 2:], 0.2)


def test_a_class_that_one_alone_knows_keeps_its_value_and_one_that_none_knows_is_zero(
    disc_field, disc_masks
):
    ensemble = Ensemble((Says(0.9, (3,)), Says(0.4, (4,))))
    said = ensemble.classify(disc_field, disc_masks)
    np.testing.assert_allclose(said[:, [3, 4]], [[0.9, 0.4]] * 3)
    assert not np.delete(said, [3, 4], axis=1).any()
    assert np.flatnonzero(ensemble.known_classes()).tolist() == [3, 4]


def test_what_it_says_besides_is_the_first_s_that_has_it(disc_field, disc_masks):
    ensemble = Ensemble((Says(0.1), Says(0.3, embedded=True), Says(0.5, embedded=True)))
    answers = ensemble.answer(disc_field, disc_masks)
    np.testing.assert_allclose(answers.embedding, 2.1)
    np.testing.assert_allclose(answers.strangeness, 0.15)
    np.testing.assert_allclose(answers.own_probabilities, 0.3)
    assert answers.own_classes == ("a", "b")
    assert Ensemble((Says(0.1), Says(0.2))).answer(disc_field, disc_masks).embedding is None


def test_progress_is_that_of_all_and_may_stop(disc_field, disc_masks):
    seen = []
    members = Says(0.1), Says(0.2)
    Ensemble(members).answer(disc_field, disc_masks, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert 0.5 in seen
    monitor = Monitor()
    monitor.cancel()
    with pytest.raises(Cancelled, match="Stopped on request"):
        Ensemble(members).answer(disc_field, disc_masks, monitor.part("Classifying", 0, 1))


def test_missing_weights_are_told_before_anyone_works(disc_field, disc_masks):
    first = Says(0.1)
    with pytest.raises(WeightsError, match="weights of this one are not here"):
        Ensemble((first, Says(0.2, missing=True))).answer(disc_field, disc_masks)
    assert not first.asked


def test_names_with_a_plus_are_an_ensemble(toys, disc_field, disc_masks):
    pytest.importorskip("onnxruntime")
    ensemble = make_classifier("subcell + hpa_inceptionv3")
    each = [make_classifier(name) for name in ("subcell", "hpa_inceptionv3")]
    assert ensemble == Ensemble(tuple(each))
    answers = ensemble.answer(disc_field, disc_masks)
    mean = np.mean([one.classify(disc_field, disc_masks) for one in each], axis=0)
    np.testing.assert_allclose(answers.probabilities, mean, atol=1e-6)
    assert answers.embedding.shape == (3, 32)
    assert len(answers.own_classes) == 31
    said = json.loads(json.dumps(ensemble.provenance()))
    assert said["name"] == "subcell+hpa_inceptionv3"
    assert [member["name"] for member in said["members"]] == ["subcell", "hpa_inceptionv3"]
    assert all(member["weights"] for member in said["members"])


def test_the_path_of_a_model_is_a_name(tmp_path):
    path = str(tmp_path / "mine.keras")
    assert make_classifier(path) == make_classifier("keras_file", weights=path)
    pair = make_classifier(f"subcell+{path}")
    assert [CLASSIFIERS.name_of(type(member)) for member in pair.members] == [
        "subcell",
        "keras_file",
    ]
    (tmp_path / "a+b.keras").write_bytes(b"")
    assert make_classifier(str(tmp_path / "a+b.keras")).path.name == "a+b.keras"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("subcell+", r"both sides of every \+.*found 'subcell\+'"),
        ("+", r"both sides of every \+"),
        ("subcell+magic", "classifier out of .*subcell.*; found 'magic'"),
        ("subcell+subcell", r"once; found 'subcell' twice in 'subcell\+subcell'"),
        ("magic", "classifier out of .*; found 'magic'"),
    ],
)
def test_names_that_stand_for_nothing_are_refused(name, text):
    with pytest.raises(SettingsError, match=text):
        make_classifier(name)


def test_settings_need_one_name():
    with pytest.raises(SettingsError, match=r"found 'subcell\+keras_file' and \['encoder'\]"):
        make_classifier("subcell+keras_file", encoder="mae")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ((), "two classifiers or more in an ensemble; found 0"),
        ((Says(0.1),), "two classifiers or more in an ensemble; found 1"),
        ((Says(0.1), Says(0.2), Says(0.1)), "once in an ensemble; found Says twice"),
        ((Says(0.1), "subcell"), "classifiers as members of an ensemble; found 'subcell'"),
    ],
)
def test_wrong_members_are_refused(members, text):
    with pytest.raises(SettingsError, match=text):
        Ensemble(members)
