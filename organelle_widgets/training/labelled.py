"""A labelled field, unread, and which fields are learnt from and which are scored.

Where labels come from is found in `organelle_widgets.training.label_sources`; what becomes of the cells is decided
elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from organelle_widgets.errors import InputError
from organelle_widgets.training.split import antibody_of, held_out
from organelle_widgets.training.tables import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks
    from organelle_widgets.segmentation import Segmenter
    from organelle_widgets.training.tables import LabelRow

__all__ = ["LabelledField", "split_fields"]


@dataclass(frozen=True)
class LabelledField:
    """One labelled field.

    Parameters
    ----------
    id : str
        Its name.
    read : callable
        Reads it.
    labels : tuple of int
        Classes of all its cells; empty where single cells have labels.
    cells : mapping of int to tuple of int
        Classes of single cells by their id in the mask.
    places : tuple of LabelRow
        Classes of single cells by a pixel of theirs.
    masks : Segmenter, optional
        Reads its outlines, where they are given.
    folder : str
        The subfolder that ``fields.csv`` names.
    """

    id: str
    read: Callable[[], Field]
    labels: tuple[int, ...] = ()
    cells: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    places: tuple[LabelRow, ...] = ()
    masks: Segmenter | None = None
    folder: str = ""

    @property
    def by_cell(self) -> bool:
        """Whether the labels are those of single cells."""
        return bool(self.cells or self.places)

    def find_cells(self, field: Field, segmenter: Segmenter) -> Masks:
        """The field's cells: as they were given, or as a segmenter finds them.

        Parameters
        ----------
        field : Field
            What `read` gave.
        segmenter : Segmenter
            Used where no outlines are given.

        Returns
        -------
        Masks
            Of the field's shape.

        Raises
        ------
        InputError
            If the given outlines don't fit.
        SegmentationError
            If the segmenter fails.
        """
        return (self.masks or segmenter).segment(field)

    def labels_of(self, masks: Masks) -> dict[int, tuple[int, ...]]:
        """Classes of the cells that have any.

        Parameters
        ----------
        masks : Masks
            The field's cells.

        Returns
        -------
        dict of int to tuple of int
            By id. A place outside every cell is passed over.

        Raises
        ------
        InputError
            If a labelled cell is not in the mask, or a place is not in the field.
        """
        ids = {int(cell) for cell in masks.cell_ids}
        if not self.by_cell:
            return dict.fromkeys(sorted(ids), self.labels) if self.labels else {}
        absent = sorted(set(self.cells) - ids)
        if absent:
            numbers = listed([str(cell) for cell in absent])
            message = f"Expected the labelled cells in the mask; found none with the id {numbers}."
            raise InputError(message, source=self.id)
        found = {cell: labels for cell, labels in self.cells.items() if labels}
        for row in self.places:
            cell = self._cell_at(row, masks)
            if cell and row.labels:
                found[cell] = tuple(sorted({*found.get(cell, ()), *row.labels}))
        return found

    def _cell_at(self, row: LabelRow, masks: Masks) -> int:
        """The cell at a place."""
        down, across = row.place or (0.0, 0.0)
        if down >= masks.shape[0] or across >= masks.shape[1]:
            message = f"Expected places of cells within {masks.shape}; found row {down:g}, col {across:g}."
            raise InputError(message, source=self.id)
        return int(masks.cells[int(down), int(across)])


def split_fields(
    fields: Sequence[LabelledField], fraction: float
) -> tuple[list[LabelledField], list[LabelledField]]:
    """Fields to learn from, and fields to score.

    Parameters
    ----------
    fields : sequence of LabelledField
        At least two.
    fraction : float
        Share to score, 0 to below 1.

    Returns
    -------
    learnt, scored : list of LabelledField
        Split by `organelle_widgets.training.split.held_out`. Where that leaves one side empty, as it may with few
        fields, one group of pictures that belong together changes sides. Without a fraction all are learnt from.

    Raises
    ------
    InputError
        If a fraction is wanted and all pictures belong together.
    """
    if not fraction:
        return list(fields), []
    groups = sorted(
        {antibody_of(one.id) for one in fields},
        key=lambda name: hashlib.sha256(name.encode()).digest(),
    )
    if len(groups) < 2:
        message = f"Expected fields that can be kept apart; found all of one antibody or well, {groups[0]}."
        hint = "Set the held-out share to 0 to learn from all of them without a score."
        raise InputError(message, hint=hint)
    kept = {group for group in groups if held_out(group, fraction)} or {groups[0]}
    kept -= {groups[-1]} if len(kept) == len(groups) else set()
    scored = [one for one in fields if antibody_of(one.id) in kept]
    return [one for one in fields if antibody_of(one.id) not in kept], scored
