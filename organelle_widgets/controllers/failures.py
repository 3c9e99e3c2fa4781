"""Errors as a person reads them: a sentence, what to do, and what can be downloaded to mend it."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from organelle_widgets.errors import Cancelled, OrganelleWidgetsError, WeightsError
from organelle_widgets.state import Download, Failure

if TYPE_CHECKING:
    from organelle_widgets.weights import WeightFile

__all__ = ["failure_of", "missing_weights"]

logger = logging.getLogger(__name__)


def failure_of(error: BaseException | None) -> Failure | None:
    """An error in words.

    Parameters
    ----------
    error : BaseException or None
        What was raised, if anything.

    Returns
    -------
    Failure or None
        None for success and for a wish to stop. An error that nobody foresaw is logged with its traceback.
    """
    if error is None or isinstance(error, Cancelled):
        return None
    if isinstance(error, OrganelleWidgetsError):
        place = Path(error.source or "")
        named = place.suffix and place.name not in error.message  # folders of uploads mean nothing
        message = f"{place.name}: {error.message}" if named else error.message
        return Failure(message, error.hint or "", _downloads(error))
    if isinstance(error, MemoryError):
        return Failure("This machine has too little memory for the field.", "Try a smaller field.")
    logger.error("A step failed that should not.", exc_info=error)
    return Failure(
        f"Something went wrong that should not: {error}",
        "The page goes on working. The log has the details.",
    )


def missing_weights(failure: Failure | None) -> Failure | None:
    """A failure for want of weights that nobody has tried to download yet: an offer rather than a mishap.

    Parameters
    ----------
    failure : Failure or None
        From `failure_of`.

    Returns
    -------
    Failure or None
        The same, where it is something else.
    """
    from organelle_widgets import weights

    if failure is None or not failure.downloads:
        return failure
    if any(weights.is_here(wanted.name) for wanted in failure.downloads):
        return failure  # damaged, not missing
    message = "This choice needs a model that is not on this machine yet."
    return dataclasses.replace(failure, message=message, hint="", otherwise=failure.hint)


def _downloads(error: OrganelleWidgetsError) -> tuple[Download, ...]:
    """The weights that an error says are missing, where the model store has them."""
    if not isinstance(error, WeightsError) or not error.weights:
        return ()
    from organelle_widgets import weights

    named = weights.catalogue().get(error.weights)
    if named is None:
        return ()
    absent = [
        file
        for file in weights.catalogue().values()
        if file is named or (_together(file, named) and not weights.is_here(file.name))
    ]
    return tuple(
        Download(
            file.name,
            file.title,
            file.size_bytes or file.about_bytes,
            file.size_bytes is not None,
            file.licence,
            file.licence_url,
            file.source,
        )
        for file in absent
    )


def _together(file: WeightFile, other: WeightFile) -> bool:
    """Whether two files are only of use together."""
    return bool(file.bundle) and file.bundle == other.bundle
