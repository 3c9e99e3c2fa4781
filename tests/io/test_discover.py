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


def test_a_pattern_finds_fields_by_any_of_their_files(write_field, tmp_path):
    write_field("a", folder=tmp_path / "plate1")
    write_field("a", folder=tmp_path / "plate2" / "deep")
    write_field("b", folder=tmp_path / "other")
    write_field("headless", folder=tmp_path / "plate1", keys=("red", "green"))
    for pattern in ("plate*/**/*_green.png", "plate*/**/*.png", "plate*", "**/plate?"):
        problems: list[InputError] = []
        found = discover_fields(f"{tmp_path}/{pattern}", on_problem=problems.append)
        assert [item.name for item in found] == ["plate1/a", "plate2/deep/a"]
        assert all(len(item.files) == 4 for item in found)
        assert [problem.source for problem in problems] == ["plate1/headless"]


def test_a_pattern_passes_over_previews_masks_and_text(write_field, tmp_path, planes):
    write_field("a")
    iio.imwrite(tmp_path / "thumbnail.png", planes[0])
    iio.imwrite(tmp_path / "a_cellmask.png", planes[0])
    (tmp_path / "notes.txt").write_text("x")
    assert [item.name for item in discover_fields(f"{tmp_path}/*")] == ["a"]


def test_a_pattern_that_nothing_fits(tmp_path):
    with pytest.raises(InputError, match="Expected files or folders that fit this pattern"):
        discover_fields(f"{tmp_path}/*_green.png")


def test_a_name_with_brackets_is_no_pattern(write_field, tmp_path):
    write_field("a[1]", folder=tmp_path / "p[2]")
    assert [item.name for item in discover_fields(tmp_path / "p[2]")] == ["a[1]"]
    assert len(discover_fields(tmp_path / "p[2]" / "a[1]_green.png", by_name=True)) == 1


def results_folder(path):
    """What a run leaves: pictures that are no fields."""
    (path / "masks").mkdir(parents=True)
    (path / "run.json").write_text("{}")
    (path / "manifest.json").write_text("{}")
    tifffile.imwrite(path / "masks" / "0_a.ome.tif", np.ones((2, 48, 64), np.uint16))


def test_results_written_inside_the_source_are_passed_over(write_field, tmp_path):
    write_field("a", folder=tmp_path / "plate")
    results_folder(tmp_path / "plate" / "out")
    for source in (tmp_path, tmp_path / "plate", f"{tmp_path}/**", f"{tmp_path}/**/*.*"):
        assert [item.name.split("/")[-1] for item in discover_fields(source)] == ["a"]
    assert len(discover_fields([tmp_path / "plate"], by_name=True)) == 1


def test_results_are_no_source(tmp_path):
    results_folder(tmp_path / "out")
    with pytest.raises(InputError, match="Expected images; found the results of a run"):
        discover_fields(tmp_path / "out")
    with pytest.raises(InputError, match="found 1 results of a run"):
        discover_fields(tmp_path)


def test_by_name_opens_no_file_whose_name_tells_enough(write_field, tmp_path):
    for path in write_field("a").values():
        path.write_bytes(b"")
    write_field("b", keys=("red", "green"))
    problems: list[InputError] = []
    found = discover_fields(tmp_path, by_name=True, on_problem=problems.append)
    assert [item.name for item in found] == ["a"]
    assert [problem.source for problem in problems] == ["b"]
    with pytest.raises(InputError, match="found an empty file"):
        discover_fields(tmp_path)


def test_by_name_the_rest_of_a_kind_is_taken_for_fields(tmp_path, planes):
    for index in range(20):
        tifffile.imwrite(tmp_path / f"{index:02}.tif", planes, photometric="minisblack")
    for index in (3, 18):
        (tmp_path / f"{index:02}.tif").write_bytes(b"")
    problems: list[InputError] = []
    found = discover_fields(tmp_path, by_name=True, on_problem=problems.append)
    assert [problem.source for problem in problems] == [str(tmp_path / "03.tif")]
    assert len(found) == 19


def test_by_name_one_file_of_a_list_stands_for_its_field(write_field, tmp_path):
    first, second = write_field("a"), write_field("b")
    found = discover_fields([first["green"], first["blue"], second["red"]], by_name=True)
    assert [item.files for item in found] == [first, second]


def test_overlapping_sources_double_nothing(write_field, tmp_path):
    files = write_field("a", folder=tmp_path / "p")
    found = discover_fields([tmp_path, tmp_path / "p", files["red"], f"{tmp_path}/**/*.png"])
    assert [item.files for item in found] == [files]


def test_a_missing_source_of_a_list_hides_nothing(write_field, tmp_path):
    write_field("a", folder=tmp_path / "p")
    problems: list[InputError] = []
    found = discover_fields([tmp_path / "p", tmp_path / "gone"], on_problem=problems.append)
    assert [item.name for item in found] == ["a"]
    assert [problem.source for problem in problems] == [str(tmp_path / "gone")]


def test_a_pattern_follows_no_link_twice(write_field, tmp_path):
    files = write_field("a", folder=tmp_path / "plate1")
    (tmp_path / "plate1" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "plate_latest").symlink_to(tmp_path / "plate1", target_is_directory=True)
    for pattern in ("**/*_green.png", "plate*", "plate*/*_red.png"):
        assert [item.files for item in discover_fields(f"{tmp_path}/{pattern}")] == [files]
