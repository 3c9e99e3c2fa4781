"""The four channels of a Human Protein Atlas field: order, names and conventional colours."""

from __future__ import annotations

from dataclasses import dataclass

from organelle_widgets.errors import InputError

__all__ = ["CHANNELS", "CHANNEL_KEYS", "Channel", "channel_index", "find_channel"]


@dataclass(frozen=True)
class Channel:
    """One of the four channels.

    Parameters
    ----------
    index : int
        Position in a field's array, 0 to 3.
    key : str
        HPA's colour word, as in file names: ``red``, ``green``, ``blue``, ``yellow``.
    name : str
        What is stained, in a biologist's words.
    color : str
        Conventional display colour, ``#RRGGBB``.
    aliases : tuple of str
        Other names that files and people use, lower case.
    """

    index: int
    key: str
    name: str
    color: str
    aliases: tuple[str, ...]


CHANNELS: tuple[Channel, ...] = (
    Channel(0, "red", "Microtubules", "#FF4D4F", ("microtubule", "tubulin", "mt", "r")),
    Channel(
        1,
        "green",
        "Protein",
        "#52C41A",
        ("protein of interest", "target", "antibody", "poi", "g", "fitc", "gfp"),
    ),
    Channel(2, "blue", "Nuclei", "#4D8DFF", ("nucleus", "dapi", "dna", "hoechst", "b")),
    Channel(
        3,
        "yellow",
        "ER",
        "#FADB14",
        ("endoplasmic reticulum", "calreticulin", "y"),
    ),
)
"""Red, green, blue, yellow: the order of the first axis of every field."""

CHANNEL_KEYS: tuple[str, ...] = tuple(channel.key for channel in CHANNELS)


def find_channel(name: str | int) -> Channel | None:
    """Find a channel by key, name, alias or index; None where nothing fits.

    Parameters
    ----------
    name : str or int
        For instance ``"red"``, ``"Microtubules"``, ``"DAPI"`` or ``0``. Case does not matter.

    Returns
    -------
    Channel or None
        The channel, or None where the name is unknown.
    """
    if isinstance(name, int):
        return CHANNELS[name] if 0 <= name < len(CHANNELS) else None
    wanted = name.strip().lower()
    for channel in CHANNELS:
        if wanted in (channel.key, channel.name.lower(), *channel.aliases):
            return channel
    return None


def channel_index(name: str | int) -> int:
    """Index of a channel along the first axis of a field.

    Parameters
    ----------
    name : str or int
        Key, name, alias or index.

    Returns
    -------
    int
        0 (red, microtubules), 1 (green, protein), 2 (blue, nuclei) or 3 (yellow, ER).

    Raises
    ------
    InputError
        If no channel has that name.
    """
    channel = find_channel(name)
    if channel is None:
        expected = ", ".join(f"{c.key} ({c.name})" for c in CHANNELS)
        message = f"Expected a channel out of {expected}; found {name!r}."
        raise InputError(message)
    return channel.index
