"""Serving the dashboard: the notebook to serve, Voila's settings, and starting it.

Voila's own defaults lose large uploads without a word, keep every visitor's kernel for ever and serve pictures that
lie beside the notebook. The settings that the page needs instead are in ``voila.json`` beside the notebook, where
Voila looks for them; the launcher adds what is known only when it starts.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

from organelle_widgets.engine import ALLOCATOR
from organelle_widgets.errors import InputError
from organelle_widgets.server.pool import PATIENCE_S, Pool

__all__ = [
    "ROOT_VARIABLE",
    "SCHEDULER_VARIABLE",
    "free_port",
    "notebook_path",
    "serve",
    "voila_command",
    "voila_environment",
]

ROOT_VARIABLE = "ORGANELLE_WIDGETS_ROOT"
"""Environment variable with the folder that the page's folder picker is confined to."""

SCHEDULER_VARIABLE = "ORGANELLE_WIDGETS_SCHEDULER"
"""Environment variable with the address of the workers that all visitors share; without it there are none."""

_PACKAGE = Path(__file__).resolve().parents[1]
_LAST_PORT = 65535


def notebook_path() -> Path:
    """The dashboard's notebook: beside the package in a checkout, inside it when installed.

    Returns
    -------
    Path
        ``dashboard.ipynb``.

    Raises
    ------
    InputError
        If neither is there.
    """
    places = (
        _PACKAGE / "notebooks" / "dashboard.ipynb",
        _PACKAGE.parent / "dashboard.ipynb",
    )
    for place in places:
        if place.is_file():
            return place
    message = f"Expected the dashboard's notebook at {places[0]}; found nothing there."
    raise InputError(message, hint="Install the package again: it is incomplete.")


def voila_command(port: int, *, browser: bool = True, ip: str = "127.0.0.1") -> list[str]:
    """The command that serves the dashboard.

    Parameters
    ----------
    port : int
        TCP port.
    browser : bool
        Whether to open the person's browser.
    ip : str
        Address to listen on.

    Returns
    -------
    list of str
        Program and arguments.
    """
    return [
        sys.executable,
        "-m",
        "organelle_widgets.server.tied",
        "voila",
        str(notebook_path()),
        f"--port={port}",
        "--Voila.port_retries=0",
        f"--Voila.ip={ip}",
        *([] if browser else ["--no-browser"]),
        "--template=organelle",
        "--preheat_kernel=True",
        "--pool_size=1",
        "--Voila.log_level=ERROR",
        *(["--KernelManager.transport=ipc"] if os.name == "posix" else []),
    ]


def voila_environment(root: Path, scheduler: str | None = None) -> dict[str, str]:
    """Environment of the server and of the visitors' kernels.

    Parameters
    ----------
    root : Path
        Folder that the folder picker is confined to.
    scheduler : str, optional
        Address of the workers that all visitors share.

    Returns
    -------
    dict of str to str
        This process's environment with what the dashboard needs.

    Raises
    ------
    InputError
        If `root` is not a folder.
    """
    if not root.is_dir():
        message = f"Expected --root to be a folder; found {root}."
        raise InputError(message, hint="Give the folder that holds your images.")
    paths = [str(_PACKAGE / "jupyter"), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    return {
        **os.environ,
        "JUPYTER_PATH": os.pathsep.join(paths),
        **{name: os.environ.get(name, value) for name, value in ALLOCATOR.items()},
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        ROOT_VARIABLE: str(root.resolve()),
        **({SCHEDULER_VARIABLE: scheduler} if scheduler else {}),
    }


def free_port(port: int, ip: str = "127.0.0.1") -> int:
    """The port asked for, or the next free one after it.

    Parameters
    ----------
    port : int
        Where to start; 0 for any.
    ip : str
        Address to listen on.

    Returns
    -------
    int
        A port that was free just now.

    Raises
    ------
    InputError
        If that is no TCP port, or none of fifty ports is free.
    """
    if not 0 <= port <= _LAST_PORT:
        message = f"Expected a TCP port from 0 to {_LAST_PORT}; found {port}."
        raise InputError(message, hint="Choose another with --port.")
    last = min(port + 49, _LAST_PORT)
    for candidate in range(port, last + 1) if port else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ip, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    message = f"Expected a free port from {port} to {last}; found none."
    raise InputError(message, hint="Choose another with --port.")


def serve(
    port: int, root: Path, *, browser: bool = True, ip: str = "127.0.0.1", workers: int = 0
) -> int:
    """Serve the dashboard until it is stopped. Whatever ends this process ends all that it started, too.

    Parameters
    ----------
    port : int
        TCP port.
    root : Path
        Folder that the folder picker is confined to.
    browser : bool
        Whether to open the person's browser.
    ip : str
        Address to listen on.
    workers : int
        Processes that analyse fields for all visitors; 0 for none: each visitor's kernel does its own work.

    Returns
    -------
    int
        Exit code of the server; 0 when it was stopped with Ctrl+C.

    Raises
    ------
    InputError
        If `root` is not a folder.
    SettingsError, BatchError
        If there can't be so many workers, or they don't start.
    """
    voila_environment(root)  # complains before anything is started
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    command = voila_command(port, browser=browser, ip=ip)
    try:
        with Pool(workers) if workers else nullcontext() as pool:
            return _run(command, voila_environment(root, pool.address if pool else None))
    except KeyboardInterrupt:
        return 0


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run the server until it ends or is to end."""
    # In a session of its own, so that Ctrl+C reaches this process alone and Voila ends its kernels in order.
    with subprocess.Popen(
        command,
        cwd=notebook_path().parent,
        env=environment,
        stdin=subprocess.PIPE,
        start_new_session=True,
    ) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            server.terminate()
            try:
                server.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                server.kill()
            raise


def _interrupt(*_: object) -> None:
    """A wish to end, however it comes, is treated like Ctrl+C."""
    raise KeyboardInterrupt
