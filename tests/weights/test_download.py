"""Downloading from a real server on this machine: what goes well, what breaks, and what is said."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import Cancelled, SettingsError, WeightsError

HALF = 300_000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left_behind(store) -> set[str]:
    """Files of the cache that a person sees."""
    return {path.name for path in store.folder.iterdir() if not path.name.startswith(".")}


def test_a_download_is_whole_verified_and_tidy(site, make_store, content):
    store = make_store(sha256=sha256(content), size_bytes=len(content))
    assert not store.is_here("net")
    path = store.download("net")
    assert path.read_bytes() == content
    assert store.is_here("net")
    assert store.locate("net") == path
    assert left_behind(store) == {"net.pth", "checksums.json"}
    store.download("net")
    assert len(site.files) == 1


def test_progress_is_told_in_megabytes(site, make_store, content):
    seen: list[tuple[str, float]] = []
    site.slow_s = 0.05
    make_store().download("net", monitor=Monitor(lambda step, part: seen.append((step, part))))
    words = [step for step, _ in seen]
    assert "Downloading Net: 1 of 0.6 MB" in words
    assert words[-1] == "Checking Net"
    parts = [part for _, part in seen]
    assert parts == sorted(parts)
    assert parts[-1] == 1.0
    assert any(0.1 < part < 0.9 for part in parts)


def test_a_cut_connection_goes_on_with_the_rest_only(site, make_store, content):
    site.cuts = [HALF]
    assert make_store().download("net").read_bytes() == content
    (first, status, sent), (second, status_2, sent_2) = site.files
    assert (first, status, sent) == (None, 200, HALF)
    start = int(second.removeprefix("bytes=").removesuffix("-"))
    assert HALF - 65536 <= start <= HALF
    assert (status_2, sent_2) == (206, len(content) - start)


def test_after_giving_up_the_next_call_asks_for_the_rest(site, make_store, content):
    site.cuts = [HALF]
    with pytest.raises(WeightsError, match=r"connection to 127.* broke after 0\.2.* MB") as caught:
        make_store(attempts=1).download("net")
    assert "goes on where it stopped" in caught.value.hint
    assert caught.value.weights == "net"
    assert make_store().download("net").read_bytes() == content
    assert site.files[1][1] == 206
    assert site.files[1][2] <= len(content) - HALF + 65536


def test_many_cuts_are_forgiven_while_something_comes(site, make_store, content):
    site.cuts = [100_000] * 20
    assert make_store(attempts=2).download("net").read_bytes() == content


def test_last_modified_serves_where_no_strong_etag_is(site, make_store, content):
    site.etag, site.last_modified, site.cuts = 'W/"weak"', "Tue, 06 Apr 2021 10:00:00 GMT", [HALF]
    assert make_store().download("net").read_bytes() == content
    assert [status for _, status, _ in site.files] == [200, 206]


def test_without_a_mark_of_the_version_it_starts_over(site, make_store, content):
    site.etag, site.cuts = "", [HALF]
    assert make_store().download("net").read_bytes() == content
    assert [request for request, _, _ in site.files] == [None, None]


@pytest.mark.parametrize("ranges", ["no", "refused", "shifted"])
def test_a_server_that_can_not_resume_sends_all_again(site, make_store, content, ranges):
    site.ranges, site.cuts = ranges, [HALF]
    assert make_store().download("net").read_bytes() == content
    assert site.files[-1][1:] == (200, len(content))


def test_a_file_that_changed_in_between_starts_over(site, make_store, content):
    site.cuts = [HALF]
    with pytest.raises(WeightsError, match="broke"):
        make_store(attempts=1).download("net")
    site.content, site.etag = content[::-1], '"v2"'
    assert make_store().download("net").read_bytes() == content[::-1]
    assert site.files[1][1:] == (200, len(content))


def test_a_part_of_another_address_is_not_used(site, make_store, content):
    site.cuts = [HALF]
    with pytest.raises(WeightsError, match="broke"):
        make_store(attempts=1).download("net")
    store = make_store(url=f"http://127.0.0.1:{site.port}/elsewhere/net.pth")
    assert store.download("net").read_bytes() == content
    assert site.files[1][0] is None


def test_a_length_that_is_not_told_is_no_obstacle(site, make_store, content):
    site.length = "hidden"
    assert make_store().download("net").read_bytes() == content


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_a_wrong_checksum_is_refused_and_thrown_away(site, make_store, content, kind):
    store = make_store(**{kind: "0" * (32 if kind == "md5" else 64)})
    with pytest.raises(WeightsError, match=f"net.pth.* expected {kind} 000.*; found") as caught:
        store.download("net")
    assert "thrown away" in str(caught.value)
    assert left_behind(store) == set()


def test_the_md5_of_the_record_is_asked_for(site, make_store, content):
    site.publish(content)
    store = make_store()
    store.download("net")
    entry = json.loads((store.folder / "checksums.json").read_text())["net"]
    assert (entry["sha256"], entry["evidence"]) == (sha256(content), "md5")
    store.verify("net")
    assert json.loads((store.folder / "checksums.json").read_text())["net"] == entry


def test_a_file_that_is_not_the_records_is_refused(site, make_store, content):
    site.publish(content + b"more")
    store = make_store()
    with pytest.raises(WeightsError, match="expected md5"):
        store.download("net")
    assert left_behind(store) == set()


def test_without_a_published_checksum_the_first_file_is_held_to(site, make_store, content):
    store = make_store()
    store.download("net").unlink()
    site.content = content[::-1]
    with pytest.raises(WeightsError, match="which was seen first") as caught:
        store.download("net")
    assert "delete the entry 'net'" in caught.value.hint
    assert not store.is_here("net")


def test_a_published_md5_outweighs_what_was_put_there_by_hand(site, make_store, content):
    store = make_store()
    store.folder.mkdir()
    (store.folder / "net.pth").write_bytes(b"something else")
    store.locate("net").unlink()
    site.publish(content)
    assert store.download("net").read_bytes() == content


def test_another_size_is_refused_before_it_is_sent(site, make_store, content):
    store = make_store(size_bytes=len(content) + 1)
    with pytest.raises(WeightsError, match=r"Expected a file of 600003 bytes.* found 600002"):
        store.download("net")
    assert left_behind(store) == set()


def test_a_login_page_is_no_file(site, make_store):
    site.kind = "text/html; charset=utf-8"
    with pytest.raises(WeightsError, match=r"found a web page.*login page"):
        make_store().download("net")


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, r"status 404.*moved or taken down"), (403, r"refuses to send .*status 403")],
)
def test_a_refusal_is_final(site, make_store, status, words):
    site.statuses = [status] * 3
    with pytest.raises(WeightsError, match=words) as caught:
        make_store().download("net")
    assert "put it into" in caught.value.hint
    assert len(site.files) == 1


def test_a_busy_server_is_asked_again(site, make_store, content):
    site.statuses = [503, 429]
    assert make_store().download("net").read_bytes() == content
    assert [status for _, status, _ in site.files] == [503, 429, 200]


def test_a_server_that_stays_busy_is_given_up(site, make_store):
    site.statuses = [503] * 9
    with pytest.raises(WeightsError, match=r"does not send .*: status 503"):
        make_store().download("net")
    assert len(site.files) == 3


def test_without_a_network_the_way_by_hand_is_told(site, make_store):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/record/7/files/net.pth"
        store = make_store(url=url, size_bytes=559_000_000)
        with pytest.raises(WeightsError, match=r"Can't reach 127.*: Connection refused") as caught:
            store.download("net")
    for part in (url, "559 MB", str(store.folder), "as net.pth", "models verify net"):
        assert part in caught.value.hint


def test_a_broken_encryption_is_told(site, make_store):
    url = f"https://127.0.0.1:{site.port}/net.pth"
    with pytest.raises(WeightsError, match=r"No secure connection to 127.*REQUESTS_CA_BUNDLE"):
        make_store(url=url).download("net")


def test_a_disk_that_is_too_small_is_told_before(site, make_store):
    site.claimed_length = 10**16
    store = make_store()
    with pytest.raises(
        WeightsError, match=r"Expected 10000000000 MB of free disk.*; found"
    ) as caught:
        store.download("net")
    assert "ORGANELLE_WIDGETS_CACHE" in caught.value.hint
    assert site.files[0][2] < len(site.content) + 1
    assert left_behind(store) == set()


SCRIPT = """
import sys, resource
from pathlib import Path
from organelle_widgets.errors import WeightsError
from organelle_widgets.weights.catalogue import WeightFile
from organelle_widgets.weights._store import Store
url, folder, limit = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    print(Store({"net": WeightFile("net", "Net", url, "net.pth")}, folder).download("net"))
except WeightsError as error:
    print(error)
"""


def start(site, folder: Path, limit: int = 0) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", SCRIPT, site.url, str(folder), str(limit)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def test_a_full_disk_is_told_and_the_part_serves_later(site, make_store, content):
    store = make_store()
    with start(site, store.folder, limit=200_000) as process:
        said = process.communicate(timeout=30)[0]
    assert "is full; 0.4 MB are missing" in said
    assert f"kept in {store.folder / 'net.pth.part'}" in said
    assert (store.folder / "net.pth.part").stat().st_size == 200_000
    assert store.download("net").read_bytes() == content
    assert site.files[1] == ("bytes=200000-", 206, len(content) - 200_000)


def test_two_processes_download_once(site, make_store, content):
    site.slow_s = 0.03
    store = make_store()
    with start(site, store.folder) as one, start(site, store.folder) as two:
        said = [process.communicate(timeout=30)[0].strip() for process in (one, two)]
    assert said == [str(store.folder / "net.pth")] * 2
    assert (store.folder / "net.pth").read_bytes() == content
    assert len(site.files) == 1


def test_cancel_stops_soon_and_keeps_the_part(site, make_store, content):
    site.slow_s = 0.03
    store = make_store()
    monitor = Monitor(lambda step, part: part > 0.3 and monitor.cancel())
    with pytest.raises(Cancelled, match="Stopped on request"):
        store.download("net", monitor=monitor)
    assert 100_000 < (store.folder / "net.pth.part").stat().st_size < len(content)
    assert store.download("net").read_bytes() == content
    assert 206 in [status for _, status, _ in site.files]


def test_cancel_while_checking_costs_no_second_download(site, make_store, content):
    site.content = content * 4
    store = make_store()
    monitor = Monitor(lambda step, part: step.startswith("Checking") and monitor.cancel())
    with pytest.raises(Cancelled):
        store.download("net", monitor=monitor)
    assert not store.is_here("net")
    assert store.download("net").read_bytes() == content * 4
    assert len(site.files) == 1
    assert left_behind(store) == {"net.pth", "checksums.json"}


def test_cancel_is_heard_while_waiting_for_a_server(site, make_store):
    site.statuses = [503] * 100
    store = make_store(attempts=100)
    monitor = Monitor()
    timer = threading.Timer(0.2, monitor.cancel)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        store.download("net", monitor=monitor)
    assert time.monotonic() - started < 1.5
    timer.join()


def test_cancel_is_heard_while_another_process_downloads(site, make_store):
    from filelock import FileLock

    store = make_store()
    store.folder.mkdir()
    seen: list[str] = []
    monitor = Monitor(lambda step, part: (seen.append(step), monitor.cancel()))
    with FileLock(store.folder / ".net.pth.lock"), pytest.raises(Cancelled):
        store.download("net", monitor=monitor)
    assert seen == ["Waiting for another download of Net"]


def test_a_mirror_has_a_folder_for_each_name(site, make_store, content, monkeypatch):
    monkeypatch.setenv("ORGANELLE_WIDGETS_MIRROR", f"http://127.0.0.1:{site.port}/copies/")
    make_store(url="http://example.invalid/net.pth").download("net")
    assert [entry[0] for entry in site.log] == ["/copies/net/net.pth"]


@pytest.mark.parametrize("mirror", ["ftp://lab/", "lab.example", "http://"])
def test_a_mirror_that_is_no_address_is_refused(make_store, monkeypatch, mirror):
    monkeypatch.setenv("ORGANELLE_WIDGETS_MIRROR", mirror)
    with pytest.raises(SettingsError, match=f"ORGANELLE_WIDGETS_MIRROR.*found '{mirror}'"):
        make_store().download("net")


def test_a_folder_that_is_a_file_is_told(make_store, tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(
        WeightsError, match=r"Can't use .*taken for 'net': .*ORGANELLE_WIDGETS_CACHE"
    ):
        make_store(folder=tmp_path / "taken").download("net")
