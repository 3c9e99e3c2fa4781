"""Running the command line in this process, and a field on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import pytest

from organelle_widgets.cli import main
from organelle_widgets.synthetic import virtual_field

CHANNELS = ("red", "green", "blue", "yellow")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs ``organelle-widgets`` with words; gives the exit code, standard output and standard error."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture(scope="session")
def field_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one virtual field as four PNG."""
    folder = tmp_path_factory.mktemp("fields")
    field = virtual_field((256, 320), seed=4, pixel_size_um=0.32, classes=(0,)).field
    for channel in CHANNELS:
        iio.imwrite(folder / f"well B2_{channel}.png", field.channel(channel))
    return folder
