"""The table of measurements: every group over every cell of a field."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from organelle_widgets.errors import SettingsError, attributed_to
from organelle_widgets.measurements._base import definitions, groups
from organelle_widgets.measurements._crop import CellCropper

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["measure_cells"]


def measure_cells(
    field: Field,
    masks: Masks,
    cell_ids: Iterable[int] | None = None,
    *,
    threads: int = 1,
) -> pd.DataFrame:
    """Measure cells.

    Parameters
    ----------
    field : Field
        The field, of any dtype and pixel size; microtubules and ER may be missing.
    masks : Masks
        All its cells: background and thresholds are taken of them, whichever are measured.
    cell_ids : iterable of int, optional
        Ids of the cells to measure; all by default. Repeated ids count once.
    threads : int
        How many cells are measured at the same time, 1 or more; the numbers are the same.

    Returns
    -------
    pandas.DataFrame
        One row a cell in ascending order of id: ``cell_id`` (int), then the columns of `MEASUREMENTS` (float). A value
        that a cell doesn't have is NaN; the column's definition says when.

    Raises
    ------
    InputError
        If field and masks differ in shape, or an id is not in the masks.
    SettingsError
        If the number of threads is below 1.

    Examples
    --------
    >>> import organelle_widgets as ow
    >>> virtual = ow.virtual_field((256, 256), seed=1, pixel_size_um=0.32)
    >>> table = measure_cells(virtual.field, virtual.masks)
    >>> len(table) == virtual.masks.n_cells
    True
    """
    if threads < 1:
        message = f"Expected 1 thread or more; found {threads!r}."
        raise SettingsError(message)
    with attributed_to(source=field.name, step="measurements"):
        ids = masks.cell_ids if cell_ids is None else np.unique(np.array([*cell_ids], np.int64))
        cropper = CellCropper(field, masks)
        columns = list(definitions())
        with ThreadPoolExecutor(threads) as pool:
            rows = list(pool.map(lambda cell: _measured(cropper, int(cell), columns), ids))
    table = pd.DataFrame(np.array(rows).reshape(len(ids), len(columns)), columns=columns)
    table.insert(0, "cell_id", ids.astype(np.int64))
    return table


def _measured(cropper: CellCropper, cell_id: int, columns: list[str]) -> NDArray[np.float64]:
    """One row of the table; NaN for what a group left out."""
    cell = cropper.cut(cell_id)
    found: dict[str, Any] = {}
    for _, group in groups():
        found.update(group.measure(cell))
    return np.array([found.get(name, np.nan) for name in columns], np.float64)
