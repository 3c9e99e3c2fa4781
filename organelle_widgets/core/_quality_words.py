"""From the numbers of a field's quality to sentences: every threshold, and what to do about each.

A warning that is often wrong is soon read by nobody. The thresholds were set on 73 HPA fields of many cell lines, so
that no more than about one good field in twenty is warned of, and on the same fields opened with a wrong pixel size
and blurred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.core.channels import CHANNELS

if TYPE_CHECKING:
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.quality import FieldQuality

__all__ = ["fitting_pixel_size_um", "warnings_for"]

_USUAL_WIDTH_UM = 11.0
_WIDTHS_UM = (
    3.7,
    28.0,
)  # of nuclei in the image; 3.8 to 17 in real fields, 1 to 4.2 at a quarter of the pixel size
_NARROW_UM, _SMALL_NUCLEUS_UM2 = 4.3, 32.0  # both together are as clear
_LARGE_NUCLEUS_UM2 = 700.0  # field medians are 35 to 450
_GIANT_SHARE, _GIANT_UM2 = 0.5, 6000.0  # the largest field median of cells is 1900
_FRAGMENT_SHARE, _BORDER_SHARE = 0.5, 0.9
_BARE_SHARE, _NO_NUCLEUS_SHARE = 0.25, 0.2
_FEW_CELLS = 3
_DIM_LEVELS = {
    "blue": 20,
    "red": 16,
    "yellow": 16,
}  # the protein may be absent: dim is an answer there
_SATURATED_SHARE = 0.06
_BLURRED_UM = 0.75  # fields in focus have 0.26 to 0.58, blurred by 1.5 um and noisy more than 1.0
_BLURRED_PX = 2.3  # an edge can't be measured finer
_SOURCES = {"assumed": "assumed", "given": "given", "metadata": "from the file"}


def fitting_pixel_size_um(
    pixel_size_um: float, width_um: float | None, nucleus_area_um2: float | None
) -> float | None:
    """The pixel size that nuclei ask for, where the field's own can't be right.

    Parameters
    ----------
    pixel_size_um : float
        The field's own, micrometres per pixel.
    width_um : float or None
        Width of nuclei in the image, um.
    nucleus_area_um2 : float or None
        Median area of the nuclei in the masks, um2.

    Returns
    -------
    float or None
        Micrometres per pixel, two digits; None where nothing speaks against the field's own.
    """
    if width_um is None:
        return None
    low, high = _WIDTHS_UM
    area = nucleus_area_um2 or 0.0
    too_small = width_um < low or (width_um < _NARROW_UM and area < _SMALL_NUCLEUS_UM2)
    too_large = width_um > high or (area > _LARGE_NUCLEUS_UM2 and width_um > _USUAL_WIDTH_UM)
    if not (too_small or too_large):
        return None
    return float(f"{pixel_size_um * _USUAL_WIDTH_UM / width_um:.2g}")


def warnings_for(
    quality: FieldQuality, field: Field, channels: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """What a person should know, most important first.

    Parameters
    ----------
    quality : FieldQuality
        The numbers.
    field : Field
        What they were measured in.
    channels : tuple of str
        What is wrong with the channels; see `organelle_widgets.core._channel_words`.

    Returns
    -------
    tuple of str
        Whole sentences; empty where nothing looks wrong.
    """
    found = [_no_cells(quality), *channels, _pixel_size(quality, field)]
    if quality.fitting_pixel_size_um is None and not channels:
        found += [_giant(quality, field), _blurred(quality, field)]
    found += [
        _bare_nuclei(quality),
        _no_nuclei(quality),
        _cut(quality),
        *_constant(quality, field),
        _dim(quality),
        _saturated(quality),
    ]
    return tuple(text for text in found if text)


def _no_cells(quality: FieldQuality) -> str:
    """Nothing was found."""
    if quality.n_cells:
        return ""
    check = "Check that the nuclei channel is the right one and that the pixel size is right."
    return "No cells were found." + (f" {check}" if quality.fitting_pixel_size_um is None else "")


def _pixel_size(quality: FieldQuality, field: Field) -> str:
    """Nuclei of a size that nuclei don't have."""
    if quality.fitting_pixel_size_um is None:
        return ""
    source = _SOURCES[field.pixel_size_source]
    return (
        f"Nuclei are about {quality.nucleus_width_um:.2g} µm wide here, those of human cells 5 to 20: the pixel size "
        f"of {field.pixel_size_um:.3g} µm ({source}) is probably wrong. Set the right one; "
        f"about {quality.fitting_pixel_size_um:g} µm would fit."
    )


def _giant(quality: FieldQuality, field: Field) -> str:
    """One cell where there must be several."""
    share = quality.largest_cell_share
    rows, cols = field.shape
    if share < _GIANT_SHARE or share * rows * cols * field.pixel_size_um**2 < _GIANT_UM2:
        return ""
    return (
        f"One cell covers {share:.0%} of the field: several have probably become one. "
        "Try other settings or another segmenter."
    )


def _blurred(quality: FieldQuality, field: Field) -> str:
    """Nuclei without a sharp edge."""
    limit = max(_BLURRED_UM, _BLURRED_PX * field.pixel_size_um)
    dim = quality.grey_levels["blue"] < _DIM_LEVELS["blue"]
    if dim or quality.nucleus_edge_um is None or quality.nucleus_edge_um < limit:
        return ""
    return (
        f"The field seems out of focus: edges of nuclei are blurred over {quality.nucleus_edge_um:.1f} µm, "
        f"in sharp fields below {limit:.2g}. Small structures can't be told apart; take another plane or field."
    )


def _bare_nuclei(quality: FieldQuality) -> str:
    """Cells that are hardly more than nuclei."""
    found = quality.n_nuclei_without_cells
    if found < 2 or found <= _BARE_SHARE * quality.n_cells:
        return ""
    return (
        f"{found} of {quality.n_cells} cells are hardly larger than their nuclei: the outlines of cells were not "
        "found. Check the microtubules and ER channels, or try other settings."
    )


def _no_nuclei(quality: FieldQuality) -> str:
    """Cells without a nucleus."""
    found = quality.n_cells_without_nucleus
    if found < 2 or found <= _NO_NUCLEUS_SHARE * quality.n_cells:
        return ""
    return (
        f"{found} of {quality.n_cells} cells have no nucleus. Check that the nuclei channel is the right one, "
        "or try other settings."
    )


def _cut(quality: FieldQuality) -> str:
    """Too few whole cells."""
    if quality.n_cells < _FEW_CELLS:
        return ""
    if quality.n_fragments > _FRAGMENT_SHARE * quality.n_cells:
        cut = f"{quality.n_fragments} of {quality.n_cells} cells are probably more than half out of view"
    elif quality.border_share > _BORDER_SHARE:
        on_border = round(quality.border_share * quality.n_cells)
        cut = f"{on_border} of {quality.n_cells} cells are cut by the edge of the field"
    else:
        return ""
    return f"{cut}: answers for them are unsure. Take a larger field, or leave them out."


def _constant(quality: FieldQuality, field: Field) -> list[str]:
    """Channels that hold nothing, as far as the field's own notes don't say so."""
    found = []
    for channel in CHANNELS:
        if quality.grey_levels.get(channel.key) != 0:
            continue
        plane, label = field.channel(channel.key), f"{channel.name} ({channel.key}):"
        told = any(note.startswith(label) for note in field.notes)
        if plane.min() == plane.max() and not told:
            found.append(
                f"{label} every pixel is {plane.flat[0]:g}. Check the file; was the channel recorded?"
            )
    return found


def _dim(quality: FieldQuality) -> str:
    """Markers that hardly rise above the background."""
    dim = [
        f"{channel.name.lower() if channel.name != 'ER' else 'ER'} ({levels})"
        for channel in CHANNELS
        if 0 < (levels := quality.grey_levels.get(channel.key, 0)) < _DIM_LEVELS.get(channel.key, 0)
    ]
    if not dim:
        return ""
    return (
        f"Very dim, in grey levels above the background: {', '.join(dim)}. Cells may be missed and outlines be off; "
        "export without reducing the bit depth, or record with more light."
    )


def _saturated(quality: FieldQuality) -> str:
    """Channels that are cut off at the top."""
    high = [
        f"{channel.name.lower() if channel.name != 'ER' else 'ER'} ({share:.0%} of the pixels in cells)"
        for channel in CHANNELS
        if (share := quality.saturated_share.get(channel.key, 0.0)) > _SATURATED_SHARE
        and quality.grey_levels[channel.key] >= _DIM_LEVELS["blue"]
    ]
    if not high:
        return ""
    return (
        f"Saturated: {', '.join(high)}. Differences in bright places are lost; "
        "record with less light, or export without stretching the contrast."
    )
