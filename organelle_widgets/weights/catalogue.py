"""What can be downloaded: address, size, checksums, licence and a short model card of each file of weights.

One entry a file, in `CATALOGUE`. A checksum or size stands here only where it was read in a published source; where
none is published the field is empty and `WeightFile.unverified` says so. Downloading and storing live in
`organelle_widgets.weights`.

References
----------
The addresses of the ``.pth`` files: https://github.com/CellProfiling/HPA-Cell-Segmentation/pull/23.
Addresses, SHA-256 and licence of the TorchScript files: https://github.com/bioimage-io/collection-bioimage-io,
``rdfs/10.5281/zenodo.6200999/7690494/rdf.yaml`` and ``rdfs/10.5281/zenodo.6200635/7702687/rdf.yaml``.
Address, input and outputs of the InceptionV3: https://github.com/oeway/hpa-bestfitting-inceptionv3/blob/9b18121/simple_predict.py.
SubCell, networks and licence: https://github.com/CellProfiling/SubCellPortable and
https://virtualcellmodels.cziscience.com/model/0193323e-ebd5-727c-bb32-87ed8f737213.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from organelle_widgets.weights._words import megabytes

__all__ = ["CATALOGUE", "WeightFile"]


@dataclass(frozen=True)
class WeightFile:
    """One file of weights.

    Parameters
    ----------
    name : str
        The word that people type; unique.
    title : str
        What the page calls it.
    url : str
        Where it comes from.
    file_name : str
        Its name in the cache folder; unique.
    size_bytes : int, optional
        Its exact size; None where none is published.
    about_bytes : int, optional
        Its size to two digits, for people, where the exact one is not published.
    md5, sha256 : str
        Checksums in hexadecimal; empty where none is published. A SHA-256 that is not published is recorded at
        the first download and held to afterwards.
    doi : str
        Digital object identifier of the record that holds it.
    licence, licence_url : str
        Licence in words, and where it is stated.
    source : str
        Who made it.
    card : str
        What it does, what it was trained on and its limits, in plain words.
    used_by : str
        Name of the backend that reads it.
    bundle : str
        Name of the files that are only of use together; empty for a file that is of use alone.
    unverified : str
        What could not be checked for this entry.
    """

    name: str
    title: str
    url: str
    file_name: str
    size_bytes: int | None = None
    about_bytes: int | None = None
    md5: str = ""
    sha256: str = ""
    doi: str = ""
    licence: str = ""
    licence_url: str = ""
    source: str = ""
    card: str = ""
    used_by: str = ""
    bundle: str = ""
    unverified: str = ""

    @property
    def size_text(self) -> str:
        """Its size in words: ``about 560 MB``."""
        if self.size_bytes is None and self.about_bytes is not None:
            return f"about {megabytes(self.about_bytes)}"
        return megabytes(self.size_bytes)

    @property
    def record_url(self) -> str:
        """The page of the record, by DOI; the file's own address without one."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url


_MAKERS = "Hao Xu, Wei Ouyang and colleagues, Human Protein Atlas (HPA Cell Segmentator)"
_TRAINING = (
    "A U-Net with a DPN-92 encoder, trained by the Human Protein Atlas on its own confocal fields of cultured "
    "human cells at a quarter of their size (0.32 um per pixel)."
)
_LIMITS = (
    "Made for fields of single layers of cells; other stains, tissues and scales were not trained."
)
_PICKLE = "The file is a Python pickle; it is read with a list of allowed classes only."
_UNPUBLISHED = (
    "No checksum or exact size is published for this file: the MD5 is asked of the Zenodo record at download, and "
    "the SHA-256 of the first file is held to afterwards. The licence was not checked: read the record."
)
_ABOUT_BYTES = 560_000_000
"""139,108,867 parameters of 4 bytes, and the rest."""
_ZENODO_PTH = "https://zenodo.org/record/4665863/files/"


def _pth(name: str, title: str, file_name: str, does: str) -> WeightFile:
    """A file of the record 10.5281/zenodo.4665863."""
    return WeightFile(
        name=name,
        title=title,
        url=_ZENODO_PTH + file_name,
        file_name=file_name,
        about_bytes=_ABOUT_BYTES,
        doi="10.5281/zenodo.4665863",
        licence="as the Zenodo record states (not checked here)",
        licence_url="https://doi.org/10.5281/zenodo.4665863",
        source=_MAKERS,
        card=f"{does} {_TRAINING} {_LIMITS} {_PICKLE}",
        used_by="hpa",
        unverified=_UNPUBLISHED,
    )


def _torchscript(
    name: str, title: str, record: int, file_name: str, sha256: str, doi: str, does: str
) -> WeightFile:
    """The same networks as TorchScript, from BioImage.IO."""
    return WeightFile(
        name=name,
        title=title,
        url=f"https://zenodo.org/api/records/{record}/files/{file_name}/content",
        file_name=file_name,
        about_bytes=_ABOUT_BYTES,
        sha256=sha256,
        doi=doi,
        licence="CC-BY-4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
        source=f"{_MAKERS}; packed for BioImage.IO by Wei Ouyang",
        card=f"{does} {_TRAINING} {_LIMITS} TorchScript: no pickle is read.",
        used_by="hpa",
        unverified="No exact size is published for this file.",
    )


_SUBCELL_URL = "https://czi-subcell-public.s3.amazonaws.com/models/"
_SUBCELL_TRAINING = (
    "Trained on some 1.2 million single cells of the Human Protein Atlas, in windows of 51.2 um of microtubules, ER, "
    "nuclei and protein; on images of the atlas it has probably seen the protein before."
)
_SUBCELL_UNPUBLISHED = (
    "No checksum or exact size is published by its makers for this file; the SHA-256 of the first file is held to "
    "afterwards."
)


def _subcell(
    kind: str, part: str, title: str, file_name: str, about_bytes: int, card: str, **known: Any
) -> WeightFile:
    """A file of SubCell; `kind` is the encoder's: vit or mae."""
    return WeightFile(
        name=f"subcell-{kind}-{part}",
        title=f"SubCell {title}",
        url=_SUBCELL_URL + file_name,
        file_name=file_name.rpartition("/")[2],
        about_bytes=about_bytes,
        doi="10.1101/2024.12.06.627299",
        licence="MIT",
        licence_url="https://github.com/CellProfiling/SubCellPortable/blob/main/LICENSE",
        source="Ankit Gupta, Emma Lundberg and colleagues, Human Protein Atlas and Chan Zuckerberg Initiative",
        card=f"{card} {_SUBCELL_TRAINING} A pickle of tensors; it is read as weights only.",
        used_by="subcell",
        bundle=f"subcell-{kind}",
        **{"unverified": _SUBCELL_UNPUBLISHED, **known},
    )


def _subcell_head(kind: str, title: str, seed: int) -> WeightFile:
    """One of the classifiers that were trained on the embeddings of an encoder."""
    folder = f"all_channels_{title}_MLP_classifier"
    return _subcell(
        kind,
        f"head-{seed}",
        f"{title} classifier {seed}",
        f"{folder}/{folder}_seed_{seed}.pth",
        3_700_000,
        "Gives 31 places in the cell from SubCell's embedding.",
    )


_ENTRIES = (
    _pth(
        "hpa-nuclei",
        "HPA nuclei",
        "dpn_unet_nuclei_v1.pth",
        "Finds nuclei and their borders in the nucleus stain.",
    ),
    _pth(
        "hpa-cells",
        "HPA cells",
        "dpn_unet_cell_3ch_v1.pth",
        "Finds cells and their borders from microtubules, ER and nuclei.",
    ),
    _pth(
        "hpa-cells-no-er",
        "HPA cells without ER",
        "dpn_unet_cell_v2.pth",
        "Finds cells and their borders from microtubules and nuclei, for fields without an ER stain.",
    ),
    _torchscript(
        "hpa-nuclei-torchscript",
        "HPA nuclei (TorchScript)",
        7690494,
        "nuclei_model.pt",
        "8d3af116378b12d54a15d880b942c2d7e74ba52e11421a7ba16c702d1a112ba5",
        "10.5281/zenodo.6200999",
        "Finds nuclei and their borders in the nucleus stain.",
    ),
    _torchscript(
        "hpa-cells-torchscript",
        "HPA cells (TorchScript)",
        7702687,
        "cell_model.pt",
        "7e94848c41f2a8a2e881a194fbd0228af15d3df864313c53bf3b130e90ca0275",
        "10.5281/zenodo.6200635",
        "Finds cells and their borders from microtubules, ER and nuclei.",
    ),
    WeightFile(
        name="hpa-inceptionv3",
        title="bestfitting InceptionV3",
        url=(
            "https://github.com/oeway/hpa-bestfitting-inceptionv3/releases/download/v0.1.0/"
            "bestfitting-inceptionv3-single-cell.onnx"
        ),
        file_name="bestfitting-inceptionv3-single-cell.onnx",
        doi="10.5281/zenodo.5910854",
        licence="not stated: ask its makers before you use it for more than a look",
        licence_url="https://github.com/oeway/hpa-bestfitting-inceptionv3",
        source="Shubin Dai (bestfitting), winner of the 2021 competition; exported by Wei Ouyang",
        card=(
            "Gives the 19 classes of single cells of 128 px. InceptionV3 with attention (CBAM), part of the ensemble "
            "that won the Kaggle competition HPA Single Cell Classification; alone it scored 0.547 mAP on its private "
            "test cells. Trained on weak labels of whole fields of the Human Protein Atlas. ONNX: no pickle is read."
        ),
        used_by="hpa_inceptionv3",
        unverified=(
            "No checksum or exact size is published for this file: the SHA-256 of the first file is held to "
            "afterwards. Neither the repository nor the release states a licence."
        ),
    ),
    _subcell(
        "vit",
        "encoder",
        "ViT-ProtS-Pool",
        "all_channels_ViT-ProtS-Pool.pth",
        349_009_018,
        "Places cells by where their protein is.",
        size_bytes=349_009_018,
        sha256="6a2d117bcacaa0697034d06d6922580ca7cd996564f270529ec97e6502559845",
        unverified="Size and SHA-256 are those that users of the file published, not its makers.",
    ),
    _subcell_head("vit", "ViT", 0),
    _subcell_head("vit", "ViT", 1),
    _subcell(
        "mae",
        "encoder",
        "MAE-CellS-ProtS-Pool",
        "all_channels_MAE-CellS-ProtS-Pool.pth",
        349_000_000,
        "Places cells by where their protein is and by their shape.",
        sha256="493ff6d17e108e89b805f79a17cf09c2f237458637ed847e3ae7d187295f387d",
        unverified=(
            "No exact size is published for this file; its SHA-256 is the one that users of the file published, "
            "not its makers."
        ),
    ),
    _subcell_head("mae", "MAE", 0),
    _subcell_head("mae", "MAE", 1),
)

CATALOGUE: dict[str, WeightFile] = {entry.name: entry for entry in _ENTRIES}
"""All files, by name, in the order in which they are listed."""
