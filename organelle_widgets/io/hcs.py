"""OME-Zarr plates of high-content screens (HCS), versions 0.1 to 0.5: which images they hold, and of which well.

Only the metadata files of the plate and its wells are read; pixels are the OME-Zarr reader's.

References
----------
.. [1] OME-NGFF specification 0.5, "plate" and "well" metadata. https://ngff.openmicroscopy.org/0.5/#plate-md
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import InputError
from organelle_widgets.io.hpa import stem_of
from organelle_widgets.io.readers import is_image_folder
from organelle_widgets.io.sources import FieldSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PLATE_COLUMNS", "is_plate", "plate_fields", "plate_name", "plate_root"]

PLATE_COLUMNS: dict[str, str] = {
    "plate": "Name of the plate, or of its folder where it has none.",
    "well": "Row and column, at least two digits: A01.",
    "row": "Name of the row: A.",
    "column": "Name of the column: 1.",
    "site": "Name of the image within the well: 0.",
    "acquisition": "Number of the acquisition, where the plate tells.",
}
"""Extra columns of a plate's fields."""

_HINT = "Write the plate again, or leave this part out."


def is_plate(path: Path) -> bool:
    """Whether a Zarr store is a plate, or a well of one, rather than an image.

    Parameters
    ----------
    path : Path
        The folder of a Zarr store.

    Returns
    -------
    bool
        False also where its metadata can't be read.
    """
    try:
        ome = _attributes(path)
    except InputError:
        return False
    return "plate" in ome or "well" in ome


def plate_root(path: Path) -> Path:
    """The folder of the plate that a well belongs to.

    Parameters
    ----------
    path : Path
        The folder of the plate or of one of its wells.

    Returns
    -------
    Path
        The plate's; the row's where no plate is above the well.
    """
    try:
        return _plate_of(path)[0]
    except InputError:
        return path


def plate_name(path: Path) -> str:
    """What a plate is called.

    Parameters
    ----------
    path : Path
        The folder of the plate or of one of its wells.

    Returns
    -------
    str
        The plate's own name, or its folder's without ``.ome.zarr``.
    """
    try:
        root, plate, _ = _plate_of(path)
    except InputError:
        return stem_of(path)
    return str(plate.get("name") or "").strip() or stem_of(root)


def plate_fields(
    path: Path,
    *,
    name: str | None = None,
    channels: Mapping[str | int, str] | None = None,
    on_problem: Callable[[InputError], object],
) -> list[FieldSource]:
    """The fields of a plate or of one well, in the order of its metadata.

    Parameters
    ----------
    path : Path
        The folder of the plate, or of a well in it.
    name : str, optional
        What to call the plate; `plate_name` by default.
    channels : mapping of str or int to str, optional
        Channel names or numbers in the images to ours.
    on_problem : callable
        Called with an `InputError` for each well or image that is missing or can't be read.

    Returns
    -------
    list of FieldSource
        Named ``<plate>/<well>/<site>``; `extra` has the columns of `PLATE_COLUMNS`.
    """
    label = name or plate_name(path)
    try:
        root, plate, wells = _plate_of(path)
        if not wells:
            message = "Expected wells in the metadata of the plate; found none."
            raise InputError(message, source=str(path), hint=_HINT)
    except InputError as error:
        on_problem(error)
        return []
    fields: list[FieldSource] = []
    for well in wells:
        try:
            place = {"plate": label, **_place(well, plate)}
            fields += _well_fields(root / well["path"], place, channels, on_problem)
        except InputError as error:
            on_problem(error)
    return fields


def _plate_of(path: Path) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    """Root and metadata of the plate that a folder is or belongs to, and the wells that are meant."""
    ome = _attributes(path)
    if "plate" in ome:
        plate = _mapping(ome["plate"], path, "plate")
        return path, plate, _wells(plate, path)
    above = path.parent.parent
    try:
        plate = _mapping(_attributes(above)["plate"], above, "plate")
        wells = _wells(plate, above)
    except (InputError, KeyError):
        return path.parent, {"name": path.parent.name}, [{"path": path.name}]
    own = path.relative_to(above).as_posix()
    return above, plate, [well for well in wells if well["path"] == own] or [{"path": own}]


def _wells(plate: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """The plate's wells, each once."""
    wells = _entries(plate.get("wells"), path, "wells of the plate")
    return list({well["path"]: well for well in wells}.values())


def _place(well: dict[str, Any], plate: dict[str, Any]) -> dict[str, str]:
    """Well, row and column as the plate names them; the well's folder where the plate does not."""
    parts = PurePosixPath(well["path"]).parts
    row = _named(plate, "rows", well.get("rowIndex", well.get("row_index")), parts, 0)
    column = _named(plate, "columns", well.get("columnIndex", well.get("column_index")), parts, 1)
    if not (row and column):
        return {"well": well["path"]}
    digits = f"{int(column):02d}" if column.isascii() and column.isdecimal() else column
    return {"well": f"{row}{digits}", "row": row, "column": column}


def _named(plate: dict[str, Any], what: str, index: Any, parts: tuple[str, ...], at: int) -> str:
    """Name of a row or column: by its index, or, before version 0.4, by the well's path."""
    listed = plate.get(what)
    names = [
        str(item.get("name", "")) if isinstance(item, dict) else ""
        for item in (listed if isinstance(listed, list) else [])
    ]
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(names):
        return names[index]
    return parts[at] if len(parts) == 2 and parts[at] in names else ""


def _well_fields(
    folder: Path,
    place: dict[str, str],
    channels: Mapping[str | int, str] | None,
    on_problem: Callable[[InputError], object],
) -> list[FieldSource]:
    """The fields of one well."""
    if not is_image_folder(folder):
        message = f"Expected the well {place['well']}, which the plate lists; found nothing there."
        raise InputError(message, source=str(folder), hint="Copy the plate again.")
    well = _mapping(_attributes(folder).get("well"), folder, "well")
    fields = []
    for image in _entries(well.get("images"), folder, f"images of the well {place['well']}"):
        path = folder / image["path"]
        if not is_image_folder(path):
            message = f"Expected an image of the well {place['well']}; found nothing there."
            on_problem(InputError(message, source=str(path), hint="Copy the plate again."))
            continue
        extra = {**place, "site": image["path"]}
        if image.get("acquisition") is not None:
            extra["acquisition"] = str(image["acquisition"])
        name = "/".join((place["plate"], place["well"], image["path"]))
        fields.append(FieldSource(name, path, channels, extra))
    return fields


def _entries(value: Any, path: Path, what: str) -> list[dict[str, Any]]:
    """A list of mappings with a path each, which stays inside."""
    if not isinstance(value, list):
        message = f"Expected a list of the {what} in the metadata; found {value!r:.60}."
        raise InputError(message, source=str(path), hint=_HINT)
    for entry in value:
        inner = entry.get("path") if isinstance(entry, dict) else None
        parts = PurePosixPath(inner).parts if isinstance(inner, str) else ()
        if not parts or ".." in parts or "/" in parts:
            message = (
                f"Expected a path inside the plate for each of the {what}; found {entry!r:.60}."
            )
            raise InputError(message, source=str(path), hint=_HINT)
    return value


def _mapping(value: Any, path: Path, what: str) -> dict[str, Any]:
    """Metadata of the plate or well."""
    if not isinstance(value, dict):
        message = f"Expected OME-Zarr metadata of a {what}; found {value!r:.60}."
        raise InputError(message, source=str(path), hint=_HINT)
    return value


def _attributes(path: Path) -> dict[str, Any]:
    """The OME attributes of a Zarr group, format 2 or 3."""
    for name in ("zarr.json", ".zattrs"):
        try:
            values = json.loads((path / name).read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            message = f"The metadata can't be read: {error}."
            raise InputError(message, source=str(path / name), hint=_HINT) from error
        if name == "zarr.json" and isinstance(values, dict):
            values = values.get("attributes", {})
        ome = values.get("ome", values) if isinstance(values, dict) else {}
        return ome if isinstance(ome, dict) else {}
    return {}
