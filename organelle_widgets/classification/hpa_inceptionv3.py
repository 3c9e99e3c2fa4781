"""bestfitting's single-cell network for the 19 classes, as ONNX: how cells are cut for it, and how it is asked.

Shubin Dai (bestfitting) won the Kaggle competition of 2021; this is one network of his ensemble, exported by Wei
Ouyang for the BioImage Model Zoo. It runs in onnxruntime, which is installed apart or with the extra ``onnx``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from organelle_widgets import weights
from organelle_widgets.classification._base import CLASSIFIERS, Classifier
from organelle_widgets.classification._windows import WindowCutter, WindowRule
from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.errors import ClassificationError, WeightsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["INCEPTION_WEIGHTS", "HpaInceptionV3"]

INCEPTION_WEIGHTS = "hpa-inceptionv3"
"""The name of its weights in the model store."""

_RULE = WindowRule(size=128, margin_um=20 * 0.08, masked=True, scaling="full_scale")
_INPUT, _OUTPUTS = "image", ["classes", "features"]

_AGAIN = f"Download it again: organelle-widgets models download {INCEPTION_WEIGHTS}"

_lock = threading.Lock()
_sessions: dict[tuple[str, int, int], Any] = {}


@CLASSIFIERS.register(
    "hpa_inceptionv3",
    title="HPA InceptionV3 (bestfitting)",
    requires=("onnxruntime",),
)
@dataclass(frozen=True)
class HpaInceptionV3(Classifier):
    """InceptionV3 with attention (CBAM) for single cells.

    Everything but the cell is set to zero; its bounding box, 1.6 um (20 px of HPA's 0.08 um) wider on each side, is
    stretched to 128 by 128 px, whatever its shape; grey values are divided by the largest that the file's type can
    hold; the channels are microtubules, protein, nuclei, ER. A field of 12 bits in files of 16 bits is therefore seen
    as very dark.

    The 19 probabilities are the network's sigmoids as they are: made for ranking in the competition, not calibrated.
    Its demonstration shows classes above 0.3. The 2048 features before the last layer are the embedding. It was
    trained on the images of the Human Protein Atlas, so scores on these say little of how it does on others. The
    licence of the weights is not stated by those who publish them.

    Raises
    ------
    WeightsError
        On use, if the weights are missing, damaged or another network's.
    ClassificationError
        If the network fails.

    References
    ----------
    Le et al. 2022, doi:10.1038/s41592-022-01606-z (the competition). Crops, order and scaling:
    https://github.com/oeway/hpa-bestfitting-inceptionv3/blob/9b18121d525d423ae63e381fa57832406adf80e4/simple_predict.py.
    """

    batch_size: ClassVar[int] = 32

    def check_ready(self) -> None:
        """Raise `WeightsError` where the weights are missing or damaged."""
        weights.locate(INCEPTION_WEIGHTS)

    def _cutter(self, field: Field, masks: Masks) -> WindowCutter:
        return WindowCutter(field, masks, _RULE)

    def _answer(self, crops: NDArray[np.float32]) -> CellAnswers:
        session = _session(weights.locate(INCEPTION_WEIGHTS))
        batch = session.get_inputs()[0].shape[0]
        step = batch if isinstance(batch, int) and batch > 0 else len(crops)
        parts = [_run(session, crops[i : i + step], step) for i in range(0, len(crops), step)]
        classes, features = (np.concatenate(values) for values in zip(*parts, strict=True))
        return CellAnswers(classes, features)

    def _predict(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._answer(crops).probabilities

    def provenance(self) -> dict[str, Any]:
        """Name, settings, and the sha256 of the weights where they are here."""
        here = weights.is_here(INCEPTION_WEIGHTS)
        found = {INCEPTION_WEIGHTS: weights.checksum(INCEPTION_WEIGHTS)} if here else {}
        return {**super().provenance(), "weights": found}


def _session(path: Path) -> Any:
    """The network of a file, loaded once a process while the file stays as it is."""
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    with _lock:
        if key not in _sessions:
            _sessions.clear()
            _sessions[key] = _opened(path)
        return _sessions[key]


def _opened(path: Path) -> Any:
    """An onnxruntime session, on the GPU where its build of onnxruntime has one."""
    import onnxruntime

    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    usable = [name for name in wanted if name in onnxruntime.get_available_providers()]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    try:
        session = onnxruntime.InferenceSession(path, options, providers=usable)
    except _failures() as error:
        message = (
            f"Expected a network in ONNX; {path.name} is damaged, cut short or something else."
        )
        raise WeightsError(message, weights=INCEPTION_WEIGHTS, hint=_AGAIN) from error
    _check(session, path)
    return session


def _failures() -> tuple[type[Exception], ...]:
    """What onnxruntime raises; its classes derive from nothing that is more precise than Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("EPFail", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel")
    others = ("NoSuchFile", "NotFound", "NotImplemented", "RuntimeException")
    own = (getattr(state, name) for name in (*names, *others) if hasattr(state, name))
    return (RuntimeError, ValueError, *own)


def _check(session: Any, path: Path) -> None:
    """Refuse a network of other inputs or outputs."""
    inputs = [entry.name for entry in session.get_inputs()]
    outputs = [entry.name for entry in session.get_outputs()]
    if inputs != [_INPUT] or not set(_OUTPUTS) <= set(outputs):
        message = (
            f"Expected a network with input {_INPUT} and outputs {' and '.join(_OUTPUTS)}; {path.name} has "
            f"{', '.join(inputs) or 'none'} and {', '.join(outputs) or 'none'}."
        )
        raise WeightsError(message, weights=INCEPTION_WEIGHTS, hint=_AGAIN)


def _run(
    session: Any, crops: NDArray[np.float32], size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities and features of at most `size` crops; a network of fixed batch gets zeros for missing ones."""
    full = np.zeros((size, *crops.shape[1:]), np.float32)
    full[: len(crops)] = crops
    try:
        classes, features = session.run(_OUTPUTS, {_INPUT: full})
    except _failures() as error:
        message = (
            f"Expected answers from onnxruntime for {len(crops)} cells; found an error: {error}"
        )
        raise ClassificationError(message) from error
    if classes.shape != (size, N_CLASSES) or features.shape[:1] != (size,):
        message = (
            f"Expected {N_CLASSES} classes and features of {size} cells; found {classes.shape} and "
            f"{features.shape}."
        )
        raise ClassificationError(message)
    return classes[: len(crops)], features.reshape(size, -1)[: len(crops)]
