"""The 19 organelle classes of the HPA Single Cell Classification competition.

Indices, names and order are the competition's. The two-letter codes, families and colours are ours: nineteen
classes can't be told apart by colour alone, so a code stands wherever a colour does, and families share a hue.
"""

from __future__ import annotations

from dataclasses import dataclass

from organelle_widgets.errors import InputError

__all__ = [
    "CLASSES",
    "CLASS_NAMES",
    "NEGATIVE",
    "N_CLASSES",
    "OrganelleClass",
    "class_index",
    "parse_labels",
]


@dataclass(frozen=True)
class OrganelleClass:
    """One of the 19 classes.

    Parameters
    ----------
    index : int
        Position in every probability vector, 0 to 18.
    name : str
        The competition's name.
    code : str
        Two letters, unique.
    family : str
        ``nucleus``, ``secretory``, ``cytoskeleton``, ``periphery`` or ``other``.
    color : str
        Display colour ``#RRGGBB``; hues are shared within a family.
    """

    index: int
    name: str
    code: str
    family: str
    color: str

    @property
    def ink(self) -> str:
        """Text colour on `color`, ``#0B0F14`` or ``#FFFFFF``: the one of higher contrast (WCAG 2)."""
        red, green, blue = (int(self.color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
        ]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "#FFFFFF" if luminance < 0.179 else "#0B0F14"


_TABLE = (
    ("Nucleoplasm", "NP", "nucleus", "#5B8FF9"),
    ("Nuclear membrane", "NM", "nucleus", "#5675F4"),
    ("Nucleoli", "NO", "nucleus", "#9C66E6"),
    ("Nucleoli fibrillar center", "FC", "nucleus", "#C77DFF"),
    ("Nuclear speckles", "NS", "nucleus", "#3FB8E8"),
    ("Nuclear bodies", "NB", "nucleus", "#7FA7D9"),
    ("Endoplasmic reticulum", "ER", "secretory", "#3DAA4E"),
    ("Golgi apparatus", "GA", "secretory", "#73D13D"),
    ("Intermediate filaments", "IF", "cytoskeleton", "#FF7A45"),
    ("Actin filaments", "AF", "cytoskeleton", "#F0503C"),
    ("Microtubules", "MT", "cytoskeleton", "#FF9C6E"),
    ("Mitotic spindle", "MS", "cytoskeleton", "#E8608A"),
    ("Centrosome", "CE", "cytoskeleton", "#FF85C0"),
    ("Plasma membrane", "PM", "periphery", "#F2C200"),
    ("Mitochondria", "MI", "periphery", "#D9A441"),
    ("Aggresome", "AG", "secretory", "#13A8A8"),
    ("Cytosol", "CY", "other", "#A3ADBA"),
    ("Vesicles and punctate cytosolic patterns", "VE", "secretory", "#A0D911"),
    ("Negative", "NE", "other", "#7D8794"),
)

CLASSES: tuple[OrganelleClass, ...] = tuple(
    OrganelleClass(index, *row) for index, row in enumerate(_TABLE)
)
"""The classes in the competition's order."""

CLASS_NAMES: tuple[str, ...] = tuple(c.name for c in CLASSES)
N_CLASSES = len(CLASSES)
NEGATIVE = 18
"""Index of `Negative`: no specific protein signal."""


def class_index(name: str | int) -> int:
    """Index of a class given by index, name or two-letter code.

    Parameters
    ----------
    name : str or int
        For instance ``2``, ``"2"``, ``"Nucleoli"`` or ``"NO"``; case does not matter.

    Returns
    -------
    int
        0 to 18.

    Raises
    ------
    InputError
        If nothing fits.
    """
    text = str(name).strip()
    if text.isdecimal() and int(text) < N_CLASSES:
        return int(text)
    for organelle in CLASSES:
        if text.lower() in (organelle.name.lower(), organelle.code.lower()):
            return organelle.index
    message = f"Expected a class index from 0 to {N_CLASSES - 1}, a class name or a two-letter code; found {name!r}."
    raise InputError(
        message, hint="The classes are listed in organelle_widgets.core.labels.CLASSES."
    )


def parse_labels(text: str) -> tuple[int, ...]:
    """Read a label cell of a CSV table, such as ``"0|16"``.

    Parameters
    ----------
    text : str
        Class indices, names or codes with ``|`` between them; empty for none.

    Returns
    -------
    tuple of int
        Sorted class indices, each once.

    Raises
    ------
    InputError
        If a part is not a class.
    """
    return tuple(sorted({class_index(part) for part in text.split("|") if part.strip()}))
