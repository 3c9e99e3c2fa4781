"""The folder that a training writes to."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from organelle_widgets.errors import ExportError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["run_folder"]


def run_folder(folder: Path) -> Path:
    """The folder of the run; made and tried before the long work, not after it.

    Parameters
    ----------
    folder : Path
        Need not exist.

    Returns
    -------
    Path
        The same folder.

    Raises
    ------
    ExportError
        If nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        message = f"Can't write to the folder {folder}: {error.strerror or error}."
        hint = "Choose a folder that you may write to."
        raise ExportError(message, step="training", hint=hint) from error
