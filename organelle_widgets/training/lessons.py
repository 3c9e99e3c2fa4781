"""All that one training learns from: real cells, what is made of them, virtual ones, and cells to tune by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.errors import InputError
from organelle_widgets.training.collect import collect_cells, only_fields
from organelle_widgets.training.data import Cells, simulated_cells, varied_cells, virtual_cells
from organelle_widgets.training.mixture import Mixture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.classification import CropRule
    from organelle_widgets.segmentation import Segmenter
    from organelle_widgets.training.labelled import LabelledField

__all__ = ["Lessons", "collect_lessons", "n_tuning_fields"]

_SHARES = {"real": 0.15, "varied": 0.3, "virtual": 0.1, "simulated": 0.45}
"""Of each kind in a batch; where kinds are missing the others keep their proportions."""
_WEAK = 0.95
"""How sure labels of fields are as labels of their cells."""
_FEWEST = 3
"""So many fields are needed for one of them to be set aside for tuning."""
_AT_MOST = 1500


@dataclass(frozen=True, eq=False)
class Lessons:
    """Cells of a training.

    Parameters
    ----------
    mixture : Mixture
        What is learnt from.
    tuning : Cells, optional
        Cells of other fields: they show when to stop, and calibrate.
    """

    mixture: Mixture
    tuning: Cells | None

    @property
    def reference(self) -> Cells:
        """The cells that count as known: real ones where there are any, else virtual ones."""
        kinds = self.mixture.kinds
        return kinds["real"] if "real" in kinds else kinds["virtual"]

    @property
    def n_cells(self) -> dict[str, int]:
        """Number of cells by kind, ``tuning`` among them."""
        kinds = {name: len(cells) for name, cells in self.mixture.kinds.items()}
        return kinds if self.tuning is None else {**kinds, "tuning": len(self.tuning)}

    @property
    def n_fields(self) -> dict[str, int]:
        """Number of fields by kind."""
        kinds = {name: _count(cells) for name, cells in self.mixture.kinds.items()}
        for made in ("simulated", "varied"):
            kinds.pop(made, None)
        return kinds if self.tuning is None else {**kinds, "tuning": _count(self.tuning)}

    @property
    def class_counts(self) -> NDArray[np.float64]:
        """Cells of each class, shape (19,)."""
        kinds = self.mixture.kinds.values()
        return np.asarray(sum((k.truth.sum(axis=0) for k in kinds), np.zeros(N_CLASSES)))

    def validation(self, seed: int) -> tuple[NDArray[np.float32], ...] | None:
        """The cells to tune by as arrays.

        Parameters
        ----------
        seed : int
            Chooses 1,500 of more.

        Returns
        -------
        tuple of ndarray of float32, or None
            Crops, truth and weights; fields weigh alike.
        """
        if self.tuning is None:
            return None
        cells, rng = self.tuning, np.random.default_rng(seed)
        chosen = np.sort(rng.choice(len(cells), min(len(cells), _AT_MOST), replace=False))
        weights = cells.share[chosen]
        crops = cells.crops[chosen].astype(np.float32) / np.float32(255)
        return crops, cells.truth[chosen], (weights / weights.mean()).astype(np.float32)


def _count(cells: Cells) -> int:
    """Number of fields."""
    return len(np.unique(cells.source))


def collect_lessons(
    fields: Sequence[LabelledField],
    rule: CropRule,
    segmenter: Segmenter,
    *,
    seed: int,
    virtual_fields: int,
    simulated: int,
    varied: int,
    tuning_fraction: float,
    progress: Callable[[float], None],
) -> Lessons:
    """Read, draw and cut all cells of a training.

    Parameters
    ----------
    fields : sequence of LabelledField
        Labelled fields to learn from; without any, virtual cells alone are learnt.
    rule : CropRule
        How to cut.
    segmenter : Segmenter
        Finds the cells of fields without outlines.
    seed : int
        Same seed, same cells.
    virtual_fields, simulated, varied : int
        How many fields to draw, how many real cells get a simulated protein, and how many are changed in shape and
        exposure.
    tuning_fraction : float
        Share of the fields that is set aside to tune by, of labelled ones where there are any; from 3 fields on.
    progress : callable
        Called with the share done, 0 to 1; may raise to stop.

    Returns
    -------
    Lessons
        The cells, and how they are mixed.

    Raises
    ------
    InputError
        If a field can't be used, or no labelled cell is found.
    """
    rng = np.random.default_rng(seed)
    virtual = None
    if virtual_fields:
        virtual = virtual_cells(virtual_fields, rng, rule, lambda done: progress(0.3 * done))
    if not fields and virtual is None:
        message = "Expected labelled or virtual fields to learn from; found neither."
        raise InputError(message)
    if not fields and virtual is not None:
        own, aside = _apart(virtual, tuning_fraction, rng)
        return Lessons(Mixture({"virtual": own}, (1.0,), (1.0,)), aside)
    found = collect_cells(fields, [rule], segmenter, lambda done: progress(0.3 + 0.3 * done))
    real, tuning = _apart(found, tuning_fraction, rng)
    kinds = {"real": real}
    if varied:
        kinds["varied"] = varied_cells(real, varied, rng)
    if virtual is not None:
        kinds["virtual"] = virtual
    if simulated:
        step = rule.pixel_size_um
        kinds["simulated"] = simulated_cells(
            real, simulated, rng, step, lambda done: progress(0.7 + 0.3 * done)
        )
    exact = all(field.by_cell for field in fields)
    return Lessons(_mixed(kinds, exact=exact), tuning)


def _mixed(kinds: dict[str, Cells], *, exact: bool) -> Mixture:
    """The kinds in their usual proportions."""
    shares = np.array([_SHARES[name] for name in kinds])
    weak = () if exact else ("real", "varied")
    certainties = [_WEAK if name in weak else 1.0 for name in kinds]
    return Mixture(kinds, tuple(shares / shares.sum()), certainties)


def _apart(cells: Cells, fraction: float, rng: np.random.Generator) -> tuple[Cells, Cells | None]:
    """Cells with some of their fields set aside."""
    n_fields = _count(cells)
    aside = n_tuning_fields(n_fields, fraction)
    if not aside:
        return cells, None
    order = rng.permutation(n_fields)
    return only_fields(cells, order[aside:].tolist()), only_fields(cells, order[:aside].tolist())


def n_tuning_fields(n_fields: int, fraction: float) -> int:
    """How many fields are set aside to tune by.

    Parameters
    ----------
    n_fields : int
        How many there are.
    fraction : float
        Share to set aside.

    Returns
    -------
    int
        At least one of three or more fields, unless the fraction is 0; none of fewer.
    """
    return max(1, round(fraction * n_fields)) if fraction and n_fields >= _FEWEST else 0
