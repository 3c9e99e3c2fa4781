from __future__ import annotations

import gc
import shutil
import stat
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.widgets import _uploads
from organelle_widgets.widgets._uploads import LONGEST_NAME, Receipt, UploadReceiver, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def receiver() -> Iterator[UploadReceiver]:
    made = UploadReceiver(reserve=0)
    yield made
    made.close()


def send(
    receiver: UploadReceiver,
    data: bytes,
    slot: str = "blue",
    name: str = "a_blue.png",
    step: int = 4,
) -> Path:
    upload = f"{slot}-{name}"
    for offset in range(0, len(data), step):
        chunk = data[offset : offset + step]
        receipt = receiver.receive(upload, slot, name, len(data), offset, chunk)
    assert receipt.path is not None
    return receipt.path


def test_chunks_make_the_file(receiver: UploadReceiver) -> None:
    path = send(receiver, b"0123456789")
    assert path.read_bytes() == b"0123456789"
    assert path.name == "a_blue.png"
    assert receiver.files == {"blue": path}


def test_a_file_counts_only_when_complete(receiver: UploadReceiver) -> None:
    assert receiver.receive("u", "blue", "a.png", 8, 0, b"0123") == Receipt(4)
    assert receiver.files == {}


def test_the_folder_is_private(receiver: UploadReceiver) -> None:
    folder = send(receiver, b"0123").parent
    for place in (folder, folder.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_two_receivers_share_nothing() -> None:
    first, second = UploadReceiver(reserve=0), UploadReceiver(reserve=0)
    paths = [send(first, b"first"), send(second, b"other")]
    assert paths[0].parent.parent != paths[1].parent.parent
    first.close()
    assert not paths[0].exists()
    assert paths[1].read_bytes() == b"other"
    second.close()


@pytest.mark.parametrize("offset", [0, 2, 6, 100])
def test_a_chunk_out_of_place_changes_nothing_and_tells_where_to_go_on(
    receiver: UploadReceiver, offset: int
) -> None:
    receiver.receive("u", "blue", "a.png", 8, 0, b"0123")
    assert receiver.receive("u", "blue", "a.png", 8, offset, b"xxxx") == Receipt(4)
    path = receiver.receive("u", "blue", "a.png", 8, 4, b"4567").path
    assert path is not None
    assert path.read_bytes() == b"01234567"


def test_an_unknown_upload_starts_at_its_beginning(receiver: UploadReceiver) -> None:
    assert receiver.receive("u", "blue", "a.png", 8, 4, b"4567") == Receipt(0)
    assert receiver.receive("u", "blue", "a.png", 4, 0, b"0123").path is not None


def test_more_bytes_than_announced_are_refused(receiver: UploadReceiver) -> None:
    receiver.receive("u", "blue", "a.png", 6, 0, b"0123")
    with pytest.raises(InputError, match=r"Expected up to 2 more bytes; found 3"):
        receiver.receive("u", "blue", "a.png", 6, 4, b"456")
    assert receiver.files == {}
    assert receiver.receive("u", "blue", "a.png", 6, 4, b"45") == Receipt(0)


def test_an_empty_chunk_is_refused(receiver: UploadReceiver) -> None:
    with pytest.raises(InputError, match="more bytes; found 0"):
        receiver.receive("u", "blue", "a.png", 6, 0, b"")


def test_another_size_on_the_way_is_refused(receiver: UploadReceiver) -> None:
    receiver.receive("u", "blue", "a.png", 8, 0, b"0123")
    with pytest.raises(InputError, match="Expected 8 bytes for blue; found 9 for blue"):
        receiver.receive("u", "blue", "a.png", 9, 4, b"4567")


def test_an_empty_file_is_refused(receiver: UploadReceiver) -> None:
    with pytest.raises(InputError, match="the file is empty"):
        receiver.receive("u", "blue", "a.png", 0, 0, b"")


@pytest.mark.parametrize("name", ["a.exe", "a.png.sh", "png", "", ".png"])
def test_other_kinds_are_refused(receiver: UploadReceiver, name: str) -> None:
    with pytest.raises(InputError, match=r"Expected a file that ends in \.png"):
        receiver.receive("u", "blue", name, 4, 0, b"0123")


def test_a_file_over_the_limit_is_refused_before_it_is_sent() -> None:
    receiver = UploadReceiver(file_limit=3 << 20, reserve=0)
    with pytest.raises(InputError, match=r"up to 3 MB; found 4 MB") as caught:
        receiver.receive("u", "blue", "a.png", 4 << 20, 0, b"0")
    assert "folder" in (caught.value.hint or "")
    receiver.close()


def test_the_total_counts_files_and_what_is_on_its_way() -> None:
    receiver = UploadReceiver(total_limit=10, reserve=0)
    send(receiver, b"0123", "blue")
    receiver.receive("u", "red", "a_red.png", 4, 0, b"0")
    with pytest.raises(InputError, match=r"up to 10 bytes of files in all; this would be 11 bytes"):
        receiver.receive("v", "green", "a_green.png", 3, 0, b"0")
    receiver.remove("blue")
    assert receiver.receive("v", "green", "a_green.png", 3, 0, b"0") == Receipt(1)
    receiver.close()


def test_a_full_disk_is_said_beforehand(
    receiver: UploadReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2 << 20))
    with pytest.raises(InputError, match=r"room for 2 MB; the file has 5 MB"):
        receiver.receive("u", "blue", "a.png", 5 << 20, 0, b"0")


def test_a_disk_that_fills_up_on_the_way_is_said(
    receiver: UploadReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.receive("u", "blue", "a.png", 8, 0, b"0123")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(UploadReceiver, "_write", fail)
    with pytest.raises(InputError, match="could not be stored: No space left on device"):
        receiver.receive("u", "blue", "a.png", 8, 4, b"4567")
    monkeypatch.undo()
    assert receiver.receive("u", "blue", "a.png", 8, 4, b"4567") == Receipt(0)


def test_a_new_file_replaces_the_old_one_only_when_complete(receiver: UploadReceiver) -> None:
    old = send(receiver, b"old!", name="old.png")
    receiver.receive("u", "blue", "new.png", 8, 0, b"0123")
    assert receiver.files == {"blue": old}
    new = receiver.receive("u", "blue", "new.png", 8, 4, b"4567").path
    assert receiver.files == {"blue": new}
    assert not old.parent.exists()


def test_a_second_upload_for_a_slot_drops_the_first(receiver: UploadReceiver) -> None:
    receiver.receive("u", "blue", "a.png", 8, 0, b"0123")
    receiver.receive("v", "blue", "b.png", 8, 0, b"abcd")
    assert receiver.receive("u", "blue", "a.png", 8, 4, b"4567") == Receipt(0)
    path = receiver.receive("v", "blue", "b.png", 8, 4, b"efgh").path
    assert path is not None
    assert path.read_bytes() == b"abcdefgh"


def test_cancel_leaves_nothing_behind(receiver: UploadReceiver) -> None:
    kept = send(receiver, b"kept", "red", "a_red.png")
    receiver.receive("u", "blue", "a.png", 8, 0, b"0123")
    receiver.cancel("u")
    receiver.cancel("never seen")
    assert list(kept.parent.parent.iterdir()) == [kept.parent]


def test_remove_deletes_the_file(receiver: UploadReceiver) -> None:
    path = send(receiver, b"0123")
    assert receiver.remove("blue")
    assert not path.exists()
    assert not receiver.remove("blue")


def test_close_deletes_all_and_the_receiver_goes_on(receiver: UploadReceiver) -> None:
    path = send(receiver, b"0123")
    receiver.close()
    assert not path.parent.parent.exists()
    assert receiver.files == {}
    assert send(receiver, b"4567").read_bytes() == b"4567"


def test_files_go_with_the_receiver() -> None:
    receiver = UploadReceiver(reserve=0)
    path = send(receiver, b"0123")
    del receiver
    gc.collect()
    assert not path.parent.parent.exists()


def test_files_go_when_python_ends() -> None:
    code = (
        "from organelle_widgets.widgets._uploads import UploadReceiver\n"
        "r = UploadReceiver(reserve=0)\n"
        "import sys; sys.stdout.write(str(r.receive('u', 'blue', 'a.png', 1, 0, b'0').path))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path = _uploads.Path(done.stdout)
    assert path.name == "a.png"
    assert not path.parent.parent.exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a_blue.png", "a_blue.png"),
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\fakepath\\a.png", "a.png"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        (".hidden.png", "hidden.png"),
        ("a\x00b\nc\u202e.png", "abc.png"),
        ('a<b>:"|?*.png', "a_b______.png"),
        ("Zellkern äöü 1.tif", "Zellkern äöü 1.tif"),
    ],
)
def test_safe_name(given: str, expected: str) -> None:
    assert safe_name(given) == expected


@pytest.mark.parametrize("name", ["a" * 500 + ".png", "ä" * 500 + ".png", "a." + "x" * 500])
def test_safe_name_is_short_and_keeps_the_ending(name: str) -> None:
    short = safe_name(name)
    assert len(short.encode()) <= LONGEST_NAME
    assert short.endswith(name[-4:] if name.endswith(".png") else "x")


def test_names_from_outside_stay_in_the_folder(receiver: UploadReceiver) -> None:
    path = send(receiver, b"0123", name="../../../a_blue.png")
    assert path.parent.parent.name.startswith("organelle-upload-")
    assert path.resolve().is_relative_to(path.parent.parent.resolve())
