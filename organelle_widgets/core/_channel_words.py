"""From the looks of a field's channels to sentences: which are swapped, doubled, or no stain of cells at all.

The nuclei score and the margins between channels were fitted on one half of 73 HPA fields, with channels exchanged in
every way, and tried on the other half; the thresholds beside them were chosen with all 73 in view. No whole good field
is warned of; of windows of 82 um in them, one in forty. Found in the other half: nuclei exchanged with microtubules or
ER always, with the protein in three of four fields (a nuclear protein looks like nuclei), microtubules with ER in two
of five; copies always, as JPEG of quality 75 nearly so. A protein in the place of microtubules or ER is found in one
field of three, where it lies in nuclei: elsewhere it can look like either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNELS

if TYPE_CHECKING:
    from organelle_widgets.core._channel_check import ChannelLooks

__all__ = ["channel_warnings", "nuclei_are_doubted"]

# The nuclei channel, and pairs of channels; good fields have 0.02 at most, 0.87 at least, 0.66 at most.
_BRIGHT_BACKGROUND = 0.5
_NOISE = 0.5
_SAME = 0.93  # a protein on microtubules has up to 0.87, a JPEG copy of quality 75 mostly 0.97
# Nuclei scores; see `ChannelLooks.nuclei_score`. In a small view there are too few nuclei to judge by.
_LEAST_VIEW_UM = 80.0
_MORE_LIKE_NUCLEI = 2.0  # the protein than the nuclei channel: 1.3 at most in the first half
_LIKE_CYTOPLASM = -1.0  # a nuclei channel that is none: 0.9 at least
_ALSO_NUCLEI = 1.0  # microtubules or ER, nuclei left out of view: -1.5 at most
_NOTHING_LIKE_NUCLEI = -5.0  # the nuclei channel; very dim fields have -3
# Microtubules less rough than ER and less bright around nuclei, both at once: in no field of either half.
_SMOOTHER = 0.05
_LESS_AROUND = 0.2
_MARKERS = ("red", "yellow")
_CHECK = "Check which file is which channel"
_WORDS = {
    c.key: f"{c.name if c.name == 'ER' else c.name.lower()} channel ({c.key})" for c in CHANNELS
}
_NAMES = {c.key: f"{c.name} ({c.key})" for c in CHANNELS}


def channel_warnings(looks: ChannelLooks) -> tuple[str, ...]:
    """What a person should know of the channels, the first thing that explains the others.

    Parameters
    ----------
    looks : ChannelLooks
        Of a field.

    Returns
    -------
    tuple of str
        Whole sentences; empty where nothing looks wrong or nothing can be told.
    """
    return _no_stain(looks) or _same(looks) or _swapped(looks) or _markers_swapped(looks)


def nuclei_are_doubted(looks: ChannelLooks) -> bool:
    """Whether the nuclei channel is probably none, so that sizes measured in it mean nothing.

    Parameters
    ----------
    looks : ChannelLooks
        Of a field.

    Returns
    -------
    bool
        False also where nothing can be told.
    """
    if _no_stain(looks) or any("blue" in group for group in _copies(looks)):
        return True
    return any(text.startswith(f"The {_WORDS['blue']}") for text in _swapped(looks))


def _no_stain(looks: ChannelLooks) -> tuple[str, ...]:
    """Pictures that are no fluorescence, or of nothing."""
    if looks.smoothness.get("blue", 1.0) < _NOISE:
        return (
            f"The {_WORDS['blue']} holds no nuclei but noise: neighbouring pixels have nothing in common. "
            "Check the file and that the channel was recorded, or take a place with cells.",
        )
    if looks.brightness.get("blue", 0.0) > _BRIGHT_BACKGROUND:
        return (
            f"The background of the {_WORDS['blue']} is bright: this does not look like immunofluorescence, where "
            "it is dark. Check that it is no brightfield picture and that its contrast is not inverted.",
        )
    return ()


def _copies(looks: ChannelLooks) -> list[set[str]]:
    """Groups of two or more channels that are copies of each other."""
    groups: list[set[str]] = []
    for pair in (set(pair) for pair, value in looks.alike.items() if value > _SAME):
        joined = pair.union(*(group for group in groups if group & pair))
        groups = [*(group for group in groups if not group & pair), joined]
    return groups


def _same(looks: ChannelLooks) -> tuple[str, ...]:
    """Channels that are copies of each other."""
    return tuple(
        _one_picture([name for key, name in _NAMES.items() if key in group])
        for group in _copies(looks)
    )


def _one_picture(names: list[str]) -> str:
    """What copies mean: two are a file read twice, more are a picture that never had four stains."""
    many = len(names) > 2
    guess = (
        "is this one picture, in grey or in colours, and not one of each stain?"
        if many
        else "was one read twice?"
    )
    return f"{', '.join(names[:-1])} and {names[-1]} are the same picture: {guess} {_CHECK}."


def _swapped(looks: ChannelLooks) -> tuple[str, ...]:
    """Nuclei in the place of another channel, or another in theirs."""
    if "blue" not in looks.separation or looks.side_um < _LEAST_VIEW_UM:
        return ()
    scores = {key: looks.nuclei_score(key) for key in looks.separation}
    nuclei, protein = scores["blue"], scores.get("green", float("-inf"))
    markers = {key: scores[key] for key in _MARKERS if key in scores}
    best = max(markers, key=lambda key: markers[key], default="blue")
    if (
        nuclei < _LIKE_CYTOPLASM
        and protein - nuclei > _MORE_LIKE_NUCLEI
        and protein > markers.get(best, nuclei)
    ):
        return (_exchanged("green"),)
    if scores[best] > nuclei:
        alone = {key: looks.nuclei_score("blue", key) for key in markers}
        odd = max(alone, key=lambda key: alone[key])
        return (_exchanged(best) if alone[odd] < max(scores[best], 0) else _also_nuclei(odd),)
    also = [key for key in markers if looks.nuclei_score(key, "blue") > _ALSO_NUCLEI]
    if also and len(markers) == len(_MARKERS):
        return (_also_nuclei(also[0]),)
    if nuclei < _NOTHING_LIKE_NUCLEI:
        return (
            f"The {_WORDS['blue']} does not look like nuclei, and no other channel does. {_CHECK}, and that this "
            "is four-channel immunofluorescence.",
        )
    return ()


def _exchanged(key: str) -> str:
    """Nuclei and another channel changed places."""
    return (
        f"The {_WORDS['blue']} looks like a cytoplasm stain and the {_WORDS[key]} like nuclei: were channels "
        f"swapped? {_CHECK}."
    )


def _also_nuclei(key: str) -> str:
    """Something that lies in nuclei where microtubules or ER should be."""
    return f"The {_WORDS[key]} looks like nuclei or something in them: was it swapped with another channel? {_CHECK}."


def _markers_swapped(looks: ChannelLooks) -> tuple[str, ...]:
    """Microtubules that look like ER and the reverse; told only where the nuclei are beyond doubt."""
    if not {"red", "blue", "yellow"} <= looks.separation.keys() or looks.side_um < _LEAST_VIEW_UM:
        return ()
    if looks.nuclei_score("blue") < 0:
        return ()
    rough = looks.roughness["red"] - looks.roughness["yellow"]
    around = looks.ring["blue", "red"] - looks.ring["blue", "yellow"]
    if rough > -_SMOOTHER or around > -_LESS_AROUND:
        return ()
    return (
        f"{_NAMES['red']} and {_NAMES['yellow']} seem to be swapped: fibres are expected in the first, a cloud around "
        f"the nuclei in the second. {_CHECK}.",
    )
