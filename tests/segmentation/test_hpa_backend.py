"""The backend as a whole, with stand-ins in the place of the published weights and of the original program."""

import dataclasses
import importlib
import pickle
import sys
import threading

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.errors import (
    BackendUnavailableError,
    SegmentationError,
    SettingsError,
    WeightsError,
)
from organelle_widgets.evaluation.matching import match_labels
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.segmentation.hpa import Hpa

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch, of TorchScript

FILES = {
    "hpa-nuclei": ("dpn_unet_nuclei_v1.pth", (0, 0, 1)),
    "hpa-cells": ("dpn_unet_cell_3ch_v1.pth", (0.5, 0.5, 0.3)),
    "hpa-cells-no-er": ("dpn_unet_cell_v2.pth", (1, 0, 0.3)),
}


class Sees(torch.nn.Module):
    """A network without weights: what is brighter than 0.2 in a mixture of its planes is body."""

    def __init__(self, mixture):
        super().__init__()
        self.mixture = mixture

    def forward(self, x):
        means = (124 / 255, 117 / 255, 104 / 255)
        planes = (x[:, n] / (0.0167 * 255) + means[n] for n in range(3))
        body = sum(plane * share for plane, share in zip(planes, self.mixture, strict=True))
        body = (body - 0.2) * 60
        return torch.stack([torch.zeros_like(body), torch.full_like(body, -9.0), body], dim=1)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """Every stand-in network as a TorchScript file."""
    folder = tmp_path_factory.mktemp("networks")
    for name, (file, mixture) in FILES.items():
        torch.jit.trace(Sees(mixture), torch.zeros(1, 3, 32, 32)).save(str(folder / file))
        assert (folder / file).is_file(), name
    return folder


@pytest.fixture
def cache(scripts, tmp_path, monkeypatch):
    """A cache that holds the weights; files can be taken away."""
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", str(tmp_path))
    for file, _ in FILES.values():
        (tmp_path / file).write_bytes((scripts / file).read_bytes())
    return tmp_path


@pytest.mark.parametrize("labelling", ["fast", "exact"])
@pytest.mark.parametrize("factor", [1, 2])
def test_the_discs_are_found(cache, disc_field, disc_masks, labelling, factor):
    fine = np.ones((factor, factor), np.uint8)
    field = dataclasses.replace(
        disc_field, pixels=np.kron(disc_field.pixels, fine), pixel_size_um=0.32 / factor
    )
    masks = make_segmenter("hpa", labelling=labelling).segment(field)
    for true, found in ((disc_masks.cells, masks.cells), (disc_masks.nuclei, masks.nuclei)):
        match = match_labels(np.kron(true, fine), found)
        assert match.n_true == match.n_found == len(match.pairs)
        assert match.mean_iou > 0.85


def test_maps_are_kept_at_the_networks_pixel_size(cache, disc_field, disc_masks):
    maps = Hpa().predict(disc_field)
    assert maps.names == ("nucleus border", "nucleus", "cell border", "cell")
    assert maps.values.shape == (4, 160, 240)
    assert maps.shape == disc_field.shape
    middle = maps.values[:, 60, 60]
    assert (middle[[0, 2]] < 10).all()
    assert (middle[[1, 3]] > 245).all()
    assert maps.values[:, 5, 120].max() < 10


def test_thresholds_and_sizes_need_no_network(cache, disc_field):
    plain = Hpa()
    maps = plain.predict(disc_field)
    assert plain.label(disc_field, maps).n_cells == 3
    for setting in ({"min_cell_area_um2": 4000}, {"min_nucleus_area_um2": 300}):
        changed = Hpa(**setting)
        assert changed.made_by == plain.made_by
        assert changed.label(disc_field, maps).n_cells == 0
    with pytest.raises(SegmentationError, match="made by"):
        Hpa(precision="bfloat16").label(disc_field, maps)


def test_higher_thresholds_make_smaller_outlines(cache, disc_field):
    blurred = np.stack([np.clip(np.hypot(*np.mgrid[-80:80, -120:120]) * 3, 0, 255)] * 4)
    field = Field((255 - blurred).astype(np.uint8), pixel_size_um=0.32)
    maps = Hpa().predict(field)
    area = [
        [np.count_nonzero(plane) for plane in (masks.nuclei, masks.cells)]
        for masks in (
            Hpa(nucleus_threshold=n, cell_threshold=c).label(field, maps)
            for n, c in ((0.4, 0.5), (0.9, 0.5), (0.4, 0.9))
        )
    ]
    assert area[1][0] < area[0][0]
    assert area[2][1] < area[0][1]


@pytest.mark.parametrize("missing", [("red",), ("yellow",), ("red", "yellow")])
def test_without_a_stain_the_network_for_fewer_is_asked(
    cache, disc_field, disc_masks, missing, caplog
):
    (cache / FILES["hpa-cells"][0]).unlink()
    masks = Hpa().segment(disc_field.without(*missing))
    if missing != ("red", "yellow"):
        assert match_labels(disc_masks.cells, masks.cells).mean_iou > 0.85
    assert ("microtubules" in caplog.text) == ("red" in missing)
    with pytest.raises(WeightsError, match="hpa-cells"):
        Hpa().segment(disc_field)


@pytest.mark.parametrize("name", FILES)
def test_missing_weights_are_said_with_the_way_to_get_them(cache, disc_field, name):
    (cache / FILES[name][0]).unlink()
    field = disc_field.without("yellow") if name == "hpa-cells-no-er" else disc_field
    with pytest.raises(WeightsError, match=f"models download {name}") as caught:
        Hpa().segment(field)
    assert caught.value.step == "segmentation"


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 129)])
@pytest.mark.parametrize("labelling", ["fast", "exact"])
@pytest.mark.parametrize("pixel_size_um", [0.065, 0.08, 0.5])
def test_any_shape_and_pixel_size(cache, shape, labelling, pixel_size_um):
    pixels = np.random.default_rng(0).integers(0, 256, (4, *shape), np.uint8)
    field = Field(pixels, pixel_size_um=pixel_size_um)
    assert Hpa(labelling).segment(field).shape == shape


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_kind_of_pixels_gives_the_same_cells(cache, disc_field, dtype):
    expected = Hpa().segment(disc_field).cells
    scale = {np.uint8: 1, np.uint16: 257, np.float32: np.float32(1 / 255)}[dtype]
    pixels = (disc_field.pixels.astype(dtype) * scale).astype(dtype)
    found = Hpa().segment(dataclasses.replace(disc_field, pixels=pixels)).cells
    assert match_labels(expected, found).average_precision[0.9] == 1


def test_an_empty_field_has_no_cells(cache):
    assert Hpa().segment(Field(np.zeros((4, 200, 300), np.uint8))).n_cells == 0


def test_threads_share_networks_and_get_the_same_cells(cache, disc_field):
    expected = Hpa().segment(disc_field).cells
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(Hpa().segment(disc_field).cells))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert all(np.array_equal(cells, expected) for cells in found)


def test_probabilities_of_exported_networks_are_taken_as_they_are(cache, disc_field):
    class Softened(Sees):
        def forward(self, x):
            return super().forward(x).softmax(1)

    expected = Hpa().predict(disc_field).values
    file, mixture = FILES["hpa-nuclei"]
    torch.jit.trace(Softened(mixture), torch.zeros(1, 3, 32, 32)).save(str(cache / file))
    (cache / "checksums.json").unlink()
    assert np.abs(Hpa().predict(disc_field).values.astype(int) - expected).max() <= 1


def test_provenance_has_the_checksums_of_what_is_here(cache, monkeypatch, tmp_path):
    weights = Hpa().provenance()["weights"]
    assert sorted(weights) == sorted(FILES)
    assert all(len(value) == 64 for value in weights.values())
    before = Hpa().made_by
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", str(tmp_path / "empty"))
    assert Hpa().provenance()["weights"] == {}
    assert Hpa().made_by != before


def test_it_travels_and_refuses_unknown_words():
    assert pickle.loads(pickle.dumps(Hpa("exact"))) == Hpa("exact")
    with pytest.raises(SettingsError, match="labelling: expected one of fast, exact; found 'best'"):
        Hpa("best")
    with pytest.raises(SettingsError, match="engine: expected one of own, upstream"):
        Hpa(engine="other")


PROGRAM = """
import cv2
import numpy as np
import torch
from skimage import transform

class CellSegmentator:
    def __init__(self, nuclei_model, cell_model, scale_factor, device, padding, multi_channel_model):
        self.models = nuclei_model, cell_model
        self.scale, self.er = scale_factor, multi_channel_model

    def _run(self, model, image):
        image = transform.rescale(image, self.scale, multichannel=True)
        image = (image - np.array([124, 117, 104]) / 255) * (0.0167 * 255)
        with torch.no_grad():
            out = model(torch.tensor(image.transpose(2, 0, 1)[None]).float()).softmax(1)[0]
        return [np.rint(out.numpy().transpose(1, 2, 0) * 255).astype(np.uint8)]

    def pred_nuclei(self, images):
        return self._run(self.models[0], images[0])

    def pred_cells(self, images):
        first, er, nuclei = images
        if (er is not None) != self.er:
            raise ValueError("er")
        er = er[0] if er else np.zeros_like(first[0])
        return self._run(self.models[1], np.dstack([first[0], er, nuclei[0]]))
"""
UTILS = """
from scipy import ndimage as ndi
from skimage.morphology import remove_small_holes, remove_small_objects

def label_cell(nuclei, cells):
    if nuclei.max() == 0:
        raise TypeError("nothing to see")
    body = remove_small_holes(remove_small_objects(cells[..., 2] > 100, 5500), 1000)
    labels = ndi.label(body)[0].astype("uint16")
    return labels * (nuclei[..., 2] > 100), labels
"""


@pytest.fixture
def upstream(tmp_path_factory, monkeypatch):
    """A program that is called like the original and uses libraries in the same outdated ways."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "hpacellseg").mkdir()
    for name, text in {"__init__": "", "cellsegmentator": PROGRAM, "utils": UTILS}.items():
        (folder / "hpacellseg" / f"{name}.py").write_text(text)
    (folder / "cv2.py").write_text("")
    monkeypatch.syspath_prepend(str(folder))
    yield
    for name in [n for n in sys.modules if n == "cv2" or n.startswith("hpacellseg")]:
        del sys.modules[name]


@pytest.mark.parametrize("missing", [(), ("yellow",)])
def test_the_original_program_is_asked_and_left_as_it_was(
    cache, upstream, disc_field, disc_masks, missing
):
    field = disc_field.without(*missing) if missing else disc_field
    segmenter = make_segmenter("hpa", engine="upstream")
    maps = segmenter.predict(field)
    assert maps.made_by != Hpa().made_by
    assert np.abs(maps.values.astype(int) - Hpa().predict(field).values).max() <= 1
    masks = segmenter.label(field, maps)
    assert match_labels(disc_masks.cells, masks.cells).mean_iou > 0.85
    program, utils = (
        importlib.import_module(f"hpacellseg.{name}") for name in ("cellsegmentator", "utils")
    )
    assert program.transform.__name__ == "skimage.transform"
    assert utils.remove_small_objects.__module__.startswith("skimage")


def test_what_the_original_program_raises_is_told(cache, upstream):
    field = Field(np.zeros((4, 64, 96), np.uint8), pixel_size_um=0.32)
    with pytest.raises(SegmentationError, match=r"hpacellseg failed: TypeError: nothing to see"):
        Hpa(engine="upstream").segment(field)


def test_an_original_program_that_is_not_there_is_said(cache, disc_field, monkeypatch):
    monkeypatch.setattr("organelle_widgets.segmentation._hpa_upstream.find_spec", lambda name: None)
    with pytest.raises(BackendUnavailableError, match=r"needs hpacellseg, cv2.*HPA-Cell-Segment"):
        Hpa(engine="upstream").segment(disc_field)
