"""Loading the small U-Net's weights, checked against their card, and running it on fields of any size."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["load_network", "read_card", "run_network"]

_TILE, _MARGIN = 1024, 128  # pixels: larger fields are run in tiles that overlap by two margins

_lock = threading.RLock()
_networks: dict[tuple[str, int, int], Any] = {}


def read_card(path: Path) -> Mapping[str, Any]:
    """The model card beside weights: sha256, version, widths of the network, and more.

    Raises
    ------
    WeightsError
        If there is no readable card.
    """
    card_path = path.with_suffix(".json")
    try:
        card: dict[str, Any] = dict(json.loads(card_path.read_text(encoding="utf-8")))
        return {
            "sha256": card["sha256"],
            "version": card["version"],
            "widths": card["widths"],
        } | card
    except (OSError, ValueError, TypeError, KeyError) as error:
        message = (
            f"Expected the model card {card_path.name} beside the weights, with sha256, version and widths; "
            f"found none that can be read ({type(error).__name__}: {error})."
        )
        hint = "Install the package again, or train with organelle-widgets train segmentation."
        raise WeightsError(message, source=str(path), hint=hint) from error


def load_network(path: Path) -> Any:
    """The network with its weights, in eval mode; loaded once a process.

    Raises
    ------
    WeightsError
        If the file is missing, is not that of its card, or does not fit the network.
    """
    card = read_card(path)
    try:
        stat = path.stat()
    except OSError as error:
        message = f"Expected the weights {path.name}; found no such file."
        raise WeightsError(message, source=str(path)) from error
    key = (str(path), stat.st_mtime_ns, stat.st_size)
    with _lock:
        if key not in _networks:
            _networks[key] = _build(path, card)
        return _networks[key]


def _build(path: Path, card: Mapping[str, Any]) -> Any:
    """The network of a card with the weights of a file, batch norms folded into convolutions."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    from organelle_widgets.segmentation._networks.small_unet import SmallUNet

    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != card["sha256"]:
        message = f"Expected weights with the sha256 that their card states ({card['sha256'][:12]}...); found others."
        hint = "The file is damaged or was exchanged: install the package again, or train again."
        raise WeightsError(message, source=str(path), hint=hint)
    try:
        network = SmallUNet(widths=tuple(card["widths"]))
        network.load_state_dict(load(data))
    except (RuntimeError, SafetensorError, TypeError, ValueError, IndexError) as error:
        message = (
            f"Expected weights of a network of widths {card['widths']}; they don't fit it: {error}"
        )
        raise WeightsError(message, source=str(path)) from error
    return network.fused().to(memory_format=torch.channels_last)


def run_network(network: Any, image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities of every plane over an image of any size.

    Parameters
    ----------
    network : SmallUNet
        In eval mode.
    image : ndarray of float32, shape (3, Y, X)
        See `organelle_widgets.segmentation._unet_input.network_input`.

    Returns
    -------
    ndarray of uint8, shape (4, Y, X)
        Probability times 255.
    """
    rows, cols = image.shape[1:]
    out = np.zeros((4, rows, cols), np.uint8)
    for row, row_inner in _tiles(rows):
        for col, col_inner in _tiles(cols):
            tile = _run(network, image[:, row, col])
            out[:, row_inner, col_inner] = tile[
                :,
                row_inner.start - row.start : row_inner.stop - row.start,
                col_inner.start - col.start : col_inner.stop - col.start,
            ]
    return out


def _tiles(size: int) -> Iterator[tuple[slice, slice]]:
    """Stretches that cover an axis, each with the inner part that counts."""
    if size <= _TILE + 2 * _MARGIN:
        yield slice(0, size), slice(0, size)
        return
    for start in range(0, size, _TILE):
        stop = min(start + _TILE, size)
        yield slice(max(0, start - _MARGIN), min(size, stop + _MARGIN)), slice(start, stop)


def _run(network: Any, image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities over one tile, padded by reflection to what the network's grid needs."""
    import torch

    rows, cols = image.shape[1:]
    pads = [
        (network.stride // 2, network.stride // 2 + -size % network.stride) for size in (rows, cols)
    ]
    padded = np.pad(image, ((0, 0), *pads), mode="symmetric")
    with torch.inference_mode():
        batch = torch.from_numpy(padded)[None].contiguous(memory_format=torch.channels_last)
        likely = (network(batch)[0].sigmoid() * 255).round().to(torch.uint8).numpy()
    inner: NDArray[np.uint8] = likely[:, pads[0][0] :, pads[1][0] :][:, :rows, :cols]
    return inner
