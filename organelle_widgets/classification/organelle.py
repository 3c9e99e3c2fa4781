"""The embedded classifier: a small Keras network whose weights come with the package.

What it was trained on, and how it scores on fields that it never saw, stands in its model card,
``weights/organelle.json``. How it is built and trained belongs in `organelle_widgets.training`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organelle_widgets.classification._base import CLASSIFIERS, Classifier
from organelle_widgets.classification._keras import load_network, read_card
from organelle_widgets.core.answers import CellAnswers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ORGANELLE_WEIGHTS", "OrganelleClassifier"]

ORGANELLE_WEIGHTS = Path(__file__).parent / "weights" / "organelle.keras"
"""The weights of the package; their card has the same name and ends in ``.json``."""


@CLASSIFIERS.register("organelle", title="Organelle network", requires=("keras", "tensorflow"))
@dataclass(frozen=True)
class OrganelleClassifier(Classifier):
    """A convolutional network beside measured relations of the protein to nucleus, microtubules and ER.

    Cells are cut by `CropRule` at its defaults: masked, centred, 128 px of 0.32 um. It sees a cell as the 512 px
    images of the Human Protein Atlas show it; structures below 0.6 um are lost. Microtubules or ER may be missing.
    Probabilities are calibrated on real cells; `Negative` is judged by the protein's level and contrast alone. A cell
    comes with its place in the embedding (192 numbers) and its distance there from all cells that were learnt.

    Parameters
    ----------
    weights : str
        Path of other weights, written by `organelle_widgets.training.train_classifier`; the package's by default.

    Raises
    ------
    WeightsError
        On first use, if the weights are missing or not those of their card.
    """

    weights: str = ""

    @property
    def path(self) -> Path:
        """Where the weights are."""
        return Path(self.weights) if self.weights else ORGANELLE_WEIGHTS

    def check_ready(self) -> None:
        """Missing weights are told before the long work."""
        read_card(self.path)

    def _answer(self, crops: NDArray[np.float32]) -> CellAnswers:
        probabilities, embedding, strangeness = load_network(self.path).run(crops)
        return CellAnswers(probabilities, embedding, strangeness[:, 0])

    def _predict(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._answer(crops).probabilities

    def provenance(self) -> dict[str, Any]:
        """Name, settings, and version and sha256 of the weights, as their card has them."""
        card = read_card(self.path)
        weights = {key: card[key] for key in ("sha256", "version") if key in card}
        return {**super().provenance(), "weights": weights}
