"""The launcher's settings; the server itself is driven in the browser tests."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from organelle_widgets import server
from organelle_widgets.errors import InputError


def test_the_notebook_is_found() -> None:
    notebook = json.loads(server.notebook_path().read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(notebook["cells"]) == 3
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


def test_the_command_takes_port_and_browser() -> None:
    command = server.voila_command(9000, browser=False)
    assert "--port=9000" in command
    assert "--no-browser" in command
    assert "--no-browser" not in server.voila_command(9000)


def test_the_settings_close_what_voila_leaves_open() -> None:
    beside = server.notebook_path().with_name("voila.json")
    settings = json.loads(beside.read_text("utf-8"))
    assert settings["VoilaConfiguration"]["file_allowlist"] == ["(?!)"]
    assert settings["MappingKernelManager"]["cull_idle_timeout"] > 0
    assert settings["Voila"]["tornado_settings"]["websocket_max_message_size"] >= 2**27


def test_environment_names_the_root_and_the_template(tmp_path: Path) -> None:
    environment = server.voila_environment(tmp_path)
    assert environment[server.ROOT_VARIABLE] == str(tmp_path.resolve())
    template = Path(environment["JUPYTER_PATH"].split(":")[0], "voila/templates/organelle")
    assert (template / "index.html.j2").is_file()


def test_kernels_are_told_of_shared_workers_where_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(server.SCHEDULER_VARIABLE, raising=False)
    assert server.SCHEDULER_VARIABLE not in server.voila_environment(tmp_path)
    told = server.voila_environment(tmp_path, "tcp://127.0.0.1:5")
    assert told[server.SCHEDULER_VARIABLE] == "tcp://127.0.0.1:5"


def test_the_template_names_no_other_server() -> None:
    folder = Path(server.__file__).parent / "jupyter"
    for path in folder.rglob("*.j2"):
        assert "https://" not in path.read_text("utf-8"), path.name


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--root to be a folder"):
        server.voila_environment(tmp_path / "absent")


def test_a_taken_port_is_left_alone() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert server.free_port(port) != port
    assert server.free_port(0) > 0


@pytest.mark.parametrize("port", [-1, 70000])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(InputError, match=f"0 to 65535; found {port}"):
        server.free_port(port)


def test_memory_goes_back_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    environment = server.voila_environment(tmp_path)
    assert environment["MALLOC_MMAP_THRESHOLD_"] == "1048576"
    assert environment["MALLOC_ARENA_MAX"] == "7"
