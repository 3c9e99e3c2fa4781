"""Hand-made cells whose measurements are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.measurements import measure_cells

Drawing = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Scene:
    """One round cell of 15 um radius with a nucleus of 6 um in its middle, in a square of 48 um.

    The middle lies on a corner of pixels, so that the same scene can be drawn at any pixel size.
    """

    def __init__(
        self, pixel_size_um: float = 0.08, nucleus_um: float = 6.0, cell_um: float = 15.0
    ) -> None:
        self.size = pixel_size_um
        n = round(48 / pixel_size_um)
        centres = (np.arange(n) + 0.5) * pixel_size_um - 24
        self.row_um, self.col_um = np.meshgrid(centres, centres, indexing="ij")
        self.distance_um = np.hypot(self.row_um, self.col_um)
        self.cell = self.distance_um < cell_um
        self.nucleus = self.distance_um < nucleus_um
        self.masks = Masks(self.nucleus.astype(np.int32), self.cell.astype(np.int32))

    def field(self, protein, dtype=np.float32, **channels) -> Field:
        """A field with this protein, and nuclei unless other channels are given."""
        planes = [np.zeros_like(self.distance_um) for _ in range(4)]
        planes[1] = np.asarray(protein, float)
        planes[2] = self.nucleus * 0.5
        for key, plane in channels.items():
            planes[("red", "green", "blue", "yellow").index(key)] = plane
        missing = frozenset({"red", "yellow"} - set(channels))
        return Field(np.stack(planes).astype(dtype), "scene", self.size, "given", missing)

    def measure(self, protein, dtype=np.float32, **channels):
        """The one row of its table."""
        return measure_cells(self.field(protein, dtype, **channels), self.masks).iloc[0]

    def blobs(self, places, sigma_um: float = 0.3) -> np.ndarray:
        """Gaussian blobs of height 1 at places given in um from the middle."""
        plane = np.zeros_like(self.distance_um)
        for row, col in places:
            squared = (self.row_um - row) ** 2 + (self.col_um - col) ** 2
            plane += np.exp(-squared / (2 * sigma_um**2))
        return plane


@pytest.fixture(scope="session")
def scene() -> Scene:
    """At 0.08 um per pixel."""
    return Scene()


@pytest.fixture(scope="session", params=[0.08, 0.16, 0.32])
def any_scene(request) -> Scene:
    """At three pixel sizes."""
    return Scene(request.param)


@pytest.fixture(scope="session")
def make_scene() -> type[Scene]:
    """The class itself, for other sizes."""
    return Scene
