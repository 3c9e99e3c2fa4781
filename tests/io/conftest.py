"""Files for the tests of reading: four planes with a known answer and a writer of HPA-like fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

KEYS = ("red", "green", "blue", "yellow")


@pytest.fixture(scope="session")
def planes() -> NDArray[Any]:
    """Four different noisy planes, uint8, shape (4, 48, 64), in the order red, green, blue, yellow."""
    rng = np.random.default_rng(7)
    return np.stack([rng.integers(0, 180 + 20 * i, (48, 64)) for i in range(4)]).astype(np.uint8)


@pytest.fixture
def write_field(tmp_path: Path, planes: NDArray[Any]) -> Callable[..., dict[str, Path]]:
    """Write one file a channel; planes may be replaced, files left out."""

    def write(
        name: str = "f",
        *,
        ending: str = ".png",
        folder: Path | None = None,
        keys: tuple[str, ...] = KEYS,
        **other: Any,
    ) -> dict[str, Path]:
        folder = folder or tmp_path
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for key in keys:
            files[key] = folder / f"{name}_{key}{ending}"
            Image.fromarray(other.get(key, planes[KEYS.index(key)])).save(files[key])
        return files

    return write
