"""Scenes to learn segmentation from: they fit together, hold out what they should, and become honest batches."""

import csv

import imageio.v3 as iio
import numpy as np
import pytest
import torch

from organelle_widgets.core.field import Field
from organelle_widgets.errors import InputError
from organelle_widgets.io.nuclei_pictures import read_nuclei_pictures
from organelle_widgets.segmentation.watershed import Watershed
from organelle_widgets.training.layouts import composed_scenes, read_donors
from organelle_widgets.training.scene_batches import SceneMixture, change, crop, targets
from organelle_widgets.training.scenes import (
    make_scene,
    masked_scenes,
    nuclei_scenes,
    outlined_scenes,
    virtual_scenes,
)

COLUMNS = ("id", "folder", "height", "width", "pixel_size_um", "labels", "has_cellmask")


@pytest.fixture
def folder(tmp_path):
    """Two fields of two bright cells, the first with its mask."""
    labels = np.zeros((160, 200), np.uint16)
    labels[30:90, 20:80], labels[60:130, 110:170] = 1, 2
    inner = np.zeros_like(labels)
    inner[45:70, 35:60], inner[80:110, 130:155] = 1, 2
    stain = np.where(labels > 0, 120, 4).astype(np.uint8)
    (tmp_path / "few").mkdir()
    rows = []
    for name, masked in (("first", 1), ("second", 0)):
        for key in ("red", "green", "yellow"):
            iio.imwrite(tmp_path / "few" / f"{name}_{key}.png", stain)
        iio.imwrite(tmp_path / "few" / f"{name}_blue.png", np.where(inner > 0, 150, 3).astype("u1"))
        rows.append((name, "few", 160, 200, 0.32, "", masked))
    iio.imwrite(tmp_path / "few" / "first_cellmask.png", labels)
    with (tmp_path / "fields.csv").open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([COLUMNS, *rows])
    return tmp_path


@pytest.fixture
def scene():
    nuclei, cells = np.zeros((96, 120), int), np.zeros((96, 120), int)
    cells[20:60, 20:60], cells[20:60, 60:110] = 5, 9
    nuclei[30:50, 30:50], nuclei[30:50, 75:95] = 5, 9
    image = np.stack([cells > 0, nuclei > 0, cells > 0]).astype(np.float32) * 0.8
    return make_scene("two cells", image, nuclei, cells)


def test_fields_with_masks_keep_their_cells_and_can_be_left_out(folder):
    (found,) = masked_scenes(folder, [])
    assert found.name == "first"
    assert np.unique(found.cells).tolist() == [0, 1, 2]
    assert found.nuclei.max() == 2
    assert list(masked_scenes(folder, ["first"])) == []


def test_fields_without_masks_are_outlined_by_another_segmenter(folder):
    (found,) = outlined_scenes(folder, Watershed().segment, [])
    assert found.name == "second"
    assert found.cells.max() == 2
    assert list(outlined_scenes(folder, Watershed().segment, ["few"])) == []


def test_labels_of_a_coarse_field_have_the_size_of_its_picture(folder):
    table = folder / "fields.csv"
    table.write_text(table.read_text("utf-8").replace("0.32", "2.0"), encoding="utf-8")
    (found,) = masked_scenes(folder, [])
    assert found.nuclei.shape == found.cells.shape == found.image.shape[1:] == (640, 800)


def test_depth_is_greatest_in_the_middle_of_each_nucleus(scene):
    assert scene.centre.max() == 255
    assert scene.centre[40, 40] > scene.centre[32, 40] > 0
    assert not scene.centre[scene.nuclei == 0].any()


def test_every_tenth_picture_of_nuclei_is_never_learnt(tmp_path):
    place = tmp_path / "nuclei_dsb2018"
    labels = np.zeros((40, 40), np.uint16)
    labels[5:15, 5:15], labels[20:34, 20:34] = 1, 2
    names = [f"picture-{i:02d}" for i in range(21)]
    for part, image in (("images", np.where(labels, 90, 5).astype("u1")), ("labels", labels)):
        (place / part).mkdir(parents=True)
        for name in names:
            iio.imwrite(place / part / f"{name}.png", image)
    (place / "index.csv").write_text("\n".join(["id", *names[::-1]]) + "\n", encoding="utf-8")
    aside = {p.id for p in read_nuclei_pictures(place) if p.held_out}
    assert aside == {"picture-00", "picture-10", "picture-20"}
    scenes = list(nuclei_scenes(tmp_path))
    assert {s.name for s in scenes} == set(names) - aside
    assert all(s.cells is None and s.nuclei.max() == 2 for s in scenes)
    assert list(nuclei_scenes(tmp_path / "elsewhere")) == []


@pytest.mark.parametrize(("content", "words"), [(None, "found none"), ("name\n1\n", "column id")])
def test_an_unusable_index_of_nuclei_is_told(tmp_path, content, words):
    if content is not None:
        (tmp_path / "index.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_nuclei_pictures(tmp_path)


def test_virtual_scenes_come_from_their_seed():
    first, other = next(virtual_scenes(1, 5)), next(virtual_scenes(1, 6))
    assert np.array_equal(first.image, next(virtual_scenes(1, 5)).image)
    assert first.cells.max() > 2
    assert not np.array_equal(first.image, other.image)


def test_borders_are_where_two_cells_meet_and_nowhere_else(scene):
    planes = [torch.from_numpy(p.astype(np.float32))[None] for p in (scene.centre, scene.nuclei)]
    truth = targets(*planes, torch.from_numpy(scene.cells.astype(np.float32))[None])[0].numpy()
    border = truth[3] > 0
    assert border[40, 58:62].all()
    assert not border[:, :55].any()
    assert not border[:, 65:].any()
    assert np.array_equal(truth[2] > 0, scene.cells > 0)
    assert np.array_equal(truth[0] > 0, scene.nuclei > 0)


def test_crops_keep_image_and_truth_together(scene):
    rng = np.random.default_rng(0)
    for _ in range(8):
        planes = crop(scene, 96, rng).numpy()
        assert planes.shape == (6, 96, 96)
        assert set(np.unique(planes[5])) <= {0, 1, 2}
        bright = planes[0] > 0.4
        assert np.mean(bright == (planes[5] > 0)) > 0.97


def test_batches_come_from_their_seed_and_say_what_is_known(scene):
    nuclei_only = make_scene(
        "nuclei", np.zeros((3, 64, 64), np.float32), np.eye(64, dtype=int), None
    )
    mixture = SceneMixture({"a": [scene], "b": [nuclei_only], "c": []}, {"a": 1, "b": 1, "c": 1})
    batches = [mixture.draw(12, 64, np.random.default_rng(3)) for _ in range(2)]
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one, other)
    image, truth, known = batches[0]
    assert image.shape == (12, 3, 64, 64)
    assert truth.shape == (12, 4, 64, 64)
    assert known[:, :2].all()
    assert 0 < known[:, 2].sum() < 12
    assert torch.equal(known[:, 2], known[:, 3])


def test_changes_leave_finite_pictures_and_never_invent_a_stain():
    rng = np.random.default_rng(1)
    image = torch.rand(3, 64, 64)
    image[2] = 0
    for _ in range(40):
        changed = change(image.clone(), False, rng)
        assert torch.isfinite(changed).all()
        assert changed.min() >= 0
        assert not changed[2].any()


@pytest.mark.data
def test_real_cells_fill_real_layouts(data):
    donors = read_donors(data)
    assert len(donors) > 300
    composed = composed_scenes(data, donors, 0)
    scene = next(composed)
    lit = scene.image[[0, 2]].max(axis=0) > 40
    assert lit[scene.cells > 0].mean() > 0.8
    assert np.isin(np.unique(scene.nuclei[scene.nuclei > 0]), np.unique(scene.cells)).all()
    assert np.array_equal(next(composed_scenes(data, donors, 0)).image, scene.image)


def test_scenes_are_at_the_networks_pixel_size():
    pixels = np.zeros((4, 64, 80), np.uint8)
    field = Field(pixels, "fine", 0.08, "given")
    from organelle_widgets.training.scenes import _small

    assert _small(np.arange(64 * 80).reshape(64, 80), field).shape == (16, 20)
