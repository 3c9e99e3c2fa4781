"""Fetch one large file over HTTP so that a broken connection, a cancel or a restart costs nothing.

What has come lies in a part file, with a small note beside it: the address, the server's mark of the version
(a strong ETag or Last-Modified) and the whole size. The next try asks for the rest with ``Range`` and ``If-Range``,
so a file that changed in between, or a server without ranges, starts over. Checksums are not looked at here.

References
----------
RFC 9110, HTTP Semantics, sections 13.1.5 (If-Range), 14 (Range requests) and 15.5.17 (416):
https://www.rfc-editor.org/rfc/rfc9110.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from organelle_widgets.errors import WeightsError
from organelle_widgets.weights._words import megabytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from requests import Response, Session

__all__ = ["Patience", "Transfer"]

_CHUNK = 1 << 16
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server: tries without any progress, first pause and timeouts in seconds."""

    attempts: int = 5
    pause_s: float = 1.0
    connect_s: float = 10.0
    read_s: float = 30.0


@dataclass(frozen=True)
class _Note:
    """What must be the same for the rest to fit to the part."""

    url: str
    version: str
    total: int | None


class _Interrupted(Exception):
    """The try ended early, another may go on; how, in words, and for how long the server wants us to wait."""

    def __init__(self, how: str, wait_s: float = 0.0) -> None:
        super().__init__(how)
        self.wait_s = wait_s


class Transfer:
    """One file on its way from `url` into `part`; `watch` hears the bytes that are there and the whole size."""

    def __init__(
        self,
        url: str,
        part: Path,
        expected: int | None,
        watch: Callable[[int, int | None], None],
        patience: Patience,
    ) -> None:
        self._url, self._part, self._expected = url, part, expected
        self._watch, self._patience = watch, patience
        self._note_path = part.with_name(f"{part.name}.json")
        self._reached = False

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self._url).netloc

    def run(self) -> None:
        """Fetch what is missing, with pauses between the tries."""
        import requests

        failures, most = 0, self._size()
        with requests.Session() as session:
            while True:
                try:
                    self._once(session)
                except _Interrupted as end:
                    failures = 1 if self._size() > most else failures + 1
                    most = max(most, self._size())
                    if failures >= (self._patience.attempts if self._reached else 2):
                        raise self._given_up(str(end)) from end
                    self._pause(max(end.wait_s, self._patience.pause_s * 2 ** (failures - 1)))
                else:
                    return

    def deliver(self, path: Path) -> None:
        """Put what has come to its place in one step."""
        self._part.replace(path)
        self._note_path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget what has come."""
        self._part.unlink(missing_ok=True)
        self._note_path.unlink(missing_ok=True)

    def _once(self, session: Session) -> None:
        """One request, from what is there to the end."""
        import requests

        note, have = self._note(), self._size()
        if note is None or not note.version:
            self.discard()
            note, have = None, 0
        if note and have and note.total == have:
            return
        headers = {"Accept-Encoding": "identity", "User-Agent": "organelle-widgets"}
        if note and have:
            headers |= {"Range": f"bytes={have}-", "If-Range": note.version}
        timeout = (self._patience.connect_s, self._patience.read_s)
        try:
            with session.get(self._url, headers=headers, stream=True, timeout=timeout) as response:
                self._reached = True
                self._refuse(response)
                start, total = self._accept(response, note, have)
                self._receive(response, start, total)
        except requests.exceptions.SSLError as error:
            message = f"No secure connection to {self.host}: {_reason(error)}."
            hint = "If a proxy stands between, name its certificate in REQUESTS_CA_BUNDLE."
            raise WeightsError(message, hint=hint) from error
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            raise _Interrupted(_reason(error)) from error
        except requests.RequestException as error:
            message = f"Can't download {self._url}: {_reason(error)}."
            raise WeightsError(message) from error

    def _refuse(self, response: Response) -> None:
        """Raise for every answer that is not the file or a part of it."""
        status = response.status_code
        if status == 416:
            self.discard()
            how = "the part did not fit to the file"
            raise _Interrupted(how)
        if status == 429 or status >= 500:
            how = f"status {status}"
            raise _Interrupted(how, _retry_after(response))
        if status in (404, 410):
            message = f"{self.host} has no file {self._url} (status {status}): it was moved or taken down."
            raise WeightsError(message)
        if status not in (200, 206):
            message = f"{self.host} refuses to send {self._url} (status {status})."
            raise WeightsError(message)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            message = f"Expected a file from {self._url}; found a web page."
            hint = "It may be the login page of this network: open the address in a browser."
            raise WeightsError(message, hint=hint)

    def _accept(self, response: Response, note: _Note | None, have: int) -> tuple[int, int | None]:
        """Where the answer's bytes belong, and the size of the whole."""
        if response.status_code == 206:
            found = re.fullmatch(
                r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", "")
            )
            if note is None or not found or (int(found[1]), int(found[2])) != (have, note.total):
                self.discard()
                how = "the rest did not fit to the part"
                raise _Interrupted(how)
            self._check_room(int(found[2]) - have)
            return have, note.total
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        if self._expected is not None and total not in (None, self._expected):
            self.discard()
            message = (
                f"Expected a file of {self._expected} bytes from {self._url}; found {total} bytes."
            )
            raise WeightsError(message)
        self.discard()
        self._check_room(total or self._expected or 0)
        note = _Note(self._url, _version(response), total)
        self._note_path.write_text(json.dumps(asdict(note)), "utf-8")
        return 0, total

    def _receive(self, response: Response, start: int, total: int | None) -> None:
        """Write the answer's bytes behind the part."""
        have = start
        self._watch(have, total)
        with self._part.open("ab", buffering=0) as file:
            for chunk in response.iter_content(_CHUNK):
                self._write(file, chunk, total)
                have += len(chunk)
                self._watch(have, total)
        if total is not None and have != total:
            how = f"{have} of {total} bytes came"
            raise _Interrupted(how)

    def _write(self, file: BinaryIO, chunk: bytes, total: int | None) -> None:
        """Write all of it; a full disk or quota gets its own words."""
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            if error.errno not in _FULL:
                message = f"Can't write {self._part}: {error.strerror or error}."
                raise WeightsError(message) from error
            missing = None if total is None else total - self._size()
            message = f"The disk or quota of {self._part.parent} is full; {megabytes(missing)} are missing."
            raise WeightsError(message, hint=_room_hint(self._part)) from error

    def _check_room(self, missing: int) -> None:
        """Raise before the download where the disk can't hold the rest."""
        free = shutil.disk_usage(self._part.parent).free
        if missing > free:
            message = (
                f"Expected {megabytes(missing)} of free disk in {self._part.parent}; "
                f"found {megabytes(free)}."
            )
            raise WeightsError(message, hint=_room_hint(self._part))

    def _given_up(self, how: str) -> WeightsError:
        """What to say after the last try."""
        have = self._size()
        if not self._reached:
            return WeightsError(f"Can't reach {self.host}: {how}.")
        if not have:
            return WeightsError(f"{self.host} does not send {self._url}: {how}.")
        message = f"The connection to {self.host} broke after {megabytes(have)}: {how}."
        return WeightsError(message, hint="Download again: it goes on where it stopped.")

    def _pause(self, seconds: float) -> None:
        """Wait, and hear a cancel while waiting."""
        end = time.monotonic() + min(seconds, _LONGEST_PAUSE_S)
        note = self._note()
        while (left := end - time.monotonic()) > 0:
            self._watch(self._size(), note.total if note else None)
            time.sleep(min(left, 0.1))

    def _size(self) -> int:
        """Bytes that have come."""
        return self._part.stat().st_size if self._part.exists() else 0

    def _note(self) -> _Note | None:
        """What the part belongs to; None if unknown or of another address."""
        try:
            note = _Note(**json.loads(self._note_path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return note if note.url == self._url else None


def _version(response: Response) -> str:
    """A mark that is sure to change with the file: a strong ETag, or else the time of the last change."""
    tag = response.headers.get("ETag", "")
    if tag.startswith('"'):
        return str(tag)
    return str(response.headers.get("Last-Modified", ""))


def _retry_after(response: Response) -> float:
    """Seconds that the server asks to wait."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def _reason(error: BaseException) -> str:
    """The innermost words of an error of the network layers."""
    inner: BaseException = error
    while True:
        deeper = getattr(inner, "reason", None) or next(
            (arg for arg in inner.args if isinstance(arg, BaseException)), None
        )
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    text = getattr(inner, "strerror", None) or str(inner)
    text = re.sub(r"^.*\[Errno -?\d+\]\s*|^<[^>]+>:?\s*|^\w*Connection\(.*?\):\s*", "", text)
    return text.rstrip(".)") or "no answer"


def _room_hint(part: Path) -> str:
    """What to do about a full disk."""
    kept = (
        f" What has come is kept in {part}; delete it if you don't go on." if part.exists() else ""
    )
    return (
        "Make room and download again, or choose another folder with ORGANELLE_WIDGETS_CACHE."
        + kept
    )
