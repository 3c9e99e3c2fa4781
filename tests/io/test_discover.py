from __future__ import annotations

import os
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from PIL import Image

from organelle_widgets.errors import InputError
from organelle_widgets.io import discover_fields


def test_fields_of_a_tree_are_sorted_by_name(write_field, tmp_path):
    write_field("b", folder=tmp_path / "plate")
    write_field("c")
    write_field("a", folder=tmp_path / "plate" / "deep")
    assert [field.name for field in discover_fields(tmp_path)] == ["a", "b", "c"]
    assert [field.name for field in discover_fields(tmp_path, recursive=False)] == ["c"]


def test_files_are_in_the_order_of_the_channels(write_field, tmp_path):
    files = write_field("a")
    (found,) = discover_fields(list(reversed(files.values())))
    assert list(found.files) == ["red", "green", "blue", "yellow"]
    assert found.files == files


def test_same_names_in_two_folders_are_told_apart(write_field, tmp_path):
    write_field("a", folder=tmp_path / "p1")
    write_field("a", folder=tmp_path / "p2" / "x")
    write_field("b", folder=tmp_path / "p2")
    assert [field.name for field in discover_fields(tmp_path)] == ["b", "p1/a", "p2/x/a"]


def test_same_stem_in_two_formats_is_told_apart(tmp_path, planes):
    image = np.moveaxis(planes[:3], 0, -1)
    iio.imwrite(tmp_path / "a.png", image)
    iio.imwrite(tmp_path / "a.jpg", image)
    assert [field.name for field in discover_fields(tmp_path)] == ["a.jpg", "a.png"]


def test_problems_of_a_folder_are_told_together(write_field, tmp_path):
    write_field("good")
    write_field("doubled")
    shutil.copy(tmp_path / "doubled_red.png", tmp_path / "doubled_red.tif")
    write_field("headless", keys=("red", "green"))
    write_field("uneven", red=np.ones((40, 40), np.uint8))
    (tmp_path / "good2_red.png").write_bytes(b"")
    write_field("good2", keys=("green", "blue"))
    with pytest.raises(InputError, match="Found 4 problems") as caught:
        discover_fields(tmp_path)
    text = str(caught.value)
    for expected in (
        "Expected one file of the red channel; found 2",
        "doubled_red.tif",
        "headless: Expected a file of the blue channel (nuclei); found red, green",
        "uneven_red.png 40 x 40 px",
        "good2_red.png: Expected an image file; found an empty file",
    ):
        assert expected in text
    assert caught.value.source == str(tmp_path)


def test_problems_do_not_hide_the_good_fields(write_field, tmp_path):
    write_field("good")
    write_field("bad", keys=("red",))
    problems: list[InputError] = []
    found = discover_fields(tmp_path, on_problem=problems.append)
    assert [field.name for field in found] == ["good"]
    assert [problem.source for problem in problems] == ["bad"]
    assert str(problems[0]).count("\n- Expected a file of the") == 2


def test_a_broken_field_is_named_with_its_folder(write_field, tmp_path):
    write_field("f", folder=tmp_path / "p1")
    write_field("f", folder=tmp_path / "p2", keys=("green",))
    problems: list[InputError] = []
    discover_fields(tmp_path, on_problem=problems.append)
    assert [problem.source for problem in problems] == ["p2/f"]
    assert str(problems[0]).startswith("p2/f: Expected a file of the blue channel")


def test_a_long_list_of_problems_is_cut(write_field, tmp_path):
    for index in range(60):
        Image.new("L", (40, 40)).save(tmp_path / f"{index:03}.png")
    with pytest.raises(InputError, match="- and 10 more"):
        discover_fields(tmp_path)


def test_previews_and_other_files_beside_channels_are_passed_over(write_field, tmp_path, planes):
    write_field("a")
    iio.imwrite(tmp_path / "preview.jpg", np.moveaxis(planes[:3], 0, -1))
    iio.imwrite(tmp_path / "thumbnail.png", planes[0])
    tifffile.imwrite(tmp_path / "flatfield.tif", planes[0])
    (tmp_path / "._a_red.png").write_bytes(b"resource fork")
    (tmp_path / "labels.csv").write_text("a,b")
    (tmp_path / ".hidden").mkdir()
    write_field("h", folder=tmp_path / ".hidden")
    assert [field.name for field in discover_fields(tmp_path)] == ["a"]


def test_multichannel_tiff_beside_channels_is_a_field(write_field, tmp_path, planes):
    write_field("a")
    tifffile.imwrite(tmp_path / "b.ome.tif", planes, metadata={"axes": "CYX"})
    found = discover_fields(tmp_path, channels={0: "red", 1: "green", 2: "blue", 3: "yellow"})
    assert [field.name for field in found] == ["a", "b"]
    assert np.array_equal(found[0].read().pixels, found[1].read().pixels)


def test_files_named_one_by_one_are_never_passed_over(write_field, tmp_path, planes):
    files = write_field("a")
    iio.imwrite(tmp_path / "thumbnail.png", planes[0])
    with pytest.raises(InputError, match=r"thumbnail\.png: Expected a channel suffix"):
        discover_fields([*files.values(), tmp_path / "thumbnail.png"])


def test_folders_in_a_list(write_field, tmp_path):
    write_field("a", folder=tmp_path / "one")
    files = write_field("b", folder=tmp_path / "two")
    found = discover_fields([tmp_path / "one", *files.values()])
    assert [field.name for field in found] == ["a", "b"]


def test_only_masks(tmp_path, planes):
    iio.imwrite(tmp_path / "a_cellmask.png", planes[0])
    with pytest.raises(InputError, match="found 1 masks"):
        discover_fields(tmp_path)


def test_a_named_mask_is_passed_over(write_field, tmp_path, planes):
    files = write_field("a")
    iio.imwrite(tmp_path / "a_cellmask.png", planes[0])
    assert len(discover_fields([*files.values(), tmp_path / "a_cellmask.png"])) == 1


def test_missing_path_in_a_list(write_field, tmp_path):
    files = write_field("a")
    with pytest.raises(InputError, match=r"nowhere\.png: Expected a file or folder"):
        discover_fields([*files.values(), tmp_path / "nowhere.png"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_folder_that_may_not_be_read_is_a_problem(write_field, tmp_path):
    write_field("a")
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0)
    with pytest.raises(InputError, match="closed: The folder can't be read"):
        discover_fields(tmp_path)


def test_a_loop_of_links_ends(write_field, tmp_path):
    write_field("a")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(discover_fields(tmp_path)) == 1


def test_absolute_and_relative_paths_may_be_mixed(write_field, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = list(write_field("a").values())
    other = [path.relative_to(tmp_path) for path in write_field("b").values()]
    assert [field.name for field in discover_fields([*one, *other])] == ["a", "b"]
