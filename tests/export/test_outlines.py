"""Exact and simplified outlines of labels, held against shapely."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import shapely
from scipy.ndimage import gaussian_filter
from shapely.geometry import MultiPolygon, Polygon

from organelle_widgets.export._outlines import outlines, ring_area
from organelle_widgets.export._simplify import simplified


def geometry(parts):
    return MultiPolygon([Polygon(part.exterior, part.holes) for part in parts])


def filled(shape, parts):
    """The pixels whose centres lie in the polygons."""
    rows, cols = np.mgrid[: shape[0], : shape[1]] + 0.5
    return shapely.contains_xy(geometry(parts), cols, rows)


def check(labels):
    found = outlines(labels)
    assert list(found) == [i for i in np.unique(labels).tolist() if i]
    for label, parts in found.items():
        assert geometry(parts).is_valid, shapely.is_valid_reason(geometry(parts))
        assert sum(part.area_px for part in parts) == (labels == label).sum()
        assert (filled(labels.shape, parts) == (labels == label)).all()
    return found


def test_one_pixel_has_its_corners_at_whole_numbers():
    labels = np.zeros((3, 5), np.int32)
    labels[1, 3] = 7
    (part,) = outlines(labels)[7]
    assert sorted(part.exterior.tolist()) == [[3, 1], [3, 2], [4, 1], [4, 2]]
    assert part.holes == ()
    assert ring_area(part.exterior) == 1


def test_no_labels_no_outlines():
    assert outlines(np.zeros((4, 3), np.int32)) == {}


def test_a_rectangle_has_four_corners():
    labels = np.zeros((9, 9), np.int32)
    labels[2:8, 1:4] = 70_000
    (part,) = outlines(labels)[70_000]
    assert len(part.exterior) == 4
    assert part.area_px == 18


def test_a_label_that_fills_the_image():
    (part,) = check(np.ones((3, 4), np.int32))[1]
    assert part.exterior.min(axis=0).tolist() == [0, 0]
    assert part.exterior.max(axis=0).tolist() == [4, 3]


@pytest.mark.parametrize(
    ("rows", "n_parts", "n_holes"),
    [
        (["10", "01"], 2, 0),  # corners only: two parts
        (["111", "101", "111"], 1, 1),
        (["111", "101", "110"], 1, 1),  # the hole touches the outside at a corner
        (["1111", "1011", "1101", "1111"], 1, 2),  # two holes that touch at a corner
        (["11111", "10001", "10101", "10001", "11111"], 2, 1),  # an island in the hole
        (["11110", "10010", "10101", "11011", "00111"], 3, 0),
    ],
)
def test_corners_holes_and_parts(rows, n_parts, n_holes):
    labels = np.array([[int(letter) for letter in row] for row in rows], np.int32)
    parts = check(labels)[1]
    assert len(parts) == n_parts
    assert sum(len(part.holes) for part in parts) == n_holes
    assert parts[0].area_px == max(part.area_px for part in parts)


def test_noise_gives_valid_polygons_of_the_right_pixels():
    rng = np.random.default_rng(0)
    for _ in range(60):
        shape = rng.integers(1, 14, 2)
        check(rng.integers(0, rng.integers(2, 4), shape).astype(np.int32) * 5)


def test_rings_run_as_geojson_asks(disc_masks):
    for parts in outlines(disc_masks.cells).values():
        assert all(shapely.LinearRing(part.exterior).is_ccw for part in parts)
    ring = np.pad(np.zeros((1, 1), np.int32), 1, constant_values=1)
    assert ring_area(outlines(ring)[1][0].holes[0]) == -1


def test_zero_is_exact(disc_masks):
    parts = outlines(disc_masks.cells)[2]
    assert simplified(parts, 0) is parts


def test_simple_outlines_are_near_and_valid():
    rng = np.random.default_rng(1)
    changed = 0
    for _ in range(60):
        noise = gaussian_filter(rng.normal(size=rng.integers(5, 40, 2)), rng.uniform(0.5, 2))
        for parts in outlines((noise > 0).astype(np.int32)).values():
            tolerance = rng.uniform(0.5, 5)
            fewer = simplified(parts, tolerance)
            changed += fewer is not parts
            assert geometry(fewer).is_valid, shapely.is_valid_reason(geometry(fewer))
            away = shapely.hausdorff_distance(geometry(fewer).boundary, geometry(parts).boundary)
            assert away <= tolerance + 1e-9
    assert changed > 20


def test_a_disc_gets_fewer_corners(disc_masks):
    parts = outlines(disc_masks.cells)[2]
    (fewer,) = simplified(parts, 1.5)
    assert len(fewer.exterior) < len(parts[0].exterior) / 4
    assert fewer.area_px == pytest.approx(parts[0].area_px, rel=0.03)


def test_a_thin_ring_keeps_its_hole():
    labels = np.ones((30, 30), np.int32)
    labels[1:-1, 1:-1] = 0
    (part,) = simplified(outlines(labels)[1], 10)
    assert geometry((part,)).area == 900 - 28**2


def test_what_touches_itself_at_a_corner_stays_exact():
    labels = np.zeros((60, 60), np.int32)
    labels[np.hypot(*(np.mgrid[:60, :60] - 20)) < 12] = 1
    assert len(simplified(outlines(labels)[1], 2)[0].exterior) < len(
        outlines(labels)[1][0].exterior
    )
    labels[32:40, 21:30] = 1
    labels[40:50, 30:40] = 1  # a corner beside a corner
    parts = outlines(labels)[1]
    assert len(parts) > 1
    assert simplified(parts, 2) is parts


@pytest.mark.data
def test_real_cells(data):
    path = sorted(data.glob("fields/*_cellmask.png"))[0]
    labels = iio.imread(path).astype(np.int32)
    found = outlines(labels)
    sizes = np.bincount(labels.ravel())
    for label, parts in found.items():
        assert geometry(parts).is_valid
        assert geometry(parts).area == sizes[label]
