"""Training the embedded segmenter: the whole run, from a folder of fields to weights, card and honest scores.

A base network learns from everything but the fields whose masks are known. Then it is tuned on those fields: once
for each of them without that field, to score it, and once on all of them for the weights that are kept.
"""

from __future__ import annotations

import hashlib
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.settings import check_settings, setting
from organelle_widgets.evaluation.nuclei import evaluate_nuclei
from organelle_widgets.evaluation.segmentation import evaluate_segmentation
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.segmentation.unet import UNet
from organelle_widgets.segmentation.watershed import Watershed
from organelle_widgets.training.layouts import LAYOUTS, MOSAICS, composed_scenes, read_donors
from organelle_widgets.training.run_folder import run_folder
from organelle_widgets.training.scene_batches import SceneMixture
from organelle_widgets.training.scene_fit import FitSettings, Fitted, fit_segmenter
from organelle_widgets.training.scenes import (
    NUCLEI,
    masked_scenes,
    nuclei_scenes,
    outlined_scenes,
    virtual_scenes,
)
from organelle_widgets.training.segmenter_card import write_segmenter_card

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from organelle_widgets.training.scenes import Scene

__all__ = ["SegmenterTraining", "train_segmenter"]

WIDTHS = (40, 72, 128, 160, 192)
_SHARES = {"composed": 0.3, "nuclei": 0.2, "outlined": 0.4, "virtual": 0.1, "masked": 0.0}
_TUNING_SHARES = {"composed": 0.1, "nuclei": 0.3, "outlined": 0.4, "virtual": 0.05, "masked": 0.15}
_TUNING_NUCLEI_PX = (60.0, 5000.0)  # the base learns from a narrower range
_TUNING_RATE = 3e-4


@dataclass(frozen=True)
class SegmenterTraining:
    """Settings of a training run.

    Parameters
    ----------
    seed : int
        Same seed, same training.
    steps : int
        Batches of the base.
    tuning_steps : int
        Batches of each tuning on the fields whose masks are known.
    batch_size : int
        Crops in a batch.
    virtual_fields : int
        How many virtual fields are drawn.
    leave_one_out : bool
        Whether each field with masks is scored by a network tuned on the others.

    Raises
    ------
    SettingsError
        If a setting is out of its range.
    """

    seed: int = setting(0, label="Seed", minimum=0)
    steps: int = setting(5500, label="Steps", minimum=1)
    tuning_steps: int = setting(400, label="Tuning steps", minimum=1)
    batch_size: int = setting(8, label="Crops in a batch", minimum=1)
    virtual_fields: int = setting(40, label="Virtual fields", minimum=1)
    leave_one_out: bool = setting(True, label="Leave-one-out scores")

    def __post_init__(self) -> None:
        check_settings(self)


def train_segmenter(
    data: str | Path | None,
    out: str | Path,
    *,
    progress: Callable[[float], None] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Train the small U-Net, write weights and card, and score it on what it did not see.

    Checkpoints are kept in `out`: the same call goes on where it was stopped.

    Parameters
    ----------
    data : str or Path, optional
        Folder of fields with its ``fields.csv``; what else is in it is used where it is: ``cell_mosaics`` with
        ``cell_masks`` for composed fields, ``nuclei_dsb2018`` for nuclei. Without a folder, virtual fields alone are
        learnt, and nothing is scored.
    out : str or Path
        Folder for ``unet.safetensors``, its card ``unet.json`` and the checkpoints; made if needed.
    progress : callable, optional
        Called with the share done, 0 to 1; may raise to stop.
    **settings
        See `SegmenterTraining`.

    Returns
    -------
    dict
        ``weights`` and ``card`` (paths as text), ``settings``, ``n_scenes`` by kind, ``history`` (mean loss of each
        250 steps of the base), ``seconds`` of all fits, and ``scores``: ``cells`` as
        `organelle_widgets.evaluation.segmentation.evaluate_segmentation` gives them, each field by a network that
        never saw it; ``nuclei`` as `organelle_widgets.evaluation.nuclei.evaluate_nuclei` gives them for the held-out
        pictures.

    Raises
    ------
    SettingsError
        If a setting is out of its range.
    InputError
        If the folder or a file in it can't be used, or `out` holds checkpoints of other settings.
    ExportError
        If nothing can be written to `out`.
    """
    chosen = SegmenterTraining(**settings)
    folder = Path(data) if data is not None else None
    masked = [r.id for r in read_field_table(folder) if r.has_cellmask] if folder else []
    run = _Run(folder, run_folder(Path(out)), chosen, _Steps(chosen, len(masked), progress))
    base, history = run.base()
    folds = {}
    if folder and chosen.leave_one_out and len(masked) > 1:
        folds = {name: run.tune(folder, base, f"without {name}", [name]) for name in masked}
    final = run.tune(folder, base, "final", []) if folder and masked else base
    training = {
        "settings": asdict(chosen),
        "n_scenes": {**{kind: len(s) for kind, s in run.scenes.items()}, "masked": len(masked)},
        "history": [round(loss, 4) for loss in history],
        "seconds": round(run.seconds, 1),
    }
    weights = run.write(final, "unet", training, {})
    scores: dict[str, Any] = {}
    if folds and folder:
        fields = [run.score(folder, network, name, training) for name, network in folds.items()]
        keys = [key for key in fields[0] if key not in ("id", "seconds")]
        mean = {key: sum(f[key] for f in fields) / len(fields) for key in keys}
        scores["cells"] = {"fields": fields, "mean": mean}
    if folder and (folder / NUCLEI).is_dir():
        nuclei = evaluate_nuclei(folder / NUCLEI, segmenter=UNet(weights=str(weights)))
        scores["nuclei"] = {k: v for k, v in nuclei.items() if k != "per_picture"}
    run.write(final, "unet", training, scores)
    card = weights.with_suffix(".json")
    return {"weights": str(weights), "card": str(card), "scores": scores, **training}


@dataclass(eq=False)
class _Steps:
    """Progress of all fits as one."""

    settings: SegmenterTraining
    n_masked: int
    report: Callable[[float], None] | None
    done: int = 0

    @property
    def total(self) -> int:
        """Batches of the whole run."""
        folds = self.n_masked if self.settings.leave_one_out and self.n_masked > 1 else 0
        return self.settings.steps + (folds + bool(self.n_masked)) * self.settings.tuning_steps

    def part(self, steps: int) -> Callable[[float], None]:
        """Progress of one fit."""
        before, self.done = self.done, self.done + steps
        report = self.report or Monitor().part("training", 0, 1)
        return lambda share: report((before + share * steps) / self.total)


@dataclass(eq=False)
class _Run:
    """One training run: its folders, its scenes, and what is done with them."""

    folder: Path | None
    out: Path
    settings: SegmenterTraining
    steps: _Steps

    def __post_init__(self) -> None:
        self.scenes: dict[str, list[Scene]] = {}
        self.tuning_nuclei: list[Scene] = []
        self.seconds = 0.0

    def _collect(self) -> None:
        """All scenes but those with masks; made once."""
        if self.scenes:
            return
        seed = self.settings.seed
        if self.folder is not None:
            if (self.folder / LAYOUTS).is_dir():
                donors = read_donors(self.folder)
                self.scenes["composed"] = list(composed_scenes(self.folder, donors, seed))
            self.scenes["nuclei"] = list(nuclei_scenes(self.folder))
            outlined = outlined_scenes(self.folder, Watershed().segment, [MOSAICS])
            self.scenes["outlined"] = list(outlined)
        self.scenes["virtual"] = list(virtual_scenes(self.settings.virtual_fields, seed))

    def base(self) -> tuple[Any, list[float]]:
        """A network that saw no field whose masks are known, and its losses."""
        import torch

        from organelle_widgets.segmentation._networks.small_unet import SmallUNet

        self._collect()
        own = self.settings
        torch.manual_seed(own.seed)
        fit = FitSettings(steps=own.steps, batch_size=own.batch_size, seed=own.seed)
        mixture = SceneMixture({**self.scenes, "masked": []}, _SHARES)
        fitted = self._fit("base", SmallUNet(widths=WIDTHS), mixture, fit)
        return fitted.network, fitted.losses

    def tune(self, folder: Path, base: Any, name: str, without: Collection[str]) -> Any:
        """The base tuned on the fields whose masks are known, but for some."""
        own = self.settings
        if not self.tuning_nuclei:
            self.tuning_nuclei = list(nuclei_scenes(folder, _TUNING_NUCLEI_PX))
        scenes = {**self.scenes, "masked": list(masked_scenes(folder, without))}
        scenes["nuclei"] = self.tuning_nuclei
        fit = FitSettings(
            steps=own.tuning_steps,
            batch_size=own.batch_size,
            learning_rate=_TUNING_RATE,
            seed=own.seed + 1,
        )
        return self._fit(name, deepcopy(base), SceneMixture(scenes, _TUNING_SHARES), fit).network

    def _fit(self, name: str, network: Any, mixture: SceneMixture, fit: FitSettings) -> Fitted:
        """A network fitted to scenes; go on from its checkpoint."""
        fitted = fit_segmenter(
            network,
            mixture,
            fit,
            checkpoint=self.out / f"{name}.checkpoint",
            progress=self.steps.part(fit.steps),
        )
        self.seconds += fitted.seconds
        return fitted

    def write(
        self, network: Any, name: str, training: dict[str, Any], scores: dict[str, Any]
    ) -> Path:
        """Write weights and card."""
        from safetensors.torch import save

        path = self.out / f"{name}.safetensors"
        data = save({key: value.contiguous() for key, value in network.state_dict().items()})
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        write_segmenter_card(path, digest, WIDTHS, training, scores, real=self.folder is not None)
        return path

    def score(
        self, folder: Path, network: Any, name: str, training: dict[str, Any]
    ) -> dict[str, Any]:
        """The scores of one field."""
        weights = self.write(network, f"without {name}", training, {})
        scores = evaluate_segmentation(folder, segmenter=UNet(weights=str(weights)), ids=[name])
        one: dict[str, Any] = scores["fields"][0]
        return one
