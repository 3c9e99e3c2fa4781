from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from organelle_widgets.errors import InputError
from organelle_widgets.io import read_mask

LABELS = np.repeat(np.arange(200), 10).reshape(40, 50)


@pytest.mark.parametrize(
    ("ending", "dtype"),
    [
        (".png", "uint8"),
        (".png", "uint16"),
        (".tif", "uint8"),
        (".tif", "uint16"),
        (".tif", "uint32"),
        (".tif", "int32"),
    ],
)
def test_label_images(tmp_path, ending, dtype):
    path = tmp_path / f"a_cellmask{ending}"
    iio.imwrite(path, LABELS.astype(dtype))
    mask = read_mask(str(path))
    assert mask.dtype == np.int32
    assert np.array_equal(mask, LABELS)


@pytest.mark.parametrize(
    ("name", "pixels", "match"),
    [
        ("a.png", np.ones((40, 50, 3), np.uint8), "found a colour image"),
        ("a.tif", np.ones((40, 50), np.float32), "found dtype float32"),
        ("a.tif", np.full((40, 50), -1, np.int32), "found -1 to -1"),
        ("a.tif", np.full((40, 50), 2**31, np.uint32), "found 2147483648"),
        ("a.tif", np.ones((5, 40, 50), np.uint16), "found 5 planes"),
        ("a.jpg", np.ones((40, 50), np.uint8), "found a JPEG"),
    ],
)
def test_what_is_no_label_image(tmp_path, name, pixels, match):
    path = tmp_path / name
    if name.endswith("tif"):
        tifffile.imwrite(path, pixels, photometric="minisblack")
    else:
        iio.imwrite(path, pixels)
    with pytest.raises(InputError, match=match) as caught:
        read_mask(path)
    assert caught.value.source == str(path)


def test_missing(tmp_path):
    with pytest.raises(InputError, match="found nothing at this path"):
        read_mask(tmp_path / "nowhere.png")


@pytest.mark.data
def test_real_masks(data):
    small = read_mask(data / "cell_masks" / "441_B12_2_mask.png")
    large = read_mask(data / "formats" / "1000_A12_2_cellmask.png")
    assert small.ndim == 2
    assert small.max() > 0
    assert large.shape == (2048, 2048)
    assert 1 < len(np.unique(large)) < 200
