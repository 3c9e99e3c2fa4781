"""Pictures of a field for a page: JPEG within the page, with cell numbers and a scale bar that stay sharp."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.export._report_page import data_uri
from organelle_widgets.render.composite import (
    REFERENCE_CHANNELS,
    composite,
    downscale,
    field_windows,
)
from organelle_widgets.render.overlay import cell_colors, draw_outlines
from organelle_widgets.render.thumbnails import cell_thumbnails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from organelle_widgets.core.results import FieldResult

__all__ = ["pictures_of_cells", "pictures_of_field"]

_LARGE_PX, _SMALL_PX, _CELL_PX, _QUALITY = 1200, 480, 112, 88
_BAR_LENGTHS_UM = (500, 200, 100, 50, 20, 10, 5, 2, 1)
_NAMES = {channel.key: channel.name for channel in CHANNELS}


def pictures_of_field(result: FieldResult) -> str:
    """The markers, the protein with its cells, and the four channels.

    Parameters
    ----------
    result : FieldResult
        The result, with pixels; may have no cells.

    Returns
    -------
    str
        HTML.
    """
    field, windows = result.field, field_windows(result.field)
    factor = _factor(result, _LARGE_PX)
    keys = [key for key in REFERENCE_CHANNELS if key in field.present]
    protein = composite(field, ["green"], windows)
    colors = cell_colors(result.predictions())
    drawn = draw_outlines(protein, result.masks.cells, colors, width=2 * factor)
    note = "outlines in the colour of the class, numbers as in the table" if result.n_cells else ""
    large = [
        _figure(result, composite(field, keys, windows), _listed(keys), _LARGE_PX),
        _figure(result, drawn, f"Protein{'; ' + note if note else ''}", _LARGE_PX, _labels(result)),
    ]
    small = [
        _figure(result, composite(field, [key], windows), _channel(result, key), _SMALL_PX)
        for key in (*REFERENCE_CHANNELS, "green")
    ]
    return f'<div class="pair">{"".join(large)}</div>\n<div class="four">{"".join(small)}</div>'


def pictures_of_cells(result: FieldResult, most: int) -> list[str]:
    """Small pictures of the first cells.

    Parameters
    ----------
    result : FieldResult
        The result, with pixels.
    most : int
        Of how many cells.

    Returns
    -------
    list of str
        HTML, one a cell in row order.
    """
    cells = result.cells.head(most)
    pictures = cell_thumbnails(result.field, result.masks, cells, _CELL_PX)
    return [
        f'<img src="{data_uri(_jpeg(picture))}" alt="Cell {cell_id}" width="56" height="56">'
        for picture, cell_id in zip(pictures, cells["cell_id"], strict=True)
    ]


def _figure(
    result: FieldResult, image: NDArray[Any], caption: str, side: int, above: str = ""
) -> str:
    """A picture with its scale bar and what it shows."""
    uri = data_uri(_jpeg(downscale(image, _factor(result, side))))
    return (
        f'<figure><div class="picture"><img src="{uri}" alt="{caption}">{above}{_scale_bar(result)}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _jpeg(image: NDArray[Any]) -> bytes:
    """The bytes of a JPEG that keeps fine colour."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(
        content, "JPEG", quality=_QUALITY, subsampling=0
    )
    return content.getvalue()


def _factor(result: FieldResult, side: int) -> int:
    """How much smaller a picture of the field is made."""
    return math.ceil(max(result.field.shape) / side)


def _scale_bar(result: FieldResult) -> str:
    """A bar of a round length, at most a quarter of the picture; nothing where the field is too small."""
    width_um = result.field.shape[1] * result.field.pixel_size_um
    fitting = [um for um in _BAR_LENGTHS_UM if um <= width_um / 4]
    if not fitting:
        return ""
    share = 100 * fitting[0] / width_um
    return f'<div class="scale" style="width:{share:.3f}%">{fitting[0]} µm</div>'


def _labels(result: FieldResult) -> str:
    """The number of each cell at its centre."""
    if not result.n_cells:
        return ""
    rows, cols = result.field.shape
    size = min(0.024 * max(rows, cols), 0.5 * math.sqrt(rows * cols / result.n_cells) / 2)
    looks = f'viewBox="0 0 {cols} {rows}" font-size="{size:.1f}" stroke-width="{size / 5:.2f}"'
    texts = "".join(
        f'<text x="{cell["centroid_col"] + 0.5:.1f}" y="{cell["centroid_row"] + 0.5:.1f}">{cell["cell_id"]}</text>'
        for cell in result.cells.to_dict("records")
    )
    return f'<svg aria-hidden="true" {looks}>{texts}</svg>'


def _channel(result: FieldResult, key: str) -> str:
    """What a channel is called."""
    return _NAMES[key] if key in result.field.present else f"{_NAMES[key]}: no image"


def _listed(keys: Sequence[str]) -> str:
    """What the channels of a picture are called."""
    return ", ".join(_NAMES[key] for key in keys) or "No markers"
