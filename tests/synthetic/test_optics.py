"""Recording adds noise of the right size, and digits lose no more than they must."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.synthetic.optics import Exposure, digitise, record

STEADY = Exposure(gain=0.8, photons=200, read_noise=0.5, background=0, black_level=0, uneven=0)


@pytest.mark.parametrize("signal", [0.1, 0.5, 1.0])
def test_mean_and_photon_noise(signal):
    flat = np.full((300, 300), signal, np.float32)
    recorded = record(np.random.default_rng(0), flat, STEADY, 0.08)
    assert recorded.mean() == pytest.approx(0.8 * signal, rel=0.02)
    # neighbours share noise: the three-tap bandwidth leaves (0.84^2 + 2 * 0.08^2) of the spread
    photon = 0.8 * np.sqrt(signal * 200) / 200 * (0.84**2 + 2 * 0.08**2)
    assert recorded.std() == pytest.approx(photon, rel=0.15)


def test_dark_is_black():
    exposure = Exposure(background=0.01, black_level=0.03)
    recorded = record(np.random.default_rng(0), np.zeros((100, 100), np.float32), exposure, 0.08)
    assert np.median(recorded) == 0
    assert recorded.mean() < 0.01


def test_light_may_be_uneven():
    flat = np.full((200, 200), 0.5, np.float32)
    exposure = Exposure(photons=1e5, uneven=0.1)
    recorded = record(np.random.default_rng(0), flat, exposure, 1.0)
    assert recorded[:60].std() + recorded.std() > 0.02


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 65535)])
def test_digits(dtype, top):
    level = np.array([0, 0.5, 1], np.float32)
    found = digitise(level, np.dtype(dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, [0, top / 2, top], atol=0.6)
    assert digitise(level, np.dtype("float32")) is level
