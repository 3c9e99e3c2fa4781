"""Loading Keras weights: their card is read, their checksum compared, and only then are they opened.

One network is loaded once a process, whoever asks and from whichever thread.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASS_NAMES, N_CLASSES
from organelle_widgets.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["KerasNetwork", "load_network", "quiet_start", "read_card", "sha256_of"]

_CHATTER = re.compile(rb"[IWE]\d{4} |WARNING: All log messages before absl")

_lock = threading.RLock()
_networks: dict[tuple[str, int, int], KerasNetwork] = {}


@dataclass(frozen=True, eq=False)
class KerasNetwork:
    """A loaded network and its model card.

    Parameters
    ----------
    model : keras.Model
        From crops to probabilities; further outputs may follow them.
    card : mapping
        What the model card says.
    batch_size : int
        At most so many crops are computed at once, which bounds the memory.

    Notes
    -----
    The model is traced once, for any number of crops: neither is a second number of them traced anew, nor do they
    have to be filled up to a fixed one.
    """

    model: Any
    card: Mapping[str, Any]
    batch_size: int = 32

    def predict(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of crops; safe from any thread.

        Parameters
        ----------
        crops : ndarray of float32, shape (n, 4, size, size)
            What the network was trained on.

        Returns
        -------
        ndarray of float32, shape (n, n_classes)
            The network's first output.
        """
        return self.run(crops)[0]

    def run(self, crops: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """All outputs for crops; safe from any thread.

        Parameters
        ----------
        crops : ndarray of float32, shape (n, 4, size, size)
            What the network was trained on.

        Returns
        -------
        tuple of ndarray of float32, each of shape (n, ...)
            In the model's order; where its outputs have names instead of an order, ``probabilities`` and then the
            others by name.
        """
        parts = []
        for start in range(0, max(1, len(crops)), self.batch_size):
            part = np.ascontiguousarray(crops[start : start + self.batch_size], np.float32)
            with _lock:
                parts.append([output.numpy() for output in self._graph(part)])
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    @cached_property
    def _graph(self) -> Callable[[NDArray[np.float32]], tuple[Any, ...]]:
        """From crops to tensors of all outputs, traced."""
        import tensorflow

        model = self.model
        crops = tensorflow.TensorSpec((None, *model.input_shape[1:]), tensorflow.float32)

        def outputs(given: Any) -> tuple[Any, ...]:
            return _in_order(model(given, training=False))

        traced = tensorflow.function(outputs, input_signature=[crops], autograph=False)
        concrete = traced.get_concrete_function()
        return lambda given: tuple(concrete(tensorflow.constant(given)))


def _in_order(outputs: Any) -> tuple[Any, ...]:
    """One output, a list of them or a dict of them as a tuple."""
    if isinstance(outputs, dict):
        return tuple(outputs[n] for n in sorted(outputs, key=lambda n: (n != "probabilities", n)))
    return tuple(outputs) if isinstance(outputs, list | tuple) else (outputs,)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    WeightsError
        If it can't be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        message = f"Expected weights at {path}; found none that can be read ({error.strerror})."
        raise WeightsError(message, hint="Install the package again, or train weights.") from error


def read_card(path: Path) -> dict[str, Any]:
    """Read the model card that lies beside weights.

    Parameters
    ----------
    path : Path
        The weights; the card has the same name and ends in ``.json``.

    Returns
    -------
    dict
        At least ``sha256`` and ``classes``.

    Raises
    ------
    WeightsError
        If the card is missing, no JSON, or lacks one of these.
    """
    place = path.with_suffix(".json")
    try:
        card = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"Expected a model card at {place}; found none that can be read."
        raise WeightsError(message, hint="Install the package again, or train weights.") from error
    lacking = {"sha256", "classes"} - set(card if isinstance(card, dict) else ())
    if lacking:
        message = f"Expected a model card with sha256 and classes; {place} lacks {', '.join(sorted(lacking))}."
        raise WeightsError(message)
    return dict(card)


def load_network(path: Path) -> KerasNetwork:
    """Load weights after comparing their checksum with the one of their card.

    Parameters
    ----------
    path : Path
        A ``.keras`` file with its card beside it.

    Returns
    -------
    KerasNetwork
        The same object for the same weights, on every call in a process.

    Raises
    ------
    WeightsError
        If weights or card are missing, don't belong together, or are for other classes.
    """
    with _lock:
        stamp = _stamp(path)
        if stamp not in _networks:
            card, found = read_card(path), sha256_of(path)
            if found != card["sha256"]:
                message = f"Expected weights with SHA-256 {card['sha256']}; {path} has {found}."
                hint = "The file was changed or damaged: install the package again."
                raise WeightsError(message, hint=hint)
            _check_classes(path, card)
            _networks[stamp] = KerasNetwork(_opened(path), card)
        return _networks[stamp]


def _check_classes(path: Path, card: Mapping[str, Any]) -> None:
    """Refuse weights whose outputs are not our classes in our order: every answer would have a wrong name."""
    if card["classes"] != list(CLASS_NAMES):
        found = card["classes"]
        message = f"Expected weights for the {N_CLASSES} classes in their order; the card of {path} names {found}."
        raise WeightsError(message, hint="Train weights with organelle-widgets train.")


def _stamp(path: Path) -> tuple[str, int, int]:
    """What tells a file from another, or from its earlier self, without reading it; zeros where there is none."""
    try:
        status = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path.resolve()), status.st_mtime_ns, status.st_size


def _opened(path: Path) -> Any:
    """The model in a ``.keras`` file, without running any code of it."""
    with quiet_start():
        import keras

        return keras.saving.load_model(path, safe_mode=True, compile=False)


@contextmanager
def quiet_start() -> Iterator[None]:
    """Import Keras on TensorFlow within this, to drop what its C++ side tells of the machine as it starts.

    No setting of its own stops that. What it writes goes to a file first; lines of its log format are dropped, all
    others written after.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        console = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(console, 2)
            os.close(console)
            kept.seek(0)
            for line in kept:
                if not _CHATTER.match(line):
                    os.write(2, line)
