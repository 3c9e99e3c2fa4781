"""From a field's pixels to coarser ones and back: brightness, place and area are kept."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.segmentation._scale import drop_small, enlarge, resample, shrink

SHAPE = (330, 250)
DISCS = {1: (80.0, 70.0, 40.0), 2: (230.5, 150.0, 55.0), 3: (90.0, 200.0, 25.0)}
"""Row, column and radius of discs in a field of `SHAPE`, whole pixels of the field."""


def disc_labels(shape, ratio):
    """The discs on pixels `ratio` times as wide, whose edges are aligned at row 0 and column 0."""
    rows, cols = (((np.arange(n) + 0.5) * ratio - 0.5) for n in shape)
    labels = np.zeros(shape, np.int32)
    for label, (row, col, radius) in DISCS.items():
        labels[np.hypot(rows[:, None] - row, cols[None] - col) < radius] = label
    return labels


def coarse_discs(ratio):
    """The discs as a backend sees them: on the pixels that `resample` makes."""
    fine = disc_labels(SHAPE, 1)
    shares = [resample((fine == label).astype(np.float32), ratio) for label in DISCS]
    return sum((share > 0.5) * np.int32(label) for label, share in zip(DISCS, shares, strict=True))


def test_shrink_averages_squares_and_repeats_the_edge():
    plane = np.arange(15, dtype=np.uint8).reshape(3, 5)
    assert shrink(plane, 2).tolist() == [[3, 5, 6.5], [10.5, 12.5, 14]]
    assert np.array_equal(shrink(plane, 1), plane)


@pytest.mark.parametrize("ratio", [0.5, 0.7, 1.0, 1.5, 1.99, 2.0, 3.0, 4.0, 4.0625, 6.25])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_mean_is_kept_and_the_shape_fits_the_ratio(ratio, dtype):
    rng = np.random.default_rng(5)
    plane = (rng.random(SHAPE) * 200 + np.linspace(0, 50, SHAPE[1])).astype(dtype)
    out = resample(plane, ratio)
    assert out.dtype == np.float32
    assert out.mean() == pytest.approx(plane.mean(), rel=0.01)
    for size, full in zip(out.shape, SHAPE, strict=True):
        assert size * ratio == pytest.approx(full, abs=ratio + 0.02 * full)


@pytest.mark.parametrize("ratio", [1.5, 2.0, 2.7, 4.0, 6.25])
def test_a_whole_ratio_is_a_plain_mean_and_noise_is_averaged_by_all(ratio):
    noise = np.random.default_rng(1).normal(100, 10, SHAPE).astype(np.float32)
    out = resample(noise, ratio)
    assert out.std() < 10 / int(ratio) + 0.5
    if ratio == int(ratio):
        assert np.array_equal(out, shrink(noise, int(ratio)))


@pytest.mark.parametrize("ratio", [0.5, 1.5, 2.0, 2.7, 4.0, 6.25])
def test_what_is_in_a_place_stays_there(ratio):
    plane = (disc_labels(SHAPE, 1) == 2).astype(np.float32)
    out = resample(plane, ratio)
    for axis, centre in ((0, 230.5), (1, 150.0)):
        weights = out.sum(axis=1 - axis)
        place = (np.average(np.arange(out.shape[axis]), weights=weights) + 0.5) * ratio - 0.5
        assert place == pytest.approx(centre, abs=0.1)


@pytest.mark.parametrize("ratio", [1.5, 2.0, 2.7, 3.0, 4.0, 4.05, 5.0, 6.25])
def test_discs_come_back_with_their_area_and_place(ratio):
    true = disc_labels(SHAPE, 1)
    found = enlarge(coarse_discs(ratio), ratio, SHAPE)
    assert (found.shape, found.dtype) == (SHAPE, np.int32)
    assert np.unique(found).tolist() == [0, 1, 2, 3]
    for label, (row, col, radius) in DISCS.items():
        rows, cols = np.nonzero(found == label)
        assert rows.size == pytest.approx(np.pi * radius**2, rel=0.03 + ratio / radius / 3)
        assert (rows.mean(), cols.mean()) == pytest.approx((row, col), abs=0.6)
        overlap = np.count_nonzero((found == label) & (true == label))
        assert overlap / np.count_nonzero((found == label) | (true == label)) > 0.85


@pytest.mark.parametrize("ratio", [4.0, 6.25])
def test_borders_do_not_follow_the_coarse_pixels(ratio):
    found = enlarge(coarse_discs(ratio), ratio, SHAPE)
    edge = np.nonzero(found == 2)[0].min() + np.arange(4)
    widths = np.count_nonzero(found[edge] == 2, axis=1)
    assert np.unique(widths).size > 2


@pytest.mark.parametrize("ratio", [2.7, 6.25])
def test_the_far_edge_is_as_true_as_the_near_one(ratio):
    plane = np.zeros((2047, 64), np.float32)
    plane[1900:2000] = 1
    out = resample(plane, ratio)[:, 0]
    place = (np.average(np.arange(out.size), weights=out) + 0.5) * ratio - 0.5
    assert place == pytest.approx(1949.5, abs=0.3)
    back = enlarge(
        (np.tile(out, (20, 1)).T > 0.5).astype(np.int32), ratio, (2047, round(20 * ratio))
    )
    assert np.nonzero(back[:, 5])[0].mean() == pytest.approx(1949.5, abs=ratio / 2)


@pytest.mark.parametrize("factor", [1, 2, 7, 50, 51, 99, 320])
def test_every_whole_ratio_is_taken_as_it_is(factor):
    plane = np.arange(6 * factor * 9 * factor, dtype=np.float32).reshape(6 * factor, 9 * factor)
    assert np.array_equal(resample(plane, float(factor)), shrink(plane, factor))
    labels = np.kron([[1, 1, 0], [2, 0, 0]], np.ones((3, 3))).astype(np.int32)
    found = enlarge(labels, float(factor), plane.shape)
    middle = slice(3 * factor // 2, None, 3 * factor)
    assert found[middle, middle].tolist() == [[1, 1, 0], [2, 0, 0]]


def test_touching_labels_stay_in_touch():
    coarse = np.zeros((20, 30), np.int32)
    coarse[4:16, 5:15], coarse[4:16, 15:25] = 1, 2
    found = enlarge(coarse, 3.0, (60, 90))
    assert (found[20:40, 44] == 1).all()
    assert (found[20:40, 45] == 2).all()
    assert (found[20:40, 18:72] > 0).all()


@pytest.mark.parametrize("shape", [(61, 90), (62, 89)])
def test_sizes_that_are_no_multiple_of_the_ratio_do_not_shift_anything(shape):
    true = np.zeros(shape, np.int32)
    true[30:45, 51:75] = 1
    coarse = (shrink(true, 3) > 0.5).astype(np.int32)
    rows, cols = np.nonzero(enlarge(coarse, 3.0, shape))
    assert (rows.mean(), cols.mean()) == pytest.approx((37, 62.5), abs=0.2)


@pytest.mark.parametrize(("size", "ratio"), [(501, 3.7), (503, 32 / 9), (75, 32.5), (77, 0.64)])
def test_labels_reach_the_last_row_and_column_where_the_ratio_does_not_divide_the_size(size, ratio):
    coarse = np.ones(resample(np.zeros((size, size), np.uint8), ratio).shape, np.int32)
    assert (enlarge(coarse, ratio, (size, size)) == 1).all()


def test_a_ratio_of_one_changes_nothing():
    labels = disc_labels(SHAPE, 1)
    assert np.array_equal(enlarge(labels, 1.0, SHAPE), labels)


def test_labels_of_finer_pixels_come_back_too():
    fine = disc_labels((660, 500), 0.5)
    found = enlarge(fine, 0.5, SHAPE)
    assert np.count_nonzero(found != disc_labels(SHAPE, 1)) < 0.01 * found.size


def test_small_labels_go_and_the_rest_is_numbered_anew():
    labels = np.array([[7, 7, 0, 3], [7, 0, 0, 9], [0, 0, 9, 9]], np.int32)
    assert drop_small(labels, 2).tolist() == [[1, 1, 0, 0], [1, 0, 0, 2], [0, 0, 2, 2]]
    assert drop_small(labels, 0).max() == 3
    assert not drop_small(labels, 4).any()
    assert not drop_small(np.zeros((3, 3), np.int32), 0).any()
