"""The embedded U-Net: it finds cells, its maps answer to settings, and damaged weights are refused in words."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.errors import SettingsError, WeightsError
from organelle_widgets.evaluation.matching import match_labels
from organelle_widgets.segmentation import _unet_weights
from organelle_widgets.segmentation._unet_input import input_ratio, network_input, normalise
from organelle_widgets.segmentation._unet_labels import (
    join_lobes,
    join_specks,
    outline_cells,
    outline_nuclei,
)
from organelle_widgets.segmentation.unet import MAP_NAMES, UNET_WEIGHTS, UNet
from organelle_widgets.synthetic import virtual_field


@pytest.fixture(scope="module")
def virtual():
    return virtual_field((320, 400), seed=11, pixel_size_um=0.32)


@pytest.mark.parametrize("missing", [(), ("red",), ("yellow",)])
def test_virtual_cells_are_found(virtual, missing):
    masks = UNet().segment(virtual.field.without(*missing))
    assert match_labels(virtual.masks.cells, masks.cells).f1 >= 0.8
    assert match_labels(virtual.masks.nuclei, masks.nuclei).f1 >= 0.8


@pytest.mark.parametrize("pixel_size_um", [0.16, 0.11, 0.5])
def test_any_pixel_size_gives_about_the_same_cells(pixel_size_um):
    drawn = virtual_field((384, 330), seed=4, pixel_size_um=pixel_size_um)
    masks = UNet().segment(drawn.field)
    assert masks.shape == drawn.field.shape
    assert match_labels(drawn.masks.cells, masks.cells).f1 >= 0.7


def test_without_any_cytoplasm_each_nucleus_gets_a_rim(virtual):
    pixels = virtual.field.pixels.copy()
    pixels[[0, 1, 3]] = 0
    field = Field(pixels, "nuclei", 0.32, "given", frozenset({"red", "yellow"}))
    masks = UNet().segment(field)
    areas = [np.bincount(labels.ravel())[1:] for labels in (masks.nuclei, masks.cells)]
    assert match_labels(virtual.masks.nuclei, masks.nuclei).f1 >= 0.8
    assert (areas[1] > 1.2 * areas[0]).mean() > 0.9


def test_settings_answer_from_kept_maps(virtual, monkeypatch):
    maps = UNet().predict(virtual.field)
    assert maps.names == MAP_NAMES
    monkeypatch.setattr("organelle_widgets.segmentation.unet.run_network", None)
    wide = UNet(cell_threshold=0.1).label(virtual.field, maps)
    narrow = UNet(cell_threshold=0.9).label(virtual.field, maps)
    few = UNet(min_cell_area_um2=5000).label(virtual.field, maps)
    assert (wide.cells > 0).sum() > (narrow.cells > 0).sum()
    assert few.n_cells == 0 < wide.n_cells


def test_small_nuclei_can_be_dropped(virtual):
    maps = UNet().predict(virtual.field)
    areas = np.bincount(UNet().label(virtual.field, maps).nuclei.ravel())[1:] * 0.32**2
    limit = float(np.median(areas[areas > 0]))
    kept = UNet(min_nucleus_area_um2=limit).label(virtual.field, maps)
    assert 0 < kept.n_cells < (areas > 0).sum()


def test_tiles_agree_with_the_whole(virtual, monkeypatch):
    network, image = _unet_weights.load_network(UNET_WEIGHTS), network_input(virtual.field)
    whole = _unet_weights.run_network(network, image)
    monkeypatch.setattr(_unet_weights, "_TILE", 96)
    monkeypatch.setattr(_unet_weights, "_MARGIN", 96)
    tiled = _unet_weights.run_network(network, image)
    assert np.mean((whole > 127) == (tiled > 127)) > 0.995


def test_folding_batch_norms_changes_nothing():
    import torch

    from organelle_widgets.segmentation._networks.small_unet import SmallUNet

    torch.manual_seed(0)
    network = SmallUNet(widths=(8, 12)).train()
    image = torch.rand(2, 3, 32, 48)
    network(image)  # batch norms get statistics of their own
    network.eval()
    with torch.inference_mode():
        before = network(image)
        after = network.fused()(image)
    assert before.shape == (2, 4, 32, 48)
    assert torch.allclose(before, after, atol=1e-4)


def test_the_weights_are_small_and_those_of_their_card():
    network = _unet_weights.load_network(UNET_WEIGHTS)
    assert sum(p.numel() for p in network.parameters()) <= 3_000_000
    assert UNET_WEIGHTS.stat().st_size <= 12e6
    card = json.loads(UNET_WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))
    assert UNet().provenance()["weights"]["sha256"] == card["sha256"]
    assert {"images", "licence", "limits", "split", "training", "scores"} <= set(card)


@pytest.fixture
def copied(tmp_path):
    for suffix in (".safetensors", ".json"):
        shutil.copy(UNET_WEIGHTS.with_suffix(suffix), tmp_path)
    return tmp_path / UNET_WEIGHTS.name


def test_damaged_weights_are_refused(copied, virtual):
    copied.write_bytes(copied.read_bytes()[:-7])
    with pytest.raises(WeightsError, match="sha256 that their card states"):
        UNet(weights=str(copied)).segment(virtual.field)


@pytest.mark.parametrize("widths", [[8, 16], [], "abc", 5, [8, -1]])
def test_weights_of_another_network_are_refused(copied, virtual, widths):
    card = copied.with_suffix(".json")
    words = json.loads(card.read_text(encoding="utf-8")) | {"widths": widths}
    card.write_text(json.dumps(words), encoding="utf-8")
    with pytest.raises(WeightsError, match="don't fit"):
        UNet(weights=str(copied)).segment(virtual.field)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"sha256": "x"}'])
def test_a_missing_or_broken_card_is_told(copied, virtual, content):
    card = copied.with_suffix(".json")
    card.unlink() if content is None else card.write_text(content, encoding="utf-8")
    with pytest.raises(WeightsError, match=r"model card unet\.json"):
        UNet(weights=str(copied)).segment(virtual.field)


def test_missing_weights_are_told(copied, virtual):
    copied.unlink()
    with pytest.raises(WeightsError, match=r"Expected the weights unet\.safetensors"):
        UNet(weights=str(copied)).segment(virtual.field)


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingsError, match=r"cell_threshold: expected 0\.05 to 0\.95; found 2"):
        UNet(cell_threshold=2)


def test_normalised_planes_do_not_depend_on_gain():
    plane = np.random.default_rng(0).gamma(2, 20, (64, 64)).astype(np.float32)
    assert np.allclose(normalise(plane), normalise(plane * 7 + 3), atol=1e-4)
    assert not normalise(np.full((8, 8), 9, np.uint8)).any()


def test_the_protein_stands_in_where_no_marker_shows_cytoplasm(virtual):
    blind = network_input(virtual.field.without("red", "yellow"))
    assert np.array_equal(blind[0], normalise(virtual.field.channel("green")))
    assert not blind[2].any()


@pytest.mark.parametrize("grey", [0, 7])
def test_stains_that_are_there_but_flat_count_as_missing(virtual, grey):
    pixels = virtual.field.pixels.copy()
    pixels[[0, 3]] = grey
    flat = dataclasses.replace(virtual.field, pixels=pixels)
    assert np.array_equal(
        network_input(flat), network_input(virtual.field.without("red", "yellow"))
    )
    pixels[1] = grey
    masks = UNet().segment(dataclasses.replace(virtual.field, pixels=pixels))
    pixels[[0, 1, 3]] = 0
    bare = UNet().segment(dataclasses.replace(virtual.field, pixels=pixels))
    assert masks.n_cells > 0
    assert np.array_equal(masks.cells, bare.cells)


def test_touching_nuclei_are_parted_at_their_depth():
    rows, cols = np.mgrid[:40, :60]
    depth = np.maximum(0, 1 - np.hypot(rows - 20, cols - 20) / 12)
    depth = np.maximum(depth, 1 - np.hypot(rows - 20, cols - 40) / 12).astype(np.float32)
    labels = outline_nuclei((depth > 0).astype(np.float32), depth, threshold=0.5, smallest=20)
    assert labels.max() == 2
    assert labels[20, 20] != labels[20, 40]


def test_a_nucleus_whose_depth_was_not_seen_is_kept():
    nucleus = np.zeros((30, 30), np.float32)
    nucleus[10:20, 10:20] = 1
    labels = outline_nuclei(nucleus, np.zeros_like(nucleus), threshold=0.5, smallest=20)
    assert (labels == 1).sum() == 100


def test_lobes_of_one_nucleus_are_joined_and_nuclei_of_two_cells_are_not():
    nuclei = np.zeros((20, 60), np.int32)
    nuclei[5:15, 5:15], nuclei[5:15, 15:25] = 1, 2
    nuclei[5:15, 30:40], nuclei[5:15, 40:50] = 3, 4
    nuclei[5:15, 52:58] = 5
    border = np.zeros((20, 60), np.float32)
    border[:, 39:41] = 0.8
    joined = join_lobes(nuclei, border)
    assert joined[10, [10, 20, 35, 45, 55]].tolist() == [1, 1, 2, 3, 4]
    assert np.array_equal(joined > 0, nuclei > 0)
    assert not join_lobes(np.zeros((4, 4), np.int32), border[:4, :4]).any()


def test_a_speck_goes_to_one_neighbour_and_never_makes_two_cells_one():
    cells, nuclei = np.zeros((40, 60), np.int32), np.zeros((40, 60), np.int32)
    cells[:, :29], cells[:, 29:], cells[10:14, 27:31] = 1, 2, 3
    nuclei[15:25, 5:15], nuclei[15:25, 45:55], nuclei[11:13, 28:30] = 1, 2, 3
    border = np.zeros(cells.shape, np.float32)
    border[:, 26:32], border[6:18, 20:27], border[6:18, 27:38] = 0.9, 0.2, 0.1
    found = join_specks(cells, nuclei, border)
    assert np.unique(found).tolist() == [1, 2]
    assert found[20, 10] != found[20, 50] == found[12, 29]


def test_an_assumed_pixel_size_that_nuclei_speak_against_is_not_believed(virtual):
    stated = UNet().segment(virtual.field)
    wrong = dataclasses.replace(virtual.field, pixel_size_um=0.08, pixel_size_source="assumed")
    assumed = UNet().segment(wrong)
    assert match_labels(stated.cells, assumed.cells).f1 >= 0.8
    held_to = dataclasses.replace(wrong, pixel_size_source="given")
    assert match_labels(stated.cells, UNet().segment(held_to).cells).f1 < 0.7


def test_cells_stop_at_the_line_between_them():
    cell, border = np.ones((20, 41), np.float32), np.zeros((20, 41), np.float32)
    border[:, 29:32] = 0.9
    nuclei = np.zeros((20, 41), np.int32)
    nuclei[8:12, 4:8], nuclei[8:12, 34:38] = 1, 2
    labels = outline_cells(cell, border, nuclei, threshold=0.5, um=0.32)
    assert (labels[:, :29] == 1).all()
    assert (labels[:, 32:] == 2).all()
    assert (labels > 0).all()


def test_cytoplasm_behind_a_line_without_a_nucleus_is_nobodys():
    cell, border = np.ones((20, 60), np.float32), np.zeros((20, 60), np.float32)
    border[:, 29:32] = 0.9
    nuclei = np.zeros((20, 60), np.int32)
    nuclei[8:12, 4:8] = 1
    labels = outline_cells(cell, border, nuclei, threshold=0.5, um=0.32)
    assert (labels[:, :29] == 1).all()
    assert not labels[:, 32:].any()


@pytest.mark.data
def test_cells_of_the_official_masks_are_found(data):
    from organelle_widgets.evaluation.segmentation import evaluate_segmentation

    scores = evaluate_segmentation(data, segmenter="unet")["mean"]
    assert scores["ap50"] >= 0.85
    assert scores["ap75"] >= 0.6


def test_fields_larger_than_a_tile_are_whole(virtual, monkeypatch):
    monkeypatch.setattr(_unet_weights, "_TILE", 128)
    monkeypatch.setattr(_unet_weights, "_MARGIN", 64)
    pixels = np.tile(virtual.field.pixels, (1, 2, 1))
    masks = UNet().segment(dataclasses.replace(virtual.field, pixels=pixels))
    upper, lower = (masks.cells[s] > 0 for s in (slice(100, 220), slice(420, 540)))
    assert np.mean(upper == lower) > 0.98


def test_a_single_small_cell_on_black_is_found():
    rows, cols = np.mgrid[:1024, :1024]
    distance = np.hypot(rows - 500, cols - 500)
    pixels = np.zeros((4, 1024, 1024), np.uint8)
    pixels[[0, 1, 3]] = np.where(distance < 40, 90, 0)
    pixels[2] = np.where(distance < 18, 150, 0)
    masks = UNet().segment(Field(pixels, "one", 0.32, "given"))
    assert masks.n_cells == 1
    assert masks.cells[500, 500]


@pytest.mark.parametrize(
    ("um", "shape", "ratio"),
    [
        (0.08, (2048, 2048), 4),
        (0.64, (2048, 2048), 0.5),
        (1.6, (2048, 2048), 0.5),
        (1.6, (512, 512), 0.25),
        (0.64, (9000, 9000), 1),
    ],
)
def test_fields_are_enlarged_only_as_far_as_memory_allows(um, shape, ratio):
    assert input_ratio(um, shape) == pytest.approx(ratio)
