"""What a field of a run leaves behind: `FieldRecord` where all went well, `FailureRecord` where not.

Workers make records and the one writer of a run keeps them. A record holds plain tables, numbers and the bytes of
finished files, so that it is small to send and needs no model to be understood.
"""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASS_NAMES, CLASSES
from organelle_widgets.core.results import PROBABILITY_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks
    from organelle_widgets.core.results import FieldResult

__all__ = ["FailureRecord", "FieldRecord", "record_of"]

_THUMBNAIL_PX = 256
_JPEG_QUALITY = 85


@dataclass(frozen=True, eq=False)
class FieldRecord:
    """A field that was analysed.

    Parameters
    ----------
    name : str
        The field's name, unique in the run.
    field : mapping of str to object
        Its row of the table ``fields``: plain numbers, texts and booleans, see `record_of`.
    cells : pandas.DataFrame
        `FieldResult.table`: one row a cell.
    embedding : ndarray of float32, shape (n_cells, n_features), or None
        Where the classifier places each cell among others.
    extra : mapping of str to str
        The source's extra columns.
    masks : bytes
        An OME-TIFF with two planes of labels, nuclei and cells.
    thumbnail : bytes
        A JPEG of the field, at most 256 px wide and high.
    stamp : str
        What its files were like when they were read, see `organelle_widgets.batch`; empty where unknown.
    """

    name: str
    field: Mapping[str, Any]
    cells: pd.DataFrame
    embedding: NDArray[np.float32] | None
    extra: Mapping[str, str]
    masks: bytes
    thumbnail: bytes
    stamp: str = ""


@dataclass(frozen=True)
class FailureRecord:
    """A field that could not be analysed.

    Parameters
    ----------
    name : str
        The field's name, unique in the run.
    source : str
        The file or folder that the message is about.
    step : str
        The step that failed: ``"read"``, ``"segmentation"``, ``"classification"``, ``"worker"``.
    error : str
        Name of the exception's class.
    message, hint : str
        What was expected and found; what to do about it.
    known : bool
        Whether the package raised the error on purpose; any other is a bug, and has its `traceback`.
    traceback : str
        Of a bug.
    extra : mapping of str to str
        The source's extra columns.
    stamp : str
        As in `FieldRecord`.
    finished : str
        When, ISO 8601, UTC.
    """

    name: str
    source: str = ""
    step: str = ""
    error: str = ""
    message: str = ""
    hint: str = ""
    known: bool = True
    traceback: str = ""
    extra: Mapping[str, str] = dataclasses.field(default_factory=dict)
    stamp: str = ""
    finished: str = ""


def record_of(
    result: FieldResult,
    *,
    name: str | None = None,
    stamp: str = "",
    worker: str = "",
    seconds: Mapping[str, float] | None = None,
    channels: Mapping[str | int, str] | None = None,
) -> FieldRecord:
    """The record of a result.

    Parameters
    ----------
    result : FieldResult
        The result; may have no cells.
    name : str, optional
        The field's name in the run; the field's own by default.
    stamp : str
        See `FieldRecord`.
    worker : str
        Who analysed it.
    seconds : mapping of str to float, optional
        Seconds of each step; the result's own by default.
    channels : mapping of str or int to str, optional
        The planes of a file of several channels, where a person said which is which; as for
        `organelle_widgets.io.read_field`.

    Returns
    -------
    FieldRecord
        Its row ``field`` holds ``field`` (the name), ``rows``, ``cols``, ``pixel_size_um``, ``pixel_size_source``,
        ``missing_channels``, ``files`` (with newlines between), ``sources`` and ``channels`` (as JSON), ``n_cells``,
        ``n_cells_on_border``, ``n_fragments``, ``n_unusual``, ``predicted_classes``, ``top_class``, ``confidence``,
        ``unusual``, the 19 probabilities, the numbers of its quality (``quality_<name>``), ``warnings`` and ``notes``
        (with newlines between), seconds (``seconds``, ``seconds_<step>``), ``worker`` and ``finished``.
    """
    table = result.table()
    return FieldRecord(
        name=name or result.field.name,
        field={
            "field": name or result.field.name,
            **_image(result.field),
            "channels": json.dumps([*channels.items()], ensure_ascii=False) if channels else "",
            **_counts(result),
            **_answer(result),
            **_quality(result),
            "warnings": "\n".join(result.warnings),
            "notes": "\n".join((*result.field.notes, *result.notes)),
            **_seconds(result.timings if seconds is None else seconds),
            "worker": worker,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        cells=table,
        embedding=None if result.answers is None else result.answers.embedding,
        extra=dict(result.field.extra),
        masks=_masks_file(result.masks, result.field.pixel_size_um),
        thumbnail=_thumbnail(result.field),
        stamp=stamp,
    )


def _image(field: Field) -> dict[str, Any]:
    """The field's pixels and files."""
    rows, cols = field.shape
    return {
        "rows": rows,
        "cols": cols,
        "pixel_size_um": float(field.pixel_size_um),
        "pixel_size_source": str(field.pixel_size_source),
        "missing_channels": "|".join(sorted(field.missing)),
        "files": "\n".join(dict.fromkeys(field.sources.values())),
        "sources": json.dumps(dict(field.sources), ensure_ascii=False),
    }


def _counts(result: FieldResult) -> dict[str, int]:
    """How many cells there are of each kind."""
    return {
        "n_cells": result.n_cells,
        "n_cells_on_border": int(result.cells["touches_border"].sum()),
        "n_fragments": int(result.cells["is_fragment"].sum()),
        "n_unusual": int(result.unusual.sum()),
    }


def _answer(result: FieldResult) -> dict[str, Any]:
    """The field's own answer, in the columns that cells have; without cells there is none."""
    if not result.n_cells:
        nothing: dict[str, Any] = dict.fromkeys(PROBABILITY_COLUMNS, float("nan"))
        blank = {"predicted_classes": "", "top_class": "", "confidence": float("nan")}
        return {**blank, "unusual": False, **nothing}
    prediction = result.predict()
    values = zip(PROBABILITY_COLUMNS, result.field_probabilities, strict=True)
    return {
        "predicted_classes": "|".join(CLASS_NAMES[c] for c in prediction.classes),
        "top_class": CLASSES[prediction.top].name,
        "confidence": float(prediction.confidence),
        "unusual": bool(prediction.unusual),
        **{column: float(value) for column, value in values},
    }


def _quality(result: FieldResult) -> dict[str, float | None]:
    """The numbers of the field's quality, one column each, those of channels apart."""
    plain: dict[str, float | None] = {}
    for key, value in (result.quality.to_dict() if result.quality else {}).items():
        if isinstance(value, dict):
            plain |= {f"quality_{key}_{channel}": number for channel, number in value.items()}
        else:
            plain[f"quality_{key}"] = value
    return plain


def _seconds(timings: Mapping[str, float]) -> dict[str, float]:
    """Seconds in all, and of each step."""
    steps = {f"seconds_{step}": float(value) for step, value in timings.items()}
    return {"seconds": float(sum(timings.values())), **steps}


def _masks_file(masks: Masks, pixel_size_um: float) -> bytes:
    """Nuclei and cells as one compressed OME-TIFF of two planes."""
    import tifffile

    planes = np.stack([masks.nuclei, masks.cells])
    content = io.BytesIO()
    tifffile.imwrite(
        content,
        planes.astype(np.uint16 if planes.max() <= np.iinfo(np.uint16).max else np.uint32),
        ome=True,
        compression="zlib",
        compressionargs={"level": 1},
        predictor=True,
        photometric="minisblack",
        software="organelle_widgets",
        metadata={
            "axes": "CYX",
            "Channel": {"Name": ["nuclei", "cells"]},
            "PhysicalSizeX": pixel_size_um,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": pixel_size_um,
            "PhysicalSizeYUnit": "µm",
        },
    )
    return content.getvalue()


def _thumbnail(field: Field) -> bytes:
    """Protein on nuclei and microtubules, small."""
    from PIL import Image

    from organelle_widgets.render.composite import composite, downscale
    from organelle_widgets.render.thumbnails import THUMBNAIL_CHANNELS

    factor = -(-max(field.shape) // _THUMBNAIL_PX)
    small = np.stack([downscale(plane, factor) for plane in field.pixels])
    picture = composite(dataclasses.replace(field, pixels=small), THUMBNAIL_CHANNELS)
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "JPEG", quality=_JPEG_QUALITY)
    return content.getvalue()
