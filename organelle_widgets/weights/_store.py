"""The cache of downloaded weights: where a file lies, whether it is what it should be, and how it gets there.

A file is trusted after its size and checksums agree with the catalogue, with the MD5 of its Zenodo record, or, where
nothing is published, with the SHA-256 of the first file seen under that name. What was verified is remembered with
size and time, so that only a changed file is hashed again. Files that a person put into the folder are treated alike.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import SettingsError, WeightsError
from organelle_widgets.weights._check import check
from organelle_widgets.weights._ledger import Ledger, Seen
from organelle_widgets.weights._record import published_md5
from organelle_widgets.weights._transfer import Patience, Transfer
from organelle_widgets.weights._words import megabytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from organelle_widgets.weights.catalogue import WeightFile

__all__ = ["Store", "cache_folder"]

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "ORGANELLE_WIDGETS_CACHE"
MIRROR_VARIABLE = "ORGANELLE_WIDGETS_MIRROR"
_DOWNLOADED = 0.95
"""Share of the progress that is the download; the rest is the hashing."""


def cache_folder() -> Path:
    """The folder of downloaded weights; it need not exist.

    Returns
    -------
    Path
        What ORGANELLE_WIDGETS_CACHE names, or else the platform's folder for caches
        (``~/.cache/organelle-widgets`` on Linux).
    """
    import pooch

    named = os.environ.get(CACHE_VARIABLE, "").strip()
    folder = Path(named) if named else Path(pooch.os_cache("organelle-widgets"))
    return folder.expanduser().absolute()


class Store:
    """Weights of one catalogue in one folder; `cache_folder` at each call where none is named."""

    def __init__(
        self,
        files: Mapping[str, WeightFile],
        folder: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._files = files
        self._folder = folder
        self._patience = patience or Patience()
        self._seen: dict[Path, Seen] = {}

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder or cache_folder()

    def path(self, name: str) -> Path:
        """Where the file lies, or would lie."""
        return self.folder / self._file(name).file_name

    def is_here(self, name: str) -> bool:
        """Whether a file with the right size is here; nothing is hashed."""
        file, path = self._file(name), self.path(name)
        if not path.is_file():
            return False
        size = path.stat().st_size
        return size > 0 and file.size_bytes in (None, size)

    def state(self, name: str) -> str:
        """What a list says of the file; a file that changed is hashed."""
        if not self.path(name).is_file():
            return "not downloaded"
        try:
            self.locate(name)
        except WeightsError:
            return "damaged"
        return "here"

    def locate(self, name: str) -> Path:
        """The verified file; it is hashed only if it changed since it was verified last."""
        file, path = self._file(name), self.path(name)
        if path.is_file():
            seen = self._seen.get(path) or Ledger(path.parent).read().get(name)
            if seen and seen.describes(path) and file.sha256 in ("", seen.sha256):
                self._seen[path] = seen
                return path
        return self.verify(name)

    def checksum(self, name: str) -> str:
        """The SHA-256 of the verified file, as it was found when it was verified."""
        return self._seen[self.locate(name)].sha256

    def verify(self, name: str) -> Path:
        """Hash the file again."""
        file, path = self._file(name), self.path(name)
        with self._about(file):
            if not path.is_file():
                message = f"The weights {name!r} ({file.title}) are not here: expected {path}."
                raise WeightsError(message)
            self._remember(file, path, check(file, path, Ledger(self.folder)))
        return path

    def download(self, name: str, *, monitor: Monitor | None = None) -> Path:
        """Download and verify a file, unless it is here; a broken download goes on where it stopped."""
        file, monitor = self._file(name), monitor or Monitor()
        found = self._usable(file)
        if found:
            return found
        url = _address(file)
        with self._about(file):
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._alone(file, monitor):
                return self._usable(file) or self._fetch(file, url, monitor)

    def _file(self, name: str) -> WeightFile:
        """The entry of that name."""
        if name not in self._files:
            message = f"Expected weights out of {', '.join(self._files)}; found {name!r}."
            raise SettingsError(message)
        return self._files[name]

    def _usable(self, file: WeightFile) -> Path | None:
        """The verified file, or None where a download is needed."""
        if not self.path(file.name).is_file():
            return None
        try:
            return self.locate(file.name)
        except WeightsError as error:
            logger.warning("%s It is downloaded anew.", error.message)
            return None

    def _fetch(self, file: WeightFile, url: str, monitor: Monitor) -> Path:
        """Download beside the place, verify, then put it there in one step."""
        path = self.path(file.name)
        part = path.with_name(f"{path.name}.part")
        transfer = Transfer(url, part, file.size_bytes, _watcher(file, monitor), self._patience)
        transfer.run()
        known = file.sha256 or file.md5 or url != file.url
        md5 = "" if known else published_md5(file)
        hashing = monitor.part(f"Checking {file.title}", _DOWNLOADED, 1.0)
        try:
            seen = check(file, part, Ledger(path.parent), md5, hashing)
        except WeightsError as error:
            transfer.discard()
            error.hint = f"The download was thrown away. {error.hint or ''}".strip()
            raise
        transfer.deliver(path)
        self._remember(file, path, seen)
        return path

    def _remember(self, file: WeightFile, path: Path, seen: Seen) -> None:
        """Keep what was verified; a folder that can't be written is used all the same."""
        self._seen[path] = seen
        ledger = Ledger(path.parent)
        if ledger.read().get(file.name) == seen:
            return
        try:
            ledger.write(file.name, seen)
        except OSError as error:
            logger.info("The checksum of %s can't be remembered: %s", path, error)

    @contextmanager
    def _about(self, file: WeightFile) -> Iterator[None]:
        """Name the weights in errors, and say how to do without a network."""
        try:
            yield
        except WeightsError as error:
            error.weights = file.name
            error.hint = error.hint or self._by_hand(file)
            raise
        except OSError as error:
            message = f"Can't use {self.folder} for {file.name!r}: {error.strerror or error}."
            hint = f"Choose another folder with {CACHE_VARIABLE}."
            raise WeightsError(message, weights=file.name, hint=hint) from error

    def _by_hand(self, file: WeightFile) -> str:
        """How to get the file with and without a network."""
        command = f"organelle-widgets models download {file.bundle or file.name}"
        return (
            f"With a network: {command}. Without one: fetch {file.url} ({file.size_text}; "
            f"record {file.record_url}) elsewhere, put it into {self.folder} "
            f"as {file.file_name}, and check it with: organelle-widgets models verify {file.name}"
        )

    @contextmanager
    def _alone(self, file: WeightFile, monitor: Monitor) -> Iterator[None]:
        """Hold the right to download a file; another process's download is waited for."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / f".{file.file_name}.lock")
        while not lock.is_locked:
            try:
                lock.acquire(timeout=0.2)
            except Timeout:
                monitor.report(f"Waiting for another download of {file.title}", 0.0)
        try:
            yield
        finally:
            lock.release()


def _address(file: WeightFile) -> str:
    """Where to download from: the mirror's folder of that name, or the file's own address."""
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not mirror:
        return file.url
    if urlsplit(mirror).scheme not in ("http", "https") or not urlsplit(mirror).netloc:
        message = f"Expected {MIRROR_VARIABLE} to be an http or https address; found {mirror!r}."
        raise SettingsError(message)
    return f"{mirror.rstrip('/')}/{file.name}/{file.file_name}"


def _watcher(file: WeightFile, monitor: Monitor) -> Callable[[int, int | None], None]:
    """Bytes as progress in words, ten times a second at most."""
    last = -1.0

    def watch(done: int, total: int | None) -> None:
        nonlocal last
        total = total or file.size_bytes
        now = time.monotonic()
        if now - last < 0.1 and done != total and not monitor.cancelled:
            return
        last = now
        words = f"{done / 1e6:.0f} of {megabytes(total)}" if total else megabytes(done)
        share = _DOWNLOADED * done / total if total else 0.0
        monitor.report(f"Downloading {file.title}: {words}", share)

    return watch
