from __future__ import annotations

import logging

import numpy as np
import pytest
import tifffile
from PIL import Image

from organelle_widgets.errors import InputError
from organelle_widgets.io import read_field

ORDER = (2, 3, 1, 0)  # nuclei, ER, protein, microtubules
NAMES = ["DAPI", "ER", "Protein", "Tubulin"]
BY_NUMBER = {0: "blue", 1: "yellow", 2: "green", 3: "red"}


@pytest.fixture
def stack(planes):
    """The planes as a microscope may order them, uint16."""
    return planes[list(ORDER)].astype(np.uint16) * 256


@pytest.fixture
def answer(planes):
    return planes.astype(np.uint16) * 256


def ome(path, stack, axes="CYX", names=NAMES, **metadata):
    metadata = {"axes": axes, **metadata}
    if names:
        metadata["Channel"] = {"Name": names}
    tifffile.imwrite(path, stack, metadata=metadata, photometric="minisblack")


@pytest.mark.parametrize("axes", ["CYX", "TCYX", "ZCYX", "TZCYX", "CZYX"])
def test_ome_tiff_by_channel_names(tmp_path, stack, answer, axes):
    shape = [4 if a == "C" else 48 if a == "Y" else 64 if a == "X" else 1 for a in axes]
    size = {"PhysicalSizeX": 80.0, "PhysicalSizeXUnit": "nm"}
    size |= {"PhysicalSizeY": 0.08, "PhysicalSizeYUnit": "µm"}
    ome(tmp_path / "a.ome.tif", stack.reshape(shape), axes, **size)
    field = read_field(tmp_path / "a.ome.tif")
    assert field.name == "a"
    assert np.array_equal(field.pixels, answer)
    assert (field.pixel_size_um, field.pixel_size_source) == (pytest.approx(0.08), "metadata")
    assert field.notes == ()


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_plain_pages_by_number(tmp_path, stack, answer, compression, bigtiff):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, bigtiff=bigtiff) as file:
        for plane in stack:
            file.write(plane, metadata=None, compression=compression, photometric="minisblack")
    with pytest.raises(InputError, match="does not tell which of its planes is which channel"):
        read_field(path)
    assert np.array_equal(read_field(path, channels=BY_NUMBER).pixels, answer)


def test_shaped_tiff_with_names(tmp_path, stack, answer):
    path = tmp_path / "a.tif"
    ome(path, stack)
    assert np.array_equal(read_field(path).pixels, answer)


def test_samples_that_are_no_colours(tmp_path, stack, answer):
    path = tmp_path / "a.tif"
    pixels = np.moveaxis(stack, 0, -1)
    tifffile.imwrite(path, pixels, photometric="minisblack", planarconfig="contig")
    assert np.array_equal(read_field(path, channels=BY_NUMBER).pixels, answer)


@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
def test_rgb_tiff(tmp_path, planes, planarconfig):
    path = tmp_path / "a.tif"
    pixels = planes[:3] if planarconfig == "separate" else np.moveaxis(planes[:3], 0, -1)
    tifffile.imwrite(path, pixels, photometric="rgb", planarconfig=planarconfig)
    field = read_field(path)
    assert np.array_equal(field.pixels[:3], planes[:3])
    assert field.missing == {"yellow"}


def test_imagej_tiff(tmp_path, stack, answer):
    path = tmp_path / "a.tif"
    metadata = {"axes": "CYX", "unit": "um", "Labels": NAMES}
    tifffile.imwrite(path, stack, imagej=True, resolution=(12.5, 12.5), metadata=metadata)
    field = read_field(path)
    assert np.array_equal(field.pixels, answer)
    assert (field.pixel_size_um, field.pixel_size_source) == (pytest.approx(0.08), "metadata")


def test_imagej_without_unit_has_no_pixel_size(tmp_path, stack):
    path = tmp_path / "a.tif"
    metadata = {"axes": "CYX", "Labels": NAMES}
    tifffile.imwrite(path, stack, imagej=True, resolution=(72, 72), metadata=metadata)
    assert read_field(path).pixel_size_source == "assumed"


def test_page_names(tmp_path, stack, answer):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for plane, name in zip(stack, NAMES, strict=True):
            tags = [(285, "s", 0, name, False)]
            file.write(
                plane, metadata=None, extratags=tags, photometric="minisblack", contiguous=False
            )
    assert np.array_equal(read_field(path).pixels, answer)


def test_mapping_wins_over_names(tmp_path, stack, answer):
    path = tmp_path / "a.ome.tif"
    ome(path, stack, names=["DAPI", "488", "Cy5", "Tubulin"])
    field = read_field(path, channels={"cy5": "protein", 1: "ER"})
    assert np.array_equal(field.pixels, answer)


def test_spare_and_missing_channels(tmp_path, stack):
    path = tmp_path / "a.ome.tif"
    ome(path, stack, names=["DAPI", "Brightfield", "Protein", "405 spare"])
    field = read_field(path)
    assert field.missing == {"red", "yellow"}
    assert any("Not used: planes 1 'Brightfield', 3 '405 spare'" in note for note in field.notes)


@pytest.mark.parametrize(
    ("names", "channels", "match"),
    [
        (["DAPI", "Hoechst", "Protein", "ER"], None, "one plane a channel; found several for blue"),
        (
            ["DAPI", "w1", "w2", "ER"],
            None,
            r"Expected a plane of protein \(green\); found 0: 'DAPI'",
        ),
        (NAMES, {"Cy7": "red"}, "Expected channels= to name planes .* found 'Cy7'"),
        (NAMES, {4: "red"}, "Numbers start at 0"),
        (NAMES, {0: "red", 1: "red"}, "found several for red"),
    ],
)
def test_names_that_do_not_lead_to_a_field(tmp_path, stack, names, channels, match):
    path = tmp_path / "a.ome.tif"
    ome(path, stack, names=names)
    with pytest.raises(InputError, match=match):
        read_field(path, channels=channels)


@pytest.mark.parametrize(
    ("axes", "shape", "match"),
    [
        ("ZCYX", (3, 4, 48, 64), "found a Z stack of 3"),
        ("TCYX", (2, 4, 48, 64), "found a time series of 2"),
        ("ZYX", (4, 48, 64), "found a Z stack of 4"),
    ],
)
def test_stacks_are_refused(tmp_path, axes, shape, match):
    path = tmp_path / "a.ome.tif"
    ome(path, np.ones(shape, np.uint8), axes, names=None)
    with pytest.raises(InputError, match=match):
        read_field(path, channels=BY_NUMBER)


def test_pixels_that_are_not_square(tmp_path, stack):
    path = tmp_path / "a.ome.tif"
    ome(path, stack, PhysicalSizeX=0.1, PhysicalSizeY=0.2)
    with pytest.raises(InputError, match="Expected square pixels"):
        read_field(path)
    assert read_field(path, pixel_size_um=0.1).pixel_size_source == "given"


def test_several_images_in_a_file(tmp_path, stack):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(stack[0], metadata=None)
        file.write(stack[1][:40], metadata=None)
    with pytest.raises(InputError, match="found 2 of sizes 48 x 64, 40 x 64"):
        read_field(path, channels=BY_NUMBER)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["ome", "imagej", "pages", "zlib"])
def test_cut_short(tmp_path, stack, kind, share, capfd):
    path = tmp_path / "a.tif"
    if kind == "ome":
        ome(path.with_suffix(".ome.tif"), stack)
        path = path.with_suffix(".ome.tif")
    elif kind == "imagej":
        tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "CYX", "Labels": NAMES})
    elif kind == "pages":
        pages = [Image.fromarray(plane) for plane in stack]
        pages[0].save(path, save_all=True, append_images=pages[1:])
    else:
        tifffile.imwrite(path, stack, photometric="minisblack", compression="zlib")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match="damaged or cut short"):
        read_field(path, channels=BY_NUMBER)
    assert capfd.readouterr().err == ""
    assert not [h for h in logging.getLogger("tifffile").handlers if "Complaints" in repr(h)]


def test_gigapixels_are_refused_from_the_header(tmp_path):
    path = tmp_path / "a.tif"
    sparse = np.broadcast_to(np.uint8(1), (64, 64))
    tifffile.imwrite(path, sparse)
    with tifffile.TiffFile(path, mode="r+b") as tif:
        tif.pages[0].tags["ImageWidth"].overwrite(60_000)
        tif.pages[0].tags["ImageLength"].overwrite(60_000)
        tif.pages[0].tags["ImageDescription"].overwrite("")
    with pytest.raises(InputError, match="found 60000 x 60000"):
        read_field(path)


@pytest.mark.parametrize(
    ("photometric", "match"), [("miniswhite", "an inverted image"), ("palette", "a palette image")]
)
def test_kinds_that_are_refused(tmp_path, planes, photometric, match):
    path = tmp_path / "a_blue.tif"
    colormap = np.zeros((3, 256), np.uint16) if photometric == "palette" else None
    tifffile.imwrite(path, planes[2], photometric=photometric, colormap=colormap)
    tifffile.imwrite(tmp_path / "a_green.tif", planes[1])
    with pytest.raises(InputError, match=match):
        read_field(path)


def test_one_bit_is_refused(tmp_path, planes):
    path = tmp_path / "a_blue.tif"
    tifffile.imwrite(path, planes[2] > 90)
    tifffile.imwrite(tmp_path / "a_green.tif", planes[1])
    with pytest.raises(InputError, match="1-bit image"):
        read_field(path)
