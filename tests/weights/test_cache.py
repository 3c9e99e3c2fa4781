"""Files in the cache folder: trusted, remembered, put there by hand, damaged."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from organelle_widgets import weights
from organelle_widgets.errors import SettingsError, WeightsError
from organelle_widgets.weights._ledger import Ledger, Seen
from organelle_widgets.weights._store import Store, cache_folder
from organelle_widgets.weights.catalogue import WeightFile

CONTENT = b"PK weights " * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def make_store(folder: Path, **entry: object) -> Store:
    return Store(
        {"net": WeightFile("net", "Net", "http://example.invalid/net.pth", "net.pth", **entry)},
        folder,
    )


def put(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "net.pth"
    path.write_bytes(content)
    return path


def replace_unseen(path: Path, content: bytes) -> None:
    """Other content of the same size and time."""
    stat = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("known", ["md5", "sha256", "nothing"])
def test_a_file_put_there_by_hand_is_accepted_once_it_is_verified(folder, known):
    sums = {"md5": hashlib.md5(CONTENT).hexdigest(), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    store = make_store(folder, **({known: sums[known].upper()} if known in sums else {}))
    assert not store.is_here("net")
    path = put(folder)
    assert store.is_here("net")
    assert store.locate("net") == path
    entry = json.loads((folder / "checksums.json").read_text())["net"]
    assert entry["sha256"] == sums["sha256"]
    assert entry["evidence"] == (known if known in sums else "first")


@pytest.mark.parametrize(
    ("entry", "content", "words"),
    [
        ({"md5": "0" * 32}, CONTENT, "expected md5 0000.*; found"),
        ({"sha256": "0" * 64}, CONTENT, "expected sha256 0000.*; found"),
        ({"size_bytes": 12}, CONTENT, "expected 12 bytes; found 11000 bytes"),
        ({}, b"", "expected some bytes; found 0 bytes"),
        ({}, b"\n<!DOCTYPE html><html>Please log in", "found a web page"),
    ],
)
def test_a_wrong_file_is_refused(folder, entry, content, words):
    put(folder, content)
    store = make_store(folder, **entry)
    with pytest.raises(WeightsError, match=words) as caught:
        store.locate("net")
    assert caught.value.weights == "net"
    assert "models download net" in caught.value.hint
    assert store.state("net") == "damaged"


def test_a_file_that_is_not_here_is_told_with_its_place(folder):
    store = make_store(folder, about_bytes=560_000_000)
    with pytest.raises(
        WeightsError, match=r"'net' \(Net\) are not here: expected .*net.pth"
    ) as caught:
        store.locate("net")
    assert "models download net" in caught.value.hint
    assert "about 560 MB" in caught.value.hint
    assert store.state("net") == "not downloaded"


def test_a_file_is_hashed_only_when_it_changed(folder):
    path = put(folder)
    make_store(folder).locate("net")
    replace_unseen(path, CONTENT[::-1])
    again = make_store(folder)
    assert again.locate("net") == path
    with pytest.raises(WeightsError, match="seen first"):
        again.verify("net")


def test_a_changed_file_is_hashed_in_the_same_process_too(folder):
    store = make_store(folder)
    path = put(folder)
    store.locate("net")
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(WeightsError, match="which was seen first"):
        store.locate("net")


def test_what_was_seen_first_outlives_the_file(folder):
    store = make_store(folder)
    put(folder)
    store.locate("net").unlink()
    put(folder, CONTENT[::-1])
    with pytest.raises(WeightsError, match="which was seen first") as caught:
        store.locate("net")
    assert str(folder / "checksums.json") in caught.value.hint
    (folder / "checksums.json").write_text("{}")
    assert store.locate("net").is_file()


def test_a_checksum_of_the_catalogue_outweighs_what_is_remembered(folder):
    put(folder)
    make_store(folder).locate("net")
    with pytest.raises(WeightsError, match="expected sha256 0000"):
        make_store(folder, sha256="0" * 64).locate("net")


@pytest.mark.parametrize("text", ["{", "[]", '{"net": {"size": 1}}', "\udcff"])
def test_a_damaged_ledger_is_made_anew(folder, text, caplog):
    (folder / "checksums.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    put(folder)
    assert make_store(folder).locate("net")
    assert "checksums are made anew" in caplog.text
    assert "net" in json.loads((folder / "checksums.json").read_text())


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_a_folder_that_can_not_be_written_is_used_all_the_same(folder):
    put(folder)
    folder.chmod(0o555)
    script = (
        "import os, filelock\n"
        "from pathlib import Path\n"
        "from organelle_widgets.weights.catalogue import WeightFile\n"
        "from organelle_widgets.weights._store import Store\n"
        "files = {'net': WeightFile('net', 'Net', '', 'net.pth')}\n"
        "os.geteuid() == 0 and os.setuid(65534)\n"
        "print(Store(files, Path('.')).locate('net').name)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    folder.chmod(0o755)
    assert ran.stdout == "net.pth\n", ran.stderr
    assert not (folder / "checksums.json").exists()


def test_processes_that_write_at_once_lose_nothing(folder):
    script = (
        "import sys; from pathlib import Path; from organelle_widgets.weights._ledger import *\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for n in range(15): ledger.write(f'{sys.argv[2]}{n}', Seen('a', n, 0, 'first'))"
    )
    words = [sys.executable, "-c", script, str(folder)]
    running = [subprocess.Popen([*words, name]) for name in ("a", "b", "c")]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    entries = Ledger(folder).read()
    assert len(entries) == 45
    assert entries["b7"] == Seen("a", 7, 0, "first")


def test_the_folder_is_the_platforms_or_the_one_named(monkeypatch, tmp_path):
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", "~/models")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "models"
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", "")
    assert cache_folder().name == "organelle-widgets"
    assert cache_folder().is_absolute()


def test_the_store_of_this_machine_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", str(tmp_path))
    assert not weights.is_here("hpa-nuclei")
    (tmp_path / "dpn_unet_nuclei_v1.pth").write_bytes(CONTENT)
    assert weights.is_here("hpa-nuclei")
    assert weights.locate("hpa-nuclei") == weights.verify("hpa-nuclei")
    assert weights.download("hpa-nuclei") == tmp_path / "dpn_unet_nuclei_v1.pth"


@pytest.mark.parametrize(
    "function", [weights.is_here, weights.locate, weights.verify, weights.download]
)
def test_an_unknown_name_is_told_with_the_known_ones(function):
    with pytest.raises(SettingsError, match=r"Expected weights out of hpa-nuclei, .*; found 'hpa'"):
        function("hpa")


def test_the_checksum_is_that_of_the_verified_file(folder):
    store = make_store(folder)
    with pytest.raises(WeightsError, match="not here"):
        store.checksum("net")
    put(folder)
    assert store.checksum("net") == hashlib.sha256(CONTENT).hexdigest()
    assert make_store(folder).checksum("net") == hashlib.sha256(CONTENT).hexdigest()
