"""What every segmentation backend must do; a new file in the folder is tested without touching this one.

Every field here comes as from a folder, with a label image of its cells beside its channels: a backend that takes
cells from files must do what the others do.
"""

import dataclasses
import pickle
import tempfile
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from scipy import ndimage as ndi

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.settings import describe_settings
from organelle_widgets.errors import WeightsError
from organelle_widgets.segmentation import SEGMENTERS, Segmenter, make_segmenter


def segment(segmenter: Segmenter, field: Field) -> Masks:
    with tempfile.TemporaryDirectory() as folder:
        cells, _ = ndi.label(field.channel("nuclei") > field.full_scale / 4)
        iio.imwrite(Path(folder, f"{field.name}_cellmask.png"), cells.astype(np.uint16))
        sources = {key: str(Path(folder, f"{field.name}_{key}.png")) for key in field.present}
        try:
            return segmenter.segment(dataclasses.replace(field, sources=sources))
        except WeightsError as error:
            pytest.skip(f"needs downloaded weights: {error}")


@pytest.fixture(params=SEGMENTERS.names())
def segmenter(request) -> Segmenter:
    entry = SEGMENTERS.get(request.param)
    if entry.missing:
        pytest.skip(f"{request.param} needs {', '.join(entry.missing)}: {entry.install}")
    return make_segmenter(request.param)


def test_masks_fit_the_field_and_ids_agree(segmenter, disc_field):
    masks = segment(segmenter, disc_field)
    assert masks.shape == disc_field.shape
    assert masks.nuclei.dtype == masks.cells.dtype == np.int32
    inside = masks.nuclei > 0
    assert np.array_equal(masks.cells[inside], masks.nuclei[inside])


def test_the_answer_is_always_the_same(segmenter, disc_field):
    first, second = segment(segmenter, disc_field), segment(segmenter, disc_field)
    assert np.array_equal(first.cells, second.cells)
    assert np.array_equal(first.nuclei, second.nuclei)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_empty_field_has_no_cells(segmenter, dtype):
    masks = segment(segmenter, Field(np.zeros((4, 96, 160), dtype), pixel_size_um=0.32))
    assert masks.shape == (96, 160)
    assert masks.n_cells == 0


@pytest.mark.parametrize("shape", [(130, 70), (64, 201)])
def test_non_square_fields_are_not_transposed(segmenter, disc_field, shape):
    field = dataclasses.replace(disc_field, pixels=disc_field.pixels[:, : shape[0], : shape[1]])
    assert segment(segmenter, field).shape == field.shape


@pytest.mark.parametrize("missing", [{"red"}, {"yellow"}, {"red", "yellow"}])
def test_missing_channels_are_no_error(segmenter, disc_field, missing):
    pixels = disc_field.pixels.copy()
    pixels[[{"red": 0, "yellow": 3}[key] for key in missing]] = 0
    field = dataclasses.replace(disc_field, pixels=pixels, missing=frozenset(missing))
    assert segment(segmenter, field).shape == field.shape


def test_the_field_is_left_as_it_was(segmenter, disc_field):
    before = disc_field.pixels.copy()
    segment(segmenter, disc_field)
    assert np.array_equal(disc_field.pixels, before)


def test_segmenters_travel_to_workers(segmenter):
    assert pickle.loads(pickle.dumps(segmenter)) == segmenter


def test_every_setting_is_explained(segmenter):
    for spec in describe_settings(segmenter):
        assert spec.label, spec.name
        assert spec.help.endswith("."), spec.name


def test_provenance_names_the_backend_and_its_settings(segmenter):
    provenance = segmenter.provenance()
    assert provenance["name"] in SEGMENTERS.names()
    assert set(provenance["settings"]) == {spec.name for spec in describe_settings(segmenter)}
