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
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASS_NAMES, N_CLASSES
from organelle_widgets.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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
        From crops to probabilities.
    card : mapping
        What the model card says.
    batch_size : int
        Every call of the model has so many crops; missing ones are zero, so that one graph serves all.
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
            The network's answer.
        """
        size, parts = self.batch_size, []
        for start in range(0, len(crops), size):
            part = crops[start : start + size]
            full = np.zeros((size, *crops.shape[1:]), np.float32)
            full[: len(part)] = part
            with _lock:
                parts.append(np.asarray(self.model.predict_on_batch(full))[: len(part)])
        return np.concatenate(parts)


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
