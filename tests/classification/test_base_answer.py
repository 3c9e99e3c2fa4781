"""The loop over batches: order, cutting ahead, errors and cancelling."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from organelle_widgets.classification import Classifier
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import Cancelled, ClassificationError, InputError


class Recorder:
    """Cuts crops that hold nothing but the cell's id, and notes what was asked for."""

    def __init__(self, fails_at=None):
        self.asked, self.threads, self.fails_at = [], set(), fails_at
        self.answered = 0
        self.most_ahead = 0

    def cut(self, cell_ids):
        self.threads.add(threading.current_thread().name)
        if self.fails_at in cell_ids:
            message = f"Expected a good cell; found {self.fails_at}."
            raise InputError(message)
        self.asked.extend(int(cell) for cell in cell_ids)
        self.most_ahead = max(self.most_ahead, len(self.asked) - self.answered)
        return np.repeat(np.float32(cell_ids), 4 * 64).reshape(-1, 4, 8, 8)


@dataclass(frozen=True)
class Echo(Classifier):
    """Says the cell's id."""

    batch_size = 3

    def using(self, recorder):
        object.__setattr__(self, "recorder", recorder)
        return self

    def _cutter(self, field, masks):
        return self.recorder

    def _predict(self, crops):
        self.recorder.answered += len(crops)
        return np.repeat(crops[:, 0, 0, :1] / 100, 19, axis=1)


@pytest.fixture
def many(disc_field):
    """Ten cells with gaps between their ids."""
    cells = np.zeros(disc_field.shape, np.int32)
    for number in range(10):
        cells[5:10, 10 * number : 10 * number + 5] = 3 * number + 2
    return Masks(np.zeros_like(cells), cells)


def test_answers_come_in_the_order_of_the_cells(disc_field, many):
    recorder = Recorder()
    said = Echo().using(recorder).classify(disc_field, many)
    np.testing.assert_allclose(said[:, 0], many.cell_ids / 100, rtol=1e-6)
    assert recorder.asked == many.cell_ids.tolist()


def test_cutting_is_one_batch_ahead_at_most(disc_field, many):
    recorder = Recorder()
    Echo().using(recorder).classify(disc_field, many)
    assert 3 <= recorder.most_ahead <= 6
    assert threading.current_thread().name not in recorder.threads
    assert len(recorder.threads) == 1


def test_its_thread_ends_with_it(disc_field, many):
    Echo().using(Recorder()).classify(disc_field, many)
    assert not [t for t in threading.enumerate() if t.name.startswith("cutting")]


def test_cancelling_stops_it_and_its_thread(disc_field, many):
    recorder, shares = Recorder(), []

    def stop(share):
        shares.append(share)
        if len(shares) == 2:
            message = "stopped"
            raise Cancelled(message)

    with pytest.raises(Cancelled, match="stopped"):
        Echo().using(recorder).classify(disc_field, many, stop)
    assert shares == [0, 0.3]
    assert recorder.answered == 3
    assert len(recorder.asked) <= 9
    assert not [t for t in threading.enumerate() if t.name.startswith("cutting")]


@pytest.mark.parametrize("bad", [2, 29])
def test_an_error_of_cutting_comes_through_with_its_field(disc_field, many, bad):
    with pytest.raises(InputError, match=f"good cell; found {bad}") as caught:
        Echo().using(Recorder(bad)).classify(disc_field, many)
    assert caught.value.source == "discs"
    assert caught.value.step == "classification"


def test_what_is_no_probability_is_its_error(disc_field, many):
    recorder = Recorder()
    recorder.cut = lambda cell_ids: np.full((len(cell_ids), 4, 8, 8), 300, np.float32)
    with pytest.raises(ClassificationError, match="Echo returned no probabilities"):
        Echo().using(recorder).classify(disc_field, many)


def test_progress_ends_at_one(disc_field, many):
    shares = []
    Echo().using(Recorder()).classify(disc_field, many, shares.append)
    np.testing.assert_allclose(shares, [0, 0.3, 0.6, 0.9, 1])
