from __future__ import annotations

import shutil

import numpy as np
import pytest
import tifffile

from organelle_widgets.errors import InputError
from organelle_widgets.io import discover_fields, is_field_list, read_field_list
from organelle_widgets.synthetic import write_sample


@pytest.fixture
def table(tmp_path):
    """Write a table from its text."""

    def write(text: str, name: str = "list.csv", encoding: str = "utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.fixture
def two(write_field, tmp_path):
    """Fields a and b in the folder p."""
    write_field("a", folder=tmp_path / "p")
    write_field("b", folder=tmp_path / "p")
    return tmp_path / "p"


def problems_of(path, **options):
    """What can be read of a table, and the problems."""
    problems: list[InputError] = []
    return read_field_list(path, on_problem=problems.append, **options), problems


def test_any_file_of_a_field_is_enough(two, table):
    found = read_field_list(table("path,gene\np/b_green.png,TP53\np/a_blue.png,ACTB\n"))
    assert [(item.name, item.extra) for item in found] == [
        ("b", {"gene": "TP53"}),
        ("a", {"gene": "ACTB"}),
    ]
    assert found[1].files == discover_fields(two)[0].files
    assert found[0].read().extra == {"gene": "TP53"}


def test_paths_of_every_kind(two, write_field, table, tmp_path, planes):
    tifffile.imwrite(tmp_path / "many.ome.tif", planes, metadata={"axes": "CYX"})
    write_field("only", folder=tmp_path / "one")
    rows = f"name,path\nx,many.ome.tif\ny,one\nz,{two / 'a_red.png'}\n"
    found = read_field_list(table(rows), channels={0: "red", 1: "green", 2: "blue", 3: "yellow"})
    assert [item.name for item in found] == ["x", "y", "z"]
    for item in found:
        assert np.array_equal(item.read().pixels, planes)


def test_a_column_a_channel_by_any_of_its_names(two, table, planes):
    names = ("Microtubules", "antibody", "DAPI", "endoplasmic reticulum")
    rows = f"Field,{','.join(names)},Dose\nf1,p/a_red.png,p/a_green.png,p/a_blue.png,,1.5\n"
    (found,) = read_field_list(table(rows))
    field = found.read()
    assert (found.name, found.extra) == ("f1", {"Dose": "1.5"})
    assert field.missing == {"yellow"}
    assert np.array_equal(field.pixels[:3], planes[:3])


def test_an_antibody_beside_a_path_or_a_green_column_is_carried_through(two, table):
    (by_path,) = read_field_list(table("path,antibody,target\np/a_red.png,HPA01,TP53\n"))
    assert by_path.extra == {"antibody": "HPA01", "target": "TP53"}
    (by_channel,) = read_field_list(
        table("green,blue,antibody\np/a_green.png,p/a_blue.png,HPA01\n")
    )
    assert by_channel.extra == {"antibody": "HPA01"}


def test_the_table_of_a_sample_will_do(tmp_path):
    write_sample(tmp_path, 2, shape=(96, 128), pixel_size_um=0.3, classes=0)
    found = read_field_list(tmp_path / "fields.csv")
    assert [item.name for item in found] == [
        item.name for item in discover_fields(tmp_path / "fields")
    ]
    assert [item.pixel_size_um for item in found] == [0.3, 0.3]
    assert found[0].extra["labels"] == "0"
    assert found[0].read().pixel_size_source == "given"


@pytest.mark.data
def test_the_table_of_real_fields_will_do(data):
    found, problems = problems_of(data / "fields.csv")
    assert problems == []
    assert len(found) > 100
    assert found[0].read().pixel_size_um == found[0].pixel_size_um


@pytest.mark.parametrize(
    ("text", "name", "encoding"),
    [
        ("\ufeffname;path;dose\nn;p/a_red.png;0,5\n", "list.csv", "utf-8"),
        ("name\tpath\tdose\r\nn\tp/a_red.png\t0,5\r\n", "list.tsv", "utf-8"),
        ("\ufeffname\tpath\tdose\r\nn\tp/a_red.png\t0,5\r\n", "list.txt", "utf-16-le"),
        ("sep=;\nname;path;dose\nn;p/a_red.png;0,5\n", "list.csv", "utf-8"),
        ('"name","path","dose"\n"n","p/a_red.png","0,5"\n', "list.csv", "utf-8"),
        ('\n\nname,path,dose\n,,\nn , p/a_red.png,"0,5"\n\n', "list.csv", "utf-8"),
        (',name,path,dose,\n0,n,p/a_red.png,"0,5",\n', "list.csv", "utf-8"),
        ('name,path,dose\nn,p\\a_red.png,"0,5"\n', "list.csv", "utf-8"),
    ],
)
def test_tables_as_people_save_them(two, table, text, name, encoding):
    (found,) = read_field_list(table(text, name, encoding))
    assert (found.name, found.extra) == ("n", {"dose": "0,5"})


def test_values_are_kept_as_they_are(two, table):
    (found,) = read_field_list(table('path,code,text\np/a_red.png,007,"10 µM, ""x""\ny"\n'))
    assert found.extra == {"code": "007", "text": '10 µM, "x"\ny'}


def test_bad_rows_are_named_by_their_lines_and_hide_nothing(two, write_field, table, tmp_path):
    write_field("c", folder=tmp_path / "p", keys=("red", "green"))
    (two / "a_cellmask.png").write_bytes(b"")
    path = table(
        "name,path,pixel_size_um\n"
        "good,p/a_red.png,0.1\n"
        "gone,p/z_red.png,\n"
        "\n"
        "headless,p/c_red.png,\n"
        "several,p,\n"
        "size,p/b_red.png,ten\n"
        "large,p/b_red.png,1000\n"
        "mask,p/a_cellmask.png,\n"
        ",p/b_red.png,\n"
        "nowhere,,\n"
        "long,p/b_red.png,0.1,x\n"
        "good,p/b_red.png,\n"
        "last,p/b_red.png,\n"
    )
    found, problems = problems_of(path)
    assert [item.name for item in found] == ["good", "last"]
    assert [item.pixel_size_um for item in found] == [0.1, None]
    said = {int(problem.source.rsplit(" ", 1)[1]): str(problem) for problem in problems}
    expected = {
        3: "z_red.png: Expected a file or folder; found nothing",
        5: "Expected a file of the blue channel",
        6: "Expected exactly one field; found 2: a, b",
        7: "found 'ten'",
        8: "found 1000.0",
        9: "found a mask",
        10: "Expected a name in the column 'name'",
        11: "Expected a path in the column 'path'",
        12: "Expected 3 values; found 4",
        13: "found 'good', which line 2 has too",
    }
    assert list(said) == list(expected)
    for line, text in expected.items():
        assert f"{path}, line {line}: " in said[line]
        assert text in said[line]


def test_without_a_listener_all_problems_are_raised(two, table):
    with pytest.raises(InputError, match=r"Found 2 problems:\n- .*line 2: .*\n- .*line 3: "):
        read_field_list(table("path\nx.png\ny.png\np/a_red.png\n"))


def test_names_from_files_are_led_by_their_folders(two, write_field, table, tmp_path):
    write_field("a", folder=tmp_path / "q")
    text = "path\np/a_red.png\nq/a_red.png\np/b_red.png\np/a_green.png\n"
    found, problems = problems_of(table(text))
    assert [item.name for item in found] == ["p/a", "q/a", "b"]
    assert [str(problem).partition("; ")[2].partition(".")[0] for problem in problems] == [
        "found 'p/a', which line 2 has too"
    ]


def test_lines_count_those_within_quotes(two, table):
    found, problems = problems_of(table('path,note\np/a_red.png,"one\ntwo"\nx.png,\n'))
    assert len(found) == 1
    assert problems[0].source.endswith("line 4")


def test_a_decimal_comma_in_the_pixel_size(two, table):
    (found,) = read_field_list(table("path;pixel_size_um\np/a_red.png;0,16\n"))
    assert found.pixel_size_um == 0.16


def test_other_file_endings(write_field, table, tmp_path):
    files = write_field("a")
    for key, number in {"red": 2, "green": 1, "blue": 0}.items():
        shutil.move(files[key], tmp_path / f"a_ch0{number}.png")
    channels = {"_ch00": "blue", "_ch01": "green", "_ch02": "red"}
    (found,) = read_field_list(table("path\na_ch01.png\n"), channels=channels)
    assert list(found.files) == ["red", "green", "blue", "yellow"]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "found an empty file"),
        (b"\n \n,,\n", "found an empty file"),
        (b"path,gene\n\n", "Expected rows below the header line 1; found none"),
        (b"file,gene\na.png,x\n", "or columns 'id' and 'folder'; found 'file', 'gene'"),
        (b"red,yellow\na.png,b.png\n", "found 'red', 'yellow'"),
        (b"path,Gene,gene\na,b,c\n", "found 'gene' more than once"),
        (b"path,dose\na.png,10 \xb5M\n", "found another encoding in line 2"),
        (b"PK\x03\x04\x00\x00", "found a binary file"),
        (b'path,gene\na.png,x\n"b.png,y\nc.png,z\n', "found from line 3 on"),
    ],
)
def test_tables_that_are_none(tmp_path, content, match):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=match) as caught:
        read_field_list(path, on_problem=lambda problem: None)
    assert caught.value.source == str(path)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"gone\.csv: The table can't be read: No such file"):
        read_field_list(tmp_path / "gone.csv")


def test_tables_are_known_by_their_endings(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    assert is_field_list("a.CSV")
    assert is_field_list(tmp_path / "b.tsv")
    assert not is_field_list(tmp_path / "folder.csv")
    assert not is_field_list("a.png")
