"""Label images from files: which file, whose labels, and what is refused in words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.evaluation.matching import match_labels
from organelle_widgets.evaluation.segmentation import evaluate_segmentation
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.segmentation.from_masks import FromMasks


@pytest.fixture
def field(disc_field: Field, tmp_path: Path) -> Field:
    """The discs, as if read from files in a folder of its own."""
    sources = {key: str(tmp_path / f"discs_{key}.png") for key in disc_field.present}
    return dataclasses.replace(disc_field, sources=sources)


def test_cells_beside_the_files_keep_their_ids(
    field: Field, disc_masks: Masks, tmp_path: Path
) -> None:
    iio.imwrite(tmp_path / "discs_cellmask.png", disc_masks.cells.astype(np.uint16))
    masks = FromMasks().segment(field)
    assert np.array_equal(masks.cells, disc_masks.cells)


def test_without_a_file_of_nuclei_they_are_found_in_their_stain(
    field: Field, disc_masks: Masks, tmp_path: Path
) -> None:
    iio.imwrite(tmp_path / "discs_cellmask.png", disc_masks.cells.astype(np.uint16))
    masks = FromMasks().segment(field)
    assert match_labels(disc_masks.nuclei, masks.nuclei).average_precision[0.75] == 1
    assert np.unique(masks.nuclei).tolist() == [0, 2, 5, 9]


def test_nuclei_of_other_ids_are_paired_and_the_rest_is_dropped(
    field: Field, disc_masks: Masks, tmp_path: Path
) -> None:
    renumbered = np.select([disc_masks.nuclei == i for i in (2, 5, 9)], [30, 10, 20])
    renumbered[:6, :6] = 40  # outside every cell
    tifffile.imwrite(tmp_path / "discs_c.tif", disc_masks.cells)
    tifffile.imwrite(tmp_path / "discs_n.tif", renumbered.astype(np.uint8))
    masks = FromMasks(cells="{name}_c.tif", nuclei="{name}_n.tif").segment(field)
    assert np.array_equal(masks.nuclei, disc_masks.nuclei)


def test_a_folder_may_be_given(field: Field, disc_masks: Masks, tmp_path: Path) -> None:
    (tmp_path / "b" / "sub").mkdir(parents=True)
    iio.imwrite(tmp_path / "b" / "sub" / "discs.png", disc_masks.cells.astype(np.uint8))
    segmenter = make_segmenter("from_masks", cells="sub/{name}.png", folder=tmp_path / "b")
    in_memory = dataclasses.replace(field, sources={}, name="plate 1/discs")
    assert segmenter.segment(in_memory).n_cells == 3
    assert segmenter.provenance()["folder"] == str(tmp_path / "b")
    assert "folder" not in FromMasks().provenance()


def test_labels_beyond_the_number_of_pixels_are_renumbered(
    field: Field, disc_masks: Masks, tmp_path: Path
) -> None:
    tifffile.imwrite(tmp_path / "discs_cellmask.tif", disc_masks.cells * 1_000_000)
    masks = FromMasks(cells="{name}_cellmask.tif").segment(field)
    assert masks.cell_ids.tolist() == [1, 2, 3]


def test_a_missing_file_is_named(field: Field, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"label image at .*discs_cellmask\.png; found no file"):
        FromMasks().segment(field)


def test_a_field_without_files_says_what_is_needed(disc_field: Field) -> None:
    with pytest.raises(
        InputError, match=r"read from files, .*or give the folder of the label images"
    ):
        FromMasks().segment(disc_field)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((80, 240), np.uint8), r"shape \(160, 240\); found \(80, 240\)"),
        (np.zeros((240, 160), np.uint8), r"found \(240, 160\).*not resized"),
        (np.full((160, 240, 3), [200, 10, 30]), "a colour image"),
    ],
)
def test_what_can_be_no_labels_of_the_field_is_refused(
    field: Field, tmp_path: Path, image: np.ndarray, said: str
) -> None:
    iio.imwrite(tmp_path / "discs_cellmask.png", image.astype(np.uint8))
    with pytest.raises(InputError, match=said):
        FromMasks().segment(field)


@pytest.mark.parametrize("value", [1, 255])
def test_a_mask_of_all_cells_together_is_refused(
    field: Field, disc_masks: Masks, tmp_path: Path, value: int
) -> None:
    iio.imwrite(
        tmp_path / "discs_cellmask.png", np.uint8(value) * (disc_masks.cells > 0).astype(np.uint8)
    )
    with pytest.raises(InputError, match=rf"found 0 and {value} only, in 3 .*measure\.label"):
        FromMasks().segment(field)


def test_one_cell_with_crumbs_is_one_cell(field: Field, disc_masks: Masks, tmp_path: Path) -> None:
    lone = (disc_masks.cells == 2).astype(np.uint8)
    lone[150:153, 3:6] = 1
    iio.imwrite(tmp_path / "discs_cellmask.png", lone)
    assert FromMasks().segment(field).n_cells == 1


@pytest.mark.parametrize("name", ["/etc/{name}.png", "../{name}.png", "a/../../b.png", "C:\\x.png"])
def test_file_names_stay_below_the_folder(name: str) -> None:
    with pytest.raises(SettingsError, match="nuclei: expected a file name below the folder"):
        FromMasks(nuclei=name)


def test_a_field_name_can_not_lead_out_of_the_folder(field: Field) -> None:
    sly = dataclasses.replace(field, name="..")
    with pytest.raises(InputError, match=r"below the folder .*; found '\.\./x\.png'"):
        FromMasks(cells="{name}/x.png").segment(sly)


@pytest.mark.parametrize(
    ("cells", "said"), [("", "found an empty text"), ("{id}.png", "no braces but {name}")]
)
def test_file_names_that_mean_nothing_are_refused(cells: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        FromMasks(cells=cells)


@pytest.mark.data
def test_published_masks_agree_with_themselves(data: Path) -> None:
    scores = evaluate_segmentation(data, segmenter="from_masks", folders=["fields"])
    assert len(scores["fields"]) == 5
    assert scores["mean"]["ap90"] == scores["mean"]["mean_iou"] == 1
