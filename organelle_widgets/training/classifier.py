"""Training a classifier from labelled fields, or from virtual cells alone: the whole run, from folder to scores."""

from __future__ import annotations

import json
import time
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import organelle_widgets
from organelle_widgets.classification import CropRule, make_classifier
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import InputError, SettingsError
from organelle_widgets.pipeline import DEFAULT_SEGMENTER
from organelle_widgets.render.saving import written_whole
from organelle_widgets.segmentation import Segmenter, make_segmenter
from organelle_widgets.training.card import write_card
from organelle_widgets.training.collect import check_readable
from organelle_widgets.training.export import export_network
from organelle_widgets.training.fit import fit_network
from organelle_widgets.training.history import draw_history
from organelle_widgets.training.label_sources import find_labelled
from organelle_widgets.training.labelled import LabelledField, split_fields
from organelle_widgets.training.lessons import Lessons, collect_lessons, n_tuning_fields
from organelle_widgets.training.run_folder import run_folder
from organelle_widgets.training.scoring import score_labelled
from organelle_widgets.training.start import SCRATCH, starting_network
from organelle_widgets.training.training_settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["NAME", "train_classifier"]

_TUNING_RATE = 3e-4
"""Highest learning rate of a network that knows something already, where none is given."""
_SHARE_CHECK, _SHARE_CELLS, _SHARE_FIT, _SHARE_SCORES = 0.05, 0.25, 0.6, 0.1
"""Of the time that a run takes, roughly."""
NAME = "classifier"
"""What weights and card are called."""


def train_classifier(
    data: str | Path | None,
    out: str | Path,
    *,
    start: str | Path = SCRATCH,
    labels: str | Path | None = None,
    segmenter: str | Segmenter = DEFAULT_SEGMENTER,
    pixel_size_um: float | None = None,
    provenance: str | None = None,
    progress: Callable[[float], None] | None = None,
    on_epoch: Callable[[Mapping[str, float]], None] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Train a classifier, write weights, card and curves, and score it on the fields kept aside.

    The same call in the same folder goes on where it was stopped. All cells are kept in memory, about 100 kB each.

    Parameters
    ----------
    data : str or Path, optional
        Folder of labelled fields; see `organelle_widgets.training.label_sources.find_labelled`. Without one, virtual
        cells alone are learnt, and nothing is scored.
    out : str or Path
        The run folder, made if needed: ``config.json``, ``history.csv``, ``history.png``, ``checkpoint/``, ``logs/``
        for TensorBoard, ``classifier.keras`` and its card ``classifier.json``.
    start : {"scratch", "embedded"} or path
        Begin with random weights, the package's, or those of an earlier training.
    labels : str or Path, optional
        Table of labels; by default ``fields.csv`` or ``train.csv`` in `data`.
    segmenter : str or Segmenter
        Finds the cells of fields without outlines.
    pixel_size_um : float, optional
        Micrometres per pixel of images that ``fields.csv`` does not name.
    provenance : str, optional
        Where the images come from and under which licence, for the model card; ``"hpa"`` for the Human Protein Atlas.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.
    on_epoch : callable, optional
        Called with the figures of each epoch; see `organelle_widgets.training.history.FitHistory`.
    **settings
        See `TrainingSettings`: ``objective``, ``epochs``, ``patience``, ``validation_fraction`` and others.

    Returns
    -------
    dict
        ``weights`` and ``card`` (paths as text), ``settings``, ``n_cells`` and ``n_fields`` by kind, ``history`` (the
        figures of each epoch), ``best_epoch``, ``stopped_early``, ``seconds``, and ``scores`` of the held-out fields as
        `organelle_widgets.training.scoring.score_labelled` gives them.

    Raises
    ------
    SettingsError
        If a setting is out of its range.
    InputError
        If the folder or a field in it can't be used, no cell is left to learn from, or `out` holds another training.
    WeightsError
        If the weights to start from can't be used.
    ExportError
        If nothing can be written to `out`.
    """
    if start != SCRATCH:
        settings = {"learning_rate": _TUNING_RATE, **settings}
    run = _Run(Path(out), TrainingSettings(**settings), make_segmenter(segmenter))
    report = progress or Monitor().part("training", 0, 1)
    started = time.perf_counter()
    learnt, scored = run.fields(
        data, labels, pixel_size_um, lambda done: report(_SHARE_CHECK * done)
    )
    network, origin = starting_network(start, seed=run.settings.seed, size=run.rule.size)
    run.write_config(data, labels, origin)
    before_fit = _SHARE_CHECK + _SHARE_CELLS
    lessons = run.lessons(learnt, lambda done: report(_SHARE_CHECK + _SHARE_CELLS * done))
    history = fit_network(
        network,
        lessons.mixture.draw,
        run.settings,
        folder=run.out,
        validation=lessons.validation(run.settings.seed),
        counts=lessons.class_counts,
        made_with={"start": origin.get("sha256", SCRATCH), **_in_short(lessons)},
        progress=lambda done: report(before_fit + _SHARE_FIT * done),
        on_epoch=on_epoch,
    )
    draw_history(history, run.out / "history.png")
    training = {
        "settings": asdict(run.settings),
        "n_cells": lessons.n_cells,
        "n_fields": lessons.n_fields,
        "history": [{key: round(value, 5) for key, value in row.items()} for row in history.rows],
        "best_epoch": history.best_epoch,
        "stopped_early": history.stopped_early,
        "seconds": round(time.perf_counter() - started, 1),
    }
    card = run.export(network, lessons, origin, provenance, training)
    scores: dict[str, Any] = {}
    if scored:
        scores = score_labelled(
            scored,
            make_classifier("organelle", weights=str(run.weights)),
            run.segmenter,
            seed=run.settings.seed,
            progress=lambda done: report(1 - _SHARE_SCORES * (1 - done)),
        )
        card(scores)
    report(1.0)
    places = {"weights": str(run.weights), "card": str(run.weights.with_suffix(".json"))}
    return {**places, "scores": scores, **training}


@dataclass(eq=False)
class _Run:
    """One training at work."""

    out: Path
    settings: TrainingSettings
    segmenter: Segmenter

    def __post_init__(self) -> None:
        self.rule = CropRule()
        self.weights = self.out / f"{NAME}.keras"

    def fields(
        self,
        data: str | Path | None,
        labels: str | Path | None,
        pixel_size_um: float | None,
        progress: Callable[[float], None],
    ) -> tuple[list[LabelledField], list[LabelledField]]:
        """Fields to learn from and to score; all that may be wrong is found before the long work."""
        if data is None:
            if labels is not None:
                message = (
                    f"Expected a folder of images with the table of labels; found {labels} alone."
                )
                raise InputError(message, hint="Give the folder as data.")
            if not self.settings.virtual_fields:
                message = "virtual_fields: expected 1 or more without labelled fields; found 0."
                raise SettingsError(message)
            self._check_patience(self.settings.virtual_fields)
            run_folder(self.out)
            return [], []
        found = find_labelled(Path(data), labels, pixel_size_um=pixel_size_um)
        learnt, scored = split_fields(found, self.settings.validation_fraction)
        self._check_patience(len(learnt))
        run_folder(self.out)
        check_readable(found, progress)
        return learnt, scored

    def _check_patience(self, n_fields: int) -> None:
        """Refuse early stopping where no field would tell when."""
        own = self.settings
        if own.patience and not n_tuning_fields(n_fields, own.tuning_fraction):
            message = (
                f"patience: expected 0, as none of {n_fields} fields is left for tuning; "
                f"found {own.patience}."
            )
            hint = "Give 3 fields or more to learn from, and a tuning_fraction above 0."
            raise SettingsError(message, hint=hint)

    def write_config(
        self, data: str | Path | None, labels: str | Path | None, origin: Mapping[str, str]
    ) -> None:
        """Write what was asked for; a run that goes on keeps what its beginning wrote."""
        if (self.out / "checkpoint").is_dir():
            return
        config = {
            "data": None if data is None else Path(data).resolve().name,
            "labels": None if labels is None else Path(labels).name,
            "start": origin or SCRATCH,
            "segmenter": self.segmenter.provenance(),
            "settings": asdict(self.settings),
            "organelle_widgets": organelle_widgets.__version__,
        }
        with written_whole(self.out / "config.json") as part:
            part.write_text(json.dumps(config, indent=1, default=str) + "\n", encoding="utf-8")

    def lessons(self, learnt: list[LabelledField], progress: Callable[[float], None]) -> Lessons:
        """The cells to learn from."""
        own = self.settings
        return collect_lessons(
            learnt,
            self.rule,
            self.segmenter,
            seed=own.seed,
            virtual_fields=own.virtual_fields,
            simulated=own.simulated,
            varied=own.varied,
            tuning_fraction=own.tuning_fraction,
            progress=progress,
        )

    def export(
        self,
        network: Any,
        lessons: Lessons,
        origin: Mapping[str, str],
        provenance: str | None,
        training: Mapping[str, Any],
    ) -> Callable[[Mapping[str, Any]], Path]:
        """Write weights and card; gives what writes the card again with scores."""
        own = self.settings
        about = export_network(
            network,
            self.weights,
            objective=own.objective,
            learnt=lessons.reference,
            tuning=lessons.tuning,
            seed=own.seed,
        )
        more: dict[str, Any] = {**about, "started_from": dict(origin) if origin else None}

        def card(scores: Mapping[str, Any]) -> Path:
            return write_card(
                self.weights,
                rule=self.rule,
                training=training,
                scores=scores,
                provenance=provenance,
                **more,
            )

        card({})
        return card


def _in_short(lessons: Lessons) -> dict[str, Any]:
    """How many cells of each kind there are, and a digest of their labels."""
    return {
        f"{name} cells": f"{len(kind)}, {zlib.crc32(kind.truth.tobytes()):08x}"
        for name, kind in lessons.mixture.kinds.items()
    }
