"""Every error that this package raises on purpose.

The tree::

    OrganelleWidgetsError
    ├── InputError (ValueError)               an image, folder or table that can't be used
    ├── SettingsError (ValueError)            a setting of the wrong kind or out of its range
    ├── BackendUnavailableError (ImportError) a backend whose package is not installed
    ├── WeightsError                          weights missing, damaged or not what they should be
    ├── StepError                             a step of the pipeline failed
    │   ├── SegmentationError
    │   ├── ClassificationError
    │   └── ExportError
    ├── BatchError                            a run over many fields can't go on
    └── Cancelled                             the person asked to stop

A message says what was expected, what was found and what to do. `hint` holds the last part when it is
worth a line of its own. Every exception survives pickling, so that it can come from another process.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BackendUnavailableError",
    "BatchError",
    "Cancelled",
    "ClassificationError",
    "ExportError",
    "InputError",
    "OrganelleWidgetsError",
    "SegmentationError",
    "SettingsError",
    "StepError",
    "WeightsError",
    "attributed_to",
]


class OrganelleWidgetsError(Exception):
    """Base of all errors that the package raises on purpose.

    Parameters
    ----------
    message : str
        What was expected and what was found.
    source : str, optional
        The file, folder or field that the message is about.
    step : str, optional
        The step of the pipeline that was running.
    hint : str, optional
        What the person can do about it, as one sentence.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        step: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.source = source
        self.step = step
        self.hint = hint

    @property
    def message(self) -> str:
        """The bare message, without source and hint."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        text = self.message
        if self.source and not re.search(rf"(?<!\w){re.escape(self.source)}(?!\w)", text):
            text = f"{self.source}: {text}"
        return f"{text} {self.hint}" if self.hint else text


class InputError(OrganelleWidgetsError, ValueError):
    """An image, folder or table that can't be used as it is."""


class SettingsError(OrganelleWidgetsError, ValueError):
    """A setting of the wrong kind, unknown, or out of its range."""


class BackendUnavailableError(OrganelleWidgetsError, ImportError):
    """A backend whose package is not installed."""


class WeightsError(OrganelleWidgetsError):
    """Model weights that are missing, damaged or not what they should be.

    Parameters
    ----------
    message : str
        What was expected and what was found.
    weights : str, optional
        Their name in the model store, where they can be downloaded.
    source, step, hint : str, optional
        As in `OrganelleWidgetsError`.
    """

    def __init__(
        self,
        message: str,
        *,
        weights: str | None = None,
        source: str | None = None,
        step: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, source=source, step=step, hint=hint)
        self.weights = weights


class StepError(OrganelleWidgetsError):
    """A step of the pipeline failed."""


class SegmentationError(StepError):
    """Finding the cells failed."""


class ClassificationError(StepError):
    """Classifying the cells failed."""


class ExportError(StepError):
    """Writing a result failed."""


class BatchError(OrganelleWidgetsError):
    """A run over many fields can't go on."""


class Cancelled(OrganelleWidgetsError):
    """The person asked to stop; nothing is wrong."""


@contextmanager
def attributed_to(source: str | None = None, step: str | None = None) -> Iterator[None]:
    """Add the file and the step to any of our errors that passes through.

    What an error already says of itself is kept: the innermost place knows best.

    Parameters
    ----------
    source : str, optional
        The file, folder or field at work.
    step : str, optional
        The step at work, such as ``"segmentation"``.

    Raises
    ------
    OrganelleWidgetsError
        The same error, with `source` and `step` filled in.
    """
    try:
        yield
    except OrganelleWidgetsError as error:
        error.source = error.source or source
        error.step = error.step or step
        raise
