from __future__ import annotations

import os
import pickle
import subprocess
import sys
import unicodedata
import zlib
from typing import TYPE_CHECKING

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from PIL import Image

from organelle_widgets.errors import InputError
from organelle_widgets.io import FieldSource, discover_fields, read_field
from organelle_widgets.io.readers import MAX_PIXELS

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("red", "green", "blue", "yellow")


# --- what a person may give -----------------------------------------------------------------------------------


def test_folder_with_one_field(write_field, planes, tmp_path):
    files = write_field("57_F11_1")
    field = read_field(tmp_path)
    assert field.name == "57_F11_1"
    assert field.pixels.dtype == np.uint8
    assert np.array_equal(field.pixels, planes)
    assert field.sources == {key: str(path) for key, path in files.items()}
    assert (field.pixel_size_um, field.pixel_size_source) == (0.08, "assumed")
    assert any("assumed" in note for note in field.notes)


@pytest.mark.parametrize("key", KEYS)
def test_any_of_the_files_finds_its_siblings(write_field, planes, key):
    write_field("other")
    files = write_field("f")
    field = read_field(files[key])
    assert field.name == "f"
    assert np.array_equal(field.pixels, planes)


def test_list_of_files_in_any_order(write_field, planes):
    files = write_field()
    assert np.array_equal(read_field([str(p) for p in reversed(files.values())]).pixels, planes)


def test_mapping_with_any_channel_name(write_field, planes):
    files = write_field("a")
    source = {
        "Nuclei": files["blue"],
        "protein": files["green"],
        "ER": files["yellow"],
        "r": files["red"],
    }
    field = read_field(source)
    assert field.name == "a"
    assert np.array_equal(field.pixels, planes)


def test_mapping_names_a_field_by_what_its_files_share(tmp_path, planes):
    files = {}
    for key, plane, tail in zip(KEYS, planes, ("w1", "w2", "w3", "w4"), strict=True):
        files[key] = tmp_path / f"well B3 {tail}.png"
        iio.imwrite(files[key], plane)
    assert read_field(files).name == "well B3 w"


def test_source_survives_pickling_and_reads(write_field, planes, tmp_path):
    write_field()
    (source,) = discover_fields(tmp_path)
    assert np.array_equal(read_field(pickle.loads(pickle.dumps(source))).pixels, planes)


def test_given_name_wins(write_field, tmp_path):
    write_field()
    assert read_field(tmp_path, name="mine").name == "mine"


def test_explicit_suffixes(tmp_path, planes):
    order = {"_ch00": "blue", "_ch01": "green", "_CH02": "microtubules", "_ch03": "ER"}
    for suffix, key in zip(order, ("blue", "green", "red", "yellow"), strict=True):
        iio.imwrite(tmp_path / f"s{suffix.lower()}.tif", planes[KEYS.index(key)])
    assert np.array_equal(read_field(tmp_path, channels=order).pixels, planes)
    assert np.array_equal(read_field(tmp_path / "s_ch02.tif", channels=order).pixels, planes)


@pytest.mark.parametrize(
    "name",
    ["with space", "a.b.c", "zelle_\u00e4\u00f6\u00fc_\u7d30\u80de", "_", "x" * 200, "f_red", "1"],
)
def test_awkward_names(write_field, planes, tmp_path, name):
    write_field(name)
    field = read_field(tmp_path)
    assert np.array_equal(field.pixels, planes)
    assert field.name == (name if name != "_" else tmp_path.name)


def test_decomposed_and_composed_names_belong_together(write_field, tmp_path):
    write_field("\u00e4", keys=("red", "green"))
    write_field(unicodedata.normalize("NFD", "\u00e4"), keys=("blue", "yellow"))
    assert not read_field(tmp_path).missing


def test_case_of_suffix_and_ending_does_not_matter(tmp_path, planes):
    for key, plane in zip(KEYS, planes, strict=True):
        Image.fromarray(plane).save(tmp_path / f"F_{key.upper()}.PNG")
    assert np.array_equal(read_field(tmp_path).pixels, planes)


def test_masks_beside_a_field_are_passed_over(write_field, tmp_path, planes):
    write_field()
    for mask in ("f_cellmask", "f_nucleimask", "f_mask"):
        iio.imwrite(tmp_path / f"{mask}.png", planes[0])
    assert read_field(tmp_path).name == "f"


@pytest.mark.parametrize("source", [3, None, np.zeros((4, 40, 40)), [1, 2], b"x"])
def test_other_things_are_refused(source):
    with pytest.raises(InputError, match="Expected a path, paths, a mapping"):
        read_field(source)


# --- pixel types ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".png", ".tif", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whole_numbers_are_read_as_they_are(write_field, planes, tmp_path, ending, dtype):
    wide = planes.astype(dtype) * (257 if dtype == np.uint16 else 1)
    write_field(ending=ending, **dict(zip(KEYS, wide.astype(dtype), strict=True)))
    field = read_field(tmp_path)
    assert field.pixels.dtype == dtype
    assert np.array_equal(field.pixels, wide)


@pytest.mark.parametrize("ending", [".jpg", ".jpeg"])
def test_jpeg(tmp_path, ending):
    ramp = np.linspace(0, 250, 64 * 64).reshape(64, 64).astype(np.uint8)
    for key, plane in zip(KEYS, (ramp, ramp.T, ramp[::-1], ramp.T[::-1]), strict=True):
        Image.fromarray(plane).save(tmp_path / f"j_{key}{ending}", quality=95)
    field = read_field(tmp_path)
    assert np.abs(field.pixels[0].astype(int) - ramp).max() < 12


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float32"),
        ("int8", "uint8"),
        ("int16", "uint16"),
        ("uint32", "uint16"),
        ("int32", "uint16"),
        ("uint64", "uint16"),
        (">u2", "uint16"),
        (">f4", "float32"),
    ],
)
def test_other_numbers_are_converted(tmp_path, planes, dtype, expected):
    values = (planes // 2).astype(np.uint8)
    for key, plane in zip(KEYS, values, strict=True):
        tifffile.imwrite(tmp_path / f"f_{key}.tif", plane.astype(dtype))
    field = read_field(tmp_path)
    assert field.pixels.dtype == expected
    assert np.array_equal(field.pixels, values.astype(expected))


@pytest.mark.parametrize(
    ("plane", "match"),
    [
        (np.full((48, 64), -5, np.int16), "from 0 to 65535; found -5 to -5"),
        (np.full((48, 64), 70000, np.uint32), "found 70000 to 70000"),
        (np.full((48, 64), np.nan, np.float32), "found 3072 of 3072 NaN"),
        (np.full((48, 64), np.inf, np.float32), "NaN, infinite"),
        (np.full((48, 64), 1e300), "too large for float32"),
        (np.full((48, 64), 1j, np.complex64), "found dtype complex64"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(tmp_path, write_field, plane, match):
    files = write_field(keys=("red", "green", "blue"))
    files["yellow"] = tmp_path / "f_yellow.tif"
    tifffile.imwrite(files["yellow"], plane)
    with pytest.raises(InputError, match=match) as caught:
        read_field(files)
    assert caught.value.source == str(files["yellow"])
    assert caught.value.hint


def test_8_and_16_bit_together_are_stretched(write_field, planes, tmp_path):
    write_field(red=planes[0].astype(np.uint16) * 200)
    field = read_field(tmp_path)
    assert field.pixels.dtype == np.uint16
    assert field.pixels[1].max() == int(planes[1].max()) * 257
    assert field.pixels[0].max() == int(planes[0].max()) * 200
    assert any("stretched" in note for note in field.notes)


def test_whole_numbers_and_fractions_together_are_refused(write_field, planes, tmp_path):
    files = write_field(keys=("green", "blue"))
    tifffile.imwrite(tmp_path / "f_red.tif", planes[0] / 255)
    with pytest.raises(InputError, match="found float32 and uint8"):
        read_field(files["blue"])


# --- colour ---------------------------------------------------------------------------------------------------


def colored(plane, *where, samples=3):
    image = np.full((*plane.shape, samples), 255, np.uint8)
    image[..., :3] = plane[..., None] // 8
    for index in where:
        image[..., index] = plane
    return image


@pytest.mark.parametrize("samples", [3, 4])
def test_colored_channel_files(write_field, planes, tmp_path, samples):
    where = {"red": (0,), "green": (1,), "blue": (2,), "yellow": (0, 1)}
    images = {k: colored(p, *where[k], samples=samples) for k, p in zip(KEYS, planes, strict=True)}
    write_field(**images)
    assert np.array_equal(read_field(tmp_path).pixels, planes)


def test_grey_saved_as_rgb(write_field, planes, tmp_path):
    write_field(**{k: colored(p, 0, 1, 2) for k, p in zip(KEYS, planes, strict=True)})
    field = read_field(tmp_path)
    assert np.array_equal(field.pixels, planes)
    assert not any("coloured" in note for note in field.notes)


def test_unexpected_colour_is_taken_and_told(write_field, planes, tmp_path):
    write_field(blue=colored(planes[2], 1))
    field = read_field(tmp_path)
    assert np.array_equal(field.pixels, planes)
    assert any("blue file is coloured green" in note for note in field.notes)


def test_palette_and_transparency(planes, write_field, tmp_path):
    write_field()
    grey = Image.fromarray(planes[0])
    palette = grey.convert("P")
    palette.putpalette([value for i in range(256) for value in (i, 0, 0)])
    palette.save(tmp_path / "f_red.png")
    Image.merge("LA", (Image.fromarray(planes[3]), grey)).save(tmp_path / "f_yellow.png")
    assert np.array_equal(read_field(tmp_path).pixels, planes)


def composite(rng, channels=(0, 1, 2), size=120):
    """A JPEG-like composite: one stained disc a channel, a faint leak of it in the other planes."""
    rows, cols = np.mgrid[:size, :size]
    image = np.zeros((size, size, 3))
    for index in channels:
        disc = np.hypot(rows - 30 - 20 * index, cols - 60) < 18
        image[disc, index] = rng.integers(60, 250, disc.sum())
    leak = rng.integers(0, 10, (size, size, 1)) * (image.max(axis=-1, keepdims=True) > 0)
    image = np.maximum(image, leak)
    image[-12:-6, -40:-5] = 255  # a scale bar
    return image.astype(np.uint8)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
def test_a_colour_image_alone_is_a_field_without_er(tmp_path, ending):
    image = composite(np.random.default_rng(0))
    path = tmp_path / f"23-1-a{ending}"
    iio.imwrite(path, image)
    field = read_field(path)
    assert field.name == "23-1-a"
    assert field.missing == {"yellow"}
    assert field.pixels[:3].max(axis=(1, 2)).min() > 200
    assert not field.pixels[3].any()
    assert any("ER (yellow) is missing" in note for note in field.notes)
    assert any("colour image" in note for note in field.notes)
    if ending != ".jpg":
        assert np.array_equal(field.pixels[:3], np.moveaxis(image, -1, 0))


def test_a_colour_image_without_red_lacks_microtubules(tmp_path):
    iio.imwrite(tmp_path / "c.png", composite(np.random.default_rng(0), (1, 2)))
    field = read_field(tmp_path)
    assert field.missing == {"red", "yellow"}
    assert not field.pixels[0].any()
    assert any("Microtubules (red) are missing" in note for note in field.notes)


@pytest.mark.parametrize(
    ("channels", "match"), [((0, 1), "Expected nuclei in the blue"), ((0, 2), "Expected protein")]
)
def test_a_colour_image_without_nuclei_or_protein_is_refused(tmp_path, channels, match):
    iio.imwrite(tmp_path / "c.png", composite(np.random.default_rng(0), channels))
    with pytest.raises(InputError, match=match):
        read_field(tmp_path)


def test_a_fourth_plane_is_asked_about(tmp_path, planes):
    path = tmp_path / "rgby.png"
    iio.imwrite(path, np.moveaxis(planes, 0, -1))
    with pytest.raises(InputError, match="fourth plane"):
        read_field(path)
    with pytest.raises(InputError, match="fourth plane"):
        read_field(path, channels={0: "red"})
    field = read_field(path, channels={0: "red", 1: "green", 2: "blue", 3: "yellow"})
    assert np.array_equal(field.pixels, planes)


def test_a_path_with_a_null_byte_is_refused():
    with pytest.raises(InputError, match="Expected a path in UTF-8"):
        read_field("a\0.png")


def test_files_of_bare_channels_are_named_after_their_folder(write_field, tmp_path, monkeypatch):
    for key, path in write_field("a", folder=tmp_path / "well").items():
        path.rename(path.with_name(f"_{key}.png"))
    monkeypatch.chdir(tmp_path / "well")
    assert read_field("_green.png").name == "well"


def test_plain_transparency_is_dropped(tmp_path):
    image = composite(np.random.default_rng(0))
    iio.imwrite(tmp_path / "c.png", np.dstack([image, np.full(image.shape[:2], 255, np.uint8)]))
    assert read_field(tmp_path).missing == {"yellow"}


# --- missing and blank channels -------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [{"red"}, {"yellow"}, {"red", "yellow"}])
def test_microtubules_and_er_may_be_missing(write_field, tmp_path, gone):
    write_field(keys=tuple(key for key in KEYS if key not in gone))
    field = read_field(tmp_path)
    assert field.missing == gone
    assert sum("missing" in note for note in field.notes) == len(gone)
    assert not field.channel(next(iter(gone))).any()


@pytest.mark.parametrize("gone", ["green", "blue"])
def test_protein_and_nuclei_may_not(write_field, tmp_path, gone):
    write_field(keys=tuple(key for key in KEYS if key != gone))
    with pytest.raises(InputError, match=f"Expected a file of the {gone} channel"):
        read_field(tmp_path)


@pytest.mark.parametrize(("key", "value"), [("red", 0), ("yellow", 7)])
def test_blank_references_count_as_missing(write_field, tmp_path, key, value):
    write_field(**{key: np.full((48, 64), value, np.uint8)})
    field = read_field(tmp_path)
    assert field.missing == {key}
    assert key not in field.sources
    assert not field.channel(key).any()
    assert any(f"every pixel is {value}" in note for note in field.notes)


def test_blank_protein_is_noted_only(write_field, tmp_path):
    write_field(green=np.full((48, 64), 4, np.uint8))
    field = read_field(tmp_path)
    assert not field.missing
    assert any("Protein (green): every pixel is 4" in note for note in field.notes)


def test_blank_nuclei_are_refused(write_field, tmp_path):
    write_field(blue=np.zeros((48, 64), np.uint8))
    with pytest.raises(InputError, match="Expected nuclei in the blue channel; found every pixel"):
        read_field(tmp_path)


def test_same_pixels_twice_are_noted(write_field, planes, tmp_path):
    write_field(red=planes[3])
    assert any("same pixels" in note for note in read_field(tmp_path).notes)


def test_same_file_twice_is_refused(write_field):
    files = write_field()
    with pytest.raises(InputError, match=r"found .*f_red\.png for red and yellow"):
        read_field({**files, "yellow": files["red"]})


def test_same_channel_twice_in_a_mapping_is_refused(write_field):
    files = write_field()
    with pytest.raises(InputError, match="Expected one file of the red channel"):
        read_field({**files, "microtubules": files["red"]})


# --- pixel size -----------------------------------------------------------------------------------------------


def test_given_pixel_size(write_field, tmp_path):
    write_field()
    field = read_field(tmp_path, pixel_size_um=0.32)
    assert (field.pixel_size_um, field.pixel_size_source) == (0.32, "given")


@pytest.mark.parametrize("size", [0, -1, float("nan"), float("inf"), "0.08", True])
def test_impossible_pixel_size(write_field, tmp_path, size):
    write_field()
    with pytest.raises(InputError, match="Expected pixel_size_um as micrometres per pixel"):
        read_field(tmp_path, pixel_size_um=size)


def write_sized(folder, planes, sizes):
    for key, plane, size in zip(KEYS, planes, sizes, strict=True):
        metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeXUnit": "µm"}
        tifffile.imwrite(folder / f"f_{key}.ome.tif", plane, metadata=metadata)


def test_pixel_size_of_channel_files(tmp_path, planes):
    write_sized(tmp_path, planes, (0.1, 0.1, 0.1005, 0.1))
    field = read_field(tmp_path)
    assert field.name == "f"
    assert (field.pixel_size_um, field.pixel_size_source) == (pytest.approx(0.1), "metadata")


def test_files_that_disagree_on_pixel_size(tmp_path, planes):
    write_sized(tmp_path, planes, (0.1, 0.1, 0.2, 0.1))
    with pytest.raises(InputError, match="Expected channels of one pixel size"):
        read_field(tmp_path)
    field = read_field(tmp_path, pixel_size_um=0.2)
    assert any("given pixel size 0.2 µm is used" in note for note in field.notes)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
def test_print_resolution_is_no_pixel_size(tmp_path, planes, ending):
    for key, plane in zip(KEYS, planes, strict=True):
        Image.fromarray(plane).save(tmp_path / f"f_{key}{ending}", dpi=(300, 300))
    assert read_field(tmp_path).pixel_size_source == "assumed"


# --- bad files ------------------------------------------------------------------------------------------------


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif"])
def test_a_file_cut_short(write_field, tmp_path, ending, share):
    files = write_field(ending=ending)
    cut(files["red"], share)
    with pytest.raises(InputError, match="damaged or cut short") as caught:
        read_field(tmp_path)
    assert str(files["red"]) in str(caught.value)


def test_a_damaged_png(write_field, tmp_path):
    files = write_field()
    content = bytearray(files["blue"].read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    files["blue"].write_bytes(content)
    with pytest.raises(InputError, match="damaged or cut short"):
        read_field(tmp_path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "found an empty file"),
        (b"hello, this is no image", "found text that starts with 'hello"),
        (b"\x00\x01\x02\xff" * 30, "starts with the bytes 00 01 02 ff"),
        (b"\x89PNG\r\n\x1a\n", "damaged or cut short"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 60, "damaged or cut short"),
        (b"II*\x00" + b"\xff" * 60, "damaged or cut short"),
    ],
)
def test_no_image(write_field, tmp_path, content, match):
    write_field()
    (tmp_path / "f_green.png").write_bytes(content)
    with pytest.raises(InputError, match=match) as caught:
        read_field(tmp_path)
    assert "f_green.png" in str(caught.value)


def test_several_bad_files_are_told_together(write_field, tmp_path):
    files = write_field()
    files["red"].write_bytes(b"")
    cut(files["blue"], 0.5)
    files["yellow"].write_bytes(b"nothing")
    with pytest.raises(InputError, match="Found 2 problems") as caught:
        read_field(files)
    assert "f_red.png" in str(caught.value)
    assert "f_yellow.png" in str(caught.value)


def test_different_sizes(write_field, tmp_path):
    write_field(red=np.ones((40, 64), np.uint8))
    with pytest.raises(InputError, match=r"f_red.png 64 x 40 px, f_green.png 64 x 48 px"):
        read_field(tmp_path)


@pytest.mark.parametrize("shape", [(1, 1), (31, 200)])
def test_too_small(write_field, tmp_path, shape):
    write_field(**{key: np.ones(shape, np.uint8) for key in KEYS})
    with pytest.raises(InputError, match=f"at least 32 x 32 px; found {shape[1]} x {shape[0]} px"):
        read_field(tmp_path)


def test_gigapixels_are_refused_from_the_header(write_field, tmp_path):
    files = write_field()
    content = bytearray(files["red"].read_bytes())
    content[16:24] = (40_000).to_bytes(4, "big") + (30_000).to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    files["red"].write_bytes(content)
    with pytest.raises(InputError, match=f"at most {MAX_PIXELS:,} pixels.*found 40000 x 30000"):
        read_field(files)


def test_missing_path(tmp_path):
    with pytest.raises(InputError, match="found nothing at this path"):
        read_field(tmp_path / "nowhere.png")
    with pytest.raises(InputError, match="found nothing at this path"):
        read_field(tmp_path / "nowhere_red.png")


@pytest.mark.parametrize("read", [read_field, discover_fields])
def test_a_path_that_the_system_refuses(tmp_path, read):
    with pytest.raises(InputError, match="The path can't be read"):
        read(tmp_path / ("x" * 5000))


def test_empty_folder_list_and_mapping(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"Expected images .*; found 1 \.txt"):
        read_field(tmp_path)
    with pytest.raises(InputError, match=r"Expected images .*; found none"):
        read_field([])
    with pytest.raises(InputError, match="found an empty mapping"):
        read_field({})


def test_several_fields_are_too_many(write_field, tmp_path):
    write_field("a")
    write_field("b")
    with pytest.raises(InputError, match=r"exactly one field; found 2: a, b\. Use discover_fields"):
        read_field(tmp_path)


def test_a_mask_is_no_field(tmp_path, planes):
    iio.imwrite(tmp_path / "f_cellmask.png", planes[0])
    with pytest.raises(InputError, match="found a mask"):
        read_field(tmp_path / "f_cellmask.png")


def test_a_single_grey_plane_is_no_field(tmp_path, planes):
    iio.imwrite(tmp_path / "f.png", planes[0])
    with pytest.raises(InputError, match="found a single grey plane"):
        read_field(tmp_path / "f.png")


def test_one_bit_is_refused(write_field, tmp_path, planes):
    write_field()
    Image.fromarray(planes[0] > 90).save(tmp_path / "f_red.png")
    with pytest.raises(InputError, match="1-bit image"):
        read_field(tmp_path)


def test_cmyk_is_refused(write_field, tmp_path):
    write_field(keys=("green", "blue"), ending=".jpg")
    Image.new("CMYK", (64, 48)).save(tmp_path / "f_red.jpg")
    with pytest.raises(InputError, match="found colour mode CMYK"):
        read_field(tmp_path)


def test_several_planes_in_a_channel_file(write_field, tmp_path, planes):
    write_field(keys=("green", "blue"))
    tifffile.imwrite(tmp_path / "f_red.tif", planes, photometric="minisblack")
    with pytest.raises(InputError, match="one plane in the file of the red channel; found 4"):
        read_field(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_permission_denied(write_field, tmp_path):
    files = write_field()
    files["red"].chmod(0)
    with pytest.raises(InputError, match="without permission"):
        read_field(tmp_path)


@pytest.mark.parametrize("channels", [{"_a": "purple"}, {"_a": 7}])
def test_unknown_channel_in_mapping(write_field, tmp_path, channels):
    write_field()
    with pytest.raises(InputError, match="Expected a channel out of red"):
        read_field(tmp_path, channels=channels)


@pytest.mark.parametrize("key", ["", "_", -1, True, 1.5, None])
def test_impossible_key_in_mapping(write_field, tmp_path, key):
    write_field()
    with pytest.raises(InputError, match="Expected channels as"):
        read_field(tmp_path, channels={key: "red"})


# --- cost -----------------------------------------------------------------------------------------------------


def test_import_loads_no_image_library():
    libraries = ["zarr", "ome_zarr", "tifffile", "imageio", "PIL", "imagecodecs", "skimage"]
    code = f"import sys, organelle_widgets.io; sys.exit(','.join(m for m in {libraries} if m in sys.modules) or 0)"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr


def test_source_lists_its_paths(write_field):
    files = write_field()
    assert FieldSource("f", files).paths == tuple(files.values())
    assert FieldSource("f", files["red"]).paths == (files["red"],)
