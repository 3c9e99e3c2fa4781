"""Progress and cancelling."""

from __future__ import annotations

import pytest

from organelle_widgets.core.monitor import Monitor
from organelle_widgets.errors import Cancelled


def test_parts_are_shares_of_the_whole():
    seen = []
    part = Monitor(lambda step, done: seen.append((step, done))).part("Classifying", 0.5, 0.9)
    part(0)
    part(0.5)
    part(1)
    assert seen == [("Classifying", 0.5), ("Classifying", 0.7), ("Classifying", 0.9)]


def test_fractions_stay_between_zero_and_one():
    seen = []
    monitor = Monitor(lambda step, done: seen.append(done))
    for fraction in (-1, 2):
        monitor.report("x", fraction)
    assert seen == [0, 1]


def test_the_next_report_stops():
    seen = []
    monitor = Monitor(lambda step, done: seen.append(done))
    assert not monitor.cancelled
    monitor.cancel()
    assert monitor.cancelled
    with pytest.raises(Cancelled, match="Stopped on request") as caught:
        monitor.report("Finding cells", 0.5)
    assert caught.value.step == "Finding cells"
    assert seen == []


def test_nobody_needs_to_watch():
    Monitor().part("x", 0, 1)(0.5)
