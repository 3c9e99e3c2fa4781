"""Scoring a classifier on a folder of labelled fields: run it on every field, then score what it said.

Labels belong to fields, not to cells: a field's labels stand for each of its cells, which overstates the errors
of a classifier that sees a cell for what it is. Every figure comes with the number of fields and cells behind it.
"""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import organelle_widgets
from organelle_widgets.classification import Classifier, make_classifier
from organelle_widgets.core.cells import cell_table
from organelle_widgets.errors import InputError, attributed_to
from organelle_widgets.evaluation.classification_details import score_details
from organelle_widgets.evaluation.classification_scores import (
    ScoredField,
    score_fields,
    truth_rows,
)
from organelle_widgets.io.field_table import read_field_table
from organelle_widgets.pipeline import DEFAULT_CLASSIFIER, DEFAULT_SEGMENTER
from organelle_widgets.segmentation import SEGMENTERS, Segmenter, make_segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from organelle_widgets.core.field import Field
    from organelle_widgets.io.field_table import FieldRow

__all__ = [
    "ScoredField",
    "answer_fields",
    "describe_run",
    "evaluate_classification",
    "score_answers",
    "score_fields",
    "truth_rows",
]

_PACKAGES = ("numpy", "scipy", "scikit-image", "keras", "tensorflow", "torch")


def evaluate_classification(
    folder: str | Path,
    *,
    classifier: str | Classifier = DEFAULT_CLASSIFIER,
    segmenter: str | Segmenter = DEFAULT_SEGMENTER,
    folders: Collection[str] | None = None,
    ids: Collection[str] | None = None,
    limit: int | None = None,
    progress: Callable[[float], None] | None = None,
    n_resamples: int = 0,
    seed: int = 0,
    details: bool = False,
) -> dict[str, Any]:
    """Segment and classify the labelled fields of a folder and score the answers.

    Parameters
    ----------
    folder : str or Path
        Holds ``fields.csv``; see `organelle_widgets.io.field_table.read_field_table`. Fields without labels are
        left out.
    classifier : str or Classifier
        A registered name or an instance.
    segmenter : str or Segmenter
        A registered name or an instance; finds the cells of every field.
    folders : collection of str, optional
        Only fields of these subfolders.
    ids : collection of str, optional
        Only these fields, for instance those that a classifier has not been trained on.
    limit : int, optional
        At most so many fields, in the table's order.
    progress : callable, optional
        Called with the share done, 0 to 1, after every field; may raise to stop.
    n_resamples : int
        How many times the fields are drawn anew for 95 % intervals, for instance 2000; 0 for none.
    seed : int
        Of the draws.
    details : bool
        Also give what `organelle_widgets.evaluation.classification_details.score_details` names, and ``provenance``,
        see `describe_run`.

    Returns
    -------
    dict
        ``classifier``, ``segmenter``, and the scores of `score_fields`.

    Raises
    ------
    InputError
        If the limit is below 1, the table is unusable, no labelled field is left, or fields can't be read; all of
        them are named.
    SettingsError
        If a backend's name is unknown, or a number of the draws is negative.
    SegmentationError, ClassificationError
        If a backend fails.
    """
    finder, namer = make_segmenter(segmenter), make_classifier(classifier)
    answered = answer_fields(
        folder,
        classifier=namer,
        segmenter=finder,
        folders=folders,
        ids=ids,
        limit=limit,
        progress=progress,
    )
    return score_answers(
        answered, folder, namer, finder, n_resamples=n_resamples, seed=seed, details=details
    )


def score_answers(
    answered: Sequence[ScoredField],
    folder: str | Path,
    classifier: Classifier,
    segmenter: Segmenter,
    *,
    n_resamples: int = 0,
    seed: int = 0,
    details: bool = False,
) -> dict[str, Any]:
    """Score answers that are there already.

    Parameters
    ----------
    answered : sequence of ScoredField
        What `answer_fields` gave.
    folder : str or Path
        Where the fields are; only its name is told.
    classifier, segmenter : Classifier, Segmenter
        What gave the answers.
    n_resamples, seed, details
        As for `evaluate_classification`.

    Returns
    -------
    dict
        As `evaluate_classification` gives it.

    Raises
    ------
    InputError
        If there is no field.
    SettingsError
        If a number of the draws is negative.
    """
    scores = {
        "classifier": classifier.name,
        "segmenter": SEGMENTERS.name_of(type(segmenter)),
        **score_fields(answered, n_resamples=n_resamples, seed=seed),
    }
    if details:
        scores["details"] = score_details(answered)
        scores["provenance"] = describe_run(folder, classifier, segmenter)
    return scores


def answer_fields(
    folder: str | Path,
    *,
    classifier: str | Classifier = DEFAULT_CLASSIFIER,
    segmenter: str | Segmenter = DEFAULT_SEGMENTER,
    folders: Collection[str] | None = None,
    ids: Collection[str] | None = None,
    limit: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[ScoredField]:
    """Segment and classify the labelled fields of a folder.

    Parameters
    ----------
    folder, classifier, segmenter, folders, ids, limit, progress
        As for `evaluate_classification`.

    Returns
    -------
    list of ScoredField
        In the table's order; at least one.

    Raises
    ------
    InputError, SettingsError, SegmentationError, ClassificationError
        As `evaluate_classification` does.
    """
    if limit is not None and limit < 1:
        message = f"Expected a limit of at least 1 field; found {limit}."
        raise InputError(message)
    finder, namer = make_segmenter(segmenter), make_classifier(classifier)
    wanted = set(folders) if folders is not None else None
    rows = [row for row in read_field_table(folder, wanted) if row.labels]
    rows = [row for row in rows if ids is None or row.id in ids][:limit]
    if not rows:
        places = ", ".join(sorted(folders)) if folders else "any folder"
        message = f"Expected labelled fields to score; found none in {places}."
        hint = "Give their classes in the column labels of fields.csv."
        raise InputError(message, source=str(folder), hint=hint)
    _check_readable(rows, str(folder))
    answered = []
    for done, row in enumerate(rows):
        answered.append(_answered(row, row.read(), finder, namer))
        if progress is not None:
            progress((done + 1) / len(rows))
    return answered


def describe_run(
    folder: str | Path, classifier: Classifier, segmenter: Segmenter
) -> dict[str, Any]:
    """How scores came about.

    Parameters
    ----------
    folder : str or Path
        The data; only its name is told.
    classifier : Classifier
        What was scored.
    segmenter : Segmenter
        What found the cells.

    Returns
    -------
    dict
        ``data``, ``created`` (UTC, ISO 8601), ``organelle_widgets``, ``python``, ``packages`` (versions),
        ``classifier`` and ``segmenter`` with settings and checksums of weights, of whose paths only the file's name
        is kept. JSON-serialisable.
    """
    return {
        "data": Path(folder).resolve().name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "organelle_widgets": organelle_widgets.__version__,
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "classifier": _without_places(classifier.provenance()),
        "segmenter": _without_places(segmenter.provenance()),
    }


def _version(package: str) -> str | None:
    """The installed version of a package, without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _without_places(value: Any) -> Any:
    """A copy in which absolute paths are the names of their files: a report travels, folders don't."""
    if isinstance(value, dict):
        return {key: _without_places(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_places(part) for part in value]
    is_place = isinstance(value, Path) or (isinstance(value, str) and Path(value).is_absolute())
    return Path(value).name if is_place else value


def _check_readable(rows: Sequence[FieldRow], folder: str) -> None:
    """Read every field once before the long work, so that one bad file costs seconds and all are named."""
    problems = []
    for row in rows:
        try:
            row.read()
        except InputError as error:
            problems.append(f"{row.id}: {error}")
    if problems:
        message = f"Expected {len(rows)} readable fields; {len(problems)} can't be read: {'; '.join(problems)}."
        raise InputError(
            message, source=folder, hint="Repair the files or take the rows out of fields.csv."
        )


def _answered(row: FieldRow, field: Field, finder: Segmenter, namer: Classifier) -> ScoredField:
    """One field through both backends."""
    with attributed_to(source=row.id):
        masks = finder.segment(field)
        answers = namer.answer(field, masks)
    table = cell_table(masks, field.pixel_size_um)
    return ScoredField(
        labels=row.labels,
        probabilities=answers.probabilities,
        touches_border=table["touches_border"].to_numpy(bool),
        is_fragment=table["is_fragment"].to_numpy(bool),
        strangeness=answers.strangeness,
        cell_ids=table["cell_id"].to_numpy(),
        id=row.id,
        folder=row.folder,
    )
