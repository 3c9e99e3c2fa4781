"""The result of one field: masks, cells, probabilities, and how they came about."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.labels import CLASS_NAMES, CLASSES
from organelle_widgets.core.predictions import (
    DEFAULT_THRESHOLD,
    Prediction,
    check_probabilities,
    field_probabilities,
    mostly_unusual,
    predict,
)
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from organelle_widgets.core.answers import CellAnswers
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.maps import ProbabilityMaps
    from organelle_widgets.core.masks import Masks
    from organelle_widgets.core.quality import FieldQuality

__all__ = ["PROBABILITY_COLUMNS", "FieldResult"]

PROBABILITY_COLUMNS: tuple[str, ...] = tuple(
    "p_" + re.sub(r"\W+", "_", name.lower()) for name in CLASS_NAMES
)
"""Names of the probability columns of a table of cells, in class order: ``p_nucleoplasm``, ..."""


@dataclass(frozen=True, eq=False, repr=False)
class FieldResult:
    """What the pipeline found in one field.

    Parameters
    ----------
    field : Field
        The field.
    masks : Masks
        Nuclei and cells.
    probabilities : ndarray of float32, shape (n_cells, 19)
        One row a cell in ascending order of cell id.
    timings : mapping of str to float
        Seconds of each step.
    provenance : mapping
        Versions, backends with their settings, sha256 of weights, time of the analysis. JSON-serialisable.
    threshold : float
        The confidence threshold asked for; `table` and `predict` take another one.
    notes : tuple of str
        What a person should know of this result beyond the field's own notes, in whole sentences.
    maps : ProbabilityMaps, optional
        What the segmentation network saw, so that cells can be outlined anew without it. Not exported.
    quality : FieldQuality, optional
        How far the result can be trusted; of all cells that were found, also those left out.
    answers : CellAnswers, optional
        What the classifier knows beyond the probabilities, for the same rows: embedding, strangeness, its own classes.

    Attributes
    ----------
    cells : pandas.DataFrame
        Geometry, one row a cell; see `organelle_widgets.core.cells.CELL_COLUMNS`.
    field_probabilities : ndarray of float32, shape (19,)
        The cells aggregated; see `organelle_widgets.core.predictions.field_probabilities`.

    Raises
    ------
    InputError
        If masks, probabilities and field don't belong together.
    """

    field: Field
    masks: Masks
    probabilities: NDArray[np.float32]
    timings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    provenance: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    threshold: float = DEFAULT_THRESHOLD
    notes: tuple[str, ...] = ()
    maps: ProbabilityMaps | None = None
    quality: FieldQuality | None = None
    answers: CellAnswers | None = None
    cells: pd.DataFrame = dataclasses.field(init=False, repr=False)
    field_probabilities: NDArray[np.float32] = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.masks.shape != self.field.shape:
            message = (
                f"Expected masks of the field's shape {self.field.shape}; found {self.masks.shape}."
            )
            raise InputError(message, source=self.field.name)
        cells = cell_table(self.masks, self.field.pixel_size_um)
        probabilities = check_probabilities(self.probabilities, len(cells))
        if self.answers is not None and len(self.answers) != len(cells):
            message = f"Expected answers for {len(cells)} cells; found {len(self.answers)}."
            raise InputError(message, source=self.field.name)
        object.__setattr__(self, "probabilities", probabilities)
        object.__setattr__(self, "cells", cells)
        object.__setattr__(
            self,
            "field_probabilities",
            field_probabilities(probabilities, *self._cut(), self.unusual),
        )

    @property
    def n_cells(self) -> int:
        """How many cells were found."""
        return len(self.cells)

    @property
    def unusual(self) -> NDArray[np.bool_]:
        """Which cells are unlike any that the classifier was trained on, shape (n_cells,); none where unknown."""
        strangeness = self.answers.strangeness if self.answers is not None else None
        return np.zeros(self.n_cells, bool) if strangeness is None else strangeness > 1

    @property
    def mostly_unusual(self) -> bool:
        """Whether more than half of the field, by the weights of its cells, is unusual."""
        return mostly_unusual(self.unusual, *self._cut())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks wrong in this result, in whole sentences: its quality where that was measured, unusual cells."""
        measured = self.quality.warnings if self.quality is not None else ()
        return (*measured, self._strange()) if self.mostly_unusual else measured

    @property
    def seconds(self) -> float:
        """Seconds of all steps together."""
        return float(sum(self.timings.values()))

    def row_of(self, cell_id: int) -> int:
        """Row of a cell in `cells` and `probabilities`.

        Parameters
        ----------
        cell_id : int
            The id in the masks.

        Returns
        -------
        int
            The row.

        Raises
        ------
        InputError
            If there is no such cell.
        """
        rows = np.flatnonzero(self.cells["cell_id"].to_numpy() == cell_id)
        if not rows.size:
            message = f"Expected the id of one of the {self.n_cells} cells; found {cell_id!r}."
            raise InputError(message, source=self.field.name)
        return int(rows[0])

    def predict(self, cell_id: int | None = None, threshold: float | None = None) -> Prediction:
        """Answer for one cell, or for the field.

        Parameters
        ----------
        cell_id : int, optional
            The cell; without it, the whole field.
        threshold : float, optional
            Instead of the result's own.

        Returns
        -------
        Prediction
            The classes, the candidates and the confidence.
        """
        limit = self.threshold if threshold is None else threshold
        if cell_id is None:
            return predict(self.field_probabilities, limit, unusual=self.mostly_unusual)
        row = self.row_of(cell_id)
        return predict(self.probabilities[row], limit, unusual=bool(self.unusual[row]))

    def predictions(self, threshold: float | None = None) -> list[Prediction]:
        """Answers for all cells, in row order.

        Parameters
        ----------
        threshold : float, optional
            Instead of the result's own.

        Returns
        -------
        list of Prediction
            One a cell.
        """
        limit = self.threshold if threshold is None else threshold
        return [
            predict(row, limit, unusual=bool(unusual))
            for row, unusual in zip(self.probabilities, self.unusual, strict=True)
        ]

    def table(self, threshold: float | None = None) -> pd.DataFrame:
        """Everything known of each cell in one table.

        Parameters
        ----------
        threshold : float, optional
            Instead of the result's own.

        Returns
        -------
        pandas.DataFrame
            `cells`, then ``predicted_classes`` (names with ``|`` between them, empty for not sure),
            ``top_class``, ``confidence``, ``unusual`` (unlike any cell that the classifier was trained on),
            ``strangeness`` (see `CellAnswers`; NaN where unknown), and the 19 columns of `PROBABILITY_COLUMNS`.
        """
        predictions = self.predictions(threshold)
        strangeness = self.answers.strangeness if self.answers is not None else None
        table = self.cells.assign(
            predicted_classes=["|".join(CLASS_NAMES[c] for c in p.classes) for p in predictions],
            top_class=[CLASSES[p.top].name for p in predictions],
            confidence=[p.confidence for p in predictions],
            unusual=self.unusual,
            strangeness=np.full(self.n_cells, np.nan) if strangeness is None else strangeness,
        )
        for index, column in enumerate(PROBABILITY_COLUMNS):
            table[column] = self.probabilities[:, index]
        return table

    def _cut(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which cells touch the border, and which are fragments."""
        cells = self.cells
        return cells["touches_border"].to_numpy(bool), cells["is_fragment"].to_numpy(bool)

    def _strange(self) -> str:
        """That most cells are unusual, and what may be the cause."""
        found = int(self.unusual.sum())
        which = "The one cell is" if self.n_cells == 1 else f"{found} of {self.n_cells} cells are"
        return (
            f"{which} unlike any cell the classifier was trained on: check the channels, the pixel size and that "
            "this is four-channel immunofluorescence."
        )

    def __repr__(self) -> str:
        return f"FieldResult({self.field!r}, {self.n_cells} cells, threshold {self.threshold:g})"
