from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import zarr

from organelle_widgets.errors import InputError
from organelle_widgets.io import discover_fields, read_field
from organelle_widgets.io.hcs import PLATE_COLUMNS, is_plate

with warnings.catch_warnings():  # ome-zarr warns of its own deprecated class on import
    warnings.simplefilter("ignore", DeprecationWarning)
    from ome_zarr.format import FormatV04, FormatV05
    from ome_zarr.writer import write_image, write_plate_metadata, write_well_metadata

MAP = {0: "red", 1: "green", 2: "blue", 3: "yellow"}


@pytest.fixture
def write_plate(tmp_path, planes):
    """Write a plate with ome-zarr: wells A1 and B12, two images each."""

    def write(
        name: str = "plate.ome.zarr", *, fmt=None, images=None, acquisitions=None, title=None
    ) -> Path:
        fmt = fmt or FormatV05()
        path = tmp_path / name
        root = zarr.open_group(str(path), mode="w", zarr_format=fmt.zarr_format)
        columns = [str(number) for number in range(1, 13)]
        write_plate_metadata(
            root,
            ["A", "B"],
            columns,
            ["A/1", "B/12"],
            fmt=fmt,
            acquisitions=acquisitions,
            name=title,
        )
        images = images or [{"path": "0"}, {"path": "1"}]
        for well in ("A/1", "B/12"):
            group = root.require_group(well)
            write_well_metadata(group, images, fmt=fmt)
            for site, image in enumerate(images):
                write_image(
                    np.roll(planes, site, axis=1),
                    group.require_group(image["path"]),
                    axes="cyx",
                    fmt=fmt,
                    scale_factors=[],
                )
        return path

    return write


def edited(path: Path, change) -> None:
    """Change the OME metadata of a group of Zarr 3."""
    file = path / "zarr.json"
    content = json.loads(file.read_text())
    change(content["attributes"]["ome"])
    file.write_text(json.dumps(content))


def problems_of(source, **options):
    """Fields and problems of a source."""
    problems: list[InputError] = []
    return discover_fields(source, on_problem=problems.append, **options), problems


@pytest.mark.parametrize("fmt", [FormatV04(), FormatV05()], ids=["0.4", "0.5"])
def test_every_image_of_a_plate_is_a_field_of_its_well(write_plate, planes, fmt):
    found = discover_fields(write_plate(fmt=fmt, name="screen.zarr"), channels=MAP)
    assert [item.name for item in found] == [
        f"screen/{well}/{site}" for well in ("A01", "B12") for site in "01"
    ]
    assert found[3].extra == {
        "plate": "screen",
        "well": "B12",
        "row": "B",
        "column": "12",
        "site": "1",
    }
    field = found[3].read()
    assert np.array_equal(field.pixels, np.roll(planes, 1, axis=1))
    assert field.extra["well"] == "B12"


def test_acquisitions_and_the_plates_own_name(write_plate):
    images = [{"path": "t0_f0", "acquisition": 3}, {"path": "t1_f0", "acquisition": 4}]
    acquisitions = [{"id": 3}, {"id": 4}]
    found = discover_fields(
        write_plate(images=images, acquisitions=acquisitions, title="Drug screen")
    )
    assert [item.name for item in found][:2] == ["Drug screen/A01/t0_f0", "Drug screen/A01/t1_f0"]
    assert [item.extra["acquisition"] for item in found] == ["3", "4", "3", "4"]
    assert list(found[0].extra) == list(PLATE_COLUMNS)


def test_one_well_of_a_plate(write_plate):
    path = write_plate()
    found = discover_fields(path / "B" / "12")
    assert [item.name for item in found] == ["plate/B12/0", "plate/B12/1"]
    assert found[0].extra["column"] == "12"


def test_a_well_without_its_plate_is_named_by_its_folder(write_plate, tmp_path):
    shutil.copytree(write_plate() / "A" / "1", tmp_path / "apart" / "w")
    (found, _) = discover_fields(tmp_path / "apart" / "w")
    assert found.extra == {"plate": "apart", "well": "w", "site": "0"}


def test_plates_of_a_folder_beside_other_fields(write_plate, write_field, tmp_path):
    write_plate("p1.zarr")
    write_plate("p2.zarr")
    write_field("a")
    names = [item.name for item in discover_fields(tmp_path)]
    assert names[0] == "a"
    assert names[1:] == [f"{p}/{w}/{s}" for p in ("p1", "p2") for w in ("A01", "B12") for s in "01"]


def test_plates_of_one_name_are_told_apart(write_plate, tmp_path):
    for name in ("x/p.zarr", "y/p.zarr"):
        edited(write_plate(name), lambda ome: ome["plate"].update(name="same"))
    found = discover_fields(tmp_path)
    assert {item.extra["plate"] for item in found} == {"x/p", "y/p"}
    assert len({item.name for item in found}) == 8


def test_what_is_missing_is_a_problem_and_hides_nothing(write_plate):
    path = write_plate()
    shutil.rmtree(path / "A" / "1" / "1")
    shutil.rmtree(path / "B" / "12")
    found, problems = problems_of(path)
    assert [item.name for item in found] == ["plate/A01/0"]
    assert [problem.source for problem in problems] == [
        str(path / "A" / "1" / "1"),
        str(path / "B" / "12"),
    ]
    assert "Expected the well B12" in str(problems[1])
    with pytest.raises(InputError, match="Found 2 problems"):
        discover_fields(path)


def test_wells_whose_metadata_is_broken(write_plate):
    path = write_plate()
    (path / "A" / "1" / "zarr.json").write_text("{")
    edited(path / "B" / "12", lambda ome: ome.update(well={"images": [{"path": "../../A/1/0"}]}))
    found, problems = problems_of(path)
    assert found == []
    assert "The metadata can't be read" in str(problems[0])
    assert "Expected a path inside the plate" in str(problems[1])


@pytest.mark.parametrize(
    ("plate", "match"),
    [
        ({}, "Expected a list of the wells of the plate in the metadata; found None"),
        ({"wells": []}, "Expected wells in the metadata of the plate; found none"),
        ({"wells": [{"path": "/etc"}]}, "Expected a path inside the plate"),
        ("plate", "Expected OME-Zarr metadata of a plate; found 'plate'"),
    ],
)
def test_a_plate_whose_metadata_is_broken(write_plate, plate, match):
    path = write_plate()
    edited(path, lambda ome: ome.update(plate=plate))
    with pytest.raises(InputError, match=match) as caught:
        discover_fields(path)
    assert caught.value.source == str(path)


def test_wells_are_placed_by_their_paths_where_no_index_is_given(write_plate):
    path = write_plate()
    edited(path, lambda ome: ome["plate"].update(wells=[{"path": "B/12"}, {"path": "B/12"}]))
    found = discover_fields(path)
    assert [item.extra["well"] for item in found] == ["B12", "B12"]
    assert [item.extra["site"] for item in found] == ["0", "1"]


def test_an_image_is_no_plate(write_plate):
    path = write_plate()
    assert is_plate(path)
    assert is_plate(path / "A" / "1")
    assert not is_plate(path / "A" / "1" / "0")
    assert not is_plate(path / "A")


def test_a_plate_is_not_read_as_one_field(write_plate):
    with pytest.raises(InputError, match="found a whole plate or well"):
        read_field(write_plate())


def test_a_pattern_of_images_within_a_plate(write_plate, tmp_path):
    write_plate()
    found = discover_fields(f"{tmp_path}/*.zarr/*/*/0", channels=MAP)
    assert [item.name for item in found] == ["plate.ome.zarr/A/1/0", "plate.ome.zarr/B/12/0"]
