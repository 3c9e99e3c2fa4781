"""``organelle-widgets models``: with a mirror on this machine and a cache of its own."""

from __future__ import annotations

import functools
import json
import os
import pty
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from organelle_widgets import weights

Command = Callable[..., tuple[int, str, str]]
CONTENT = b"PK" + bytes(range(256)) * 400
NAME, FILE = "hpa-nuclei", "dpn_unet_nuclei_v1.pth"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mirror(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a running mirror that has one of the files."""
    folder = tmp_path / "mirror"
    (folder / NAME).mkdir(parents=True)
    (folder / NAME / FILE).write_bytes(CONTENT)
    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ORGANELLE_WIDGETS_MIRROR", f"http://127.0.0.1:{server.server_port}")
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Types a line at a real terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda line: os.write(ours, f"{line}\n".encode())
    os.close(ours)


def put(cache: Path, content: bytes = CONTENT) -> Path:
    cache.mkdir(exist_ok=True)
    (cache / FILE).write_bytes(content)
    return cache / FILE


def states(command: Command) -> dict[str, str]:
    return {
        row["name"]: row["state"]
        for row in json.loads(command("models", "list", "--json")[1])["models"]
    }


def test_the_list_names_all_with_their_state(command: Command, cache: Path) -> None:
    assert set(states(command).values()) == {"not downloaded"}
    put(cache)
    (cache / "nuclei_model.pt").write_bytes(b"broken")
    found = states(command)
    assert set(found) == set(weights.catalogue())
    assert found[NAME] == "here"
    assert found["hpa-nuclei-torchscript"] == "damaged"
    code, out, _ = command("models", "list")
    assert code == 0
    assert len(out.splitlines()) == len(found)
    assert "about 560 MB" in out
    assert "CC-BY-4.0" in out


def test_info_shows_card_licence_and_what_is_not_known(command: Command, cache: Path) -> None:
    code, out, _ = command("models", "info", NAME)
    assert code == 0
    for part in ("10.5281/zenodo.4665863", "DPN-92", "licence:", "unverified:", str(cache / FILE)):
        assert part in out


def test_download_shows_the_licence_first_and_says_where_the_file_is(
    command: Command, mirror: Path, cache: Path
) -> None:
    code, out, err = command("models", "download", NAME, "--yes")
    assert code == 0, err
    lines = out.splitlines()
    assert "licence" in lines[1]
    assert lines[-1] == f"{NAME}: {cache / FILE}"
    assert (cache / FILE).read_bytes() == CONTENT
    code, out, _ = command("models", "download", NAME)
    assert (code, out) == (0, f"{NAME} is here: {cache / FILE}\n")


def test_without_a_terminal_only_yes_is_a_yes(
    command: Command, mirror: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        code, out, err = command("models", "download", NAME)
    assert code == 2
    assert "licence" in out
    assert "Add --yes" in err
    assert not cache.exists()


@pytest.mark.parametrize(("line", "code"), [("y", 0), ("Yes", 0), ("n", 1), ("", 1), ("yolo", 1)])
def test_at_a_terminal_it_asks(
    command: Command, mirror: Path, cache: Path, answer: Callable[[str], None], line: str, code: int
) -> None:
    answer(line)
    found, out, err = command("models", "download", NAME)
    assert found == code, err
    assert "Accept and download? [y/N]" in out
    assert (cache / FILE).exists() == (code == 0)
    assert ("Nothing was downloaded." in out) == (code == 1)


def test_one_that_fails_does_not_stop_the_others(
    command: Command, mirror: Path, cache: Path
) -> None:
    code, out, err = command("models", "download", "hpa-cells", NAME, "--yes")
    assert code == 1
    assert "status 404" in err
    assert f"{NAME}: {cache / FILE}" in out


def test_nothing_to_download_is_wrong_usage(command: Command, cache: Path) -> None:
    code, _, err = command("models", "download")
    assert code == 2
    assert "--all" in err
    code, _, err = command("models", "download", "hpa")
    assert code == 2
    assert "found 'hpa'" in err


def test_verify_hashes_what_is_here(command: Command, cache: Path) -> None:
    code, out, _ = command("models", "verify")
    assert (code, out) == (0, f"No weights are here yet ({cache}).\n")
    assert command("models", "verify", NAME)[0] == 1
    path = put(cache)
    code, out, _ = command("models", "verify")
    assert (code, out) == (0, f"{NAME}: {path} is what it should be\n")
    path.write_bytes(CONTENT + b"!")
    code, _, err = command("models", "verify")
    assert code == 1
    assert "not what it should be" in err


def test_a_bundle_stands_for_its_files(command: Command, mirror: Path, cache: Path) -> None:
    names = [name for name, file in weights.catalogue().items() if file.bundle == "subcell-mae"]
    for name in names[1:]:
        (mirror / name).mkdir()
        (mirror / name / weights.catalogue()[name].file_name).write_bytes(CONTENT + name.encode())
    code, out, err = command("models", "download", "subcell-mae", names[1], "--yes")
    assert code == 1
    assert "status 404" in err  # the encoder is not on the mirror
    for name in names[1:]:
        assert out.count(f"{name}: {cache}") == 1
    code, _, err = command("models", "verify", "subcell-mae")
    assert code == 1
    assert "'subcell-mae-encoder'" in err


def test_path_gives_the_folder_or_the_file(command: Command, cache: Path) -> None:
    assert command("models", "path")[:2] == (0, f"{cache}\n")
    code, _, err = command("models", "path", NAME)
    assert code == 1
    assert f"models download {NAME}" in err
    path = put(cache)
    assert command("models", "path", NAME)[:2] == (0, f"{path}\n")


def test_doctor_says_which_weights_are_here(command: Command, cache: Path) -> None:
    put(cache)
    report = json.loads(command("doctor", "--json")[1])
    assert report["weights_folder"] == str(cache)
    assert report["weights"] == {name: name == NAME for name in weights.catalogue()}
    out = command("doctor")[1]
    assert f"here     {NAME} (HPA nuclei)" in out
    assert "absent   hpa-cells (HPA cells)" in out


def test_the_command_is_in_the_help(command: Command) -> None:
    assert "models " in command()[2]
    assert command("models")[0] == 2
