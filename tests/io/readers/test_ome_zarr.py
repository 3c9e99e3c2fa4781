from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from organelle_widgets.errors import InputError
from organelle_widgets.io import discover_fields, read_field

NAMES = ("DAPI", "ER", "Protein", "Tubulin")
ORDER = (2, 3, 1, 0)


@pytest.fixture
def write_zarr(tmp_path, planes):
    """Write an OME-Zarr as its specification says, version 0.4 or 0.5."""

    def write(
        name="a.ome.zarr",
        *,
        axes="cyx",
        pixels=None,
        version="0.5",
        scale=None,
        unit="micrometer",
        names=NAMES,
        **more,
    ):
        path = tmp_path / name
        pixels = planes[list(ORDER)] if pixels is None else pixels
        group = zarr.open_group(str(path), mode="w", zarr_format=2 if version == "0.4" else 3)
        group.create_array("0", data=pixels, chunks=(*(1,) * (pixels.ndim - 2), 32, 32))
        described = [
            {"name": a, "type": "space" if a in "zyx" else "channel"}
            | ({"unit": unit} if a in "zyx" and unit else {})
            for a in axes
        ]
        transform = {"type": "scale", "scale": scale or [1.0] * pixels.ndim}
        datasets = [{"path": "0", "coordinateTransformations": [transform]}]
        ome = {"multiscales": [{"axes": described, "datasets": datasets, "version": version}]}
        if names:
            ome["omero"] = {"channels": [{"label": label} for label in names]}
        ome |= more
        group.attrs.update(ome if version == "0.4" else {"ome": {"version": version, **ome}})
        return path

    return write


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_by_channel_names(write_zarr, planes, version):
    path = write_zarr(version=version, scale=[1.0, 0.16, 0.16])
    field = read_field(path)
    assert field.name == "a"
    assert np.array_equal(field.pixels, planes)
    assert (field.pixel_size_um, field.pixel_size_source) == (0.16, "metadata")
    assert field.notes == ()


@pytest.mark.parametrize("axes", ["tczyx", "czyx"])
def test_more_axes_of_size_one(write_zarr, planes, axes):
    shape = [4 if a == "c" else 48 if a == "y" else 64 if a == "x" else 1 for a in axes]
    path = write_zarr(axes=axes, pixels=planes[list(ORDER)].reshape(shape))
    assert np.array_equal(read_field(path).pixels, planes)


def test_columns_before_rows(write_zarr, planes):
    path = write_zarr(axes="cxy", pixels=planes[list(ORDER)].transpose(0, 2, 1))
    assert np.array_equal(read_field(path).pixels, planes)


@pytest.mark.filterwarnings("ignore:Call to deprecated class Scaler:DeprecationWarning")
def test_written_by_ome_zarr(tmp_path, planes):
    from ome_zarr.writer import write_image

    path = tmp_path / "w.zarr"
    write_image(planes, str(path), axes="cyx", scale_factors=[2])
    field = read_field(path, channels=dict(enumerate(("red", "green", "blue", "yellow"))))
    assert np.array_equal(field.pixels, planes)
    assert field.pixel_size_source == "assumed"


def test_by_number(write_zarr, planes):
    path = write_zarr(names=None)
    with pytest.raises(InputError, match="does not tell which of its planes"):
        read_field(path)
    field = read_field(path, channels={0: "blue", 1: "yellow", 2: "green", 3: "red"})
    assert np.array_equal(field.pixels, planes)


@pytest.mark.parametrize("unit", ["", "parsec"])
def test_scale_without_a_known_unit(write_zarr, unit):
    field = read_field(write_zarr(scale=[1.0, 0.16, 0.16], unit=unit))
    assert field.pixel_size_source == "assumed"
    assert any("is not used" in note for note in field.notes)


def test_pixels_that_are_not_square(write_zarr):
    with pytest.raises(InputError, match="Expected square pixels"):
        read_field(write_zarr(scale=[1.0, 0.16, 0.32]))


def test_z_stack_is_refused(write_zarr):
    path = write_zarr(axes="czyx", pixels=np.ones((4, 3, 48, 64), np.uint8))
    with pytest.raises(InputError, match="found a Z stack of 3"):
        read_field(path)


def test_plate_and_bare_zarr_are_refused(write_zarr, tmp_path):
    with pytest.raises(InputError, match="found a whole plate or well"):
        read_field(write_zarr("p.zarr", plate={"wells": []}))
    zarr.open_group(str(tmp_path / "bare.zarr"), mode="w")
    with pytest.raises(InputError, match=r"without it\. Write the image with ome-zarr"):
        read_field(tmp_path / "bare.zarr")


def test_layout_of_bioformats2raw(write_zarr, tmp_path, planes):
    write_zarr("b.zarr/0")
    outer = zarr.open_group(str(tmp_path / "b.zarr"), mode="a")
    outer.attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
    assert np.array_equal(read_field(tmp_path / "b.zarr").pixels, planes)


def test_lost_chunks_are_noted(write_zarr):
    path = write_zarr()
    next((path / "0" / "c" / "0").rglob("0/0")).unlink()
    assert any("1 of 16 chunks are not stored" in note for note in read_field(path).notes)


def test_damaged_chunk_and_metadata(write_zarr):
    path = write_zarr()
    chunk = next((path / "0" / "c" / "0").rglob("0/0"))
    chunk.write_bytes(chunk.read_bytes()[:10])
    with pytest.raises(InputError, match="damaged or cut short"):
        read_field(path)
    (path / "zarr.json").write_text("{")
    with pytest.raises(InputError, match="damaged or cut short"):
        read_field(path)


def test_gigapixels_are_refused_from_the_header(write_zarr):
    path = write_zarr()
    metadata = json.loads((path / "0" / "zarr.json").read_text())
    metadata["shape"] = [4, 50_000, 50_000]
    (path / "0" / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(InputError, match="found 50000 x 50000"):
        read_field(path)


def test_found_in_a_folder_as_one_field(write_zarr, tmp_path):
    write_zarr("a.ome.zarr")
    write_zarr("b.zarr")
    assert [field.name for field in discover_fields(tmp_path)] == ["a", "b"]
