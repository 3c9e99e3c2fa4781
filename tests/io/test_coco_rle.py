"""Masks as text: by hand, there and back, and every kind of damage."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.io.coco_rle import decode_mask, encode_labels, encode_mask, read_runs


def packed(counts: bytes) -> str:
    return base64.b64encode(zlib.compress(counts)).decode()


def unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def test_columns_are_read_from_the_top() -> None:
    mask = np.array([[0, 1, 1], [1, 1, 0]])  # columns 01 11 10: one off, four on, one off
    assert unpacked(encode_mask(mask)) == b"141"
    np.testing.assert_array_equal(decode_mask(packed(b"141"), (2, 3)), mask.astype(bool))


@pytest.mark.parametrize(
    ("mask", "counts"),
    [
        (np.zeros((3, 5)), b"?"),  # 15 = 01111 with the sign bit clear: one group
        (np.zeros((4, 4)), b"`0"),  # 16 = 10000 would look negative: a group of nothing follows
        (np.ones((2, 3)), b"06"),  # background of length 0 first
        # 1 2 3 4 1: from the fourth on the difference to the one two before: 4 - 2 = 2, 1 - 3 = -2 = 11110
        (np.array([[0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0]]), b"1232N"),
    ],
)
def test_lengths_by_hand(mask: np.ndarray, counts: bytes) -> None:
    assert unpacked(encode_mask(mask)) == counts
    np.testing.assert_array_equal(decode_mask(packed(counts), mask.shape), mask > 0)


@pytest.mark.parametrize("seed", range(6))
def test_there_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 90, 2).tolist())
    mask = rng.random(shape) < rng.random()
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), shape), mask)
    assert read_runs(encode_mask(mask), shape).area == mask.sum()


def test_a_large_mask_comes_back() -> None:
    rows, cols = np.mgrid[:1728, :2048]
    mask = np.hypot(rows - 900, cols - 1000) < 700
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), mask.shape), mask)


def test_runs_that_touch_are_one() -> None:
    runs = read_runs(packed(b"1200"), (1, 5))  # 1 off, 2 on, 0 off, 0 + 2 on
    assert runs.area == 4
    assert (runs.starts.tolist(), runs.stops.tolist()) == ([1], [5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no base64!", "a mask in base64; found 'no base64!'"),
        (base64.b64encode(b"141").decode(), "packed by zlib within base64"),
        (packed(b""), "COCO run lengths; found ''"),
        (packed(b"14a"), "COCO run lengths; found '14a'"),  # the last group says that one follows
        (packed(b"1 1"), "COCO run lengths; found '1 1'"),  # a blank is no group
        (packed(b"o" * 9 + b"0"), "run lengths of up to 40 bits; found one of 50"),
        (packed(b"1O"), "0 or more; found -1"),  # 11111 is -1
        (packed(b"14"), "3 x 2 = 6 pixels; found one of 5"),
        (encode_mask(np.ones((3, 3))), "3 x 2 = 6 pixels; found one of 9"),
    ],
)
def test_damage_is_told(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decode_mask(text, (2, 3))


@pytest.mark.parametrize("shape", [(3,), (0, 4), (1, 2, 3)])
def test_only_planes_are_written(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="Expected a mask of shape"):
        encode_mask(np.ones(shape))


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (40, 33)])
def test_labels_are_written_as_their_masks(shape: tuple[int, int]) -> None:
    labels = np.random.default_rng(1).integers(0, 4, shape) * 3
    labels[0, 0] = labels[-1, -1] = 6  # runs at both ends
    texts = encode_labels(labels)
    assert list(texts) == sorted(set(labels[labels > 0].tolist()))
    for key, text in texts.items():
        assert text == encode_mask(labels == key)
        np.testing.assert_array_equal(decode_mask(text, shape), labels == key)


def test_no_labels_no_texts() -> None:
    assert encode_labels(np.zeros((3, 4), int)) == {}
    with pytest.raises(InputError, match=r"Expected labels of shape \(Y, X\); found shape \(4,\)"):
        encode_labels(np.ones(4, int))
