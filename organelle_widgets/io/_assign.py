"""Which plane of a multi-channel file is which channel: by what the person says, else by the file's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNEL_KEYS, CHANNELS, channel_index, find_channel
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.io.readers import Header

__all__ = ["assign_planes"]

_HINT = (
    'Say which is which, for instance channels={0: "blue", 1: "green", 2: "red", 3: "yellow"}, '
    "or --channels 0=blue,1=green,2=red,3=yellow."
)


def assign_planes(
    header: Header, channels: Mapping[str | int, str] | None = None
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Find each channel's plane.

    Parameters
    ----------
    header : Header
        What the file says of itself.
    channels : mapping of str or int to str, optional
        Names or numbers (from 0) of the file's planes to our channels. Planes not named here are found by
        their names, where they have one that we know.

    Returns
    -------
    order : dict of str to int
        Channel key to position in the file, in the order of the channels.
    notes : tuple of str
        A sentence on planes that are not used.

    Raises
    ------
    InputError
        If protein or nuclei are not found, two planes claim one channel, or `channels` names what is not there.
    """
    if len(header.channels) == 1:
        message = "Expected several channels; found a single grey plane."
        hint = (
            "Name the files of a field alike, with _red, _green, _blue, _yellow at the end, or say "
            "with channels= (--channels) what they end in."
        )
        raise InputError(message, hint=hint)
    said = {_position(header, name): _key(channel) for name, channel in (channels or {}).items()}
    claims = [(key, index) for index, key in said.items()]
    for index, name in enumerate(header.channels):
        known = find_channel(name) if name else None
        if known and index not in said and known.key not in said.values():
            claims.append((known.key, index))
    _check_claims(header, claims)
    order = dict(claims)
    ordered = {key: order[key] for key in CHANNEL_KEYS if key in order}
    return ordered, _unused(header, ordered)


def _key(channel: str) -> str:
    """The key of one of our channels."""
    return CHANNELS[channel_index(channel)].key


def _position(header: Header, name: str | int) -> int:
    """Position of a plane from its number or name."""
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(header.channels):
        return name
    wanted = str(name).strip().lower()
    found = [i for i, own in enumerate(header.channels) if own and own.lower() == wanted]
    if isinstance(name, str) and len(found) == 1:
        return found[0]
    message = f"Expected channels= to name planes of the file ({_listed(header)}); found {name!r}."
    raise InputError(message, hint="Numbers start at 0.")


def _check_claims(header: Header, claims: list[tuple[str, int]]) -> None:
    """Refuse a doubled channel, and a file without protein or nuclei."""
    keys = [key for key, _ in claims]
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    if doubled:
        message = f"Expected one plane a channel; found several for {', '.join(doubled)} ({_listed(header)})."
        raise InputError(message, hint=_HINT)
    if not keys:
        message = (
            f"The file does not tell which of its planes is which channel ({_listed(header)})."
        )
        raise InputError(message, hint=_HINT)
    gone = [key for key in ("green", "blue") if key not in keys]
    if gone:
        names = " and ".join(f"{CHANNELS[channel_index(key)].name.lower()} ({key})" for key in gone)
        message = f"Expected a plane of {names}; found {_listed(header)}."
        raise InputError(message, hint=_HINT)


def _unused(header: Header, order: Mapping[str, int]) -> tuple[str, ...]:
    """A sentence on planes that are not used; transparency is none."""
    spare = [i for i in range(len(header.channels)) if i not in order.values()]
    spare = [i for i in spare if not (header.color and header.channels[i] == "alpha")]
    if not spare:
        return ()
    names = ", ".join(f"{i} {header.channels[i]!r}" for i in spare)
    return (f"Not used: {'plane' if len(spare) == 1 else 'planes'} {names}.",)


def _listed(header: Header) -> str:
    """The file's planes in words."""
    return ", ".join(
        f"{i}: {name!r}" if name else f"{i}: unnamed" for i, name in enumerate(header.channels)
    )
