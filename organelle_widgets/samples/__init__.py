"""The sample fields that come with the package, already analysed.

Each sample is a folder beside this file: four channel images of a virtual field, the masks and probabilities that
the pipeline gave for it, and ``sample.json`` with how both came about. So the page opens on an answer without loading
TensorFlow. `build_sample` makes such a folder anew; a test compares what is stored with what the pipeline gives now.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.cells import cell_table
from organelle_widgets.core.channels import CHANNELS
from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.core.quality import measure_quality
from organelle_widgets.core.results import FieldResult
from organelle_widgets.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SAMPLES", "Sample", "build_sample", "build_samples", "list_samples", "load_sample"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """One sample: what a person reads, and how its virtual field is drawn.

    Parameters
    ----------
    key : str
        Name of its folder.
    title : str
        A few words.
    detail : str
        One line: what is to be seen.
    classes : tuple of tuple of int
        Class mixtures that cells are drawn from; empty for any.
    seed : int
        Seed of the drawing.
    """

    key: str
    title: str
    detail: str
    classes: tuple[tuple[int, ...], ...]
    seed: int

    @property
    def thumb(self) -> str:
        """A small picture of the field as a data URL; empty if there is none."""
        path = _FOLDER / self.key / "thumb.jpg"
        if not path.is_file():
            return ""
        return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


SAMPLES: tuple[Sample, ...] = (
    Sample("golgi", "Beside the nucleus", "drawn as Golgi apparatus", ((7,),), 22),
    Sample("nucleoli", "Spots in the nucleus", "drawn as nucleoli", ((2,),), 33),
    Sample("mitochondria", "Threads in the cytoplasm", "drawn as mitochondria", ((14,),), 23),
    Sample("mixture", "A bit of everything", "each cell drawn at random", (), 29),
)
"""The samples, in the order of the page."""

_SHAPE = (1024, 1024)
_PIXEL_SIZE_UM = 0.16


def list_samples() -> list[Sample]:
    """The samples that are there.

    Returns
    -------
    list of Sample
        In the order of the page.
    """
    return [sample for sample in SAMPLES if (_FOLDER / sample.key / "sample.json").is_file()]


def load_sample(key: str) -> FieldResult:
    """A sample with its stored result.

    Parameters
    ----------
    key : str
        One of the keys of `list_samples`.

    Returns
    -------
    FieldResult
        As the pipeline gave it when the sample was built; ``provenance`` says with what. Its quality is measured
        anew.

    Raises
    ------
    InputError
        If there is no such sample.
    """
    folder = _FOLDER / key
    if key not in {sample.key for sample in list_samples()}:
        known = ", ".join(sample.key for sample in list_samples())
        message = f"Expected a sample out of {known}; found {key!r}."
        raise InputError(message)
    stored = json.loads((folder / "sample.json").read_text("utf-8"))
    pixels = np.stack([_read(folder / f"{channel.key}.png") for channel in CHANNELS])
    field = Field(
        pixels,
        stored["name"],
        stored["pixel_size_um"],
        "metadata",
        notes=("A virtual field, drawn by a computer.",),
    )
    masks = Masks(*(_read(folder / f"{name}.png").astype(np.int32) for name in ("nuclei", "cells")))
    probabilities = np.array(stored["probabilities"], np.float32).reshape(masks.n_cells, -1)
    strangeness = stored.get("strangeness")
    return FieldResult(
        field,
        masks,
        probabilities,
        answers=CellAnswers(probabilities, strangeness=strangeness),
        timings=stored["timings"],
        provenance=stored["provenance"],
        quality=measure_quality(field, masks, cell_table(masks, field.pixel_size_um)),
    )


def _read(path: Path) -> NDArray[Any]:
    """One image of a sample."""
    import imageio.v3 as iio

    image: NDArray[Any] = iio.imread(path)
    return image


def build_sample(sample: Sample, folder: Path) -> FieldResult:
    """Draw a sample's field, analyse it and store both.

    Parameters
    ----------
    sample : Sample
        What to draw.
    folder : Path
        Where the sample's own folder is made.

    Returns
    -------
    FieldResult
        What was stored.
    """
    import imageio.v3 as iio

    from organelle_widgets.pipeline import analyze_field
    from organelle_widgets.render.composite import composite, downscale
    from organelle_widgets.synthetic import virtual_field

    virtual = virtual_field(
        _SHAPE,
        seed=sample.seed,
        classes=list(sample.classes) or None,
        pixel_size_um=_PIXEL_SIZE_UM,
        name=f"virtual {sample.key}",
    )
    analyze_field(virtual.field)  # loads the models, so that the timings are those of a warm run
    result = analyze_field(virtual.field)
    target = folder / sample.key
    target.mkdir(parents=True, exist_ok=True)
    for channel in CHANNELS:
        iio.imwrite(
            target / f"{channel.key}.png", virtual.field.channel(channel.key), compress_level=9
        )
    for name, labels in (("nuclei", result.masks.nuclei), ("cells", result.masks.cells)):
        iio.imwrite(target / f"{name}.png", labels.astype(np.uint16), compress_level=9)
    small = downscale(composite(virtual.field, ("green", "blue", "red")), _SHAPE[0] // 96)
    iio.imwrite(target / "thumb.jpg", small, quality=80)
    stored = {
        "name": virtual.field.name,
        "pixel_size_um": virtual.field.pixel_size_um,
        "drawn": {"classes": sample.classes, "seed": sample.seed, "shape": _SHAPE},
        "timings": {step: round(seconds, 3) for step, seconds in result.timings.items()},
        "provenance": result.provenance,
        "probabilities": [[round(float(p), 4) for p in row] for row in result.probabilities],
    }
    if result.answers is not None and result.answers.strangeness is not None:
        stored["strangeness"] = [round(float(value), 4) for value in result.answers.strangeness]
    (target / "sample.json").write_text(json.dumps(stored), "utf-8")
    return result


def build_samples(folder: Path = _FOLDER) -> list[FieldResult]:
    """Make all samples anew; needed whenever the default segmenter or classifier changes.

    Parameters
    ----------
    folder : Path
        Where; the package's own folder by default.

    Returns
    -------
    list of FieldResult
        One a sample.
    """
    return [build_sample(sample, folder) for sample in SAMPLES]
