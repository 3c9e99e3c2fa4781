"""Whether a file of weights is what it should be: its size, its checksums, and the file that was seen first."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from organelle_widgets.errors import WeightsError
from organelle_widgets.weights._ledger import Ledger, Seen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from organelle_widgets.weights.catalogue import WeightFile

__all__ = ["check"]

logger = logging.getLogger(__name__)

_BLOCK = 1 << 20


def check(
    file: WeightFile,
    path: Path,
    ledger: Ledger,
    md5: str = "",
    progress: Callable[[float], None] | None = None,
) -> Seen:
    """Hash a file and compare it with all that is known of it; `md5` is what its record says."""
    stat = path.stat()
    if not stat.st_size or file.size_bytes not in (None, stat.st_size):
        expected = f"{file.size_bytes or 'some'} bytes"
        raise _other(file, path, expected, f"{stat.st_size} bytes")
    found = _hashes(path, stat.st_size, progress)
    evidence = "first"
    for kind, wanted in (("md5", file.md5 or md5), ("sha256", file.sha256)):
        if wanted and found[kind] != wanted.lower():
            raise _other(file, path, f"{kind} {wanted.lower()}", found[kind])
        evidence = kind if wanted else evidence
    if evidence == "first" and _is_web_page(path):
        raise _other(file, path, "a file of weights", "a web page")
    first = ledger.read().get(file.name)
    if first and first.sha256 == found["sha256"] and evidence == "first":
        evidence = first.evidence
    seen = Seen(found["sha256"], stat.st_size, stat.st_mtime_ns, evidence)
    if first is not None:
        _hold_to_first(file, path, seen, first, ledger.path)
    return seen


def _hold_to_first(
    file: WeightFile, path: Path, seen: Seen, first: Seen, ledger_path: Path
) -> None:
    """Raise where another file was seen first, unless only the new one agrees with a published checksum."""
    if first.sha256 == seen.sha256 or seen.evidence == "sha256":
        return
    if seen.evidence == "md5" and first.evidence == "first":
        logger.warning("%s is not the file seen first, but its published MD5 agrees.", path)
        return
    error = _other(file, path, f"sha256 {first.sha256}, which was seen first", seen.sha256)
    error.hint = f"If you trust the new file, delete the entry {file.name!r} in {ledger_path}."
    raise error


def _hashes(path: Path, size: int, progress: Callable[[float], None] | None) -> dict[str, str]:
    """MD5 and SHA-256 of a file, in hexadecimal."""
    sums = {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
    done = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            for one in sums.values():
                one.update(block)
            done += len(block)
            if progress is not None:
                progress(done / size)
    return {kind: one.hexdigest() for kind, one in sums.items()}


def _is_web_page(path: Path) -> bool:
    """Whether it begins like HTML, as a saved login page does."""
    with path.open("rb") as stream:
        return stream.read(512).lstrip().startswith(b"<")


def _other(file: WeightFile, path: Path, expected: str, found: str) -> WeightsError:
    """The error for a file that is not what it should be."""
    message = (
        f"{path.name} ({file.name}) is not what it should be: expected {expected}; found {found}."
    )
    hint = f"Download it again: organelle-widgets models download {file.name}"
    return WeightsError(message, weights=file.name, hint=hint)
