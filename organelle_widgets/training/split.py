"""Which fields a classifier may learn from, and which are kept to score it.

The split is a function of a field's name alone: it needs no stored list, never changes when fields are added, and
keeps all pictures of one antibody on one side.
"""

from __future__ import annotations

import hashlib
import re

from organelle_widgets.errors import SettingsError

__all__ = ["HELD_OUT_FRACTION", "antibody_of", "held_out"]

HELD_OUT_FRACTION = 0.4
_HPA_NAME = re.compile(r"(?P<antibody>\d+)_\d+_[A-H]\d{1,2}_\d+")
_PLATE_NAME = re.compile(r"(?P<well>\d+_[A-H]\d{1,2})_\d+")


def antibody_of(field_id: str) -> str:
    """What must stay together: the antibody, or the well, that a field's name tells.

    Parameters
    ----------
    field_id : str
        For instance ``"10580_1610_C1_2"`` (antibody, plate, well, picture) or ``"57_F11_1"`` (plate, well, picture).

    Returns
    -------
    str
        ``"10580"`` and ``"57_F11"`` in the examples; any other name as it is.
    """
    if match := _HPA_NAME.fullmatch(field_id):
        return match["antibody"]
    if match := _PLATE_NAME.fullmatch(field_id):
        return match["well"]
    return field_id


def held_out(field_id: str, fraction: float = HELD_OUT_FRACTION) -> bool:
    """Whether a field is kept for scoring.

    Parameters
    ----------
    field_id : str
        The field's name; see `antibody_of`.
    fraction : float
        Share of all antibodies to keep, 0 to below 1. A larger one keeps all that a smaller one keeps.

    Returns
    -------
    bool
        True where the first 32 bits of the SHA-256 of the antibody, as a fraction of 2**32, lie below `fraction`.

    Raises
    ------
    SettingsError
        If the fraction is out of range.
    """
    if not 0 <= fraction < 1:
        message = f"Expected a held-out fraction from 0 to below 1; found {fraction!r}."
        raise SettingsError(message)
    digest = hashlib.sha256(antibody_of(field_id).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < fraction
