"""What every group of measurements offers: its columns with their definitions, and a function of one cell.

A group is one file of this folder. It gets a `CellCrop` and gives numbers; it reads no file and knows no table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from organelle_widgets.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from organelle_widgets.measurements._crop import CellCrop

__all__ = ["GROUPS", "Measurement", "MeasurementGroup", "definitions", "groups"]


@dataclass(frozen=True)
class Measurement:
    """One column of the table.

    Parameters
    ----------
    name : str
        The column, with its unit where it is no pure number: ``"area_um2"``.
    unit : str
        The unit; ``"1"`` for a pure number or a share.
    definition : str
        What it is, how it is measured and when it is NaN, in whole sentences.
    group : str
        Name of its group.
    """

    name: str
    unit: str
    definition: str
    group: str = ""


class MeasurementGroup(ABC):
    """Some measurements that belong together.

    A group derives from this class, registers with ``@GROUPS.register(name, title=...)``, lists its columns and
    implements `measure`.

    Attributes
    ----------
    position : int
        Groups are put in ascending order of it, then of their name.
    columns : tuple of Measurement
        What it measures, in the order of the table; names are unique over all groups.
    """

    position: ClassVar[int] = 100
    columns: ClassVar[tuple[Measurement, ...]]

    @abstractmethod
    def measure(self, cell: CellCrop) -> Mapping[str, float]:
        """Measure one cell.

        Parameters
        ----------
        cell : CellCrop
            The cell.

        Returns
        -------
        mapping of str to float
            Values by column; a column that is left out is NaN in the table.
        """


GROUPS: Registry[MeasurementGroup] = Registry(
    "measurement", "organelle_widgets.measurements", lambda: MeasurementGroup
)
"""All groups of measurements by name."""


@cache
def groups() -> tuple[tuple[str, MeasurementGroup], ...]:
    """All groups that are installed, with their names, in the order of the table.

    Returns
    -------
    tuple of (str, MeasurementGroup)
        Made once.
    """
    made = [
        (name, GROUPS.create(name)) for name, entry in GROUPS.entries().items() if not entry.missing
    ]
    return tuple(sorted(made, key=lambda pair: (pair[1].position, pair[0])))


def definitions() -> dict[str, Measurement]:
    """What every column of the table but ``cell_id`` means.

    Returns
    -------
    dict of str to Measurement
        By name, in the order of the table.
    """
    return {
        column.name: replace(column, group=name)
        for name, group in groups()
        for column in group.columns
    }
