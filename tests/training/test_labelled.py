"""A person's labels, in any of their tables, come to the right fields and cells; what is wrong is told at once."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from organelle_widgets.classification import CropRule
from organelle_widgets.core.field import Field
from organelle_widgets.errors import InputError
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.synthetic import write_sample
from organelle_widgets.training.collect import check_readable, collect_cells, only_fields
from organelle_widgets.training.label_sources import find_labelled
from organelle_widgets.training.labelled import LabelledField, split_fields
from organelle_widgets.training.tables import read_label_table

RULE = CropRule(32, 1.28)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, n_fields=3, seed=1, shape=(160, 160), pixel_size_um=0.32)
    return folder


@pytest.fixture
def kaggle(sample, tmp_path):
    """The images without their masks, as the competition gives them."""
    (tmp_path / "train").mkdir()
    for path in (sample / "fields").glob("*.png"):
        if "mask" not in path.name:
            shutil.copy(path, tmp_path / "train")
    return tmp_path


def ids(folder):
    return [row.id for row in read_field_table(folder)]


def test_the_folders_own_table_gives_labels_and_outlines(sample):
    found = find_labelled(sample)
    assert [one.id for one in found] == ids(sample)
    assert [one.labels for one in found] == [row.labels for row in read_field_table(sample)]
    field = found[0].read()
    masks = found[0].find_cells(field, make_segmenter("watershed"))
    np.testing.assert_array_equal(masks.cells, read_field_table(sample)[0].read_cell_mask())
    assert set(found[0].labels_of(masks).values()) == {found[0].labels}


def test_the_competitions_table_is_read(sample, kaggle):
    one, two, _ = ids(sample)
    (kaggle / "train.csv").write_text(f"ID,Label\n{one},0|5\n{two},Nucleoli|16\n")
    found = find_labelled(kaggle, pixel_size_um=0.32)
    assert [(f.id, f.labels) for f in found] == [(one, (0, 5)), (two, (2, 16))]
    assert found[0].masks is None
    assert found[0].read().pixel_size_um == 0.32


def test_labels_of_cells_by_number_come_to_their_cells(sample):
    found = find_labelled(sample, "cells.csv")
    assert all(one.by_cell for one in found)
    cells = collect_cells(found, [RULE], make_segmenter("watershed"))
    rows = read_label_table(sample / "cells.csv")
    assert len(cells) == len(rows)
    for row, truth in zip(rows, cells.truth, strict=True):
        assert tuple(np.flatnonzero(truth)) == row.labels


def test_labels_of_cells_by_place_come_to_the_cell_that_is_there(sample, tmp_path):
    one, two, _ = ids(sample)
    mask = read_field_table(sample)[0].read_cell_mask()
    cell = int(mask.max())
    row, col = np.argwhere(mask == cell)[0]
    away = np.argwhere(mask == 0)[0]
    table = tmp_path / "places.csv"
    table.write_text(
        f"field,row,col,labels\n{one},{row},{col},7\n{one},{row},{col}.4,17\n"
        f"{one},{away[0]},{away[1]},3\n{two},10,10,2\n"
    )
    field = find_labelled(sample, table)[0]
    masks = field.find_cells(field.read(), make_segmenter("watershed"))
    assert field.labels_of(masks) == {cell: (7, 17)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", r"a column with the field \(ID.*found a, b"),
        ("id,labels\nx,99\ny,Nucleus!\n", r"row 2: .*found '99'.*row 3: .*found 'Nucleus!'"),
        ("id,labels\n,3\n", "row 2: the field's id is empty"),
        ("id,cell_id,labels\nx,1.5,3\n", r"row 2: cell is '1\.5', no whole number"),
        ("id,row,col,labels\nx,-1,3,3\n", "row 2: row is '-1', no number of 0 or more"),
    ],
)
def test_errors_of_a_table_are_told_at_once(tmp_path, text, words):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_label_table(path)


def test_many_errors_are_counted(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,labels\n" + "x,99\n" * 30)
    with pytest.raises(InputError, match=r"row 9: .*and 22 more"):
        read_label_table(path)


def test_missing_images_are_named_together(kaggle, sample):
    (kaggle / "train.csv").write_text(f"ImageID,Label\n{ids(sample)[0]},0\nx,1\ny,2\n")
    with pytest.raises(InputError, match=r"found none of x, y\. Images are looked for below"):
        find_labelled(kaggle)


def test_numbered_cells_need_outlines(kaggle, sample):
    one, two, _ = ids(sample)
    (kaggle / "train.csv").write_text(f"ID,cell_id,Label\n{one},1,0\n{two},2,0\n")
    with pytest.raises(InputError, match=f"found none of {one}, {two}.*_cellmask.png"):
        find_labelled(kaggle)


def test_cells_that_are_not_in_the_mask_are_named(sample, tmp_path):
    one, two, _ = ids(sample)
    table = tmp_path / "cells.csv"
    table.write_text(f"id,cell_id,labels\n{one},1,0\n{one},998,0\n{two},1,0\n")
    fields = find_labelled(sample, table)
    with pytest.raises(InputError, match=f"{one}: .*found none with the id 998"):
        collect_cells(fields, [RULE], make_segmenter("watershed"))


def test_places_outside_the_field_are_refused(sample, tmp_path):
    one, two, _ = ids(sample)
    table = tmp_path / "cells.csv"
    table.write_text(f"id,row,col,labels\n{one},10,999,0\n{two},1,1,0\n")
    with pytest.raises(InputError, match=r"within \(160, 160\); found row 10, col 999"):
        collect_cells(find_labelled(sample, table), [RULE], make_segmenter("watershed"))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (None, r"Expected labels in fields\.csv or train\.csv; found no such file.*--labels"),
        ("mine.csv", r"Expected labels in mine\.csv; found no such file"),
    ],
)
def test_a_folder_without_labels_is_refused(kaggle, labels, words):
    with pytest.raises(InputError, match=words):
        find_labelled(kaggle, labels)


def test_one_labelled_field_is_not_enough(kaggle, sample):
    (kaggle / "train.csv").write_text(f"ID,Label\n{ids(sample)[0]},0\n{ids(sample)[1]},\n")
    with pytest.raises(InputError, match=r"at least 2 labelled fields.*found 1"):
        find_labelled(kaggle)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="Expected a folder with labelled images"):
        find_labelled(tmp_path / "absent")


def test_damaged_images_are_told_where_the_table_needs_them(kaggle, sample):
    one, two, three = ids(sample)
    (kaggle / "train" / f"{three}_green.png").write_bytes(b"no picture")
    (kaggle / "train.csv").write_text(f"ID,Label\n{one},0\n{two},1\n")
    assert len(find_labelled(kaggle)) == 2
    (kaggle / "train.csv").write_text(f"ID,Label\n{one},0\n{three},1\n")
    with pytest.raises(InputError, match=f"found none of {three}.*What can't be used.*no picture"):
        find_labelled(kaggle)


def test_fields_that_can_not_be_read_are_named_together(sample, tmp_path):
    shutil.copytree(sample, tmp_path, dirs_exist_ok=True)
    one, two, _ = ids(sample)
    for name in (one, two):
        (tmp_path / "fields" / f"{name}_green.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=f"2 can't be read: .*{one}.*{two}"):
        check_readable(find_labelled(tmp_path))


def test_fields_without_cells_are_told():
    empty = Field(np.zeros((4, 64, 64), np.uint8), "empty", 0.32, "given")
    fields = [LabelledField(name, lambda: empty, (3,)) for name in "ab"]
    with pytest.raises(InputError, match="found none in 2 fields"):
        collect_cells(fields, [RULE], make_segmenter("watershed"))


def named(*names):
    return [LabelledField(name, lambda: None, (0,)) for name in names]


def test_pictures_of_one_antibody_are_split_together():
    fields = named("10580_1610_C1_1", "10580_1756_B1_2", *(f"x{n}" for n in range(30)))
    learnt, scored = split_fields(fields, 0.4)
    assert len(learnt) + len(scored) == 32
    assert 4 < len(scored) < 20
    assert len({one.id in {s.id for s in scored} for one in fields[:2]}) == 1
    assert split_fields(fields, 0) == (fields, [])


@pytest.mark.parametrize("fraction", [1e-6, 0.9])
def test_few_fields_still_give_both_sides(fraction):
    learnt, scored = split_fields(named("a", "b"), fraction)
    assert len(learnt) == len(scored) == 1


def test_pictures_of_a_single_antibody_can_not_be_split():
    with pytest.raises(InputError, match=r"all of one antibody or well, 7\. Set the held-out"):
        split_fields(named("7_1_A1_1", "7_2_A1_1"), 0.4)


def test_cells_of_some_fields_are_numbered_anew(sample):
    cells = collect_cells(find_labelled(sample), [RULE], make_segmenter("watershed"))
    some = only_fields(cells, [0, 2])
    assert set(some.source) == {0, 1}
    assert len(some) == (cells.source != 1).sum()
    np.testing.assert_array_equal(some.crops, cells.crops[cells.source != 1])
