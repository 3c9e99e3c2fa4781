"""Training the embedded classifier from a folder of labelled fields, or from virtual cells alone: the whole run."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification import CropRule
from organelle_widgets.classification._keras import quiet_start
from organelle_widgets.classification.cnn import EmbeddedCNN
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.settings import check_settings, setting
from organelle_widgets.evaluation.classification import evaluate_classification
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.segmentation import make_segmenter
from organelle_widgets.training.card import write_card
from organelle_widgets.training.data import Cells, simulated_cells, virtual_cells
from organelle_widgets.training.fit import FitSettings, fit_network
from organelle_widgets.training.mixture import Mixture
from organelle_widgets.training.network import build_network
from organelle_widgets.training.real import real_cells
from organelle_widgets.training.run_folder import run_folder
from organelle_widgets.training.split import HELD_OUT_FRACTION, held_out

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TrainingSettings", "train_classifier"]

MOSAICS = "cell_mosaics"
"""Subfolder with fields of single cells on black; they are scored apart."""
_VIEWS_UM = (0.28, 0.32, 0.37)
"""Scales at which real cells are cut, micrometres per pixel: a network should not hang on the exact one."""


@dataclass(frozen=True)
class TrainingSettings:
    """Numbers of a training run.

    Parameters
    ----------
    seed : int
        Same seed, same training, on one machine with one set of versions.
    epochs, steps, batch_size : int
        Epochs, batches in each, cells in a batch.
    virtual_fields : int
        How many fields to draw.
    simulated : int
        How many real cells get a simulated protein.
    validation_fraction : float
        Share of antibodies kept aside and scored.
    learning_rate : float
        The highest of the run.

    Raises
    ------
    SettingsError
        If a number is out of its range.
    """

    seed: int = setting(0, label="Seed", minimum=0)
    epochs: int = setting(20, label="Epochs", minimum=1)
    steps: int = setting(100, label="Batches in an epoch", minimum=1)
    batch_size: int = setting(48, label="Cells in a batch", minimum=2)
    virtual_fields: int = setting(40, label="Virtual fields", minimum=1)
    simulated: int = setting(10000, label="Simulated proteins", minimum=0)
    validation_fraction: float = setting(
        HELD_OUT_FRACTION, label="Held-out share", minimum=0, maximum=0.9
    )
    learning_rate: float = setting(2e-3, label="Learning rate", minimum=1e-6, maximum=0.1)

    def __post_init__(self) -> None:
        check_settings(self)


def train_classifier(
    data: str | Path | None,
    out: str | Path,
    *,
    progress: Callable[[float], None] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Train the network, write weights and card, and score them on the fields kept aside.

    Parameters
    ----------
    data : str or Path, optional
        Folder of labelled fields with its ``fields.csv``. Without one, virtual cells alone are learnt, and nothing
        is scored.
    out : str or Path
        Folder for ``cnn.keras`` and its card ``cnn.json``; made if needed.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.
    **settings
        See `TrainingSettings`: ``seed``, ``epochs``, ``virtual_fields``, ``validation_fraction`` and others.

    Returns
    -------
    dict
        ``weights`` and ``card`` (paths as text), ``settings``, ``n_cells`` by kind, ``history`` (mean loss of each
        epoch), ``seconds``, and ``scores``: ``fields`` and ``mosaics``, each as
        `organelle_widgets.evaluation.classification.evaluate_classification` gives them for held-out fields.

    Raises
    ------
    SettingsError
        If a setting is out of its range.
    InputError
        If the folder or a field in it can't be used, or no cell is left to learn from.
    ExportError
        If nothing can be written to `out`.
    """
    chosen = TrainingSettings(**settings)
    folder = Path(data) if data is not None else None
    if folder is not None:
        read_field_table(folder)  # a wrong folder is found before the long work
    place = run_folder(Path(out))
    report = progress or Monitor().part("training", 0, 1)
    started = time.perf_counter()
    rng = np.random.default_rng(chosen.seed)
    mixture = _collect_cells(folder, chosen, rng, lambda done: report(0.3 * done))
    network = _fresh_network(chosen.seed)
    history = fit_network(
        network,
        mixture.draw,
        FitSettings(
            epochs=chosen.epochs,
            steps=chosen.steps,
            batch_size=chosen.batch_size,
            learning_rate=chosen.learning_rate,
            seed=chosen.seed,
        ),
        progress=lambda done: report(0.3 + 0.6 * done),
    )
    weights = place / "cnn.keras"
    _stripped(network).save(weights)
    training = {
        "settings": asdict(chosen),
        "n_cells": {name: len(kind) for name, kind in mixture.kinds.items()},
        "history": [round(loss, 5) for loss in history.losses],
        "seconds": round(time.perf_counter() - started, 1),
    }
    write_card(weights, rule=CropRule(), training=training, scores={})
    scores = _held_out_scores(folder, weights, chosen.validation_fraction) if folder else {}
    card = write_card(weights, rule=CropRule(), training=training, scores=scores)
    report(1.0)
    return {"weights": str(weights), "card": str(card), "scores": scores, **training}


def _fresh_network(seed: int) -> Any:
    """The network with weights drawn from a seed."""
    with quiet_start():
        import keras

        keras.utils.set_random_seed(seed)
        return build_network()


def _stripped(network: Any) -> Any:
    """The network without its optimizer, which would make the file four times as large."""
    bare = build_network()
    bare.set_weights(network.get_weights())
    return bare


def _collect_cells(
    folder: Path | None,
    settings: TrainingSettings,
    rng: np.random.Generator,
    progress: Callable[[float], None],
) -> Mixture:
    """Virtual cells, and with a folder its real cells, but for those held out, and simulated ones too."""
    virtual = virtual_cells(
        settings.virtual_fields, rng, CropRule(), lambda done: progress(0.3 * done)
    )
    if folder is None:
        return Mixture({"virtual": virtual}, (1.0,), (1.0,))
    rules = [CropRule(pixel_size_um=scale) for scale in _VIEWS_UM]
    real = real_cells(
        folder,
        rules,
        make_segmenter("watershed"),
        lambda name: not held_out(name, settings.validation_fraction),
        lambda done: progress(0.3 + 0.1 * done),
    )
    kinds: dict[str, Cells] = {"real": real, "virtual": virtual}
    if not settings.simulated:
        return Mixture(kinds, (0.6, 0.4), (0.95, 1.0))
    kinds["simulated"] = simulated_cells(
        real,
        settings.simulated,
        rng,
        CropRule().pixel_size_um,
        lambda done: progress(0.4 + 0.6 * done),
    )
    return Mixture(kinds, (0.4, 0.1, 0.5), (0.95, 1.0, 1.0))


def _held_out_scores(folder: Path, weights: Path, fraction: float) -> dict[str, Any]:
    """Scores of ``fields`` and ``mosaics`` that were kept aside, as far as there are any."""
    rows = [row for row in read_field_table(folder) if row.labels and held_out(row.id, fraction)]
    classifier, scores = EmbeddedCNN(weights=str(weights)), {}
    for name, wanted in (("fields", False), ("mosaics", True)):
        ids = {row.id for row in rows if (row.folder == MOSAICS) == wanted}
        if ids:
            scores[name] = evaluate_classification(folder, classifier=classifier, ids=ids)
    return scores
