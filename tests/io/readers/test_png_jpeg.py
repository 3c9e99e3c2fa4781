from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from organelle_widgets.io.readers import READERS, reader_for

DEEP = (np.arange(40 * 50 * 4).reshape(40, 50, 4) * 8).astype(np.uint16)


@pytest.mark.parametrize("samples", [3, 4])
def test_16_bit_colour_keeps_its_16_bit(tmp_path, samples):
    path = tmp_path / "deep.png"
    path.write_bytes(imagecodecs.png_encode(DEEP[..., :samples].copy()))
    reader = reader_for(path)
    assert reader.header(path).color
    assert len(reader.header(path).channels) == samples
    planes = reader.planes(path, (2, 0))
    assert planes.dtype == np.uint16
    assert np.array_equal(planes, np.moveaxis(DEEP[..., [2, 0]], -1, 0))


def test_16_bit_grey_with_transparency(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(imagecodecs.png_encode(DEEP[..., :2].copy()))
    reader = reader_for(path)
    assert reader.header(path).channels == ("",)
    assert np.array_equal(reader.planes(path, (0,))[0], DEEP[..., 0])


def test_content_decides_not_the_ending(tmp_path):
    path = tmp_path / "jpeg.png"
    Image.new("L", (50, 40), 9).save(path, format="JPEG")
    assert READERS.name_of(type(reader_for(path))) == "png_jpeg"
    assert reader_for(path).header(path).shape == (40, 50)


def test_pillow_limit_does_not_warn(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    Image.new("L", (50, 40), 9).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert reader_for(path).planes(path, (0,)).shape == (1, 40, 50)
