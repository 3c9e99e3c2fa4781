"""A field and its cells as pictures for the page, made on the worker's thread."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.render.composite import composite, field_windows
from organelle_widgets.render.thumbnails import THUMBNAIL_CHANNELS, cell_channels, cell_thumbnails
from organelle_widgets.widgets.field_views import FieldViews

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.widgets._pixels import PreparedPixels

__all__ = ["Pictures", "crop_pictures", "data_url", "field_pictures", "jpeg", "make_pictures"]

THUMBNAIL_PX = 96
CROP_PX = 208
_SPRITE_COLUMNS = 16
_SLOT_PX = 48


@dataclass(frozen=True, eq=False)
class Pictures:
    """Everything that the page draws of one field.

    Parameters
    ----------
    pixels : PreparedPixels
        Channels, and labels once there are some, as the image views get them.
    windows : mapping of str to tuple of float
        Display window of each channel.
    channels : mapping of str to bytes
        A small JPEG of the whole field by channel key, and of their composite.
    sprite : bytes
        One JPEG with a thumbnail of every cell; empty without cells.
    columns : int
        Thumbnails in a row of it.
    """

    pixels: PreparedPixels
    windows: Mapping[str, tuple[float, float]]
    channels: Mapping[str, bytes]
    sprite: bytes = b""
    columns: int = 1


def make_pictures(
    field: Field, result: FieldResult | None = None, before: Pictures | None = None
) -> Pictures:
    """Make the pictures of a field.

    Parameters
    ----------
    field : Field
        The field.
    result : FieldResult, optional
        Its result.
    before : Pictures, optional
        Of the same field without the result, to be used again.

    Returns
    -------
    Pictures
        For `FieldViews`, `CellPanel` and `FilmStrip`.
    """
    pixels = before.pixels if before else FieldViews.prepare(field)
    windows = before.windows if before else field_windows(field)
    channels = before.channels if before else field_pictures(field, windows)
    if result is None:
        return Pictures(pixels, windows, channels)
    pixels = pixels.with_masks(result.masks)
    sprite, columns = _sprite(result, windows)
    return Pictures(pixels, windows, channels, sprite, columns)


def _sprite(result: FieldResult, windows: Mapping[str, Any]) -> tuple[bytes, int]:
    """All cells' thumbnails as one JPEG, and the thumbnails in a row of it."""
    if not result.n_cells:
        return b"", 1
    thumbs = cell_thumbnails(
        result.field, result.masks, result.cells, THUMBNAIL_PX, windows=windows
    )
    columns = min(_SPRITE_COLUMNS, len(thumbs))
    rows = math.ceil(len(thumbs) / columns)
    sheet = np.zeros((rows * columns, *thumbs.shape[1:]), np.uint8)
    sheet[: len(thumbs)] = thumbs
    sheet = sheet.reshape(rows, columns, THUMBNAIL_PX, THUMBNAIL_PX, 3).swapaxes(1, 2)
    return jpeg(sheet.reshape(rows * THUMBNAIL_PX, columns * THUMBNAIL_PX, 3)), columns


def field_pictures(field: Field, windows: Mapping[str, Any]) -> dict[str, bytes]:
    """The whole field small, channel by channel and composed.

    Parameters
    ----------
    field : Field
        The field.
    windows : mapping of str to tuple of float
        Display windows.

    Returns
    -------
    dict of str to bytes
        JPEG by channel key and ``composite``; missing channels are left out.
    """
    small = _middle(field)
    pictures = {key: jpeg(composite(small, (key,), windows)) for key in field.present}
    pictures["composite"] = jpeg(composite(small, THUMBNAIL_CHANNELS, windows))
    return pictures


def _middle(field: Field) -> Field:
    """The middle of a field as a small square one."""
    rows, cols = field.shape
    side = min(rows, cols)
    step = max(1, side // CROP_PX)
    top, left = (rows - side) // 2, (cols - side) // 2
    middle = field.pixels[:, top : top + side : step, left : left + side : step]
    return replace(field, pixels=np.ascontiguousarray(middle))


def crop_pictures(
    result: FieldResult, cell_id: int, windows: Mapping[str, Any]
) -> dict[str, bytes]:
    """One cell, channel by channel and composed.

    Parameters
    ----------
    result : FieldResult
        The result.
    cell_id : int
        The cell.
    windows : mapping of str to tuple of float
        Display windows of the field.

    Returns
    -------
    dict of str to bytes
        JPEG by channel key and ``composite``; missing channels are left out.
    """
    row = result.cells.iloc[result.row_of(cell_id)]
    crops = cell_channels(result.field, result.masks, row, CROP_PX, windows=windows)
    pictures = {c.key: jpeg(crops[c.index]) for c in CHANNELS if c.key in result.field.present}
    pictures["composite"] = jpeg(crops[-1])
    return pictures


def jpeg(image: NDArray[np.uint8], quality: int = 88) -> bytes:
    """An RGB picture as a JPEG.

    Parameters
    ----------
    image : ndarray of uint8, shape (Y, X, 3)
        The picture.
    quality : int
        1 to 95.

    Returns
    -------
    bytes
        The file.
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def data_url(picture: bytes, size_px: int = _SLOT_PX) -> str:
    """A picture, made small, as a data URL.

    Parameters
    ----------
    picture : bytes
        A JPEG or PNG.
    size_px : int
        Longest side of the small picture, px.

    Returns
    -------
    str
        ``data:image/jpeg;base64,...``.
    """
    from PIL import Image

    small = Image.open(io.BytesIO(picture))
    small.thumbnail((size_px * 2, size_px * 2))
    encoded = base64.b64encode(jpeg(np.asarray(small.convert("RGB")), 80)).decode("ascii")
    return f"data:image/jpeg;base64,{encoded}"
