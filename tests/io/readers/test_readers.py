"""What holds for every reader."""

from __future__ import annotations

import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.io.readers import READERS, reader_for

JUNK = [
    b"",
    b"text",
    b"\x89PNG\r\n\x1a\n" + b"\x07" * 90,
    b"II*\x00\x08\x00\x00\x00" + b"\x07" * 90,
]


@pytest.mark.parametrize("name", READERS.names())
def test_every_reader_describes_itself(name):
    reader = READERS.create(name)
    assert reader.title
    assert reader.title == READERS.get(name).title
    assert all(suffix.startswith(".") for suffix in reader.suffixes)


@pytest.mark.parametrize("content", JUNK)
@pytest.mark.parametrize("name", READERS.names())
def test_every_reader_refuses_junk(name, content, tmp_path):
    path = tmp_path / "junk"
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or cut short") as caught:
        READERS.create(name).header(path)
    assert caught.value.source == str(path)


@pytest.mark.parametrize("name", READERS.names())
def test_no_reader_takes_a_folder_or_text(name, tmp_path):
    (tmp_path / "a.txt").write_text("text")
    assert not READERS.get(name).cls.accepts(tmp_path, b"")
    assert not READERS.get(name).cls.accepts(tmp_path / "a.txt", b"text")


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(InputError, match="found a folder"):
        reader_for(tmp_path)
