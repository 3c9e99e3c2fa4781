"""What the regions around the image views share on the Python side: distrust of the browser.

A browser may send any message and any trait. A region names the traits that a person can set and one handler for each
kind of message; everything else, and everything malformed, is written to the log at level DEBUG and has no effect.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from organelle_widgets.widgets._base import RegionWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Handler = Callable[[dict[str, Any], list[Any]], None]

__all__ = ["PageRegion", "flag_in", "number_in", "text_in", "whole_in"]

logger = logging.getLogger(__name__)

LONGEST_TEXT = 1024
"""Longest text, in characters, that a message from the browser may carry."""


def text_in(
    message: Mapping[str, Any],
    key: str,
    allowed: Collection[Any] | None = None,
    longest: int = LONGEST_TEXT,
) -> str:
    """A text out of a browser's message.

    Parameters
    ----------
    message : mapping
        What the browser sent.
    key : str
        The entry wanted.
    allowed : collection of str, optional
        The only values that may occur.
    longest : int
        Longest text taken, in characters.

    Returns
    -------
    str
        The text.

    Raises
    ------
    TraitError
        If it is missing, of another type, too long or not allowed.
    """
    value = message.get(key)
    if not isinstance(value, str) or len(value) > longest:
        problem = f"{key}: expected a text of up to {longest} characters; found {value!r:.80}."
        raise traitlets.TraitError(problem)
    if allowed is not None and value not in allowed:
        problem = f"{key}: expected one of {list(allowed)!r:.200}; found {value!r:.80}."
        raise traitlets.TraitError(problem)
    return value


def flag_in(message: Mapping[str, Any], key: str) -> bool:
    """A yes or no out of a browser's message.

    Parameters
    ----------
    message : mapping
        What the browser sent.
    key : str
        The entry wanted.

    Returns
    -------
    bool
        The answer.

    Raises
    ------
    TraitError
        If it is missing or of another type.
    """
    value = message.get(key)
    if not isinstance(value, bool):
        problem = f"{key}: expected true or false; found {value!r:.80}."
        raise traitlets.TraitError(problem)
    return value


def number_in(
    message: Mapping[str, Any], key: str, low: float = -math.inf, high: float = math.inf
) -> float:
    """A finite number out of a browser's message.

    Parameters
    ----------
    message : mapping
        What the browser sent.
    key : str
        The entry wanted.
    low, high : float
        The range, ends included.

    Returns
    -------
    float
        The number.

    Raises
    ------
    TraitError
        If it is missing, no number, not finite or out of range.
    """
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        problem = f"{key}: expected a number from {low:g} to {high:g}; found {value!r:.80}."
        raise traitlets.TraitError(problem)
    if isinstance(value, float) and not math.isfinite(value):
        problem = f"{key}: expected a finite number; found {value!r}."
        raise traitlets.TraitError(problem)
    return float(value)


def whole_in(
    message: Mapping[str, Any], key: str, low: float = -math.inf, high: float = math.inf
) -> int:
    """A whole number out of a browser's message; see `number_in`."""
    value = number_in(message, key, low, high)
    if value != int(value):
        problem = f"{key}: expected a whole number; found {value!r}."
        raise traitlets.TraitError(problem)
    return int(value)


class PageRegion(RegionWidget):
    """A region that takes from the browser only what it expects.

    A subclass lists in `browser_sets` the traits that a person may change and returns from `_handlers` one function
    for each ``type`` of message. Handlers raise `traitlets.TraitError` for what is malformed.
    """

    browser_sets: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def set_state(self, sync_data: Any) -> None:
        """Take the traits of `browser_sets` out of what a browser wants to change.

        Parameters
        ----------
        sync_data : dict
            New values by trait name. Values that a trait refuses are put back in the browser.
        """
        if not isinstance(sync_data, dict):
            logger.debug("%r: expected traits by name; found %r.", self, sync_data)
            return
        for name in sorted(map(str, set(sync_data) - self.browser_sets)):
            logger.debug("%r: a browser may not set %r.", self, name)
        wanted = {name: value for name, value in sync_data.items() if name in self.browser_sets}
        if not wanted:
            return
        try:
            super().set_state(wanted)
        except traitlets.TraitError as problem:
            logger.debug("%r: refused a trait: %s", self, problem)
            self.send_state(sorted(wanted))

    def _handlers(self) -> dict[str, Handler]:
        """Function by type of message."""
        return {}

    def _on_message(self, _: Any, content: Any, buffers: Any) -> None:
        """Hand a message to its handler."""
        kind = content.get("type") if isinstance(content, dict) else None
        handler = self._handlers().get(kind) if isinstance(kind, str) else None
        if handler is None:
            logger.debug("%r: ignored a message of unknown type %r.", self, kind)
            return
        try:
            handler(content, list(buffers or ()))
        except traitlets.TraitError as problem:
            logger.debug("%r: ignored a malformed message %r: %s", self, kind, problem)
