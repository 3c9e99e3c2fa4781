"""Settings of the segmenter as words of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.cli._segmenter import add_segmenter, chosen_segmenter
from organelle_widgets.errors import SettingsError
from organelle_widgets.segmentation import Segmenter


def chosen(*words: str) -> Segmenter:
    parser = argparse.ArgumentParser()
    add_segmenter(parser)
    return chosen_segmenter(parser.parse_args(words))


def test_values_take_the_type_of_the_setting() -> None:
    segmenter = chosen(
        *("--segmenter", "watershed"),
        *("--segmenter-setting", "min_cell_area_um2=50"),
        *("--segmenter-setting", "cell_threshold = 0.3"),
    )
    assert segmenter.min_cell_area_um2 == 50.0
    assert segmenter.cell_threshold == 0.3
    assert segmenter.nucleus_threshold == 0.5


def test_text_may_hold_an_equals_sign_and_settings_off_the_page_are_reached() -> None:
    words = ["cells=a={name}.png", "folder=/masks"]
    segmenter = chosen(
        "--segmenter", "from_masks", *(w for word in words for w in ("--segmenter-setting", word))
    )
    assert (segmenter.cells, segmenter.folder) == ("a={name}.png", "/masks")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cell_threshold"], "--segmenter-setting NAME=VALUE; found 'cell_threshold'"),
        (["=3"], "found '=3'"),
        (["cell_threshold=much"], "cell_threshold: expected a number; found 'much'"),
        (["cell_threshold=7"], "cell_threshold: expected 0.02 to 0.9; found 7"),
        (["cell_threshold=nan"], "cell_threshold: expected a finite number"),
        (["colour=red"], "'watershed' has no setting colour; it has"),
        (["cell_threshold=0.2", "cell_threshold=0.3"], "cell_threshold once; found it twice"),
    ],
)
def test_wrong_settings_are_explained(words: list[str], said: str) -> None:
    flags = [part for word in words for part in ("--segmenter-setting", word)]
    with pytest.raises(SettingsError, match=said):
        chosen("--segmenter", "watershed", *flags)


def test_masks_of_ones_own_are_scored_from_the_command_line(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    cells = np.zeros((64, 96), np.uint8)
    cells[10:30, 10:40], cells[35:60, 50:90] = 1, 2
    (tmp_path / "a").mkdir()
    for kind in ("red", "green", "blue", "yellow", "cellmask", "mine"):
        iio.imwrite(tmp_path / "a" / f"f_{kind}.png", cells)
    (tmp_path / "fields.csv").write_text(
        "id,folder,height,width,pixel_size_um,labels,has_cellmask\nf,a,64,96,0.32,0,1\n"
    )
    score = ("evaluate", "segmentation", tmp_path, "--segmenter", "from_masks")
    code, out, err = command(*score, "--segmenter-setting", "cells={name}_mine.png")
    assert code == 0, err
    assert out.splitlines()[-1].split()[:5] == ["mean", "2.000", "2.000", "1.000", "1.000"]
    code, _, err = command(*score, "--segmenter-setting", "cells=/f_mine.png")
    assert code == 2
    assert "below the folder" in err
