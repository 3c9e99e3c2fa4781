"""What every segmentation backend offers, and the checks around it."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from organelle_widgets.core.settings import check_settings, settings_of
from organelle_widgets.errors import SegmentationError, attributed_to
from organelle_widgets.registry import Registry

if TYPE_CHECKING:
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.maps import ProbabilityMaps
    from organelle_widgets.core.masks import Masks

__all__ = ["SEGMENTERS", "MapSegmenter", "Segmenter", "make_segmenter"]


class Segmenter(ABC):
    """Finds nuclei and cells in a field.

    A backend is a frozen dataclass that derives from this class, declares its settings with
    `organelle_widgets.core.settings.setting`, registers with ``@SEGMENTERS.register(name)`` and implements
    `_segment`.

    Raises
    ------
    SettingsError
        On construction, if a setting is out of its range.
    """

    def __post_init__(self) -> None:
        check_settings(self)

    def segment(self, field: Field) -> Masks:
        """Find nuclei and cells.

        Parameters
        ----------
        field : Field
            The field; microtubules or ER may be missing.

        Returns
        -------
        Masks
            Labels of the field's shape; empty masks where there is no cell.

        Raises
        ------
        SegmentationError
            If the backend returns masks that don't fit the field.
        """
        with attributed_to(source=field.name, step="segmentation"):
            return self._checked(field, self._segment(field))

    def _checked(self, field: Field, masks: Masks) -> Masks:
        """The masks, if they fit the field."""
        if masks.shape != field.shape:
            message = (
                f"Expected {type(self).__name__} to return masks of the field's shape {field.shape}; "
                f"found {masks.shape}."
            )
            raise SegmentationError(message)
        return masks

    @abstractmethod
    def _segment(self, field: Field) -> Masks:
        """Find nuclei and cells; the backend's own part."""

    def provenance(self) -> dict[str, Any]:
        """What was used: name, settings and, where there are weights, their sha256."""
        return {"name": SEGMENTERS.name_of(type(self)), "settings": settings_of(self)}


class MapSegmenter(Segmenter):
    """A segmenter in two steps: a network yields probability maps, and cells are outlined in them.

    The maps cost most of the time and are small; whoever keeps them can change thresholds and sizes and have new
    masks at once. A backend implements `_predict` and `_label` in place of `_segment`.

    Attributes
    ----------
    map_settings : tuple of str
        Names of the settings that the maps depend on; the others only matter to `_label`.
    """

    map_settings: ClassVar[tuple[str, ...]] = ()

    @property
    def made_by(self) -> str:
        """What the maps depend on besides the field, as a short text: the backend and a digest."""
        provenance = self.provenance()
        settings = provenance.pop("settings")
        used = {name: settings[name] for name in self.map_settings}
        text = json.dumps([provenance, used], sort_keys=True, default=str)
        return f"{provenance['name']} {hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def predict(self, field: Field) -> ProbabilityMaps:
        """Run the network.

        Parameters
        ----------
        field : Field
            The field; microtubules or ER may be missing.

        Returns
        -------
        ProbabilityMaps
            To be given to `label`, also by another segmenter of equal `made_by`.

        Raises
        ------
        WeightsError
            If the network's weights are missing or damaged.
        SegmentationError
            If the network fails.
        """
        with attributed_to(source=field.name, step="segmentation"):
            return self._predict(field)

    def label(self, field: Field, maps: ProbabilityMaps) -> Masks:
        """Outline nuclei and cells in maps that are there already; no network runs.

        Parameters
        ----------
        field : Field
            The field that the maps are of.
        maps : ProbabilityMaps
            Made by `predict` of a segmenter with equal `made_by`.

        Returns
        -------
        Masks
            Labels of the field's shape.

        Raises
        ------
        SegmentationError
            If the maps are of another field or another network.
        """
        with attributed_to(source=field.name, step="segmentation"):
            if (maps.shape, maps.made_by) != (field.shape, self.made_by):
                message = (
                    f"Expected maps of a field of shape {field.shape} made by {self.made_by!r}; "
                    f"found {maps.shape} made by {maps.made_by!r}."
                )
                raise SegmentationError(message, hint="Run predict on this field first.")
            return self._checked(field, self._label(field, maps))

    def _segment(self, field: Field) -> Masks:
        return self._label(field, self._predict(field))

    @abstractmethod
    def _predict(self, field: Field) -> ProbabilityMaps:
        """Run the network; the backend's own part."""

    @abstractmethod
    def _label(self, field: Field, maps: ProbabilityMaps) -> Masks:
        """Outline nuclei and cells in the maps; the backend's own part."""


SEGMENTERS: Registry[Segmenter] = Registry(
    "segmenter", "organelle_widgets.segmentation", lambda: Segmenter
)
"""All segmentation backends by name."""


def make_segmenter(segmenter: str | Segmenter, **settings: Any) -> Segmenter:
    """A segmenter from its name, or the one given.

    Parameters
    ----------
    segmenter : str or Segmenter
        A registered name or an instance.
    **settings
        Settings for a segmenter made by name.

    Returns
    -------
    Segmenter
        Ready to use.

    Raises
    ------
    SettingsError
        If the name or a setting is wrong, or settings come with an instance.
    BackendUnavailableError
        If its package is not installed.
    """
    return SEGMENTERS.resolve(segmenter, **settings)
