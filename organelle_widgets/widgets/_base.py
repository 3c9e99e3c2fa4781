"""The base of the page's regions: one JavaScript module and one style sheet each, plus the shared ones.

Widgets show what state holds and report what the person did; they never compute.
"""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

from organelle_widgets.core.labels import CLASSES

__all__ = ["CLASS_LIST", "RegionWidget", "front_end"]

STATIC = Path(__file__).parent / "static"

CLASS_LIST: list[dict[str, object]] = [
    {
        "index": c.index,
        "name": c.name,
        "code": c.code,
        "family": c.family,
        "color": c.color,
        "ink": c.ink,
    }
    for c in CLASSES
]
"""The 19 classes as the front end gets them."""


def front_end(*names: str, suffix: str) -> str:
    """Join files of ``static/`` into one text.

    Parameters
    ----------
    *names : str
        File names without suffix, in order; functions of the first are known to the next.
    suffix : str
        ``".js"`` or ``".css"``.

    Returns
    -------
    str
        One ES module or one style sheet.
    """
    return "\n".join((STATIC / f"{name}{suffix}").read_text("utf-8") for name in names)


class RegionWidget(anywidget.AnyWidget):
    """One region of the page.

    A subclass sets ``_esm = front_end("dom", "its_name", suffix=".js")`` and
    ``_css = front_end("theme", "its_name", suffix=".css")``.
    """

    classes = traitlets.List(CLASS_LIST, read_only=True).tag(sync=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
