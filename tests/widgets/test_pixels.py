from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

from organelle_widgets.core.field import Field
from organelle_widgets.core.masks import Masks
from organelle_widgets.errors import InputError
from organelle_widgets.widgets import _pixels
from organelle_widgets.widgets._pixels import auto_window, display_range, prepare


def undo(data: bytes, shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    """What the browser does: inflate, then a running sum modulo 256."""
    differences = np.frombuffer(zlib.decompress(data), np.uint8)
    return np.cumsum(differences, dtype=np.uint64).astype(np.uint8).reshape(shape)


def random_field(shape: tuple[int, int] = (37, 51), dtype: str = "uint8", **traits: Any) -> Field:
    rng = np.random.default_rng(0)
    return Field(rng.integers(0, 256, (4, *shape)).astype(dtype), **traits)


def test_bytes_hold_the_exact_pixels(disc_field: Field) -> None:
    for channel in prepare(disc_field).channels:
        expected = disc_field.channel(channel.channel.index)
        np.testing.assert_array_equal(undo(channel.full, disc_field.shape), expected)
        assert channel.range == (0, 255)


def test_previews_are_means_of_blocks_and_repeat_an_odd_edge() -> None:
    field = random_field()
    preview = undo(prepare(field).channels[2].preview, (19, 26))
    plane = field.channel("blue").astype(int)
    assert preview[3, 4] == plane[6:8, 8:10].sum() // 4
    assert preview[18, 25] == plane[36, 50]


@pytest.mark.parametrize("top", [1, 65535, 65536])
def test_labels_are_as_wide_as_their_largest_id(top: int) -> None:
    cells = np.zeros((300, 300), np.int32)
    cells[5:40, 7:90] = top
    labels = prepare(random_field((300, 300)), Masks(np.zeros_like(cells), cells)).labels
    assert labels is not None
    assert labels.bits == (16 if top <= 65535 else 32)
    sent = np.frombuffer(zlib.decompress(labels.data), f"<u{labels.bits // 8}").reshape(300, 300)
    np.testing.assert_array_equal(sent, cells)


def test_masks_of_another_shape_are_refused(disc_masks: Masks) -> None:
    with pytest.raises(InputError, match=r"shape \(37, 51\); found \(160, 240\)"):
        prepare(random_field(), disc_masks)


def test_cells_added_later_keep_the_pictures(disc_field: Field, disc_masks: Masks) -> None:
    bare = prepare(disc_field)
    full = bare.with_masks(disc_masks)
    assert bare.labels is None
    assert full.channels is bare.channels
    assert full.serial == bare.serial
    assert full.labels is not None
    assert full.with_masks(None).labels is None
    again = full.with_masks(disc_masks).labels
    assert again is not None
    assert again.serial != full.labels.serial
    assert prepare(disc_field).serial != bare.serial


def test_sixteen_bits_are_spread_over_the_range_that_is_used() -> None:
    plane = np.full((200, 200), 100, np.uint16)
    plane[50:150, 50:150] = 1100
    field = Field(np.stack([plane] * 4))
    channel = prepare(field).channels[1]
    assert channel.range == (100, 1100)
    assert set(np.unique(undo(channel.full, field.shape))) == {0, 255}
    assert 100 <= channel.window[0] < channel.window[1] <= 1100


def test_a_hot_pixel_does_not_eat_the_grey_levels() -> None:
    plane = np.linspace(0, 1000, 250_000).reshape(500, 500).astype(np.uint16)
    plane[3, 3] = 65535
    low, high = display_range(plane)
    assert low == 0
    assert 1000 <= high <= 4000


def test_floats_keep_their_units_and_flat_channels_a_width() -> None:
    pixels = np.zeros((4, 40, 40), np.float32)
    pixels[1, 10:20] = 0.5
    field = Field(pixels)
    protein, nuclei = (prepare(field).channels[i] for i in (1, 2))
    assert protein.range == (0, 0.5)
    assert nuclei.range == (0, 1)
    assert undo(protein.full, field.shape)[15, 0] == 255


def test_the_first_window_leaves_noise_dark_and_bright_channels_unclipped() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 4, (300, 300)).astype(np.uint8)
    assert auto_window(noise) == (0, 16)
    assert auto_window(np.full((9, 9), 255, np.uint8)) == (239, 255)
    low, high = auto_window(rng.integers(20, 200, (300, 300)).astype(np.uint8))
    assert low == pytest.approx(21, abs=2)
    assert high == pytest.approx(199, abs=2)


def test_a_missing_channel_sends_nothing() -> None:
    pixels = random_field().pixels.copy()
    pixels[3] = 0
    er = prepare(Field(pixels, missing=frozenset({"yellow"}))).channels[3]
    assert (er.present, er.preview, er.full) == (False, b"", b"")
    assert er.facts["present"] is False


def test_huge_fields_are_shrunk_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pixels, "MAX_SIDE", 20)
    field = random_field((37, 51), name="huge")
    cells = np.zeros((37, 51), np.int32)
    cells[:, 30:] = 3
    prepared = prepare(field, Masks(np.zeros_like(cells), cells))
    assert (prepared.step, prepared.sent_shape) == (3, (13, 17))
    assert "1/3 of its 51 × 37 pixels" in prepared.note
    shrunk = undo(prepared.channels[0].full, (13, 17))
    assert shrunk[2, 5] == field.pixels[0, 6:9, 15:18].sum(dtype=int) // 9
    assert prepared.labels is not None
    sent = np.frombuffer(zlib.decompress(prepared.labels.data), "<u2").reshape(13, 17)
    np.testing.assert_array_equal(sent, cells[::3, ::3])
    assert prepare(random_field((20, 20))).note == ""


@pytest.mark.data
def test_a_real_field_travels_in_a_third_of_its_bytes(data: Path) -> None:
    base = data / "fields" / "5c27f04c-bb99-11e8-b2b9-ac1f6b6435d0"
    planes = [iio.imread(f"{base}_{key}.png") for key in ("red", "green", "blue", "yellow")]
    field = Field(np.stack(planes))
    prepared = prepare(field)
    np.testing.assert_array_equal(undo(prepared.channels[1].full, field.shape), planes[1])
    assert prepared.n_bytes < field.pixels.nbytes / 3
