"""Labels out of predictions: the published masks, exactly and fast, and made-up cells with a known answer."""

import threading

import numpy as np
import pytest

from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.evaluation.matching import match_labels
from organelle_widgets.segmentation.hpa import label_cells

MODES = ["exact", "fast"]


def square(row, col, half):
    """The pixels less than `half` from a centre along both axes."""
    return np.s_[max(0, row - half + 1) : row + half, max(0, col - half + 1) : col + half]


def predictions(shape, cells, nucleus=28, cell=44):
    """Square nuclei and cells of these half widths around centres; borders where cells come near each other."""
    nuclei, bodies = np.zeros((*shape, 3), np.uint8), np.zeros((*shape, 3), np.uint8)
    near = np.zeros(shape, int)
    for row, col in cells:
        nuclei[(*square(row, col, nucleus), 2)] = 255
        bodies[(*square(row, col, cell), 2)] = 255
        near[square(row, col, cell + 2)] += 1
    bodies[near > 1, 1] = 200
    bodies[near > 1, 2] = 40
    return nuclei, bodies


@pytest.mark.data
@pytest.mark.parametrize(("mode", "least"), [("exact", 1.0), ("fast", 0.97)])
def test_published_masks(data, mode, least):
    expected = np.load(data / "parity" / "label_cell" / "expected.npz")
    found = label_cells(expected["nuclei_prediction"], expected["cell_prediction"], mode)
    for name, labels in zip(("nuclei", "cells"), found, strict=True):
        match = match_labels(expected[name].astype(np.int32), labels)
        assert match.n_true == match.n_found == len(match.pairs) == 21
        assert match.mean_iou >= least
    if mode == "exact":
        assert np.array_equal(found[0], expected["nuclei"])
        assert np.array_equal(found[1], expected["cells"])


@pytest.mark.parametrize("mode", MODES)
def test_two_touching_cells_in_a_field_that_is_not_square(mode):
    shape, centres = (160, 260), [(70, 70), (70, 156)]
    nuclei, cells = label_cells(*predictions(shape, centres), mode)
    assert nuclei.dtype == cells.dtype == np.int32
    assert nuclei.shape == cells.shape == shape
    assert sorted(np.unique(cells)) == [0, 1, 2]
    assert [cells[centre] for centre in centres] == [nuclei[centre] for centre in centres] == [1, 2]
    assert np.array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    for number, (row, col) in enumerate(centres, start=1):
        true = np.zeros(shape, bool)
        true[square(row, col, 44)] = True
        found = cells == number
        assert np.count_nonzero(found & true) / np.count_nonzero(found | true) > 0.85


@pytest.mark.parametrize("mode", MODES)
def test_more_cells_than_eight_bits_can_number(mode):
    centres = [(row, col) for row in range(20, 660, 40) for col in range(20, 740, 40)]
    found = predictions((660, 740), centres, nucleus=12, cell=18)
    nuclei, cells = label_cells(*found, mode, pixel_size_um=0.2)
    assert len(centres) == 16 * 18
    assert cells.max() == nuclei.max() == len(centres)
    assert all(cells[centre] == nuclei[centre] > 0 for centre in centres)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (33, 17)])
def test_flat_predictions_do_not_fail(mode, value, shape):
    flat = np.full((*shape, 3), value, np.uint8)
    nuclei, cells = label_cells(flat, flat, mode)
    assert nuclei.shape == cells.shape == shape
    assert not cells.any()


@pytest.mark.parametrize("mode", MODES)
def test_floats_give_what_bytes_give(mode):
    given = predictions((150, 240), [(70, 70), (70, 156)])
    expected = label_cells(*given, mode)
    assert expected[1].max() == 2
    for dtype in (np.float32, np.float64):
        found = label_cells(*(np.divide(image, 255, dtype=dtype) for image in given), mode)
        assert np.array_equal(found[0], expected[0])
        assert np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("mode", MODES)
def test_sizes_are_areas_and_not_pixels(mode):
    nuclei, bodies = predictions((120, 120), [(60, 60)], nucleus=12, cell=20)
    assert label_cells(nuclei, bodies, mode, pixel_size_um=0.08)[1].max() == 0  # 3 and 10 um2
    assert label_cells(nuclei, bodies, mode, pixel_size_um=0.25)[1].max() == 1  # 33 and 95 um2


@pytest.mark.parametrize("mode", MODES)
def test_borders_that_sum_to_more_than_eight_bits_part_nuclei(mode):
    nuclei, bodies = predictions((160, 260), [(70, 130)], nucleus=60, cell=66)
    line = np.s_[:, 126:134, 1]
    nuclei[line] = bodies[line] = 140  # 280 would wrap to 24
    nuclei[:, 126:134, 2] = 110
    labels = label_cells(nuclei, bodies, mode)[1]
    assert labels[70, 80] != labels[70, 180]


@pytest.mark.parametrize("mode", MODES)
def test_a_hole_in_a_cell_is_filled_and_a_cell_without_nucleus_dropped(mode):
    nuclei, bodies = predictions((200, 320), [(90, 80)])
    bodies[50:56, 60:70, 2] = 0
    bodies[40:140, 200:290, 2] = 255
    labels = label_cells(nuclei, bodies, mode)[1]
    assert labels[52, 65] == labels[90, 80] == 1
    assert not labels[:, 180:].any()


@pytest.mark.parametrize("mode", MODES)
def test_a_cell_that_another_surrounds_joins_it(mode):
    nuclei, bodies = predictions((300, 300), [(150, 150)], nucleus=120, cell=135)
    nuclei[60:240, 60:240] = 0
    nuclei[120:180, 120:180, 2] = 255
    found = label_cells(nuclei, bodies, mode)
    assert found[1].max() == 1
    assert found[0][150, 150] == found[0][40, 150] == 1


def test_threads_do_not_disturb_each_other():
    given = [
        predictions((160, 200 + 20 * n), [(70, 70), (70, 130 + 10 * n)][: n + 1]) for n in range(2)
    ]
    expected = [label_cells(*pair, "fast")[1] for pair in given]
    assert [labels.max() for labels in expected] == [1, 2]
    found = {}

    def work(n):
        found[n] = [label_cells(*given[n % 2], "fast")[1] for _ in range(3)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(4):
        assert all(np.array_equal(labels, expected[n % 2]) for labels in found[n])


@pytest.mark.parametrize(
    ("shape", "value", "dtype", "words"),
    [
        ((8, 8), 0, np.uint8, r"shape \(Y, X, 3\); found \(8, 8\)"),
        ((8, 8, 2), 0, np.uint8, r"shape \(Y, X, 3\); found \(8, 8, 2\)"),
        ((0, 8, 3), 0, np.uint8, r"found \(0, 8, 3\)"),
        ((8, 8, 3), 0, np.int32, "uint8 or floats; found int32"),
        ((8, 8, 3), 2.0, np.float32, r"in \[0, 1\]; found 2 to 2"),
        ((8, 8, 3), np.nan, np.float32, r"in \[0, 1\]; found nan"),
    ],
)
def test_what_is_no_prediction_is_refused(shape, value, dtype, words):
    fine = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(InputError, match=f"nuclei.*{words}"):
        label_cells(np.full(shape, value, dtype), fine)
    with pytest.raises(InputError, match=f"cells.*{words}"):
        label_cells(fine, np.full(shape, value, dtype))


def test_predictions_of_two_shapes_and_unknown_modes_are_refused():
    small, large = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)
    with pytest.raises(InputError, match=r"one shape; found nuclei \(8, 8, 3\), cells \(8, 9, 3\)"):
        label_cells(small, large)
    with pytest.raises(SettingsError, match="exact or fast; found 'quick'"):
        label_cells(small, small, "quick")
