"""Any Keras model of a person's own: a ``.keras`` file and a small JSON that says what goes in and what comes out."""

from __future__ import annotations

import os
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification._base import CLASSIFIERS, Classifier
from organelle_widgets.classification._keras import quiet_start, sha256_of
from organelle_widgets.classification._keras_card import ModelCard, read_model_card
from organelle_widgets.classification._windows import WindowCutter
from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.errors import ClassificationError, WeightsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["MODEL_VARIABLE", "KerasFile"]

MODEL_VARIABLE = "ORGANELLE_WIDGETS_KERAS_MODEL"
"""Environment variable with the model that is taken where none is named."""

_BATCH = 32  # every call has so many crops, so that one graph serves all
_ROUNDING = 1e-5

_lock = threading.RLock()
_models: dict[tuple[str, int, int], Any] = {}


@CLASSIFIERS.register(
    "keras_file", title="Keras model of your own", requires=("keras", "tensorflow")
)
@dataclass(frozen=True)
class KerasFile(Classifier):
    """A Keras model of your own.

    The model has one input of crops and one output of a number for each class. Beside ``mine.keras`` lies
    ``mine.json``::

        {
          "classes": ["Nucleoplasm", "Cytosol", "Mitochondria", "Peroxisomes", "Debris"],
          "maps_to": {"Debris": null},
          "channels": ["blue", "green"],
          "size_px": 128,
          "pixel_size_um": 0.16,
          "output": "softmax"
        }

    ``classes`` names the outputs in order: names of the 19, other names of them such as Golgi or Peroxisomes, or any
    others, of which ``maps_to`` says which of the 19 they are, or null for none. Several may belong to one of the 19;
    the largest probability counts. Where the classes are not the 19 in their order the answers hold the model's own
    too. ``channels`` are those of the input, in order: red, green, blue, yellow. ``output`` says what the last layer
    gives: ``sigmoid``, ``softmax``, or ``logits``, of which the sigmoid is taken.

    These may be left out: ``pixel_size_um`` is the scale of the crop; without it the cell's bounding box, ``margin_um``
    wider on each side (0), is stretched to the crop. ``masked`` says whether all but the cell is zero (true).
    ``scaling`` says which grey values become 0 and 1: ``field`` (the field's background and its 99.7th percentile in
    cells, channel by channel), ``full_scale`` (0 and the largest value of the file's type), ``cell`` or
    ``cell_channel`` (the smallest and the largest in the crop, over all channels or in each). ``layout`` is
    ``channels_last`` or ``channels_first``.

    The file is opened in Keras' safe mode: a model with a Lambda layer or code of its own is refused.

    Parameters
    ----------
    weights : str
        Path of the model; by default what the environment variable ORGANELLE_WIDGETS_KERAS_MODEL names.

    Raises
    ------
    WeightsError
        On use, if model or JSON are missing, wrong, or don't fit each other.
    ClassificationError
        If the model gives anything but what its JSON says.

    Examples
    --------
    >>> from organelle_widgets.classification import make_classifier
    >>> classifier = make_classifier("models/mine.keras")
    >>> classifier.weights
    'models/mine.keras'
    """

    weights: str = ""

    @property
    def path(self) -> Path:
        """Where the model is.

        Raises
        ------
        WeightsError
            If nobody said so.
        """
        named = self.weights or os.environ.get(MODEL_VARIABLE, "").strip()
        if not named:
            message = "Expected the path of a .keras file; found none."
            hint = f"Give the path as the classifier's name, or set {MODEL_VARIABLE}."
            raise WeightsError(message, hint=hint)
        return Path(named).expanduser()

    @property
    def card(self) -> ModelCard:
        """What the model's JSON says."""
        return read_model_card(self.path)

    def known_classes(self) -> NDArray[np.bool_]:
        """Those of the 19 that its JSON names."""
        return self.card.classes.known

    def check_ready(self) -> None:
        """Raise `WeightsError` where the model or its JSON are missing, or the JSON is wrong."""
        if not self.path.is_file():
            raise _missing(self.path)
        read_model_card(self.path)

    def _cutter(self, field: Field, masks: Masks) -> WindowCutter:
        self.check_ready()
        return WindowCutter(field, masks, self.card.rule)

    def _answer(self, crops: NDArray[np.float32]) -> CellAnswers:
        card = self.card
        said = _checked(_predicted(_model(self.path, card), crops, card), card, self.path)
        if card.classes.is_ours:
            return CellAnswers(said)
        ours = card.classes.to_ours(said)
        return CellAnswers(ours, own_probabilities=said, own_classes=card.classes.own)

    def _predict(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._answer(crops).probabilities

    def provenance(self) -> dict[str, Any]:
        """Name, file name and sha256 of the model, and of its JSON."""
        files = (self.path, self.path.with_suffix(".json")) if self._is_there() else ()
        sums = {path.name: sha256_of(path) for path in files}
        return {**super().provenance(), "weights": sums}

    def _is_there(self) -> bool:
        """Whether model and JSON are there."""
        named = self.weights or os.environ.get(MODEL_VARIABLE, "").strip()
        return bool(named) and self.path.is_file() and self.path.with_suffix(".json").is_file()


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
