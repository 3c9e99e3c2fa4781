"""Reading SubCell's published weight files: state dicts of tensors, of which nothing is run.

One network is kept a process, on the device where it works. Where files lie is the business of
`organelle_widgets.weights`.
"""

from __future__ import annotations

import pickle
import struct
import threading
import warnings
import zipfile
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch

__all__ = ["cached_network", "read_tensors", "subcell_state"]

_FAILURES = (
    AttributeError,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
)
"""What torch raises for files that are cut short, damaged or of another kind."""

_PARTS = ("encoder.", "pool_model.")
"""How the names begin that the network has; a checkpoint of a training may hold others besides."""

_lock = threading.RLock()
_cache: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


def cached_network(
    config: Mapping[str, Any], encoder: Path, heads: Sequence[Path]
) -> torch.nn.Module:
    """The network with the weights of these files, ready to run; loaded once while the files stay as they are.

    Raises
    ------
    WeightsError
        If a file can't be read, or holds other weights than these.
    """
    from organelle_widgets.classification.subcell import build_network

    key = tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in (encoder, *heads))
    with _lock:
        if key not in _cache:
            _cache.clear()  # some 350 MB each
            network = build_network(config, len(heads))
            load(network, encoder, heads)
            _cache[key] = network.to(_device())
        return _cache[key]


def load(network: torch.nn.Module, encoder: Path, heads: Sequence[Path]) -> None:
    """Fill a network from files.

    Raises
    ------
    WeightsError
        If a file can't be read, or holds other weights than these.
    """
    state = subcell_state(encoder, heads)
    expected = network.state_dict()
    problem = _misfit(state, expected)
    if problem:
        message = f"{encoder.name} and its {len(heads)} heads are no weights of SubCell: {problem}"
        raise WeightsError(message, hint="Download the files again.")
    network.load_state_dict(state)


def subcell_state(encoder: Path, heads: Sequence[Path]) -> dict[str, torch.Tensor]:
    """All weights by the names of our network.

    Raises
    ------
    WeightsError
        If a file can't be read.
    """
    tensors = read_tensors(encoder)
    state = {name: value for name, value in tensors.items() if name.startswith(_PARTS)}
    for index, path in enumerate(heads):
        state |= {f"heads.{index}.{name}": value for name, value in read_tensors(path).items()}
    return state


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors in a file of `torch.save`, on the CPU, as float32.

    Raises
    ------
    WeightsError
        If the file is damaged or holds anything but tensors by name. Nothing in it is run then.
    """
    import torch

    try:
        with _lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a form that torch.save does not write
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except _FAILURES as error:
        message = f"Expected a file of weights only; {path.name} is damaged, cut short or holds something else."
        hint = "It was not opened further, because that could run code. Download it again."
        raise WeightsError(message, hint=hint) from error
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(map(torch.is_tensor, loaded.values())):
        message = f"Expected tensors by name; {path.name} holds {type(loaded).__name__}."
        raise WeightsError(message, hint="Download it again.")
    return {str(name): value.float() for name, value in loaded.items()}


def _misfit(state: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """How weights differ from those that a network has; empty where they fit."""
    missing, foreign = sorted(set(expected) - set(state)), sorted(set(state) - set(expected))
    if missing:
        return f"{len(missing)} of {len(expected)} are missing, such as {missing[0]!r}."
    if foreign:
        return f"{len(foreign)} don't belong to it, such as {foreign[0]!r}."
    for name, value in expected.items():
        if state[name].shape != value.shape:
            return f"expected {name!r} of shape {tuple(value.shape)}; found {tuple(state[name].shape)}."
    return ""


def _device() -> torch.device:
    """The GPU where there is one."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
