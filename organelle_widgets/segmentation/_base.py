"""What every segmentation backend offers, and the checks around it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from organelle_widgets.core.settings import check_settings, settings_of
from organelle_widgets.errors import SegmentationError, attributed_to
from organelle_widgets.registry import Registry

if TYPE_CHECKING:
    from organelle_widgets.core.field import Field
    from organelle_widgets.core.masks import Masks

__all__ = ["SEGMENTERS", "Segmenter", "make_segmenter"]


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
            masks = self._segment(field)
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
