"""Drift measures agree with scipy as their docstrings say, and bad columns have an answer."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from agentops_graph.detection.cells import BLOCK, SHORT, counted
from agentops_graph.detection.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    stability_index,
    wasserstein,
)
from agentops_graph.detection.drift import drift_between_profiles, drift_by_feature, drift_of
from agentops_graph.detection.profile import feature_profile, profile_of
from agentops_graph.detection.psi import bin_shares, psi, reference_shares
from agentops_graph.domain.profile import FeatureProfile
from agentops_graph.errors import InputError

AT = datetime(2026, 2, 28, tzinfo=UTC)
QUICK = settings(max_examples=60, deadline=None)
ANY_COLUMN = arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(
        st.floats(allow_nan=True, allow_infinity=True, width=64), st.integers(-3, 3).map(float)
    ),
)
SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "lognormal": lambda rng, n: rng.lognormal(0, 2, size=n),
    "very skewed": lambda rng, n: rng.lognormal(0, 8, size=n),
    "cauchy": lambda rng, n: rng.standard_cauchy(size=n),
    "far from zero": lambda rng, n: 1.7e9 + rng.normal(size=n),
    "zero-inflated": lambda rng, n: np.where(rng.random(n) < 0.6, 0.0, rng.exponential(size=n)),
    "whole numbers": lambda rng, n: rng.integers(0, 12, size=n).astype(float),
    "with holes": lambda rng, n: np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
}


@QUICK
@given(ANY_COLUMN, ANY_COLUMN)
def test_every_row_is_in_the_cell_that_a_binary_search_finds(reference, current):
    cells = feature_profile(reference).cells
    current = np.resize(current, SHORT * 3)
    found = counted(cells.edges, current)
    finite = current[np.isfinite(current)]
    wanted = np.bincount(
        np.searchsorted(np.array(cells.edges), finite), minlength=len(cells.edges) + 1
    )
    assert list(found.counts) == wanted.tolist()
    assert found.rows == len(current)


@pytest.mark.parametrize("shape", SHAPES)
def test_long_columns_of_any_shape_are_counted_exactly(shape):
    values = SHAPES[shape](np.random.default_rng(1), 2 * BLOCK + 77)
    cells = feature_profile(values).cells
    finite = values[np.isfinite(values)]
    wanted = np.bincount(
        np.searchsorted(np.array(cells.edges), finite), minlength=len(cells.edges) + 1
    )
    assert list(cells.counts) == wanted.tolist()
    assert (cells.low, cells.high) == (finite.min(), finite.max())


@QUICK
@given(ANY_COLUMN, ANY_COLUMN)
def test_measures_stay_in_their_range_whatever_the_numbers(reference, current):
    found = drift_of(feature_profile(reference), current)
    assert 0 <= found.psi < np.inf
    assert 0 <= found.ks <= 1
    assert 0 <= found.js <= 1
    assert 0 <= found.wasserstein < np.inf
    assert -1 <= found.missing_shift <= 1


@QUICK
@given(ANY_COLUMN, ANY_COLUMN)
def test_the_index_is_the_same_from_cells_and_from_values(reference, current):
    profile = feature_profile(reference)
    assert drift_of(profile, current).psi == pytest.approx(psi(profile, current), abs=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_ks_distance_is_within_a_hundredth_of_scipys(shape):
    rng = np.random.default_rng(2)
    reference, current = SHAPES[shape](rng, 60_000), 1.3 * SHAPES[shape](rng, 4000)
    wanted = ks_2samp(reference[np.isfinite(reference)], current[np.isfinite(current)]).statistic
    assert drift_of(feature_profile(reference), current).ks == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("shape", ["normal", "far from zero", "zero-inflated"])
def test_the_earth_movers_distance_is_within_a_twentieth_of_scipys(shape):
    rng = np.random.default_rng(2)
    reference, current = SHAPES[shape](rng, 20_000), 0.7 + SHAPES[shape](rng, 4000)
    wanted = wasserstein_distance(reference, current)
    found = drift_of(feature_profile(reference), current).wasserstein
    assert found == pytest.approx(wanted, rel=0.05)


def test_the_earth_movers_distance_of_whole_numbers_is_within_their_distance():
    rng = np.random.default_rng(2)
    reference, current = rng.integers(0, 12, 20_000) + 0.0, rng.integers(0, 12, 4000) + 3.0
    wanted = wasserstein_distance(reference, current)
    found = drift_of(feature_profile(reference), current).wasserstein
    assert found == pytest.approx(wanted, abs=1)


def test_one_absurd_value_does_not_drown_the_earth_movers_distance():
    rng = np.random.default_rng(2)
    profile = feature_profile(rng.normal(size=5000))
    calm = drift_of(profile, rng.normal(size=5000)).wasserstein
    assert drift_of(profile, np.append(rng.normal(size=5000), 1e12)).wasserstein < calm + 0.1


@QUICK
@given(st.integers(0, 2**31), st.integers(2, 30))
def test_jensen_shannon_is_scipys(seed, bins):
    counts = np.random.default_rng(seed).integers(0, 50, size=(2, bins)).astype(float)
    counts[:, 0] += 1
    assert jensen_shannon(counts[0], counts[1]) == pytest.approx(
        jensenshannon(counts[0], counts[1], base=2), abs=1e-9
    )


def test_many_features_are_measured_in_one_call():
    rng = np.random.default_rng(0)
    before, now = rng.integers(1, 99, size=(2, 7, 10)).astype(float)
    for measure in (stability_index, jensen_shannon, kolmogorov_smirnov):
        apart = [float(measure(b, n)) for b, n in zip(before, now, strict=True)]
        assert measure(before, now).tolist() == pytest.approx(apart)


def test_the_area_between_crossing_distributions_is_the_two_triangles():
    narrow, wide = np.array([1.0]), np.array([1.0])
    ends = np.array([-1.0, 1.0]), np.array([-2.0, 2.0])
    assert wasserstein(narrow, wide, *ends) == pytest.approx(0.5)


def test_an_empty_window_is_no_drift():
    found = drift_of(feature_profile(np.arange(100.0)), np.empty(0))
    assert (found.psi, found.ks, found.js, found.wasserstein, found.missing_shift) == (0,) * 5


def test_an_empty_reference_is_drift_of_nothing():
    found = drift_of(feature_profile(np.empty(0)), np.arange(5.0))
    assert (found.psi, found.ks, found.js, found.wasserstein) == (0,) * 4


def test_a_constant_column_that_moves_is_wholly_apart():
    found = drift_of(feature_profile(np.full(300, 7.0)), np.full(50, 9.0))
    assert found.ks == found.js == 1
    assert found.psi > 5
    assert found.wasserstein == pytest.approx(2.0)


def test_an_all_null_window_says_so():
    found = drift_of(feature_profile(np.arange(100.0)), np.full(50, np.nan))
    assert found.missing_shift == 1
    assert found.psi > 5
    assert found.js == 1
    assert found.ks == found.wasserstein == 0


def test_infinities_are_missing_values():
    found = drift_of(feature_profile(np.arange(100.0)), np.append(np.arange(98.0), [np.inf] * 98))
    assert found.missing_shift == pytest.approx(0.5)


def test_one_row_is_measured():
    found = drift_of(feature_profile(np.arange(100.0)), np.array([50.0]))
    assert 0 < found.ks < 1


def test_a_column_of_text_is_refused_by_name():
    reference = profile_of("m", "1", {"größe ✓": np.arange(9.0)}, {}, AT)
    with pytest.raises(InputError, match=r"größe ✓: .*profile it as categories"):
        drift_by_feature(reference, {"größe ✓": np.array(["a", 1.5], dtype=object)})


def test_numbers_of_other_types_count_as_floats():
    profile = feature_profile(np.arange(100.0))
    for kind in (np.int32, np.float32, np.uint8):
        assert drift_of(profile, np.arange(100).astype(kind)).ks == 0


@pytest.mark.slow
def test_ten_thousand_columns_are_measured_one_by_one():
    rng = np.random.default_rng(0)
    column = rng.normal(size=40)
    names = [f"c{i}" for i in range(10_000)]
    one = profile_of("m", "1", {"c": column}, {}, AT)
    features = dict.fromkeys(names, one.features["c"])
    table = dict.fromkeys(names, column) | {"c7777": column + 9}
    found = drift_by_feature(one.model_copy(update={"features": features}), table)
    assert len(found) == 10_000
    assert [name for name, drift in found.items() if drift.psi > 1e-9] == ["c7777"]


def test_threads_and_one_thread_find_the_same():
    rng = np.random.default_rng(0)
    table = {f"c{i}": rng.normal(size=300_000) for i in range(4)}
    moved = table | {"c2": table["c2"] * 2, "c1": table["c1"] + 0.1}
    reference = profile_of("m", "1", table, {}, AT)
    found = drift_by_feature(reference, moved)
    assert list(found) == ["c2", "c1", "c0", "c3"]
    assert found == {name: drift_of(reference.features[name], moved[name]) for name in moved}


def test_a_sample_places_edges_but_every_row_is_counted():
    values = np.random.default_rng(5).lognormal(size=200_000)
    profile = feature_profile(values)
    assert sum(profile.cells.counts) == 200_000
    assert profile.shares == pytest.approx([0.1] * 10, abs=0.006)
    wanted = np.quantile(values, np.linspace(0, 1, 101))
    assert profile.quantiles[1:-1] == pytest.approx(wanted[1:-1], rel=0.03)
    assert (profile.quantiles[0], profile.quantiles[-1]) == (values.min(), values.max())


def test_a_profile_stored_before_there_were_cells_is_still_measured_against():
    rng = np.random.default_rng(0)
    column, now = rng.normal(size=5000), rng.normal(0.5, 1, size=2000)
    newer = feature_profile(column)
    old = FeatureProfile.model_validate_json(newer.model_dump_json(exclude={"cells"}))
    assert old.cells is None
    before, after = drift_of(old, now), drift_of(newer, now)
    assert before.wasserstein is None
    assert before.psi == pytest.approx(after.psi, abs=1e-9)
    assert before.js == pytest.approx(after.js, abs=1e-9)
    assert before.ks == pytest.approx(after.ks, abs=0.012)
    assert before.js == pytest.approx(
        jensenshannon(reference_shares(old), bin_shares(old, now), base=2), abs=1e-9
    )


def test_a_window_that_was_counted_before_gives_the_same_figures():
    rng = np.random.default_rng(0)
    reference = profile_of("m", "1", {"a": rng.normal(size=900), "b": rng.normal(size=900)}, {}, AT)
    now = {"a": rng.normal(1, 1, size=400), "new": np.zeros(400)}
    current = profile_of("m", "2", now, {}, AT, like=reference)
    assert drift_between_profiles(reference, current) == drift_by_feature(reference, now)
    assert drift_between_profiles(reference, current)["b"].missing_shift == 1
