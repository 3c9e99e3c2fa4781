"""How the package's own weights are made: all stages, from a folder of labelled fields to a scored file.

1. Cells of all labelled fields are cut, but for fragments; those of held-out antibodies are set aside.
2. A base learns simulated proteins on the other fields' reference channels, and virtual cells. It sees no label.
3. For calibration, the other fields are dealt into folds; for each, the base is tuned on the rest and answers for it.
4. A twin is tuned on all fields that are not held out, calibrated by these answers, and scored on those held out.
5. What is shipped is tuned in the same way on all fields, the held-out ones too, so that its scores are the twin's.

Every fit goes on where it was stopped. What single stages do belongs in the other files of this folder.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification import CropRule, make_classifier
from organelle_widgets.classification._keras import quiet_start
from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.settings import check_settings, setting
from organelle_widgets.errors import InputError
from organelle_widgets.pipeline import DEFAULT_SEGMENTER
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.training.calibration import Calibration, fit_calibration
from organelle_widgets.training.card import write_card
from organelle_widgets.training.collect import check_readable
from organelle_widgets.training.data import (
    Cells,
    cut_cells,
    join_cells,
    simulated_cells,
    varied_cells,
    virtual_cells,
)
from organelle_widgets.training.export import seen
from organelle_widgets.training.finish import finished, fit_neighbourhood
from organelle_widgets.training.fit import FitSettings, fit_network
from organelle_widgets.training.label_sources import find_labelled
from organelle_widgets.training.mixture import Mixture
from organelle_widgets.training.network import build_network
from organelle_widgets.training.run_folder import run_folder
from organelle_widgets.training.scoring import score_labelled
from organelle_widgets.training.split import HELD_OUT_FRACTION, antibody_of, held_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.core.masks import Masks
    from organelle_widgets.training.history import FitHistory
    from organelle_widgets.training.labelled import LabelledField

__all__ = ["EmbeddedSettings", "train_embedded"]

_CHUNK = 2000
_SHARES = {"real": 0.25, "varied": 0.35, "simulated": 0.35, "virtual": 0.05}
"""Of each kind of cell in a batch of a tuning."""
_CERTAINTY = 0.95
"""How sure the labels of fields are as labels of their cells."""
_SPLIT_OF_TWIN = (
    "Fields are kept aside by the SHA-256 of their antibody or well, see organelle_widgets.training.split.held_out. "
    "They gave neither labels nor reference channels to the twin, and no choice was made on them. The calibration was "
    "fitted on the other fields, each answered by a network that had not learnt from it."
)
_SPLIT = (
    "The scores are those of the twin. These weights were then made in the same way from the same base, but tuned on "
    "all fields, those kept aside too: scoring them on these fields again would flatter them."
)
_N_DRAWN = 1500
"""So many drawn cells of each kind count as known, too."""
_KNOWN = 95
"""Percentage of the cells in the folds, answered by networks that know fewer fields, which count as known."""
_STAGES = {"cells": 0.02, "simulated": 0.12, "base": 0.5, "tunings": 0.34, "scores": 0.02}
"""Of the time that a run takes, roughly."""


@dataclass(frozen=True)
class EmbeddedSettings:
    """Numbers of the training of the package's weights.

    Parameters
    ----------
    seed : int
        Same seed, same training, on one machine with one set of versions.
    simulated : int
        Cells with a simulated protein.
    virtual_fields : int
        Fields that are drawn altogether.
    varied : int
        Changed copies of the cells of each real field.
    base_epochs, base_steps : int
        Of the base: epochs, and batches in each.
    tuning_epochs, tuning_steps : int
        Of every tuning.
    batch_size : int
        Cells in a batch.
    base_rate, tuning_rate : float
        Highest learning rates.
    folds : int
        Parts of the fields that are not held out, for the calibration.
    held_out_fraction : float
        Share of antibodies that are held out.

    Raises
    ------
    SettingsError
        If a number is out of its range.
    """

    seed: int = setting(0, label="Seed", minimum=0)
    simulated: int = setting(60000, label="Simulated proteins", minimum=1)
    virtual_fields: int = setting(100, label="Virtual fields", minimum=1)
    varied: int = setting(150, label="Varied cells of a field", minimum=1)
    base_epochs: int = setting(28, label="Epochs of the base", minimum=1)
    base_steps: int = setting(250, label="Batches in each", minimum=1)
    tuning_epochs: int = setting(12, label="Epochs of a tuning", minimum=1)
    tuning_steps: int = setting(100, label="Batches in each", minimum=1)
    batch_size: int = setting(64, label="Cells in a batch", minimum=2)
    base_rate: float = setting(2e-3, label="Learning rate of the base", minimum=1e-6, maximum=0.1)
    tuning_rate: float = setting(6e-4, label="Learning rate of tunings", minimum=1e-6, maximum=0.1)
    folds: int = setting(3, label="Folds", minimum=2)
    held_out_fraction: float = setting(
        HELD_OUT_FRACTION, label="Held-out share", minimum=0, maximum=0.9
    )

    def __post_init__(self) -> None:
        check_settings(self)


def train_embedded(
    data: str | Path,
    out: str | Path,
    *,
    progress: Callable[[float], None] | None = None,
    on_epoch: Callable[[Mapping[str, float]], None] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Train the weights of the classifier ``organelle`` as the package's were.

    Parameters
    ----------
    data : str or Path
        Folder of labelled fields; see `organelle_widgets.training.label_sources.find_labelled`.
    out : str or Path
        Folder for ``organelle.keras`` with its card, the same of the twin in ``twin/``, and the checkpoints of all
        fits. The same call in the same folder goes on where it was stopped.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.
    on_epoch : callable, optional
        Called with the figures of each epoch of each fit.
    **settings
        See `EmbeddedSettings`.

    Returns
    -------
    dict
        ``weights`` and ``card`` (paths as text), ``scores`` of the twin on held-out fields, ``settings``, ``n_cells``,
        ``n_fields``, ``seconds``, ``history`` of the base.

    Raises
    ------
    SettingsError
        If a setting is out of its range.
    InputError
        If the folder or a field in it can't be used, or `out` holds another training.
    ExportError
        If nothing can be written to `out`.
    """
    chosen = EmbeddedSettings(**settings)
    report = progress or Monitor().part("training", 0, 1)
    started = time.perf_counter()
    fields = find_labelled(Path(data))
    place = run_folder(Path(out))
    check_readable(fields)
    work = _Work(place, chosen, report, on_epoch)
    found = _cut(fields, lambda done: report(_STAGES["cells"] * done))
    learnt = [one for one in found if not held_out(one.name, chosen.held_out_fraction)]
    work.draw(learnt)
    base, history = work.base()
    told = work.calibration(base, learnt)
    training: dict[str, Any] = {
        "settings": asdict(chosen),
        "n_cells": {"real": sum(len(one.cells) for one in found), **work.n_drawn},
        "n_fields": {"real": len(found), "held out from the twin": len(found) - len(learnt)},
        "history": [round(loss, 5) for loss in history.losses],
    }
    twin = work.tuned("twin", base, learnt)
    twin_weights = work.export(twin, place / "twin", told, learnt)
    _write_card(
        twin_weights, told, training, {}, _SPLIT_OF_TWIN
    )  # a classifier needs a card to load
    scores = work.scores(twin_weights, fields)
    _write_card(twin_weights, told, training, scores, _SPLIT_OF_TWIN)
    weights = work.export(work.tuned("final", base, found), place, told, found)
    training = {**training, "seconds": round(time.perf_counter() - started, 1)}
    card = _write_card(weights, told, training, scores, f"{_SPLIT_OF_TWIN} {_SPLIT}")
    report(1.0)
    return {"weights": str(weights), "card": str(card), "scores": scores, **training}


@dataclass(frozen=True, eq=False)
class _FieldCells:
    """The cells of one field."""

    name: str
    cells: Cells

    def fold(self, folds: int) -> int:
        """Which part of the fields it belongs to; pictures of one antibody belong to the same."""
        digest = hashlib.sha256(f"fold{antibody_of(self.name)}".encode()).digest()
        return int.from_bytes(digest[:4], "big") % folds


def _cut(fields: Sequence[LabelledField], progress: Callable[[float], None]) -> list[_FieldCells]:
    """The cells of all fields in which any are found, by the default segmenter."""
    finder, found = make_segmenter(DEFAULT_SEGMENTER), []
    for done, one in enumerate(fields, start=1):
        field = one.read()
        masks = one.find_cells(field, finder)
        labels = _judged(masks, field.pixel_size_um, one.labels_of(masks))
        if labels:
            found.append(_FieldCells(one.id, cut_cells(field, masks, labels, CropRule())))
        progress(done / len(fields))
    if not found:
        message = f"Expected labelled fields with cells; found none in {len(fields)} fields."
        raise InputError(message)
    return found


def _judged(
    masks: Masks, pixel_size_um: float, labels: Mapping[int, tuple[int, ...]]
) -> dict[int, tuple[int, ...]]:
    """Labels without those of fragments, which annotators don't judge; all, where there is nothing else."""
    table = cell_table(masks, pixel_size_um)
    fragments = set(table.loc[table["is_fragment"], "cell_id"])
    whole = {cell: classes for cell, classes in labels.items() if cell not in fragments}
    return whole or dict(labels)


class _Work:
    """One training at work."""

    def __init__(
        self,
        place: Path,
        settings: EmbeddedSettings,
        report: Callable[[float], None],
        on_epoch: Callable[[Mapping[str, float]], None] | None,
    ) -> None:
        self.place, self.settings, self.report, self.on_epoch = place, settings, report, on_epoch
        self.drawn: dict[str, Cells] = {}
        self.done = _STAGES["cells"]

    @property
    def n_drawn(self) -> dict[str, int]:
        """Number of drawn cells by kind."""
        return {kind: len(cells) for kind, cells in self.drawn.items()}

    def _part(self, share: float) -> Callable[[float], None]:
        """Progress of the next part of the run."""
        start = self.done
        self.done += share
        return lambda done: self.report(start + share * done)

    def draw(self, learnt: Sequence[_FieldCells]) -> None:
        """Simulated proteins on the reference channels of some fields, and virtual cells."""
        own, progress = self.settings, self._part(_STAGES["simulated"])
        references = join_cells([one.cells for one in learnt])
        chunks = []
        for number, start in enumerate(range(0, own.simulated, _CHUNK)):
            rng = np.random.default_rng([own.seed, number])
            count = min(_CHUNK, own.simulated - start)
            chunks.append(simulated_cells(references, count, rng, CropRule().pixel_size_um))
            progress(min(start + _CHUNK, own.simulated) / own.simulated)
        self.drawn["simulated"] = join_cells(chunks)
        rng = np.random.default_rng([own.seed, 99])
        self.drawn["virtual"] = virtual_cells(own.virtual_fields, rng, CropRule())

    def base(self) -> tuple[Any, FitHistory]:
        """The network that has seen drawn proteins only, and the figures of its epochs."""
        own = self.settings
        network = _seeded(own.seed)
        mixture = Mixture(self.drawn, (0.95, 0.05), (1.0, 1.0))
        fit = FitSettings(
            epochs=own.base_epochs,
            steps=own.base_steps,
            batch_size=own.batch_size,
            learning_rate=own.base_rate,
            ema=0.998,
            seed=own.seed,
            mixed_precision=True,
        )
        progress = self._part(_STAGES["base"])
        return network, self._fit(network, mixture, fit, "base", progress)

    def tuned(self, name: str, base: Any, fields: Sequence[_FieldCells]) -> Any:
        """The base fitted further on real fields, with drawn cells among them."""
        own = self.settings
        real = join_cells([one.cells for one in fields])
        kinds = {"real": real, "varied": join_cells([self._varied(one) for one in fields])}
        mixture = Mixture(
            {**kinds, **self.drawn}, tuple(_SHARES.values()), (_CERTAINTY, _CERTAINTY, 1.0, 1.0)
        )
        network = _seeded(own.seed + 1)
        network.set_weights(base.get_weights())
        fit = FitSettings(
            epochs=own.tuning_epochs,
            steps=own.tuning_steps,
            batch_size=own.batch_size,
            learning_rate=own.tuning_rate,
            seed=own.seed + 1,
            mixed_precision=True,
        )
        progress = self._part(_STAGES["tunings"] / (own.folds + 2))
        self._fit(network, mixture, fit, name, progress)
        return network

    def _varied(self, one: _FieldCells) -> Cells:
        """Changed copies of a field's cells; the same ones in every tuning."""
        digest = hashlib.sha256(one.name.encode()).digest()
        rng = np.random.default_rng([self.settings.seed, *digest[:4]])
        return varied_cells(one.cells, self.settings.varied, rng)

    def _fit(
        self,
        network: Any,
        mixture: Mixture,
        settings: FitSettings,
        name: str,
        progress: Callable[[float], None],
    ) -> FitHistory:
        """One fit in a folder of its own."""
        made_with = {kind: len(cells) for kind, cells in mixture.kinds.items()}
        return fit_network(
            network,
            mixture.draw,
            settings,
            folder=self.place / name,
            made_with=made_with,
            progress=progress,
            on_epoch=self.on_epoch,
        )

    def calibration(self, base: Any, learnt: Sequence[_FieldCells]) -> tuple[Calibration, float]:
        """What the folds tell: a calibration, and how much farther than known cells new ones of their kind lie."""
        logits: list[NDArray[Any]] = []
        apart: list[NDArray[Any]] = []
        answered: list[_FieldCells] = []
        for number in range(self.settings.folds):
            rest = [one for one in learnt if one.fold(self.settings.folds) != number]
            aside = [one for one in learnt if one.fold(self.settings.folds) == number]
            if not rest or not aside:
                continue
            network = self.tuned(f"fold-{number}", base, rest)
            known = fit_neighbourhood(self._known(network, rest), seed=self.settings.seed)
            for one in aside:
                said, evidence = seen(network, one.cells.crops)
                logits.append(said)
                apart.append(known.strangeness(evidence))
            answered += aside
        if not answered:
            message = f"Expected fields of several antibodies to calibrate on; found {len(learnt)} fields of one."
            raise InputError(message, hint="Give more fields.")
        truth = np.concatenate([one.cells.truth for one in answered])
        field_of = np.repeat(np.arange(len(answered)), [len(one.cells) for one in answered])
        calibration = fit_calibration(np.concatenate(logits), truth, field_of)
        return calibration, max(1.0, float(np.percentile(np.concatenate(apart), _KNOWN)))

    def export(
        self,
        network: Any,
        folder: Path,
        told: tuple[Calibration, float],
        fields: Sequence[_FieldCells],
    ) -> Path:
        """Write the weights with all that is put around them; gives their path."""
        folder.mkdir(exist_ok=True)
        calibration, stretch = told
        evidence = self._known(network, fields)
        known = fit_neighbourhood(evidence, stretch=stretch, seed=self.settings.seed)
        weights = folder / "organelle.keras"
        finished(network, calibration, known).save(weights)
        return weights

    def _known(self, network: Any, fields: Sequence[_FieldCells]) -> NDArray[Any]:
        """What the network sees of cells that count as known: real ones, these without ER, and some that are drawn."""
        real = np.concatenate([one.cells.crops for one in fields])
        bare = real * np.array([1, 1, 1, 0], np.uint8)[:, None, None]
        drawn = [cells.crops[:_N_DRAWN] for cells in self.drawn.values()]
        return seen(network, np.concatenate([real, bare, *drawn]))[1]

    def scores(self, weights: Path, fields: Sequence[LabelledField]) -> dict[str, Any]:
        """Of the twin, on the fields that it never saw; pictures without ER are scored apart."""
        judge = make_classifier("organelle", weights=str(weights))
        finder, seed = make_segmenter(DEFAULT_SEGMENTER), self.settings.seed
        progress = self._part(_STAGES["scores"])
        aside = [one for one in fields if held_out(one.id, self.settings.held_out_fraction)]
        whole = [one for one in aside if one.folder]
        bare = [one for one in aside if not one.folder]
        scores = score_labelled(whole, judge, finder, seed=seed, progress=progress)
        without_er = score_labelled(bare, judge, finder, seed=seed)
        return {**scores, **({"composites": without_er["fields"]} if without_er else {})}


def _write_card(
    weights: Path,
    told: tuple[Calibration, float],
    training: Mapping[str, Any],
    scores: Mapping[str, Any],
    split: str,
) -> Path:
    """The card of the package's weights, or of their twin's."""
    calibration, _ = told
    return write_card(
        weights,
        rule=CropRule(),
        training=training,
        scores=scores,
        provenance="hpa",
        title="Organelle network",
        split=split,
        calibration={"n_cells": calibration.n_cells, "n_fields": calibration.n_fields},
    )


def _seeded(seed: int) -> Any:
    """The network with weights drawn from a seed, which also seeds its dropout."""
    with quiet_start():
        import keras

        keras.utils.set_random_seed(seed)
        return build_network()
