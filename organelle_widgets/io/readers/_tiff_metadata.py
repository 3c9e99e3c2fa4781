"""Channel names and pixel size out of the metadata of a TIFF: OME, ImageJ, or tifffile's own description."""

from __future__ import annotations

from typing import Any

from organelle_widgets.io._pixel_size import to_um

__all__ = ["channel_names", "pixel_size"]

_PAGE_NAME = 285


def channel_names(tif: Any, n_planes: int) -> tuple[str, ...]:
    """Names of the planes.

    Parameters
    ----------
    tif : tifffile.TiffFile
        The open file.
    n_planes : int
        How many names are wanted.

    Returns
    -------
    tuple of str
        One a plane, empty where the file gives none.
    """
    for names in (_ome_names(tif), _described_names(tif), _imagej_names(tif), _page_names(tif)):
        if len(names) == n_planes and any(names):
            return tuple(names)
    return ("",) * n_planes


def pixel_size(tif: Any) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Pixel size along rows and columns, and notes on what could not be used.

    Parameters
    ----------
    tif : tifffile.TiffFile
        The open file.

    Returns
    -------
    size : tuple of float or None
        Micrometres per pixel, rows then columns.
    notes : tuple of str
        Sentences for people.
    """
    found = _ome_size(tif) if tif.is_ome else _imagej_size(tif) if tif.is_imagej else None
    if found is None:
        return None, ()
    (row, row_unit), (col, col_unit) = found
    return to_um((row, col), (row_unit, col_unit))


def _ome_pixels(tif: Any) -> dict[str, Any]:
    """The first OME Pixels element."""
    import tifffile

    if not tif.is_ome:
        return {}
    images = _as_list(tifffile.xml2dict(tif.ome_metadata).get("OME", {}).get("Image"))
    pixels = images[0].get("Pixels") if images else None
    return pixels if isinstance(pixels, dict) else {}


def _ome_names(tif: Any) -> list[str]:
    """Names of the OME channels."""
    channels = _as_list(_ome_pixels(tif).get("Channel"))
    return [str(channel.get("Name", "")).strip() for channel in channels]


def _ome_size(tif: Any) -> tuple[tuple[Any, str], tuple[Any, str]] | None:
    """PhysicalSizeY and PhysicalSizeX with their units; micrometre is OME's default."""
    pixels = _ome_pixels(tif)
    col = pixels.get("PhysicalSizeX")
    if col is None:
        return None
    unit = str(pixels.get("PhysicalSizeXUnit", "µm"))
    row = pixels.get("PhysicalSizeY", col)
    row_unit = str(pixels.get("PhysicalSizeYUnit", "µm" if "PhysicalSizeY" in pixels else unit))
    return (row, row_unit), (col, unit)


def _imagej_size(tif: Any) -> tuple[tuple[Any, str], tuple[Any, str]] | None:
    """ImageJ's unit with the resolution tags, which are then pixels per unit."""
    metadata = tif.imagej_metadata or {}
    tags = tif.pages.first.tags
    unit = str(metadata.get("unit", "")).strip()
    if unit in ("", "pixel", "pixels") or "XResolution" not in tags or "YResolution" not in tags:
        return None
    row, col = tags["YResolution"].value, tags["XResolution"].value
    if 0 in (*row, *col):
        return None
    return (row[1] / row[0], str(metadata.get("yunit", unit))), (col[1] / col[0], unit)


def _described_names(tif: Any) -> list[str]:
    """Channel names in the JSON description that tifffile writes into plain files."""
    described: dict[str, Any] = (tif.shaped_metadata or ({},))[0]
    channel = described.get("Channel")
    names = channel.get("Name") if isinstance(channel, dict) else None
    return [str(name).strip() for name in names] if isinstance(names, list) else []


def _imagej_names(tif: Any) -> list[str]:
    """ImageJ's slice labels."""
    labels = (tif.imagej_metadata or {}).get("Labels")
    return [str(label).strip() for label in labels] if isinstance(labels, list) else []


def _page_names(tif: Any) -> list[str]:
    """The PageName tag of every page."""
    tags = [getattr(page, "tags", {}) for page in tif.pages]
    return [str(tag[_PAGE_NAME].value).strip() if _PAGE_NAME in tag else "" for tag in tags]


def _as_list(element: Any) -> list[dict[str, Any]]:
    """The dictionaries of an XML element that may be there once, often or not at all."""
    elements = element if isinstance(element, list) else [element]
    return [item for item in elements if isinstance(item, dict)]
