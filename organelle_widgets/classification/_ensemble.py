"""Several classifiers that answer as one, and the names that stand for them.

Names are read here too: one name, the path of a ``.keras`` file, or several of them with ``+`` between.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.classification._base import CLASSIFIERS, Classifier
from organelle_widgets.core.answers import CellAnswers
from organelle_widgets.core.labels import N_CLASSES
from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["Ensemble", "named_classifier"]

_KERAS = ".keras"


@dataclass(frozen=True)
class Ensemble(Classifier):
    """The mean of what several classifiers say.

    The probability of a class is the mean over the members that know it; a class that one member alone knows keeps
    that one's value. Members answer as they are, each of its own crops: a calibrated member stays calibrated, but the
    mean of two is not fitted to anything again. Embedding, strangeness and classes of its own are those of the first
    member that has them.

    Parameters
    ----------
    members : tuple of Classifier
        At least two, all different.

    Raises
    ------
    SettingsError
        If there are fewer, or the same one twice.
    """

    members: tuple[Classifier, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        others = [member for member in self.members if not isinstance(member, Classifier)]
        if others:
            message = f"Expected classifiers as members of an ensemble; found {others[0]!r}."
            raise SettingsError(message)
        if len(self.members) < 2:
            message = f"Expected two classifiers or more in an ensemble; found {len(self.members)}."
            raise SettingsError(message)
        twice = next((member for member in self.members if self.members.count(member) > 1), None)
        if twice is not None:
            message = f"Expected each classifier once in an ensemble; found {twice.name} twice."
            raise SettingsError(message)

    @property
    def name(self) -> str:
        """The names of all members with ``+`` between them."""
        return "+".join(member.name for member in self.members)

    def answer(
        self, field: Field, masks: Masks, progress: Callable[[float], None] | None = None
    ) -> CellAnswers:
        """Ask every member and put the answers together.

        Parameters
        ----------
        field : Field
            The field.
        masks : Masks
            Its cells.
        progress : callable, optional
            Called with the share done of all members, 0 to 1; may raise to stop.

        Returns
        -------
        CellAnswers
            One row a cell in ascending order of id.

        Raises
        ------
        ClassificationError, InputError, WeightsError, Cancelled
            As a member does; missing weights are told before any member works.
        """
        self.check_ready()
        report = progress or Monitor().part("classification", 0, 1)
        answers = [
            member.answer(field, masks, partial(_part, report, index, len(self.members)))
            for index, member in enumerate(self.members)
        ]
        return _together(answers, [member.known_classes() for member in self.members])

    def known_classes(self) -> NDArray[np.bool_]:
        """All that any member can name."""
        known: NDArray[np.bool_] = np.any([m.known_classes() for m in self.members], axis=0)
        return known

    def check_ready(self) -> None:
        """Raise `WeightsError` where a member can't answer."""
        for member in self.members:
            member.check_ready()

    def _predict(self, crops: NDArray[np.float32]) -> NDArray[np.float32]:
        message = f"Expected a field and its masks; found {len(crops)} crops: every member has its own crops."
        raise SettingsError(message)

    def provenance(self) -> dict[str, Any]:
        """The names of all members, and what each says of itself."""
        members = [member.provenance() for member in self.members]
        return {"name": self.name, "settings": {}, "members": members}


def named_classifier(name: str, **settings: Any) -> Classifier:
    """The classifier, or the ensemble, that a name stands for.

    Parameters
    ----------
    name : str
        A registered name, the path of a ``.keras`` file, or several of them with ``+`` between.
    **settings
        Settings for a classifier made by one name.

    Returns
    -------
    Classifier
        Ready to use.

    Raises
    ------
    SettingsError
        If a part is unknown, empty or there twice, or settings come with several names.
    BackendUnavailableError
        If a package that a part needs is not installed.
    """
    parts = _parts(name)
    if len(parts) == 1:
        return _one(parts[0], settings)
    twice = [part for part, count in Counter(parts).items() if count > 1]
    if twice:
        message = f"Expected each classifier once; found {twice[0]!r} twice in {name!r}."
        raise SettingsError(message)
    if settings:
        message = f"Expected settings only with one classifier's name; found {name!r} and {sorted(settings)}."
        hint = "Make the members with their settings and put them into an Ensemble."
        raise SettingsError(message, hint=hint)
    return Ensemble(tuple(_one(part, {}) for part in parts))


def _parts(name: str) -> list[str]:
    """The names in a name; a ``+`` in the path of a file that is there does not divide it."""
    if "+" not in name or (name.endswith(_KERAS) and Path(name).is_file()):
        return [name]
    parts = [part.strip() for part in name.split("+")]
    if not all(parts):
        known = ", ".join(CLASSIFIERS.names())
        message = f"Expected a classifier on both sides of every +, out of {known}; found {name!r}."
        raise SettingsError(message)
    return parts


def _one(name: str, settings: dict[str, Any]) -> Classifier:
    """A classifier by its name or by the path of its file."""
    if name.endswith(_KERAS):
        backend = "organelle" if _trained_here(Path(name)) else "keras_file"
        return CLASSIFIERS.create(backend, **{"weights": name, **settings})
    return CLASSIFIERS.create(name, **settings)


def _trained_here(path: Path) -> bool:
    """Whether the JSON beside weights is a model card of ``organelle-widgets train classification``."""
    try:
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(card, dict) and {"sha256", "crop", "training"} <= set(card)


def _part(report: Callable[[float], None], index: int, total: int, share: float) -> None:
    """Tell the progress of one member as that of all."""
    report((index + share) / total)


def _first(values: Iterable[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    """The first that is there."""
    return next((value for value in values if value is not None), None)


def _together(answers: Sequence[CellAnswers], known: Sequence[NDArray[np.bool_]]) -> CellAnswers:
    """The mean where several know a class, and the first of whatever else there is."""
    weight = np.stack(known).astype(np.float32)[:, None, :]
    said = np.stack([one.probabilities for one in answers])
    mean = (said * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
    with_own = next((one for one in answers if one.own_probabilities is not None), None)
    return CellAnswers(
        mean.reshape(-1, N_CLASSES),
        _first(one.embedding for one in answers),
        _first(one.strangeness for one in answers),
        with_own.own_probabilities if with_own else None,
        with_own.own_classes if with_own else (),
    )
