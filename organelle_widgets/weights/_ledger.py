"""What was verified, remembered in the cache folder so that large files are not hashed at every start.

A small JSON file: for each name the SHA-256, the size and time of the file that had it, and what it was compared
with. It also pins files without a published checksum to the one that was seen first.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Ledger", "Seen"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """A file that was hashed: its SHA-256, size and time, and the evidence: sha256, md5 or first."""

    sha256: str
    size: int
    mtime_ns: int
    evidence: str

    def describes(self, path: Path) -> bool:
        """Whether the file still has the size and the time that it was hashed with."""
        stat = path.stat()
        return (stat.st_size, stat.st_mtime_ns) == (self.size, self.mtime_ns)


class Ledger:
    """The remembered checksums of one cache folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "checksums.json"

    def read(self) -> dict[str, Seen]:
        """All entries; a damaged file counts as empty and is said."""
        try:
            entries = json.loads(self.path.read_text("utf-8"))
            return {name: Seen(**entry) for name, entry in entries.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            logger.warning("%s can't be read; checksums are made anew: %s", self.path, error)
            return {}

    def write(self, name: str, seen: Seen) -> None:
        """Replace one entry; other processes may write others at the same time."""
        from filelock import FileLock

        with FileLock(self.path.with_name(f".{self.path.name}.lock")):
            entries = {**self.read(), name: seen}
            text = json.dumps({key: asdict(entry) for key, entry in entries.items()}, indent=2)
            new = self.path.with_suffix(".tmp")
            new.write_text(text, "utf-8")
            new.replace(self.path)
