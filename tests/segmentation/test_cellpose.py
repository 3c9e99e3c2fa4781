"""Our side of Cellpose: what it is given, and what becomes of what it finds.

Cellpose itself is replaced by a STAND-IN of the same calls that labels bright regions: nothing here says how well the
real network segments.
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
from organelle_widgets.segmentation import cellpose as backend
from organelle_widgets.segmentation import make_segmenter

STAND_IN = """
# A stand-in: the signatures of cellpose.models in versions 4.0.5 to 4.2.
import numpy as np
from scipy import ndimage as ndi

MADE, SEEN, FAIL = [], [], []


class CellposeModel:
    def __init__(self, gpu=False, pretrained_model="cpsam_v2", model_type=None, diam_mean=None, device=None,
                 nchan=None, use_bfloat16=True):
        MADE.append(pretrained_model)
        with open(pretrained_model, "rb") as file:
            if file.read() != b"good":
                raise RuntimeError("PytorchStreamReader failed")

    def eval(self, x, batch_size=8, resample=True, channels=None, channel_axis=None, z_axis=None, normalize=True,
             invert=False, rescale=None, diameter=None, flow_threshold=0.4, cellprob_threshold=0.0, do_3D=False,
             anisotropy=None, flow3D_smooth=0, stitch_threshold=0.0, min_size=15, max_size_fraction=0.4, niter=None,
             augment=False, tile_overlap=0.1, bsize=None, compute_masks=True, progress=None):
        if FAIL:
            raise FAIL[0]
        assert x.dtype == np.float32 and x.shape[channel_axis] == 3 and x.ndim == 3
        SEEN.append((x.copy(), flow_threshold, cellprob_threshold))
        labels, _ = ndi.label(ndi.gaussian_filter(x[..., 0], 1) > 0.3)
        x[:] = np.nan  # the real one may write into its input
        return labels.astype(np.uint16).squeeze(), [], np.zeros(256)
"""


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weight file for the stand-in."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "cpsam_v2").write_bytes(b"good")
    monkeypatch.setenv("CELLPOSE_LOCAL_MODELS_PATH", str(folder))
    backend._load.cache_clear()
    yield folder / "cpsam_v2"
    backend._load.cache_clear()


@pytest.fixture
def stand_in(install, weights):
    """The stand-in's module with its records of calls."""
    files = {"__init__.py": "from cellpose import models", "models.py": STAND_IN}
    return install("cellpose", "cellpose", "4.2.1.1", files).models


def test_the_first_run_sees_cytoplasm_and_nuclei_the_second_nuclei_alone(
    stand_in, disc_field, disc_masks
):
    make_segmenter("cellpose", work_um=0.32).segment(disc_field)
    (first, *_), (second, *_) = stand_in.SEEN
    assert np.array_equal(first[..., 1], second[..., 0])
    assert not first[..., 2].any()
    assert not second[..., 1:].any()
    nucleus, cytoplasm = disc_masks.nuclei > 0, (disc_masks.cells > 0) & (disc_masks.nuclei == 0)
    assert first[cytoplasm, 0].mean() > 0.8 > 0.6 > first[nucleus, 0].mean()
    assert second[nucleus, 0].mean() > 0.8 > 0.2 > second[cytoplasm, 0].mean()


def test_the_protein_is_seen_where_both_stains_of_whole_cells_are_missing(stand_in, disc_field):
    make_segmenter("cellpose", work_um=0.32).segment(disc_field.without("red", "yellow"))
    seen = stand_in.SEEN[0][0][..., 0]
    assert np.corrcoef(seen.ravel(), disc_field.channel("green").ravel())[0, 1] > 0.999


@pytest.mark.parametrize("missing", ["red", "yellow"])
def test_one_of_the_two_stains_is_enough(stand_in, disc_field, missing):
    other = {"red": "yellow", "yellow": "red"}[missing]
    make_segmenter("cellpose", work_um=0.32).segment(disc_field.without(missing))
    seen = stand_in.SEEN[0][0][..., 0]
    assert np.corrcoef(seen.ravel(), disc_field.channel(other).ravel())[0, 1] > 0.999


def test_a_fine_field_is_shrunk_and_its_cells_come_back_in_place(stand_in, disc_field, disc_masks):
    fine = np.ones((4, 4), np.uint8)
    field = dataclasses.replace(
        disc_field, pixels=np.kron(disc_field.pixels, fine), pixel_size_um=0.08
    )
    masks = make_segmenter("cellpose").segment(field)
    assert stand_in.SEEN[0][0].shape == (128, 192, 3)  # 640 x 960 px of 0.08 um at 0.4 um
    for found, true in ((masks.cells, disc_masks.cells), (masks.nuclei, disc_masks.nuclei)):
        assert match_labels(np.kron(true, fine), found).average_precision[0.75] == 1
    inside = masks.nuclei > 0
    assert np.array_equal(masks.cells[inside], masks.nuclei[inside])


def test_a_coarse_field_is_taken_as_it_is(stand_in, disc_field):
    field = dataclasses.replace(disc_field, pixel_size_um=0.65)
    assert make_segmenter("cellpose").segment(field).n_cells == 3
    assert stand_in.SEEN[0][0].shape == (160, 240, 3)


def test_settings_reach_the_network_and_small_things_are_dropped(stand_in, disc_field):
    segmenter = make_segmenter(
        "cellpose", flow_threshold=0.7, cell_threshold=-1.0, min_nucleus_area_um2=30
    )
    masks = segmenter.segment(disc_field)
    assert [call[1:] for call in stand_in.SEEN] == [(0.7, -1.0)] * 2
    assert np.unique(masks.nuclei).size == 4  # the nucleus that the border cuts has 40 um2
    larger = dataclasses.replace(segmenter, min_nucleus_area_um2=50, min_cell_area_um2=200)
    masks = larger.segment(disc_field)
    assert (masks.n_cells, np.unique(masks.nuclei).size) == (2, 3)


def test_the_network_is_loaded_once_and_an_empty_field_needs_none(stand_in, disc_field):
    segmenter = make_segmenter("cellpose")
    empty = Field(np.zeros((4, 50, 60), np.uint8), pixel_size_um=0.32)
    assert segmenter.segment(empty).n_cells == 0
    assert stand_in.MADE == []
    segmenter.segment(disc_field)
    segmenter.segment(disc_field)
    assert len(stand_in.MADE) == 1


def test_missing_weights_say_what_to_fetch_and_where_to_put_it(stand_in, weights, disc_field):
    weights.unlink()
    with pytest.raises(WeightsError, match=r"1\.2 GB\) at .*models.cpsam_v2") as caught:
        make_segmenter("cellpose").segment(disc_field)
    for words in ("huggingface.co/mouseland", "not for commercial", "CELLPOSE_LOCAL_MODELS_PATH"):
        assert words in str(caught.value)
    assert stand_in.MADE == []


def test_damaged_weights_are_said_to_be(stand_in, weights, disc_field):
    weights.write_bytes(b"cut")
    with pytest.raises(WeightsError, match=r"can't be loaded: PytorchStreamReader.*again"):
        make_segmenter("cellpose").segment(disc_field)


@pytest.mark.parametrize("version", ["3.1.1", "4.0.1", "4.0"])
def test_an_old_cellpose_is_refused(install, weights, disc_field, version):
    install("cellpose", "cellpose", version, {"__init__.py": "", "models.py": STAND_IN})
    with pytest.raises(
        BackendUnavailableError, match=rf"4\.0\.5 or newer; found version {version}"
    ):
        make_segmenter("cellpose").segment(disc_field)


def test_a_failing_network_is_a_segmentation_error(stand_in, disc_field):
    stand_in.FAIL.append(RuntimeError("out of memory"))
    with pytest.raises(SegmentationError, match=r"out of memory A larger pixel size") as caught:
        make_segmenter("cellpose").segment(disc_field)
    assert caught.value.source == "discs"


def test_provenance_tells_version_and_digest(stand_in, weights):
    provenance = make_segmenter("cellpose").provenance()
    assert provenance["package"] == "cellpose 4.2.1.1"
    assert provenance["weights_sha256"].startswith("770e607624d689265ca6c44884d0807d")
    weights.unlink()
    assert "weights_sha256" not in make_segmenter("cellpose").provenance()


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("organelle_widgets.registry.find_spec", lambda name: None)
    with pytest.raises(BackendUnavailableError, match=r'pip install "cellpose>=4\.0\.5"'):
        make_segmenter("cellpose")


def test_the_contract_holds_with_the_stand_in(stand_in, weights):
    contract = Path(__file__).with_name("test_contract.py")
    site = str(Path(stand_in.__file__).parents[1])
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            str(contract),
            "-k",
            "[cellpose",
            "-q",
            "-p",
            "no:cacheprovider",
        ],
        env={**os.environ, "PYTHONPATH": site},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]
