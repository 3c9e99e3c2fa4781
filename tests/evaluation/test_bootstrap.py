"""Draws of fields: their counts, their reproducibility, and intervals that can be checked otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from organelle_widgets.errors import SettingsError
from organelle_widgets.evaluation.bootstrap import draws, percentile_interval, resampled


def mean_of(values):
    return lambda weights: {"mean": weights @ values / weights.sum(axis=1)}


def test_every_draw_takes_as_many_as_there_are():
    taken = np.concatenate(list(draws(7, 150, seed=1)))
    assert taken.shape == (150, 7)
    assert (taken.sum(axis=1) == 7).all()
    assert (taken == 0).any()
    assert taken.mean() == 1.0


def test_the_seed_decides():
    once, again, other = (np.concatenate(list(draws(9, 70, seed=s))) for s in (3, 3, 4))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


def test_the_spread_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(5, 2, 400)
    spread = resampled(mean_of(values), 400, 3000)["mean"]
    assert spread.shape == (3000,)
    assert spread.std() == pytest.approx(values.std() / 20, rel=0.06)
    low, high = percentile_interval(spread)
    assert low == pytest.approx(values.mean() - 1.96 * values.std() / 20, abs=0.03)
    assert high == pytest.approx(values.mean() + 1.96 * values.std() / 20, abs=0.03)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        values = (rng.random(60) < 0.6).astype(float)
        low, high = percentile_interval(resampled(mean_of(values), 60, 300, seed)["mean"])
        covered += low <= 0.6 <= high
    assert 0.89 <= covered / 200 <= 0.99


def test_what_half_of_the_draws_lack_has_no_interval():
    values = np.column_stack([np.arange(10.0), np.full(10, np.nan), np.arange(10.0)])
    values[:6, 2] = np.nan
    ends = percentile_interval(values, 0.8)
    np.testing.assert_allclose(ends[:, 0], [0.9, 8.1])
    assert np.isnan(ends[:, 1:]).all()


@pytest.mark.parametrize(("n", "times", "seed"), [(0, 5, 0), (5, -1, 0), (5, 5, -1)])
def test_impossible_draws_are_refused(n, times, seed):
    with pytest.raises(SettingsError, match=f"{n} samples, {times} draws, seed {seed}"):
        next(draws(n, times, seed))


def test_nothing_drawn_is_no_bootstrap():
    with pytest.raises(SettingsError, match="at least 1 draw; found 0"):
        resampled(mean_of(np.zeros(3)), 3, 0)
    with pytest.raises(SettingsError, match="above 0 and below 1; found 1"):
        percentile_interval(np.zeros(3), 1)
