"""The state of one page: the field shown, its result, the selection, the settings and the work under way."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from psygnal import SignalGroupDescriptor

from organelle_widgets.core.predictions import DEFAULT_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from organelle_widgets.core.field import Field
    from organelle_widgets.core.results import FieldResult
    from organelle_widgets.state.run import RunShown

__all__ = ["Download", "Failure", "Measured", "PageState", "Progress", "Shown"]


@dataclass(frozen=True)
class Progress:
    """Work under way.

    Parameters
    ----------
    step : str
        What is being done, in words.
    fraction : float
        Share done, 0 to 1.
    replaces : bool
        Whether it leads to another result at once: the one on the page is then dimmed.
    """

    step: str
    fraction: float
    replaces: bool = True


@dataclass(frozen=True)
class Download:
    """Model weights that are not here and can be had.

    Parameters
    ----------
    name : str
        Name in the model store.
    title : str
        What a person calls them.
    size_bytes : int or None
        Size of the file; None where nobody says.
    size_is_exact : bool
        Whether it is the size to the byte, or about that.
    licence, licence_url : str
        Terms in short, and where they stand in full; either may be empty.
    source : str
        Who made them.
    """

    name: str
    title: str
    size_bytes: int | None = None
    size_is_exact: bool = True
    licence: str = ""
    licence_url: str = ""
    source: str = ""


@dataclass(frozen=True)
class Failure:
    """What went wrong, for a person.

    Parameters
    ----------
    message : str
        One sentence.
    hint : str
        What to do about it; may be empty and may have several lines.
    downloads : tuple of Download
        What is missing and can be downloaded.
    otherwise : str
        How to go about it where nothing can be downloaded; may be empty and long.
    """

    message: str
    hint: str = ""
    downloads: tuple[Download, ...] = ()
    otherwise: str = ""


@dataclass(frozen=True, eq=False)
class Shown:
    """A field on the page, with its result once there is one, made ready for the views.

    One frozen snapshot: field, result and pictures always belong together.

    Parameters
    ----------
    field : Field
        The field.
    result : FieldResult or None
        None while it is not analysed.
    pictures : object
        The field and its cells encoded for the views, made off the kernel's thread.
    choices : mapping of str to object
        What the result was made with, by the names that `PageState` has for it.
    whole : FieldResult or None
        The result before cells at the border were left out of it.
    origin : object
        What the field was read from, comparable; None where it can't be read again.
    """

    field: Field
    result: FieldResult | None
    pictures: Any
    choices: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    whole: FieldResult | None = None
    origin: Any = None


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of the cells of one result so far.

    Parameters
    ----------
    result : FieldResult
        The result; its measurements say nothing of any other.
    cells : mapping of int to mapping of str to float
        Values by column, see `organelle_widgets.measurements.MEASUREMENTS`, by cell id. A value that a cell does not
        have is NaN.
    """

    result: FieldResult
    cells: Mapping[int, Mapping[str, float]]


@dataclass(eq=False)
class PageState:
    """Everything that one page shows.

    Parameters
    ----------
    shown : Shown or None
        The field on the page.
    sample : str
        Key of the sample shown; empty for a field of the person's own.
    selected : int
        Id of the selected cell, 0 for none.
    measuring : bool
        Whether the person looks at the measurements of the selected cell.
    measured : Measured or None
        What was measured so far.
    threshold : float
        Confidence threshold, 0 to 1.
    segmenter, classifier : str
        Names of the backends chosen.
    settings : dict
        The segmenter's settings that differ from their defaults.
    leave_out : str
        Which cells at the field's edge are left out: ``nothing``, ``fragments`` or ``border``.
    files : dict of str to Path
        The person's own files by channel key; ``all`` for one file with all channels.
    pixel_size_um : float or None
        Given by the person; None to take it from the files.
    progress : Progress or None
        Work under way.
    adjusting : bool
        Whether the result follows a change of settings by itself: quick work, in which the page stays as it is.
    failure : Failure or None
        What went wrong last, until dismissed or overtaken.
    run : RunShown or None
        A run over many fields that is prepared, watched or looked at.
    run_open : bool
        Whether the person looks at it now.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    shown: Shown | None = None
    sample: str = ""
    selected: int = 0
    measuring: bool = False
    measured: Measured | None = None
    threshold: float = DEFAULT_THRESHOLD
    segmenter: str = "unet"
    classifier: str = "organelle"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    leave_out: str = "nothing"
    files: dict[str, Path] = dataclasses.field(default_factory=dict)
    pixel_size_um: float | None = None
    progress: Progress | None = None
    adjusting: bool = False
    failure: Failure | None = None
    run: RunShown | None = None
    run_open: bool = False

    @property
    def field(self) -> Field | None:
        """The field on the page."""
        return self.shown.field if self.shown else None

    @property
    def result(self) -> FieldResult | None:
        """Its result, once there is one."""
        return self.shown.result if self.shown else None

    @property
    def measurements(self) -> Mapping[str, float] | None:
        """What was measured of the selected cell; None while it was not."""
        if self.measured is None or self.measured.result is not self.result:
            return None
        return self.measured.cells.get(self.selected)

    @property
    def outdated(self) -> bool:
        """Whether the result on the page was made with other choices than those of now."""
        if self.result is None or self.shown is None:
            return False
        return any(getattr(self, name) != value for name, value in self.shown.choices.items())

    @property
    def busy(self) -> bool:
        """Whether work is under way."""
        return self.progress is not None
