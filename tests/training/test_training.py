"""Training in seconds: cells to learn from, changes that keep the answer, a loss that falls, files that load."""

from __future__ import annotations

import shutil

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.classification import CropRule
from organelle_widgets.core.labels import NEGATIVE
from organelle_widgets.errors import InputError
from organelle_widgets.synthetic import virtual_field, write_sample
from organelle_widgets.training.augment import augment
from organelle_widgets.training.data import (
    Cells,
    cut_cells,
    draw_classes,
    join_cells,
    simulated_cells,
    varied_cells,
)
from organelle_widgets.training.mixture import Mixture
from organelle_widgets.training.real import labelled_fields

RULE = CropRule(32, 1.28)


@pytest.fixture(scope="module")
def cells():
    drawn = virtual_field((256, 256), seed=5, pixel_size_um=0.32, classes=("NP", "CY"))
    return cut_cells(drawn.field, drawn.masks, drawn.labels, RULE)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, n_fields=4, seed=1, shape=(200, 200), pixel_size_um=0.32)
    return folder


def test_cut_cells_carry_labels_and_parts(cells):
    assert cells.crops.dtype == np.uint8
    assert cells.truth[:, [0, 16]].all()
    assert cells.truth.sum() == 2 * len(cells)
    cell, nucleus = cells.parts[:, 0], cells.parts[:, 1]
    assert not (nucleus & ~cell).any()
    blue = cells.crops[:, 2].astype(float)
    assert blue[nucleus].mean() > 3 * blue[cell & ~nucleus].mean()


def test_joined_cells_keep_their_fields_apart(cells):
    both = join_cells([cells, cells])
    assert len(np.unique(both.source)) == 2
    np.testing.assert_allclose(both.share.sum(), 1)


def test_all_fields_are_drawn_equally_often(cells):
    source = np.array([0, 0, 0, 1], np.int32)
    some = Cells(cells.crops[:4], cells.parts[:4], cells.truth[:4], source)
    np.testing.assert_allclose(some.share, [1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_drawn_classes_cover_all_19_and_negative_stands_alone():
    rng = np.random.default_rng(0)
    drawn = [draw_classes(rng) for _ in range(600)]
    assert {c for classes in drawn for c in classes} == set(range(19))
    assert all(classes == (NEGATIVE,) for classes in drawn if NEGATIVE in classes)
    assert 0.2 < np.mean([len(classes) == 2 for classes in drawn]) < 0.5


def test_simulated_cells_stay_inside_their_cell_and_are_reproducible(cells):
    made = simulated_cells(cells, 12, np.random.default_rng(0), RULE.pixel_size_um)
    again = simulated_cells(cells, 12, np.random.default_rng(0), RULE.pixel_size_um)
    np.testing.assert_array_equal(made.crops, again.crops)
    assert not made.crops.max(axis=1)[~made.parts[:, 0]].any()
    assert not (made.parts[:, 1] & ~made.parts[:, 0]).any()
    assert (made.truth.sum(axis=1) >= 1).all()
    assert (made.crops[:, 2].max(axis=(1, 2)) > 0).all()


def test_faint_simulated_cells_are_the_negative_ones(cells):
    made = simulated_cells(cells, 120, np.random.default_rng(3), RULE.pixel_size_um)
    negative = made.truth[:, NEGATIVE] > 0
    level = np.percentile(made.crops[:, 1], 99.5, axis=(1, 2))
    assert 0 < negative.sum() < 40
    assert np.median(level[negative]) < 0.4 * np.median(level[~negative])


def test_varied_cells_keep_labels_and_fields_and_missing_channels(cells):
    bare = Cells(
        cells.crops * np.array([1, 1, 1, 0], np.uint8)[:, None, None],
        cells.parts,
        cells.truth,
        cells.source,
    )
    made = varied_cells(bare, 30, np.random.default_rng(0))
    assert not made.crops[:, 3].any()
    assert not made.crops.max(axis=1)[~made.parts[:, 0]].any()
    for truth, source in zip(made.truth, made.source, strict=True):
        assert (truth == cells.truth[cells.source == source]).all(axis=1).any()
    assert len({crop.tobytes() for crop in made.crops}) == 30


def test_augmenting_keeps_the_background_black_and_the_range(cells):
    crops = cells.crops
    changed = augment(crops, np.random.default_rng(0))
    assert changed.shape == crops.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    area, area_before = ((a.max(axis=1) > 0).sum() for a in (changed, crops))
    assert 0.8 * area_before < area <= area_before
    np.testing.assert_array_equal(changed, augment(crops, np.random.default_rng(0)))
    assert np.abs(changed - augment(crops, np.random.default_rng(1))).max() > 0.1


def test_channels_drop_out_now_and_then_but_never_protein_and_nuclei(cells):
    crops = np.repeat(cells.crops[:1], 200, axis=0)
    gone = ~augment(crops, np.random.default_rng(0)).any(axis=(2, 3))
    assert gone[:, 0].any()
    assert gone[:, 3].sum() > gone[:, 0].sum()
    assert not gone[:, [1, 2]].any()


def test_a_mixture_softens_weak_labels_only(cells):
    mixture = Mixture({"weak": cells, "exact": cells}, (0.5, 0.5), (0.9, 1.0))
    crops, truth, weights = mixture.draw(40, np.random.default_rng(0))
    np.testing.assert_array_equal(weights, np.ones(40))
    assert crops.shape == (40, 4, 32, 32)
    expected = {round(v, 5) for v in (0.9, 0.1 / 18, 1.0, 0.0)}
    assert {round(float(v), 5) for v in np.unique(truth)} == expected


def test_held_out_fields_are_not_learnt(sample):
    every = {name for name, _, _ in labelled_fields(sample, lambda name: True)}
    assert len(every) == 4
    one = min(every)
    rest = {name for name, _, _ in labelled_fields(sample, lambda name: name != one)}
    assert rest == every - {one}


def test_cells_without_nuclei_get_no_simulated_protein(cells):
    bare = Cells(cells.crops, np.zeros_like(cells.parts), cells.truth, cells.source)
    with pytest.raises(InputError, match=f"cells with a nucleus .* none among {len(cells)} cells"):
        simulated_cells(bare, 2, np.random.default_rng(0), 1.28)


@pytest.fixture
def pictures(sample, tmp_path):
    """The folder of a sample with one colour picture beside it, whose corner holds a scale bar."""
    shutil.copytree(sample, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "composites_rgb"
    folder.mkdir()
    picture = np.zeros((100, 120, 3), np.uint8)
    picture[20:60, 20:60] = (0, 90, 60)
    picture[92:95, 100:115] = 255
    iio.imwrite(folder / "drawn.png", picture)
    (folder / "composites.csv").write_text("file,labels\ndrawn.png,0|16\n")
    return tmp_path


def test_colour_pictures_are_read_without_their_scale_bar(pictures):
    found = list(labelled_fields(pictures, lambda name: name == "drawn"))
    assert [(name, labels) for name, labels, _ in found] == [("drawn", (0, 16))]
    field = found[0][2]()
    assert field.missing == {"red", "yellow"}
    assert field.shape == (100, 120)
    assert field.pixels[:, 90:, 96:].max() == 0
    assert field.pixels[:, 30, 30].tolist() == [0, 90, 60, 0]


def test_a_table_of_pictures_without_its_columns_is_refused(pictures):
    (pictures / "composites_rgb" / "composites.csv").write_text("name,labels\ndrawn.png,0\n")
    with pytest.raises(InputError, match="columns file and labels; found name, labels"):
        list(labelled_fields(pictures, lambda name: True))


def test_a_damaged_picture_is_refused(pictures):
    (pictures / "composites_rgb" / "drawn.png").write_bytes(b"no picture")
    (read,) = [read for _, _, read in labelled_fields(pictures, lambda name: name == "drawn")]
    with pytest.raises(InputError, match="Expected an image"):
        read()
