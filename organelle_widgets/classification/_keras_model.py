"""Opening a person's own Keras model, and asking it: what does not fit its card is told in words.

What stands in the card belongs in `organelle_widgets.classification._keras_card`.
"""

from __future__ import annotations

import threading
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification._keras import quiet_start
from organelle_widgets.errors import ClassificationError, WeightsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.classification._keras_card import ModelCard

__all__ = ["ask_model", "check_file"]

_BATCH = 32  # every call has so many crops, so that one graph serves all
_ROUNDING = 1e-5

_lock = threading.RLock()
_models: dict[tuple[str, int, int], Any] = {}


def check_file(path: Path) -> None:
    """Raise `WeightsError` where no file is.

    Parameters
    ----------
    path : Path
        Where a model should be.

    Raises
    ------
    WeightsError
        If there is none.
    """
    if not path.is_file():
        raise _missing(path)


def ask_model(path: Path, card: ModelCard, crops: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a model says of crops.

    Parameters
    ----------
    path : Path
        The model; it is opened once a process while the file stays as it is.
    card : ModelCard
        What its JSON says.
    crops : ndarray of float32, shape (n, n_channels, size, size)
        As the card wants them.

    Returns
    -------
    ndarray of float32, shape (n, n_own)
        Probabilities of the model's own classes.

    Raises
    ------
    WeightsError
        If it can't be opened, or takes or gives other shapes than its card says.
    ClassificationError
        If it gives no probabilities.
    """
    return _checked(_predicted(_model(path, card), crops, card), card, path)


def _missing(path: Path) -> WeightsError:
    """The error for a model that is not there."""
    message = f"Expected a Keras model at {path}; found no file."
    return WeightsError(
        message, hint="Check the path; model.save('mine.keras') writes such a file."
    )


def _model(path: Path, card: ModelCard) -> Any:
    """The model of a file, opened once a process while the file stays as it is."""
    try:
        status = path.stat()
    except OSError as error:
        raise _missing(path) from error
    key = (str(path.resolve()), status.st_mtime_ns, status.st_size)
    with _lock:
        if key not in _models:
            _models[key] = _opened(path)
        _check_shapes(_models[key], card, path)
        return _models[key]


def _opened(path: Path) -> Any:
    """The model in a file, without running any code of it."""
    with quiet_start():
        import keras

        try:
            return keras.saving.load_model(path, safe_mode=True, compile=False)
        except (ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile) as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> WeightsError:
    """The error for a model that was not opened; Keras' own advice to switch off the safe mode is not passed on."""
    text = str(error).replace(str(path), "").lower()
    if "lambda" in text or "unsafe" in text:
        message = f"{path.name} was not opened: it has a Lambda layer or other code in it, which could do anything."
        hint = "Build the model of Keras' own layers only, and save it again."
    elif "could not locate" in text or "custom" in text:
        message = (
            f"{path.name} was not opened: it has a layer or a function that Keras does not know."
        )
        hint = "Build the model of Keras' own layers only, and save it again."
    else:
        message = (
            f"Expected a model in Keras' .keras format; {path.name} is damaged or something else."
        )
        hint = "Save it again with model.save('mine.keras')."
    return WeightsError(message, hint=hint)


def _check_shapes(model: Any, card: ModelCard, path: Path) -> None:
    """Refuse a model that does not take what its JSON says, or gives another number of classes."""
    takes: Any = getattr(model, "input_shape", None)
    gives: Any = getattr(model, "output_shape", None)
    single = isinstance(takes, tuple) and isinstance(gives, tuple)
    if not single or len(takes) != 4 or len(gives) != 2:
        message = (
            f"Expected a model with one input of images and one output a class; {path.name} takes "
            f"{takes} and gives {gives}."
        )
        raise WeightsError(message)
    wanted = card.input_shape
    if any(found not in (None, size) for found, size in zip(takes[1:], wanted, strict=True)):
        message = (
            f"Expected a model that takes crops of shape {wanted}, as its JSON says; {path.name} takes "
            f"{tuple(takes[1:])}."
        )
        raise WeightsError(message, hint="Correct size_px, channels or layout in the JSON.")
    n_classes = len(card.classes.own)
    if gives[1] != n_classes:
        message = f"Expected {n_classes} outputs, one for each of the JSON's classes; {path.name} gives {gives[1]}."
        raise WeightsError(message, hint="Correct classes in the JSON.")


def _predicted(model: Any, crops: NDArray[np.float32], card: ModelCard) -> NDArray[np.float32]:
    """What the model says of crops, in calls of one size."""
    if card.channels_last:
        crops = np.ascontiguousarray(crops.transpose(0, 2, 3, 1))
    parts = []
    for start in range(0, len(crops), _BATCH):
        part = crops[start : start + _BATCH]
        full = np.zeros((_BATCH, *crops.shape[1:]), np.float32)
        full[: len(part)] = part
        with _lock:
            parts.append(np.asarray(model.predict_on_batch(full), np.float32)[: len(part)])
    return np.concatenate(parts)


def _checked(said: NDArray[np.float32], card: ModelCard, path: Path) -> NDArray[np.float32]:
    """Probabilities of what comes out of the last layer, or an error where that is something else."""
    if not np.isfinite(said).all():
        message = f"Expected finite numbers from {path.name}; found NaN or infinity."
        raise ClassificationError(message)
    if card.output == "logits":
        probabilities: NDArray[np.float32] = 0.5 * (1 + np.tanh(0.5 * said))
        return probabilities
    low, high = float(said.min()), float(said.max())
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        message = (
            f"Expected probabilities from {path.name}, as output {card.output!r} in its JSON says; found "
            f"{low:.3g} to {high:.3g}."
        )
        raise ClassificationError(message, hint='Say "output": "logits" if these are logits.')
    if card.output == "softmax" and np.abs(said.sum(axis=1) - 1).max() > 1e-3:
        sums = said.sum(axis=1)
        message = (
            f"Expected probabilities that add up to 1 from {path.name}, as output 'softmax' in its JSON says; "
            f"found sums from {sums.min():.3g} to {sums.max():.3g}."
        )
        raise ClassificationError(
            message, hint='Say "output": "sigmoid" if classes may be together.'
        )
    return np.clip(said, 0, 1)
