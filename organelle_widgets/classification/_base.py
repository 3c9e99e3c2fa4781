"""What every classification backend offers, and the checks around it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from organelle_widgets.classification._crops import CellCutter, CropRule
from organelle_widgets.core.answers import CellAnswers, join_answers
from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.core.predictions import check_probabilities
from organelle_widgets.core.settings import check_settings, settings_of
from organelle_widgets.errors import ClassificationError, InputError, attributed_to
from organelle_widgets.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["CLASSIFIERS", "Classifier", "Cutter", "make_classifier"]


class Cutter(Protocol):
    """Cuts the cells of one field for a classifier."""

    def cut(self, cell_ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Cut cells.

        Parameters
        ----------
        cell_ids : ndarray of int32, shape (n,)
            Ids in the masks.

        Returns
        -------
        ndarray of float32, shape (n, n_channels, size, size)
            In the order of the ids.
        """
        ...


class Classifier(ABC):
    """Gives every cell of a field its 19 probabilities.

    A backend is a frozen dataclass that derives from this class, registers with
    ``@CLASSIFIERS.register(name)``, says in `crop_rule` how it wants its cells cut, and implements `_predict`.

    Raises
    ------
    SettingsError
        On construction, if a setting is out of its range.
    """

    crop_rule: ClassVar[CropRule] = CropRule()
    batch_size: ClassVar[int] = 64

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def name(self) -> str:
        """What `make_classifier` knows it by."""
        return CLASSIFIERS.name_of(type(self))

    def classify(
        self, field: Field, masks: Masks, progress: Callable[[float], None] | None = None
    ) -> NDArray[np.float32]:
        """Probabilities of every cell; see `answer` for all that the backend knows.

        Parameters
        ----------
        field : Field
            The field.
        masks : Masks
            Its cells.
        progress : callable, optional
            As for `answer`.

        Returns
        -------
        ndarray of float32, shape (n_cells, 19)
            One row a cell in ascending order of id, each value in [0, 1].

        Raises
        ------
        ClassificationError, InputError, WeightsError, Cancelled
            As `answer` does.
        """
        return self.answer(field, masks, progress).probabilities

    def answer(
        self, field: Field, masks: Masks, progress: Callable[[float], None] | None = None
    ) -> CellAnswers:
        """Classify every cell.

        Parameters
        ----------
        field : Field
            The field.
        masks : Masks
            Its cells.
        progress : callable, optional
            Called with the share done, 0 to 1, after every batch; may raise to stop.

        Returns
        -------
        CellAnswers
            One row a cell in ascending order of id.

        Raises
        ------
        ClassificationError
            If the backend returns anything but probabilities.
        InputError
            If field and masks differ in shape.
        WeightsError
            If the backend's weights are missing or damaged.
        Cancelled
            If `progress` raises it.
        """
        report = progress or Monitor().part("classification", 0, 1)
        ids, size = masks.cell_ids, self.batch_size
        batches = [ids[start : start + size] for start in range(0, len(ids), size)]
        parts: list[CellAnswers] = []
        with attributed_to(source=field.name, step="classification"):
            with closing(_cut_ahead(self._cutter(field, masks), batches)) as all_crops:
                for crops in all_crops:
                    report(len(parts) * size / len(ids))
                    parts.append(self._checked_answer(crops))
            report(1.0)
        return join_answers(parts) if parts else CellAnswers(np.zeros((0, N_CLASSES), np.float32))

    def _checked_answer(self, crops: NDArray[np.float32]) -> CellAnswers:
        """What the backend answers of crops; anything but one row of probabilities a crop is its error."""
        try:
            answers = self._answer(crops)
            check_probabilities(answers.probabilities, len(crops))
        except InputError as error:
            message = f"{type(self).__name__} returned no probabilities. {error.message}"
            raise ClassificationError(message) from error
        return answers

    def _cutter(self, field: Field, masks: Masks) -> Cutter:
        """What cuts the cells of a field; a backend that wants other crops overrides this."""
        return CellCutter(field, masks, self.crop_rule)

    def _answer(self, crops: NDArray[np.float32]) -> CellAnswers:
        """All that the backend says of crops; its probabilities alone, unless it overrides this."""
        return CellAnswers(self._predict(crops))

    @abstractmethod
    def _predict(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities, shape (n, 19), of crops of float32, shape (n, n_channels, size, size)."""

    def known_classes(self) -> NDArray[np.bool_]:
        """Which of the 19 classes it can name at all.

        Returns
        -------
        ndarray of bool, shape (19,)
            The probability of a class that it does not know is always zero and says nothing.

        Raises
        ------
        WeightsError
            If that stands in a file that is missing or damaged.
        """
        return np.ones(N_CLASSES, bool)

    def check_ready(self) -> None:  # noqa: B027 (a backend without weights has nothing to check)
        """Find out before any work whether it could answer; it always can, unless a backend says otherwise.

        Raises
        ------
        WeightsError
            If weights are missing or damaged.
        """

    def provenance(self) -> dict[str, Any]:
        """What was used: name, settings and, where there are weights, their sha256."""
        return {"name": self.name, "settings": settings_of(self)}


def _cut_ahead(
    cutter: Cutter, batches: list[NDArray[np.int32]]
) -> Generator[NDArray[np.float32], None, None]:
    """Crops of one batch after the other; the next is cut in a thread while the caller has the present one."""
    with ThreadPoolExecutor(1, "cutting") as thread:
        waiting = [thread.submit(cutter.cut, batch) for batch in batches[:1]]
        for batch in batches[1:]:
            crops = waiting.pop().result()
            waiting.append(thread.submit(cutter.cut, batch))
            yield crops
        for last in waiting:
            yield last.result()


CLASSIFIERS: Registry[Classifier] = Registry(
    "classifier", "organelle_widgets.classification", lambda: Classifier
)
"""All classification backends by name."""


def make_classifier(classifier: str | Classifier, **settings: Any) -> Classifier:
    """A classifier from its name, or the one given.

    Parameters
    ----------
    classifier : str or Classifier
        A registered name; the path of a ``.keras`` file, for the backend ``keras_file``; several of them with ``+``
        between them, for an `Ensemble`; or an instance.
    **settings
        Settings for a classifier made by one name.

    Returns
    -------
    Classifier
        Ready to use.

    Raises
    ------
    SettingsError
        If a name or a setting is wrong, a name stands twice, or settings come with an instance or several names.
    BackendUnavailableError
        If its package is not installed.
    """
    if isinstance(classifier, str):
        from organelle_widgets.classification._ensemble import named_classifier

        return named_classifier(classifier, **settings)
    return CLASSIFIERS.resolve(classifier, **settings)
