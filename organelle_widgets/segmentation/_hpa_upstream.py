"""The original program, `hpacellseg`, behind the same two steps as our own code, to compare the two.

It was written for libraries of 2020. What has changed since is mended in its own namespace and only while it runs;
the libraries themselves are left alone. Weight files are read by our loader, because the original unpickles freely.
"""

from __future__ import annotations

import importlib
import threading
from contextlib import contextmanager
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import BackendUnavailableError, SegmentationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["check_installed", "label", "predict"]

_SOURCE = "https://github.com/CellProfiling/HPA-Cell-Segmentation"
_FAILURES = (AttributeError, IndexError, OverflowError, RuntimeError, TypeError, ValueError)
_RUNNING = threading.Lock()


def check_installed() -> None:
    """Raise BackendUnavailableError where the program or one of its libraries is missing."""
    missing = [name for name in ("hpacellseg", "cv2", "imageio") if find_spec(name) is None]
    if missing:
        message = f"The engine 'upstream' needs {', '.join(missing)}, which is not installed."
        hint = f"python -m pip install opencv-python-headless git+{_SOURCE}"
        raise BackendUnavailableError(message, hint=f"Install it with: {hint}")


def predict(
    nuclei_network: Any, cell_network: Any, planes: NDArray[np.float32], *, er: bool
) -> NDArray[np.uint8]:
    """Its four maps, ndarray of uint8, shape (4, Y', X'): border and body of nuclei, border and body of cells.

    `planes` are microtubules, ER and nuclei as fractions at 0.32 um: its own resizing would turn fields that are not
    square, so it is asked for none.
    """
    first, second, nuclei = planes
    with _mended() as (program, _):
        segmentator = program.CellSegmentator(
            nuclei_network,
            cell_network,
            scale_factor=1,
            device="cpu",
            padding=True,
            multi_channel_model=er,
        )
        found = segmentator.pred_nuclei([np.dstack([nuclei] * 3)])
        cells = segmentator.pred_cells([[first], [second] if er else None, [nuclei]])
    return np.stack([plane[0][..., index] for plane in (found, cells) for index in (1, 2)])


def label(maps: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Its labels of nuclei and cells in four maps with pixels of 0.08 um."""
    unused = np.zeros_like(maps[0])
    predictions = [np.dstack([unused, *maps[:2]]), np.dstack([unused, *maps[2:]])]
    with _mended() as (_, utils):
        nuclei, cells = utils.label_cell(*predictions)
    return nuclei.astype(np.int32), cells.astype(np.int32)


@contextmanager
def _mended() -> Iterator[tuple[Any, Any]]:
    """Its two modules, with what has changed in scikit-image mended; one thread at a time."""
    check_installed()
    program = importlib.import_module("hpacellseg.cellsegmentator")
    utils = importlib.import_module("hpacellseg.utils")
    with (
        _RUNNING,
        _replaced(program, transform=SimpleNamespace(rescale=_rescale)),
        _replaced(
            utils,
            remove_small_objects=_remove_small_objects,
            remove_small_holes=_remove_small_holes,
        ),
    ):
        try:
            yield program, utils
        except _FAILURES as error:
            message = f"hpacellseg failed: {type(error).__name__}: {error}"
            raise SegmentationError(message, hint="Choose the engine 'own'.") from error


@contextmanager
def _replaced(module: Any, **names: Any) -> Iterator[None]:
    """Other values for names of a module, for a while."""
    before = {name: getattr(module, name) for name in names}
    vars(module).update(names)
    try:
        yield
    finally:
        vars(module).update(before)


def _rescale(image: NDArray[Any], scale: float, *, multichannel: bool) -> NDArray[Any]:
    """`skimage.transform.rescale` with the argument's old name."""
    from skimage.transform import rescale

    out: NDArray[Any] = rescale(image, scale, channel_axis=-1 if multichannel else None)
    return out


def _remove_small_objects(array: NDArray[Any], min_size: int) -> NDArray[Any]:
    """`skimage.morphology.remove_small_objects` with its old argument: smaller ones go."""
    from skimage.morphology import remove_small_objects

    out: NDArray[Any] = remove_small_objects(array, max_size=min_size - 1)
    return out


def _remove_small_holes(array: NDArray[np.bool_], area_threshold: int) -> NDArray[np.bool_]:
    """`skimage.morphology.remove_small_holes` with its old argument: smaller ones are filled."""
    from skimage.morphology import remove_small_holes

    out: NDArray[np.bool_] = remove_small_holes(array, max_size=area_threshold - 1)
    return out
