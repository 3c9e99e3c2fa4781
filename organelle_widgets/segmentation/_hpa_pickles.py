"""Reading pickled torch networks of which only the numbers are wanted, and nothing of what they could run.

A pickle may name any function to be called. Here it may only name the classes below, and for those that are not ours
to have, empty modules take the place. Torch itself holds to such a list in its present format; its format from before
version 1.6 can keep the source code of classes beside them, which torch's strict reader refuses as a whole, so there
the list is held here.
"""

from __future__ import annotations

import pickle
import threading
import warnings
from collections import OrderedDict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOADING", "read_pickle"]

LOADING = threading.RLock()
"""Held while torch reads: its list of allowed classes, and Python's of warnings, are of the whole process."""

_FOREIGN = (
    "pytorch_zoo.unet.DPNUnet",
    "pytorch_zoo.abstract_model.ConvBottleneck",
    "pytorch_zoo.abstract_model.UnetDecoderBlock",
    "pytorch_zoo.dpn.DualPathBlock",
    "pytorch_zoo.dpn.CatBnAct",
    "pytorch_zoo.dpn.BnActConv2d",
)
"""Classes of https://github.com/haoxusci/pytorch_zoo that the published pickles name."""

_TORCH = (
    "Sequential",
    "ModuleList",
    "Conv2d",
    "ReLU",
    "Upsample",
    "MaxPool2d",
    "BatchNorm2d",
    "DataParallel",
)
"""Classes of `torch.nn` that they name."""


def read_pickle(path: Path) -> Any:
    """What a file of `torch.save` holds, on the CPU: a dict of tensors, or modules that hold them.

    Raises
    ------
    pickle.UnpicklingError
        If the file names anything that is not allowed; it is not called.
    """
    import torch

    classes = _classes()
    with path.open("rb") as stream:
        head = stream.read(2)
    zipped = head == b"PK"
    if not zipped and head[:1] != pickle.PROTO:  # torch would take it for a tar archive then
        message = "no pickle"
        raise pickle.UnpicklingError(message)
    with LOADING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes whose source code is another than it was
        if not zipped:
            return torch.load(path, "cpu", pickle_module=_strict(classes), weights_only=False)
        with torch.serialization.safe_globals([(cls, name) for name, cls in classes.items()]):
            return torch.load(path, "cpu", weights_only=True)


def _classes() -> dict[str, type]:
    """The classes that a pickle may name."""
    import torch

    foreign = {
        name: type(name.rpartition(".")[2], (torch.nn.Module,), {"__module__": __name__})
        for name in _FOREIGN
    }
    own = (getattr(torch.nn, name) for name in _TORCH)
    return {**foreign, **{f"{cls.__module__}.{cls.__name__}": cls for cls in own}}


def _strict(classes: dict[str, type]) -> Any:
    """A stand-in for the module `pickle` that makes nothing but `classes`, tensors and plain containers."""
    import torch

    allowed: dict[str, Any] = {
        **classes,
        "collections.OrderedDict": OrderedDict,
        "torch.device": torch.device,
        "torch._utils._rebuild_parameter": torch._utils._rebuild_parameter,
        "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
        "torch.FloatStorage": torch.FloatStorage,
        "torch.LongStorage": torch.LongStorage,
        "builtins.set": set,
        "__builtin__.set": set,
    }

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if f"{module}.{name}" not in allowed:
                message = f"GLOBAL {module}.{name} is not allowed"
                raise pickle.UnpicklingError(message)
            return allowed[f"{module}.{name}"]

    def load(stream: Any, **options: Any) -> Any:
        return Unpickler(stream, **options).load()

    return SimpleNamespace(Unpickler=Unpickler, load=load, __name__="pickle")
