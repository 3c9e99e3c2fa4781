"""Our side of InstanSeg: what it is given, and what becomes of what it finds.

InstanSeg itself is replaced by a STAND-IN of the same calls that labels bright regions: nothing here says how well
the real network segments.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.errors import BackendUnavailableError, SegmentationError, WeightsError
from organelle_widgets.evaluation.matching import match_labels
from organelle_widgets.segmentation import instanseg as backend
from organelle_widgets.segmentation import make_segmenter

STAND_IN = """
# A stand-in: the signatures of instanseg.InstanSeg in versions 0.1.0 to 0.1.2.
import numpy as np
import torch
from scipy import ndimage as ndi

MADE, SEEN, FAIL, OFFLINE = [], [], [], []


class InstanSeg:
    def __init__(self, model_type="brightfield_nuclei", device=None, image_reader="auto", verbosity=1):
        if OFFLINE:
            raise OFFLINE[0]
        MADE.append((model_type, verbosity))

    def eval_small_image(self, image, pixel_size=None, normalise=True, return_image_tensor=True,
                         target="all_outputs", rescale_output=True, **kwargs):
        if FAIL:
            raise FAIL[0]
        assert not return_image_tensor
        assert np.argmin(image.shape) == 0, "the real one takes the shortest axis for the channels"
        SEEN.append((image.copy(), pixel_size))
        nuclei, _ = ndi.label(ndi.gaussian_filter(image[0], 1) > 0.5)
        cells, n = ndi.label(ndi.gaussian_filter(image.mean(0), 1) > 0.25)
        cells = np.where(cells > 0, n + 1 - cells, 0)
        return torch.tensor(np.stack([nuclei, cells])[None], dtype=torch.float32)
"""


@pytest.fixture(autouse=True)
def fresh():
    """No network kept from another test."""
    backend._load.cache_clear()
    yield
    backend._load.cache_clear()


@pytest.fixture
def stand_in(install):
    """The stand-in's module with its records of calls."""
    return install("instanseg", "instanseg-torch", "0.1.2", {"__init__.py": STAND_IN})


def test_the_network_sees_nuclei_microtubules_and_er(stand_in, disc_field):
    make_segmenter("instanseg").segment(dataclasses.replace(disc_field, pixel_size_um=0.5))
    image, pixel_size_um = stand_in.SEEN[0]
    assert pixel_size_um == 0.5
    assert (image.shape, image.dtype) == ((3, 160, 240), np.float32)
    for plane, key in zip(image, ("blue", "red", "yellow"), strict=True):
        assert np.corrcoef(plane.ravel(), disc_field.channel(key).ravel())[0, 1] > 0.999
    assert stand_in.MADE == [("fluorescence_nuclei_and_cells", 0)]


@pytest.mark.parametrize(
    ("missing", "seen"),
    [
        (["red"], ["blue", "yellow"]),
        (["yellow"], ["blue", "red"]),
        (["red", "yellow"], ["blue", "green"]),
    ],
)
def test_missing_stains_are_left_out(stand_in, disc_field, missing, seen):
    field = dataclasses.replace(disc_field.without(*missing), pixel_size_um=0.5)
    make_segmenter("instanseg").segment(field)
    image = stand_in.SEEN[0][0]
    assert len(image) == len(seen)
    for plane, key in zip(image, seen, strict=True):
        assert np.corrcoef(plane.ravel(), disc_field.channel(key).ravel())[0, 1] > 0.999


def test_a_fine_field_is_shrunk_and_its_cells_come_back_in_place(stand_in, disc_field, disc_masks):
    fine = np.ones((4, 4), np.uint8)
    field = dataclasses.replace(
        disc_field, pixels=np.kron(disc_field.pixels, fine), pixel_size_um=0.08
    )
    masks = make_segmenter("instanseg").segment(field)
    image, pixel_size_um = stand_in.SEEN[0]
    assert image.shape == (3, 102, 154)  # 640 x 960 px of 0.08 um at 0.5 um
    assert pixel_size_um == pytest.approx(0.5)
    for found, true in ((masks.cells, disc_masks.cells), (masks.nuclei, disc_masks.nuclei)):
        assert match_labels(np.kron(true, fine), found).average_precision[0.75] == 1
    inside = masks.nuclei > 0
    assert np.array_equal(masks.cells[inside], masks.nuclei[inside])


@pytest.mark.parametrize(("pixel_size_um", "told"), [(0.65, 0.65), (5.0, 2.0)])
def test_a_coarse_field_keeps_its_pixels_within_reason(stand_in, disc_field, pixel_size_um, told):
    field = dataclasses.replace(disc_field, pixel_size_um=pixel_size_um)
    make_segmenter("instanseg").segment(field)
    assert stand_in.SEEN[0][0].shape == (3, 160, 240)
    assert stand_in.SEEN[0][1] == told


@pytest.mark.parametrize("shape", [(1, 1), (2, 90), (70, 3)])
def test_a_small_field_is_filled_up_to_what_the_network_needs(stand_in, shape):
    pixels = np.random.default_rng(0).integers(0, 255, (4, *shape), np.uint8)
    assert make_segmenter("instanseg").segment(Field(pixels, pixel_size_um=0.5)).shape == shape
    for image, _ in stand_in.SEEN:
        assert min(image.shape[1:]) >= 64


def test_small_things_are_dropped(stand_in, disc_field):
    masks = make_segmenter("instanseg", min_nucleus_area_um2=50).segment(disc_field)
    assert (masks.n_cells, np.unique(masks.nuclei).size) == (3, 3)  # the cut nucleus has 40 um2
    masks = make_segmenter("instanseg", min_cell_area_um2=200).segment(disc_field)
    assert (masks.n_cells, np.unique(masks.nuclei).size) == (2, 3)


@pytest.mark.parametrize(
    "error", [OSError("Failed to resolve"), RuntimeError("PytorchStreamReader failed")]
)
def test_a_model_that_can_not_be_had_says_what_to_fetch(stand_in, disc_field, error):
    stand_in.OFFLINE.append(error)
    with pytest.raises(WeightsError, match=f"fetched or loaded: {error}") as caught:
        make_segmenter("instanseg").segment(disc_field)
    assert "github.com/instanseg/instanseg/releases" in str(caught.value)
    stand_in.OFFLINE.clear()
    assert make_segmenter("instanseg").segment(disc_field).n_cells == 3


def test_a_failing_network_is_a_segmentation_error(stand_in, disc_field):
    stand_in.FAIL.append(RuntimeError("out of memory"))
    with pytest.raises(SegmentationError, match="labels from InstanSeg; found an error: out of"):
        make_segmenter("instanseg").segment(disc_field)


def test_the_network_is_loaded_once_and_an_empty_field_needs_none(stand_in, disc_field):
    segmenter = make_segmenter("instanseg")
    empty = Field(np.full((4, 50, 60), 9, np.uint8), pixel_size_um=0.32)
    assert segmenter.segment(empty).n_cells == 0
    assert stand_in.MADE == []
    segmenter.segment(disc_field)
    segmenter.segment(disc_field)
    assert len(stand_in.MADE) == 1


def test_provenance_tells_version_and_model(stand_in):
    provenance = make_segmenter("instanseg").provenance()
    assert provenance["package"] == "instanseg-torch 0.1.2"
    assert provenance["model"] == "fluorescence_nuclei_and_cells"


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("organelle_widgets.registry.find_spec", lambda name: None)
    with pytest.raises(BackendUnavailableError, match="pip install instanseg-torch"):
        make_segmenter("instanseg")


def test_the_contract_holds_with_the_stand_in(stand_in):
    contract = Path(__file__).with_name("test_contract.py")
    words = [str(contract), "-k", "[instanseg", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        env={**os.environ, "PYTHONPATH": str(Path(stand_in.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]
