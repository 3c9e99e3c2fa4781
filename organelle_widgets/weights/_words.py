"""Sizes in words."""

from __future__ import annotations

__all__ = ["megabytes"]


def megabytes(size: int | None) -> str:
    """A size in bytes as a person says it: ``559 MB``."""
    if size is None:
        return "unknown size"
    return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.2g} MB"
