"""Reading the HPA Cell Segmentator's weight files, in every form in which they go round, without running their code.

Published are pickles of whole networks, of which only the numbers are kept. Plain state dicts, safetensors and
TorchScript are read too. Where files lie is the business of `organelle_widgets.weights`.
"""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from organelle_widgets.errors import WeightsError
from organelle_widgets.segmentation._hpa_pickles import LOADING, read_pickle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

__all__ = ["cached_network", "empty_network", "load_network", "read_state"]

_FAILURES = (
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
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

_CACHE_SIZE = 2  # nuclei and cells; each takes some 530 MiB
_cache: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


def cached_network(path: Path, precision: str = "float32") -> torch.nn.Module:
    """The network of a file, ready to run; loaded once a process while the file stays as it is."""
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns, precision)
    with LOADING:
        if key not in _cache:
            while len(_cache) >= _CACHE_SIZE:
                _cache.popitem(last=False)
            _cache[key] = load_network(path, precision)
        _cache.move_to_end(key)
        return _cache[key]


def load_network(path: Path, precision: str = "float32") -> torch.nn.Module:
    """A network with the weights of a file: our own, or TorchScript as it is where its names are others.

    Raises
    ------
    WeightsError
        If the file can't be read, or holds other weights than these.
    """
    import torch

    network = empty_network()
    state = read_state(path)
    found = _misfit(state, network.state_dict())
    if not found:
        network.load_state_dict(state, strict=False, assign=True)
        del state
        return network.prepare().to(getattr(torch, precision))
    if _kind(path) == "TorchScript" and precision == "float32":
        return _script(path)
    message = f"{path.name} holds no weights of the HPA Cell Segmentator: {found}"
    raise WeightsError(message, hint="Take one of the files that its Zenodo record offers.")


def empty_network() -> Any:
    """Our network without memory for its weights."""
    import torch

    from organelle_widgets.segmentation._networks.dpn_unet import DpnUnet

    with torch.device("meta"):
        return DpnUnet().eval()


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The numbers in a weight file, by name.

    Parameters
    ----------
    path : Path
        A pickled network (also within `torch.nn.DataParallel`), a pickled state dict, safetensors or TorchScript.

    Returns
    -------
    dict of str to Tensor
        On the CPU; floats are float32. ``module.`` at the beginning of every name is taken off.

    Raises
    ------
    WeightsError
        If the file is damaged, or needs a class that is not allowed. Nothing in it is run then.
    """
    try:
        loaded = _READERS[_kind(path)](path)
    except _FAILURES as error:
        raise _unreadable(path, error) from error
    while isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    state = loaded if isinstance(loaded, dict) else getattr(loaded, "state_dict", dict)()
    return _cleaned(state)


def _kind(path: Path) -> str:
    """What a file is, by its first bytes: "TorchScript", "safetensors" or "pickle"."""
    try:
        with path.open("rb") as stream:
            head = stream.read(9)
        if head.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(path) as archive:
                scripted = any(name.endswith("/constants.pkl") for name in archive.namelist())
            return "TorchScript" if scripted else "pickle"
    except (OSError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error
    return "safetensors" if head[8:] == b"{" else "pickle"


def _safetensors(path: Path) -> Any:
    """What a safetensors file holds."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _script(path: Path) -> Any:
    """A TorchScript module, in eval mode."""
    import torch

    with LOADING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of newer forms of export
        return torch.jit.load(path, map_location="cpu").eval()


_READERS = {"pickle": read_pickle, "safetensors": _safetensors, "TorchScript": _script}


def _cleaned(state: Mapping[Any, Any]) -> dict[str, torch.Tensor]:
    """Tensors by name; floats as float32."""
    import torch

    tensors = {str(name): value for name, value in state.items() if isinstance(value, torch.Tensor)}
    if all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    return {
        name: value.detach().float() if value.is_floating_point() else value.detach()
        for name, value in tensors.items()
    }


def _misfit(state: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """How a file's weights differ from the network's; empty where they fit."""
    wanted = {name for name in expected if not name.endswith("num_batches_tracked")}
    missing = sorted(wanted - set(state))
    if missing:
        return f"expected {len(expected)} names; found {len(state)}, without {missing[0]!r}."
    foreign = sorted(set(state) - set(expected))
    if foreign:
        return f"expected {len(expected)} names; found {len(state)}, among them {foreign[0]!r}."
    for name in sorted(wanted):
        if state[name].shape != expected[name].shape:
            shapes = f"{tuple(expected[name].shape)}; found {tuple(state[name].shape)}"
            return f"expected {name!r} of shape {shapes}."
    return ""


def _unreadable(path: Path, error: Exception) -> WeightsError:
    """The error for a file that can't be read; torch's own advice to unpickle freely is not passed on."""
    refused = re.search(r"(?:GLOBAL|function|class|instance of) ([\w.]+)", str(error))
    if isinstance(error, pickle.UnpicklingError) and refused:
        message = (
            f"{path.name} was not opened: expected weights only; found a pickle that asks for "
            f"{refused.group(1)!r}, which could run code."
        )
        return WeightsError(message, hint="Use weights from a source that you trust.")
    message = f"Expected a file of weights; {path.name} is damaged, cut short or something else."
    return WeightsError(message, hint="Download it again.")
