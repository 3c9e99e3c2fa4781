"""Any Keras model of a person's own: a ``.keras`` file and a small JSON that says what goes in and what comes out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.classification._base import CLASSIFIERS, Classifier
from organelle_widgets.classification._keras import sha256_of
from organelle_widgets.classification._keras_card import ModelCard, read_model_card
from organelle_widgets.classification._keras_model import ask_model, check_file
from organelle_widgets.classification._windows import WindowCutter
from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.errors import WeightsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["MODEL_VARIABLE", "KerasFile"]

MODEL_VARIABLE = "ORGANELLE_WIDGETS_KERAS_MODEL"
"""Environment variable with the model that is taken where none is named."""


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
        check_file(self.path)
        read_model_card(self.path)

    def _cutter(self, field: Field, masks: Masks) -> WindowCutter:
        self.check_ready()
        return WindowCutter(field, masks, self.card.rule)

    def _answer(self, crops: NDArray[np.float32]) -> CellAnswers:
        card = self.card
        said = ask_model(self.path, card, crops)
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
