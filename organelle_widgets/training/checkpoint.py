"""The state of a fit on disk: written after every epoch, taken up by a run with the same settings.

One file of plain arrays holds everything, so that it is whole or not there at all, and no code of it is ever run.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.errors import InputError
from organelle_widgets.render.saving import written_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Checkpoint", "assign_values", "values_of"]


def values_of(variables: Sequence[Any]) -> list[NDArray[Any]]:
    """Copies of variables.

    Parameters
    ----------
    variables : sequence of keras.Variable
        Of a network or an optimizer.

    Returns
    -------
    list of ndarray
        In the same order.
    """
    return [np.array(variable.value.numpy()) for variable in variables]


def assign_values(variables: Sequence[Any], values: Sequence[NDArray[Any]]) -> None:
    """Set variables to what `values_of` gave.

    Parameters
    ----------
    variables : sequence of keras.Variable
        Changed in place.
    values : sequence of ndarray
        Of the same shapes, in the same order.
    """
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


class Checkpoint:
    """A fit's state in a folder.

    Parameters
    ----------
    folder : Path
        Made if needed. Holds ``state.npz``, and ``best.npz`` once weights were best.
    made_with : mapping
        What must agree for a fit to go on: settings, and what else tells one training from another;
        JSON-serialisable.
    """

    def __init__(self, folder: Path, made_with: Mapping[str, Any]) -> None:
        self._state, self._best = folder / "state.npz", folder / "best.npz"
        self._made_with = json.loads(json.dumps(dict(made_with)))

    def save(self, variables: Sequence[Any], rows: Sequence[Mapping[str, float]]) -> None:
        """Write the state after an epoch.

        Parameters
        ----------
        variables : sequence of keras.Variable
            Of network and optimizer.
        rows : sequence of mapping
            The history so far.

        Raises
        ------
        ExportError
            If the file can't be written.
        """
        self._state.parent.mkdir(parents=True, exist_ok=True)
        about = {"made_with": self._made_with, "rows": [dict(row) for row in rows]}
        _write(self._state, values_of(variables), about)

    def take_up(self, variables: Sequence[Any]) -> list[dict[str, float]]:
        """Set variables to the saved state, where there is one.

        Parameters
        ----------
        variables : sequence of keras.Variable
            Those that were saved; changed in place.

        Returns
        -------
        list of dict
            The history so far; empty where nothing was saved.

        Raises
        ------
        InputError
            If the state is damaged, or was made with other settings or another network.
        """
        if not self._state.is_file():
            return []
        values, about = _read(self._state)
        self._check(about["made_with"])
        shapes = [tuple(variable.shape) for variable in variables]
        if [value.shape for value in values] != shapes:
            found, wanted = "another network", "this one"
            raise self._other(found, wanted)
        assign_values(variables, values)
        return list(about["rows"])

    def _check(self, saved: Mapping[str, Any]) -> None:
        """Refuse what was made with other settings."""
        now = self._made_with
        other = sorted(key for key in {*saved, *now} if saved.get(key) != now.get(key))
        if other:
            found, wanted = (
                ", ".join(f"{key} {made.get(key)}" for key in other) for made in (saved, now)
            )
            raise self._other(found, wanted)

    def _other(self, found: str, wanted: str) -> InputError:
        """The error for a state that is not this training's."""
        message = f"Expected a checkpoint made with {wanted}; found one made with {found}."
        hint = "Give the same settings and data to go on, or another folder to start anew."
        return InputError(message, source=str(self._state), hint=hint)

    def save_best(self, values: Sequence[NDArray[Any]]) -> None:
        """Write the best weights so far.

        Parameters
        ----------
        values : sequence of ndarray
            Of `values_of`.

        Raises
        ------
        ExportError
            If the file can't be written.
        """
        self._best.parent.mkdir(parents=True, exist_ok=True)
        _write(self._best, values, {})

    def best(self) -> list[NDArray[Any]]:
        """The best weights so far.

        Returns
        -------
        list of ndarray
            What `save_best` was given.

        Raises
        ------
        InputError
            If they are missing or damaged.
        """
        return _read(self._best)[0]


def _write(path: Path, values: Sequence[NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Arrays by number, and a text of JSON beside them."""
    named: dict[str, Any] = {f"{number:04d}": value for number, value in enumerate(values)}
    with written_whole(path) as part, part.open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)), **named)


def _read(path: Path) -> tuple[list[NDArray[Any]], dict[str, Any]]:
    """What `_write` wrote."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            about = json.loads(str(saved["about"]))
            return [saved[name] for name in sorted(set(saved.files) - {"about"})], about
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        message = "Expected a checkpoint of a training; found a file that is missing, damaged or something else."
        hint = "Delete the folder of the checkpoint to start anew."
        raise InputError(message, source=str(path), hint=hint) from error
