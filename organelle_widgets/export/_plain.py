"""Provenance and the like as JSON, whatever kinds of numbers, sets and paths are in it."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["as_json"]


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Spell a value as JSON.

    Parameters
    ----------
    value : object
        Made of mappings, sequences, texts and numbers; NumPy's scalars and arrays, sets and paths are allowed.
    indent : int, optional
        Spaces a level; all on one line without it.

    Returns
    -------
    str
        Letters as they are, not escaped.
    """
    return json.dumps(value, indent=indent, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """NumPy scalars and arrays, sets and paths as what JSON knows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
