"""Reading submissions of the competition of 2021: one row an image, objects as triples of class, confidence, mask.

Every kind of damage is told with the row it is in; scoring is in `kaggle`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.errors import InputError
from organelle_widgets.io.coco_rle import read_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from organelle_widgets.io.coco_rle import MaskRuns

__all__ = ["KaggleImage", "read_kaggle_table", "refuse_problems"]

_ID_COLUMNS = ("ImageID", "ID")
_COLUMNS = ("ImageWidth", "ImageHeight", "PredictionString")
_SHOWN = 8


@dataclass(frozen=True, eq=False)
class KaggleImage:
    """The objects of one image.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    classes : ndarray of int64, shape (n_objects,)
        0 to 18.
    confidences : ndarray of float64, shape (n_objects,)
        Any finite number; higher is surer.
    mask_of : ndarray of int64, shape (n_objects,)
        Which of the masks an object has: several objects may share one.
    masks : tuple of MaskRuns
        Each mask once.
    """

    shape: tuple[int, int]
    classes: NDArray[np.int64]
    confidences: NDArray[np.float64]
    mask_of: NDArray[np.int64]
    masks: tuple[MaskRuns, ...]


def read_kaggle_table(path: str | Path) -> dict[str, KaggleImage]:
    """Read a submission, or a truth in the same form.

    Parameters
    ----------
    path : str or Path
        CSV with the columns ``ImageID`` (or ``ID``), ``ImageWidth``, ``ImageHeight`` and ``PredictionString``: triples
        of class (0 to 18), confidence and mask (see `organelle_widgets.io.coco_rle`) with blanks between; may be empty.

    Returns
    -------
    dict of str to KaggleImage
        By id, in the table's order.

    Raises
    ------
    InputError
        If the file can't be read, a column is missing, or rows are wrong: the first eight are named.
    """
    table = _read_csv(Path(path))
    name = next((column for column in _ID_COLUMNS if column in table), None)
    missing = [column for column in _COLUMNS if column not in table]
    if name is None or missing:
        lacking = [*([] if name else ["ImageID (or ID)"]), *missing]
        message = (
            f"Expected the columns ImageID, {', '.join(_COLUMNS)}; missing: {', '.join(lacking)}."
        )
        raise InputError(message, source=str(path))
    images: dict[str, KaggleImage] = {}
    problems = []
    for line, row in enumerate(table.to_dict("records"), start=2):
        key = row[name].strip()
        try:
            if not key:
                _refuse("no id")
            if key in images:
                _refuse("the image stands there twice")
            images[key] = _image(row)
        except InputError as error:
            problems.append(f"row {line} ({key}): {error}")
    refuse_problems(problems, str(path))
    return images


def refuse_problems(problems: Sequence[str], source: str) -> None:
    """Raise one error for all that is wrong with a table.

    Parameters
    ----------
    problems : sequence of str
        One sentence each; nothing happens without any.
    source : str
        The table.

    Raises
    ------
    InputError
        If there is a problem.
    """
    if problems:
        more = f" And {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
        found = " ".join(problems[:_SHOWN])
        message = f"Expected a table without errors; found {len(problems)}: {found}{more}"
        raise InputError(message, source=source)


def _read_csv(path: Path) -> pd.DataFrame:
    """The table as text; its strings are too long for the csv module."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' own errors and wrong letters are ValueErrors
        message = f"Expected a readable CSV table; found: {error}."
        raise InputError(message, source=str(path)) from error
    return table.reset_index(drop=True).fillna("")


def _refuse(message: str) -> None:
    """Something is wrong in a row."""
    raise InputError(message[0].upper() + message[1:] + ".")


def _image(row: dict[Any, str]) -> KaggleImage:
    """One row."""
    shape = _side(row, "ImageHeight"), _side(row, "ImageWidth")
    tokens = row["PredictionString"].split()
    if len(tokens) % 3:
        _refuse(
            f"expected triples of class, confidence and mask; found {len(tokens)} words, no multiple of 3"
        )
    numbers = {text: index for index, text in enumerate(dict.fromkeys(tokens[2::3]))}
    return KaggleImage(
        shape=shape,
        classes=np.array([_class(text) for text in tokens[0::3]], np.int64),
        confidences=np.array([_confidence(text) for text in tokens[1::3]], float),
        mask_of=np.array([numbers[text] for text in tokens[2::3]], np.int64),
        masks=tuple(read_runs(text, shape) for text in numbers),
    )


def _side(row: dict[Any, str], name: str) -> int:
    """Width or height."""
    text = row[name].strip()
    if not text.isdecimal() or int(text) < 1:
        _refuse(f"expected {name} as a whole number of pixels; found {text!r}")
    return int(text)


def _class(text: str) -> int:
    """A class index."""
    if not text.isdecimal() or int(text) >= N_CLASSES:
        _refuse(f"expected a class from 0 to {N_CLASSES - 1}; found {text!r}")
    return int(text)


def _confidence(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        _refuse(f"expected a confidence as a finite number; found {text!r}")
    return value
