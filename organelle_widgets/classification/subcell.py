"""SubCell: a vision transformer that the Human Protein Atlas trained on its own cells, with its 31 classes.

How cells are cut for it, what its classes are among ours, and where its weights come from. The network itself is in
`organelle_widgets.classification._networks.subcell_vit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from organelle_widgets import weights
from organelle_widgets.classification._base import CLASSIFIERS, Classifier
from organelle_widgets.classification._mapping import ClassMap
from organelle_widgets.classification._subcell_weights import cached_network
from organelle_widgets.classification._windows import WindowCutter, WindowRule
from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.settings import setting
from organelle_widgets.errors import ClassificationError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["SUBCELL_CLASSES", "SUBCELL_CONFIG", "SubCell", "build_network"]

SUBCELL_CLASSES = (
    "Actin filaments",
    "Aggresome",
    "Cell Junctions",
    "Centriolar satellite",
    "Centrosome",
    "Cytokinetic bridge",
    "Cytoplasmic bodies",
    "Cytosol",
    "Endoplasmic reticulum",
    "Endosomes",
    "Focal adhesion sites",
    "Golgi apparatus",
    "Intermediate filaments",
    "Lipid droplets",
    "Lysosomes",
    "Microtubules",
    "Midbody",
    "Mitochondria",
    "Mitotic chromosome",
    "Mitotic spindle",
    "Nuclear bodies",
    "Nuclear membrane",
    "Nuclear speckles",
    "Nucleoli",
    "Nucleoli fibrillar center",
    "Nucleoli rim",
    "Nucleoplasm",
    "Peroxisomes",
    "Plasma membrane",
    "Vesicles",
    "Negative",
)
"""SubCell's classes in the order of its outputs."""

SUBCELL_CONFIG: dict[str, Any] = {
    "vit_model": {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-12,
        "image_size": 448,
        "patch_size": 16,
        "num_channels": 4,
        "qkv_bias": True,
    },
    "pool_model": {"dim": 768, "int_dim": 512, "num_heads": 2},
    "num_classes": len(SUBCELL_CLASSES),
}
"""The sizes of the published networks for four channels."""

_MAP = ClassMap.of(SUBCELL_CLASSES)
_WINDOW_UM = 640 * 0.08
_GROW_UM = 3 * 0.08
_RED_YELLOW_BLUE_GREEN = (0, 3, 2, 1)


def build_network(config: Mapping[str, Any] = SUBCELL_CONFIG, n_heads: int = 2) -> torch.nn.Module:
    """SubCell's network without weights, in eval mode.

    Parameters
    ----------
    config : mapping
        ``vit_model``, ``pool_model`` and ``num_classes`` with the keys of the published configuration files.
    n_heads : int
        How many classifiers of the embedding are averaged.

    Returns
    -------
    torch.nn.Module
        From images, shape (N, n_channels, Y, X), Y and X multiples of the patch size, to a named tuple of
        ``probabilities`` (N, n_classes), ``embedding`` (N, n_pooling_heads * width) and ``attention``
        (N, n_pooling_heads, Y / patch, X / patch). The names of its parameters are those of the published encoder;
        a head's stand behind ``heads.0.``, ``heads.1.`` and so on.

    Raises
    ------
    WeightsError
        If the configuration lacks a size.
    """
    from organelle_widgets.classification._networks.subcell_vit import SubCellNetwork

    try:
        return SubCellNetwork(config, n_heads).eval()
    except KeyError as error:
        message = f"Expected a configuration of SubCell with {error}; found {sorted(config)}."
        raise WeightsError(message) from error


@CLASSIFIERS.register("subcell", title="SubCell", requires=("torch",))
@dataclass(frozen=True)
class SubCell(Classifier):
    """SubCell's encoder and its classifiers for 31 classes.

    A cell is shown in a window of 51.2 um (640 px of HPA's 0.08 um) around its bounding box, resized to 448 px, in
    the channels microtubules, ER, nuclei and protein, from the smallest to the largest grey value over all of them.
    In half of its training SubCell saw the cell alone, its mask widened by 3 px, in half its neighbours too; here
    it sees the cell alone, unless `neighbours` is set. A missing channel is zero, as it was in a part of training.

    The answers hold SubCell's own 31 probabilities and the mean of attention (1536 numbers) as embedding. To the 19
    they are mapped by name; where several of the 31 belong to one of the 19 the largest counts. Focal adhesion sites
    count as actin filaments, centriolar satellite as centrosome, cell junctions as plasma membrane, nucleoli rim as
    nucleoli; endosomes, lysosomes, peroxisomes, lipid droplets and cytoplasmic bodies as vesicles. Cytokinetic
    bridge, midbody and mitotic chromosome have no class among the 19 and are found among the 31 only.

    The probabilities are those of its heads, trained on labels of whole fields; they were not calibrated here. It
    was trained on the images of the Human Protein Atlas, so scores on these say little of how it does on others.

    Raises
    ------
    WeightsError
        On use, if weights are missing, damaged or others.

    References
    ----------
    Gupta et al. 2024, doi:10.1101/2024.12.06.627299. Network and scaling:
    https://github.com/CellProfiling/SubCellPortable/tree/676f0e11516d51d92d72ed62af051c44f4400c29; windows and masks:
    https://github.com/CellProfiling/subcell-analysis/tree/3bd9f08d1dde1088bad5ebf037acae9db7d19d1c/preprocess.
    """

    batch_size: ClassVar[int] = 4  # some 10 s on two cores: so long a wish to stop may wait

    encoder: str = setting(
        "vit",
        label="Encoder",
        choices=("vit", "mae"),
        help="vit was trained to tell proteins apart, mae also to tell cells apart and to restore hidden patches.",
    )
    neighbours: bool = setting(
        False,
        label="Show neighbours",
        help="Show the network what lies around the cell; its answer then depends on that too.",
    )

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its weights in the model store: the encoder, then the heads."""
        bundle = f"subcell-{self.encoder}"
        names = [name for name, file in weights.catalogue().items() if file.bundle == bundle]
        return tuple(sorted(names, key=lambda name: not name.endswith("encoder")))

    def known_classes(self) -> NDArray[np.bool_]:
        """All of the 19 are among SubCell's classes."""
        return _MAP.known

    def check_ready(self) -> None:
        """Raise `WeightsError` where a file of weights is missing or damaged."""
        self._paths()

    def _paths(self) -> list[Path]:
        """The verified files."""
        return [weights.locate(name) for name in self.files]

    def _cutter(self, field: Field, masks: Masks) -> WindowCutter:
        rule = WindowRule(
            size=SUBCELL_CONFIG["vit_model"]["image_size"],
            extent_um=_WINDOW_UM,
            masked=not self.neighbours,
            grow_um=_GROW_UM,
            channels=_RED_YELLOW_BLUE_GREEN,
            scaling="cell",
        )
        return WindowCutter(field, masks, rule)

    def _answer(self, crops: NDArray[np.float32]) -> CellAnswers:
        import torch

        encoder, *heads = self._paths()
        network = cached_network(SUBCELL_CONFIG, encoder, heads)
        device = next(network.parameters()).device
        try:
            with torch.inference_mode():
                said = network(torch.from_numpy(crops).to(device))
        except (RuntimeError, MemoryError) as error:
            message = (
                f"Expected answers from SubCell for {len(crops)} cells; found an error: {error}"
            )
            raise ClassificationError(message) from error
        own = said.probabilities.float().cpu().numpy()
        embedding = said.embedding.float().cpu().numpy()
        return CellAnswers(_MAP.to_ours(own), embedding, None, own, SUBCELL_CLASSES)

    def _predict(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._answer(crops).probabilities

    def provenance(self) -> dict[str, Any]:
        """Name, settings, and the sha256 of the weights that are here, by name."""
        sums = {name: weights.checksum(name) for name in self.files if weights.is_here(name)}
        return {**super().provenance(), "weights": sums}
