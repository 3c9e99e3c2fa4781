"""Fitting the small U-Net: the loss, and a loop that can be stopped and taken up again."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.settings import check_settings, setting
from organelle_widgets.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from organelle_widgets.training.scene_batches import SceneMixture

__all__ = ["FitSettings", "Fitted", "fit_segmenter", "segmentation_loss"]

_SAVE_EVERY = 250  # steps
_GRID = 32  # pixels of the network's coarsest square
_MEMORY = 0.995  # of the running mean of weights


@dataclass(frozen=True)
class FitSettings:
    """How the network is fitted.

    Parameters
    ----------
    steps : int
        Batches.
    batch_size : int
        Crops in a batch.
    side : int
        Rows and columns of a crop, pixels; a multiple of 32, as the network needs.
    learning_rate : float
        The highest; it is reached within the first fortieth of the steps and falls to a hundredth by a cosine.
    seed : int
        Same seed, same training.

    Raises
    ------
    SettingsError
        If a setting is out of its range, or the side is no multiple of 32.
    """

    steps: int = setting(7000, label="Steps", minimum=1)
    batch_size: int = setting(8, label="Crops in a batch", minimum=1)
    side: int = setting(256, label="Side of a crop", unit="px", minimum=64)
    learning_rate: float = setting(2e-3, label="Learning rate", minimum=1e-6, maximum=0.1)
    seed: int = setting(0, label="Seed", minimum=0)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.side % _GRID:
            message = f"side: expected a multiple of {_GRID}; found {self.side}."
            raise SettingsError(message)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit yields.

    Parameters
    ----------
    network : torch.nn.Module
        The running mean of the weights, in eval mode.
    losses : list of float
        Means over 250 steps each.
    seconds : float
        How long the fit took, without the time that it was stopped.
    """

    network: Any
    losses: list[float]
    seconds: float


def segmentation_loss(logits: Any, truth: Any, known: Any) -> Any:
    """Cross-entropy of every plane, and the missing overlap of nuclei, cells and borders.

    Parameters
    ----------
    logits, truth : torch.Tensor of float32, shape (N, 4, Y, X)
        See `organelle_widgets.training.scene_batches.targets`.
    known : torch.Tensor of bool, shape (N, 4, 1, 1)
        Planes of the truth that count.

    Returns
    -------
    torch.Tensor of float32, shape ()
        To be made small.

    References
    ----------
    Milletari, Navab and Ahmadi 2016, doi:10.1109/3DV.2016.79 (Dice loss).
    """
    from torch.nn.functional import binary_cross_entropy_with_logits

    counts = known.expand_as(truth).to(truth.dtype)
    entropy = binary_cross_entropy_with_logits(logits, truth, reduction="none")
    by_plane = (entropy * counts).sum((0, 2, 3)) / counts.sum((0, 2, 3)).clamp(min=1)
    likely = logits.sigmoid() * counts
    real = truth * counts
    shared = (likely * real).sum((0, 2, 3))
    dice = 1 - (2 * shared + 1) / (likely.sum((0, 2, 3)) + real.sum((0, 2, 3)) + 1)
    return by_plane.sum() + 0.5 * dice[0] + 0.5 * dice[2] + 0.5 * dice[3]


def fit_segmenter(
    network: Any,
    mixture: SceneMixture,
    settings: FitSettings,
    *,
    checkpoint: str | Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Fitted:
    """Fit the network; go on from the checkpoint where there is one.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place.
    mixture : SceneMixture
        What to learn from.
    settings : FitSettings
        How.
    checkpoint : path, optional
        Written now and then; taken up if it is there and was written with the same settings and scenes.
    progress : callable, optional
        Called with the share done, 0 to 1, after every batch; may raise to stop.

    Returns
    -------
    Fitted
        Network, losses and seconds.

    Raises
    ------
    InputError
        If the checkpoint was written with other settings or scenes.

    References
    ----------
    Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101 (AdamW); Polyak and Juditsky 1992,
    doi:10.1137/0330046 (averaging).
    """
    import torch
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    network = network.to(memory_format=torch.channels_last).train()
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_MEMORY), use_buffers=True)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=0.01
    )
    state = {"network": network, "mean": mean, "optimizer": optimizer}
    made_with = {**vars(settings), **_scenes_in_short(mixture)}
    first, losses, before = _take_up(checkpoint, state, made_with)
    started = time.perf_counter()
    half = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    seen: list[float] = []
    for step in range(first, settings.steps):
        rng = np.random.default_rng([settings.seed, 3, step])
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _pace(step, settings.steps)
        image, truth, known = mixture.draw(settings.batch_size, settings.side, rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(image.contiguous(memory_format=torch.channels_last))
        loss = segmentation_loss(logits.float(), truth, known)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        mean.update_parameters(network)
        seen.append(float(loss.detach()))
        if len(seen) == _SAVE_EVERY or step + 1 == settings.steps:
            losses.append(float(np.mean(seen)))
            seen = []
            seconds = before + time.perf_counter() - started
            _save(checkpoint, state, made_with, step=step + 1, losses=losses, seconds=seconds)
        if progress is not None:
            progress((step + 1) / settings.steps)
    return Fitted(mean.module.eval(), losses, before + time.perf_counter() - started)


def _pace(step: int, steps: int) -> float:
    """The learning rate as a share of the highest."""
    warm = max(1, steps // 40)
    rest = (step - warm) / max(1, steps - warm)
    return (step + 1) / warm if step < warm else float(0.505 + 0.495 * np.cos(np.pi * rest))


def _scenes_in_short(mixture: SceneMixture) -> dict[str, str]:
    """How many scenes of each kind there are, and a digest of their names."""
    return {
        f"{kind} scenes": f"{len(scenes)}, {zlib.crc32(repr([s.name for s in scenes]).encode()):08x}"
        for kind, scenes in mixture.kinds.items()
    }


def _save(
    path: str | Path | None,
    state: dict[str, Any],
    made_with: dict[str, Any],
    **how_far: Any,
) -> None:
    """Write the checkpoint beside its place and move it there."""
    import torch

    if path is not None:
        part = Path(f"{path}.part")
        parts = {name: value.state_dict() for name, value in state.items()}
        torch.save({**parts, "settings": made_with, **how_far}, part)
        part.replace(path)


def _take_up(
    path: str | Path | None, state: dict[str, Any], made_with: dict[str, Any]
) -> tuple[int, list[float], float]:
    """The step to go on from, and losses and seconds so far."""
    if path is None or not Path(path).is_file():
        return 0, [], 0.0
    saved = _read_checkpoint(Path(path))
    other = {k: v for k, v in saved["settings"].items() if made_with.get(k) != v}
    if other or made_with.keys() != saved["settings"].keys():
        now = {key: made_with.get(key) for key in other}
        message = f"Expected a checkpoint made with {now}; found one made with {other}."
        hint = "Give the same settings and images to go on, or another folder to start anew."
        raise InputError(message, source=str(path), hint=hint)
    for name, value in state.items():
        value.load_state_dict(saved[name])
    return int(saved["step"]), list(saved["losses"]), float(saved["seconds"])


def _read_checkpoint(path: Path) -> dict[str, Any]:
    """What `_save` wrote; no code of the file is run."""
    import pickle

    import torch

    try:
        saved = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise _no_checkpoint(path) from error
    if not isinstance(saved, dict) or "settings" not in saved:
        raise _no_checkpoint(path)
    return saved


def _no_checkpoint(path: Path) -> InputError:
    """The error for a file that holds something else, or is damaged."""
    message = "Expected a checkpoint of this training; found a file that is damaged, cut short or something else."
    return InputError(message, source=str(path), hint="Delete it to start anew.")
