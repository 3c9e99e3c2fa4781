"""The table of known fields: what it gives, and what it says of a broken one."""

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.io.field_table import FIELD_COLUMNS, read_field_table

HEADER = "id,folder,height,width,pixel_size_um,labels,has_cellmask"


def write(folder, *lines, header=HEADER):
    (folder / "fields.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path):
    """One field `cell[1]` of 36 x 48 pixels in `fields`, with a mask and without ER."""
    (tmp_path / "fields").mkdir()
    for value, key in enumerate(("red", "green", "blue"), start=1):
        plane = np.full((36, 48), 10 * value, np.uint8)
        plane[0, 0] = 0
        iio.imwrite(tmp_path / "fields" / f"cell[1]_{key}.png", plane)
    mask = np.zeros((36, 48), np.uint16)
    mask[2:4, 2:5] = 300
    iio.imwrite(tmp_path / "fields" / "cell[1]_cellmask.png", mask)
    return write(tmp_path, "cell[1],fields,36,48,0.16,16|0,1", "other,more,36,48,0.08,,0")


def test_rows_come_in_order_with_their_values(folder):
    first, second = read_field_table(folder)
    assert (first.id, first.folder, first.height, first.width) == ("cell[1]", "fields", 36, 48)
    assert (first.pixel_size_um, first.labels, first.has_cellmask) == (0.16, (0, 16), True)
    assert first.path == folder / "fields"
    assert (second.id, second.labels, second.has_cellmask) == ("other", (), False)


def test_subfolders_can_be_chosen(folder):
    assert [row.id for row in read_field_table(folder, ["more"])] == ["other"]
    assert [row.id for row in read_field_table(str(folder), {"fields", "more"})] == [
        "cell[1]",
        "other",
    ]


def test_the_field_is_read_with_the_tables_pixel_size(folder):
    field = read_field_table(folder)[0].read()
    assert (field.name, field.shape, field.pixel_size_um) == ("cell[1]", (36, 48), 0.16)
    assert field.pixel_size_source == "given"
    assert field.missing == {"yellow"}
    assert field.pixels[:, 5, 5].tolist() == [10, 20, 30, 0]


def test_the_mask_is_read(folder):
    mask = read_field_table(folder)[0].read_cell_mask()
    assert mask.dtype == np.int32
    assert np.argwhere(mask == 300).tolist() == [[r, c] for r in (2, 3) for c in (2, 3, 4)]


def test_absent_files_are_named(folder):
    row = read_field_table(folder, ["more"])[0]
    with pytest.raises(InputError, match=r"Expected image files other_red\.png"):
        row.read()
    with pytest.raises(InputError, match=r"Expected the mask other_cellmask\.png"):
        row.read_cell_mask()


def test_another_size_than_the_tables_is_refused(folder):
    row = read_field_table(write(folder, "cell[1],fields,48,36,0.16,0,1"))[0]
    with pytest.raises(InputError, match=r"the images .* \(48, 36\) pixels; found \(36, 48\)"):
        row.read()
    with pytest.raises(
        InputError, match=r"the mask of cells .* \(48, 36\) pixels; found \(36, 48\)"
    ):
        row.read_cell_mask()


def test_every_problem_is_told_at_once(tmp_path):
    write(
        tmp_path,
        "good,f,5,5,0.1,0,0",
        ",f,0,5,0.1,0,0",
        "x,f,5,2.5,nan,0,0",
        "y,f,5,5,0.1,Mitochondrium,yes",
        "good,f,5,5,0.1,0,0",
        "short,f",
    )
    with pytest.raises(InputError, match="table of fields without errors") as caught:
        read_field_table(tmp_path)
    text = str(caught.value)
    for problem in (
        "row 3: id is empty, height is '0'",
        "row 4: width is '2.5', pixel_size_um is 'nan'",
        "row 5: has_cellmask is 'yes', neither 0 nor 1, labels:",
        "'good' stands there 2 times",
        "row 7: height is ''",
    ):
        assert problem in text


def test_long_lists_of_problems_are_cut(tmp_path):
    write(tmp_path, *[f"{n},f,0,5,0.1,0,0" for n in range(20)])
    with pytest.raises(InputError, match="row 9: height is '0'; and 12 more"):
        read_field_table(tmp_path)


def test_missing_columns_are_named(tmp_path):
    write(tmp_path, header="id,folder,height,width")
    with pytest.raises(InputError, match="missing: pixel_size_um, labels, has_cellmask"):
        read_field_table(tmp_path)


def test_a_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"Expected a readable table fields\.csv"):
        read_field_table(tmp_path)


def test_a_table_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "fields.csv").write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(InputError, match=r"Expected a readable table fields\.csv"):
        read_field_table(tmp_path)


def test_unknown_subfolders_are_named(folder):
    with pytest.raises(InputError, match=r"folder\(s\) fieldz; the table has none"):
        read_field_table(folder, ["fieldz"])


@pytest.mark.data
def test_the_real_table_is_read(data):
    rows = read_field_table(data)
    assert len(rows) >= 100
    assert sum(row.has_cellmask for row in rows) >= 5
    small = read_field_table(data, ["fields_512"])[0]
    assert small.read().shape == (512, 512)
    assert set(FIELD_COLUMNS) <= set((data / "fields.csv").read_text().splitlines()[0].split(","))
