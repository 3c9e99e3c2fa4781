"""Where a run's results go, and what a run that is there already was begun with.

All paths that come from a person are confined to the root.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from organelle_widgets.batch.status import read_status
from organelle_widgets.classification import CLASSIFIERS
from organelle_widgets.controllers.folder import confined
from organelle_widgets.controllers.run_process import is_gone
from organelle_widgets.errors import InputError, OrganelleWidgetsError, SettingsError
from organelle_widgets.results import is_results, open_results
from organelle_widgets.segmentation import SEGMENTERS

__all__ = ["chosen_place", "default_place", "earlier_run", "results_place"]

_LONGEST_NAME = 200
_BARRED = re.compile(r'[\x00-\x1f<>:"|?*\\]')


def default_place(root: Path, source: str) -> str:
    """A results folder beside the fields.

    Parameters
    ----------
    root : Path
        Where everything is confined to.
    source : str
        The folder of the fields, relative to the root; empty for the root itself.

    Returns
    -------
    str
        Relative to the root: ``"plates/week 1 results"`` for ``"plates/week 1"``.
    """
    return f"{source or root.resolve().name or 'all'} results"


def results_place(root: Path, relative: str) -> tuple[Path, bool]:
    """Where a run's results are to go.

    Parameters
    ----------
    root : Path
        Where everything is confined to.
    relative : str
        The results folder, relative to the root, with ``/`` between folders.

    Returns
    -------
    Path, bool
        The folder, with links resolved, and whether a run is in it that can go on. Else it does not exist yet.

    Raises
    ------
    InputError
        If it leads out of the root, has no good name, lies in a folder that does not exist, or holds other things.
    """
    path = PurePosixPath(relative.strip())
    name = path.name
    if not name or name.startswith(".") or len(name) > _LONGEST_NAME or _BARRED.search(relative):
        message = f"Expected a name for the results folder; found {relative!r}."
        raise InputError(message, hint='Leave out a dot at the start and < > : " | ? * \\.')
    place = confined(root, str(path.parent)) / name
    if not place.exists() and not place.is_symlink():
        return place, False
    place = confined(root, str(path))
    if is_results(place):
        return place, True
    message = f"{name!r} exists and holds no results of a run."
    raise InputError(message, hint="Choose another name.")


def earlier_run(root: Path, out: Path) -> tuple[str | None, dict[str, Any]]:
    """What a run was begun with, so that it can go on.

    Parameters
    ----------
    root : Path
        Where everything is confined to.
    out : Path
        Its results folder.

    Returns
    -------
    str or None, dict
        The folder of its fields, relative to the root; None where that is no folder below the root. And its choices,
        by the names that `PageState` has for them.

    Raises
    ------
    InputError
        If ``run.json`` does not say.
    """
    with open_results(out) as results:
        run = results.run
    try:
        used = run["settings"]
        choices = {
            "segmenter": SEGMENTERS.get(used["segmenter"]["name"]).name,
            "settings": dict(used["segmenter"]["settings"]),
            "classifier": "+".join(
                CLASSIFIERS.get(part).name for part in used["classifier"]["name"].split("+")
            ),
            "threshold": float(used["threshold"]),
            "leave_out": str(used["leave_out"]),
            "pixel_size_um": used["pixel_size_um"],
        }
        source, top = Path(run["source"]).resolve(), root.resolve()
    except (KeyError, TypeError, ValueError, AttributeError, SettingsError) as error:
        message = f"{out.name} does not say how its run was begun."
        raise InputError(message, hint="Choose another name for a new run.") from error
    if not source.is_dir() or not source.is_relative_to(top):
        return None, choices
    return "" if source == top else source.relative_to(top).as_posix(), choices


def chosen_place(root: Path, source: str | None, results: str) -> dict[str, Any]:
    """What there is to say of a results folder that a person named.

    Parameters
    ----------
    root : Path
        Where everything is confined to.
    source : str or None
        The folder of the fields, relative to the root.
    results : str
        The results folder, relative to the root.

    Returns
    -------
    dict
        ``results``, ``results_problem``, ``continues``, ``choices`` and ``status``, for `RunShown`.
    """
    said = {"results": results, "results_problem": "", "continues": False}
    nothing = {"choices": None, "status": None}
    try:
        out, known = results_place(root, results)
        if not known:
            return {**said, **nothing}
        return {**said, "continues": True, **_earlier(root, source, out)}
    except OrganelleWidgetsError as error:
        problem = f"{error.message} {error.hint or ''}".strip()
        return {**said, **nothing, "results_problem": problem}


def _earlier(root: Path, wanted: str | None, out: Path) -> dict[str, Any]:
    """What there is to say of a run that is to go on; it does so with the folder that it was begun with."""
    source, choices = earlier_run(root, out)
    status = read_status(out)
    if source != wanted:
        message = f"{out.name!r} holds the results of another folder."
        raise InputError(message, hint="Choose another name.")
    if status is not None and not status.ended and not is_gone(status):
        message = f"A run is under way in {out.name!r}."
        raise InputError(message, hint="The Folder tab lists it; watch it there.")
    return {"choices": choices, "status": status}
