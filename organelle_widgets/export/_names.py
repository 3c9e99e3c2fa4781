"""Names of files out of names of fields."""

from __future__ import annotations

import re

__all__ = ["safe_stem"]


def safe_stem(name: str) -> str:
    """A field's name as the start of a file name.

    Parameters
    ----------
    name : str
        May hold folders, spaces, anything.

    Returns
    -------
    str
        Letters, digits, ``_``, ``-`` and ``.``, at most 120; never empty.
    """
    return (re.sub(r"[^\w.-]+", "_", name).strip("._") or "field")[:120]
