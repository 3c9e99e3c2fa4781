"""Cells drawn over a picture: outlines in pixels, boxes with a class code and a confidence.

What marks cells on an image that exists already belongs here; the image itself comes from `composite`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASSES
from organelle_widgets.errors import InputError
from organelle_widgets.render.composite import hex_to_rgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from organelle_widgets.core.predictions import Prediction
    from organelle_widgets.core.results import FieldResult

__all__ = [
    "NOT_SURE_COLOR",
    "NOT_SURE_INK",
    "box_table",
    "cell_colors",
    "draw_boxes",
    "draw_outlines",
    "outlines",
]

NOT_SURE_COLOR = "#C3CBD6"
"""Light grey, for cells in which no class reached the threshold."""

NOT_SURE_INK = "#0B0F14"
"""Text on `NOT_SURE_COLOR`."""


def cell_colors(predictions: Sequence[Prediction]) -> NDArray[np.uint8]:
    """The display colour of every cell.

    Parameters
    ----------
    predictions : sequence of Prediction
        One a cell.

    Returns
    -------
    ndarray of uint8, shape (n_cells, 3)
        The colour of the first class, or light grey for "not sure".
    """
    colors = [CLASSES[p.top].color if p.sure else NOT_SURE_COLOR for p in predictions]
    return np.array([hex_to_rgb(color) for color in colors], dtype=np.uint8).reshape(-1, 3)


def outlines(labels: NDArray[Any], width: int = 1) -> NDArray[np.bool_]:
    """Pixels of cells along their edge.

    Only pixels inside of a cell are marked, so two cells that touch get a line each. The edge of the
    field is no edge of a cell.

    Parameters
    ----------
    labels : ndarray of integers, shape (Y, X)
        0 is background.
    width : int
        Thickness of the line, px.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        True on the line.
    """
    line = np.zeros(labels.shape, dtype=bool)
    rest = labels
    for turn in range(width):
        if turn:
            rest = np.where(line, 0, labels)
        rows = rest[1:] != rest[:-1]
        cols = rest[:, 1:] != rest[:, :-1]
        line[1:] |= rows
        line[:-1] |= rows
        line[:, 1:] |= cols
        line[:, :-1] |= cols
        line &= labels > 0
    return line


def draw_outlines(
    image: NDArray[np.uint8],
    labels: NDArray[Any],
    colors: NDArray[np.uint8],
    width: int = 1,
    selected: int | None = None,
) -> NDArray[np.uint8]:
    """Draw the outline of every cell in its colour.

    Parameters
    ----------
    image : ndarray of uint8, shape (Y, X, 3)
        The picture below; not changed.
    labels : ndarray of integers, shape (Y, X)
        Cells; 0 is background.
    colors : ndarray of uint8, shape (n_cells, 3)
        One colour a cell in ascending order of id; see `cell_colors`.
    width : int
        Thickness of the line, px.
    selected : int, optional
        Id of a cell drawn in white and twice as thick.

    Returns
    -------
    ndarray of uint8, shape (Y, X, 3)
        A new picture.

    Raises
    ------
    InputError
        If picture, labels and colours don't fit together.
    """
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    ids = np.flatnonzero(counts)
    _check_fit(image, labels, colors, ids.size)
    palette = np.zeros((counts.size, 3), dtype=np.uint8)
    palette[ids] = colors
    drawn = image.copy()
    line = outlines(labels, width)
    drawn[line] = palette[labels[line]]
    if selected is not None:
        drawn[outlines(labels * (labels == selected), 2 * width)] = 255
    return drawn


def _check_fit(
    image: NDArray[Any], labels: NDArray[Any], colors: NDArray[Any], n_cells: int
) -> None:
    """Refuse pictures, labels and colours that don't belong together."""
    if image.shape != (*labels.shape, 3):
        message = (
            f"Expected a picture of shape {(*labels.shape, 3)}, as the labels; found {image.shape}."
        )
        raise InputError(message)
    if colors.shape != (n_cells, 3):
        message = f"Expected one colour a cell, shape {(n_cells, 3)}; found {colors.shape}."
        raise InputError(message)


def box_table(result: FieldResult, threshold: float | None = None) -> pd.DataFrame:
    """What to write and to draw around each cell.

    Parameters
    ----------
    result : FieldResult
        The result.
    threshold : float, optional
        Confidence threshold instead of the result's own.

    Returns
    -------
    pandas.DataFrame
        One row a cell: ``cell_id``, ``min_row``, ``min_col``, ``max_row``, ``max_col`` (px), ``code``
        (two letters, ``?`` for "not sure"), ``text`` (code and confidence), ``color`` of the box and
        ``ink`` of the text on it.
    """
    predictions = result.predictions(threshold)
    tops = [CLASSES[p.top] for p in predictions]
    codes = [top.code if p.sure else "?" for p, top in zip(predictions, tops, strict=True)]
    corners = ["cell_id", "min_row", "min_col", "max_row", "max_col"]
    return result.cells[corners].assign(
        code=codes,
        text=[f"{code} {p.confidence:.2f}" for code, p in zip(codes, predictions, strict=True)],
        color=[
            top.color if p.sure else NOT_SURE_COLOR
            for p, top in zip(predictions, tops, strict=True)
        ],
        ink=[top.ink if p.sure else NOT_SURE_INK for p, top in zip(predictions, tops, strict=True)],
    )


def draw_boxes(
    axes: Any,
    boxes: pd.DataFrame,
    factor: float = 1.0,
    font_size: float = 6.0,
    column: str = "text",
) -> None:
    """Draw the box and the label of every cell on matplotlib axes that show the field.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Shows a picture of the field with pixel centres on whole numbers, as ``imshow`` does.
    boxes : pandas.DataFrame
        See `box_table`.
    factor : float
        How many pixels of the field one pixel of the picture is.
    font_size : float
        Size of the labels, points.
    column : str
        The column to write: ``text``, or ``code`` where space is scarce.
    """
    for box in boxes.to_dict("records"):
        _draw_box(axes, {str(key): value for key, value in box.items()}, factor, font_size, column)


def _draw_box(axes: Any, box: dict[str, Any], factor: float, font_size: float, column: str) -> None:
    """One box, its label above it, or inside of it where it starts at the top of the picture."""
    from matplotlib.patches import Rectangle

    col, row = box["min_col"] / factor - 0.5, box["min_row"] / factor - 0.5
    width = (box["max_col"] - box["min_col"]) / factor
    height = (box["max_row"] - box["min_row"]) / factor
    dashes = {"ls": (0, (2, 2)), "lw": 0.5, "ec": box["color"]}
    axes.add_patch(Rectangle((col, row), width, height, fill=False, **dashes))
    inside = row <= 0
    axes.annotate(
        box[column],
        (max(col, 0), max(row, 0)),
        xytext=(1.2, -1.4 if inside else 1.4),
        textcoords="offset points",
        color=box["ink"],
        fontsize=font_size,
        fontweight="bold",
        va="top" if inside else "bottom",
        annotation_clip=False,
        clip_on=True,
        bbox={"boxstyle": "square,pad=0.15", "fc": box["color"], "ec": "none"},
    )
