"""The stability index and the KS distance agree with their definitions and with scipy."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ks_2samp

from agentops_graph.detection.affine import affine_of
from agentops_graph.detection.profile import feature_profile, profile_of
from agentops_graph.detection.psi import aggregate, ks, psi
from agentops_graph.detection.row_scores import row_scores
from agentops_graph.detection.shift import shift_of
from agentops_graph.domain.profile import ReferenceProfile

ANY_COLUMN = arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(
        st.floats(allow_nan=True, allow_infinity=True, width=64), st.integers(-3, 3).map(float)
    ),
)
QUICK = settings(max_examples=80, deadline=None)
AT = datetime(2026, 2, 28, tzinfo=UTC)


@QUICK
@given(ANY_COLUMN, ANY_COLUMN)
def test_the_index_is_never_negative_nor_infinite(reference, current):
    profile = feature_profile(reference)
    value = psi(profile, current)
    assert value >= 0
    assert np.isfinite(value)
    assert 0 <= ks(profile, current) <= 1


@QUICK
@given(ANY_COLUMN)
def test_the_reference_itself_has_no_drift(column):
    assert psi(feature_profile(column), column) == pytest.approx(0, abs=1e-9)


@QUICK
@given(ANY_COLUMN, st.randoms())
def test_the_order_of_rows_does_not_matter(column, random):
    shuffled = np.array(random.sample(column.tolist(), len(column)))
    profile = feature_profile(np.linspace(-2, 2, 50))
    assert feature_profile(shuffled) == feature_profile(column)
    assert psi(profile, shuffled) == psi(profile, column)


@pytest.mark.parametrize("shift", [0.0, 0.3, 2.0])
def test_the_distance_agrees_with_scipy(shift):
    rng = np.random.default_rng(3)
    reference, current = rng.normal(size=5000), rng.normal(shift, size=800)
    wanted = ks_2samp(reference, current).statistic
    assert ks(feature_profile(reference), current) == pytest.approx(wanted, abs=0.012)


def test_the_distance_of_a_column_full_of_one_value_agrees_with_scipy():
    rng = np.random.default_rng(3)
    reference = np.where(rng.random(5000) < 0.6, 0.0, rng.exponential(size=5000))
    current = np.where(rng.random(900) < 0.3, 0.0, rng.exponential(size=900))
    wanted = ks_2samp(reference, current).statistic
    assert ks(feature_profile(reference), current) == pytest.approx(wanted, abs=0.015)


def test_a_constant_column_that_moves_either_way_is_seen():
    profile = feature_profile(np.full(500, 7.0))
    assert psi(profile, np.full(300, 7.0)) == pytest.approx(0, abs=1e-9)
    assert psi(profile, np.full(300, 6.9)) > 5
    assert psi(profile, np.full(300, 7.1)) > 5


def test_missing_values_are_drift_of_their_own():
    rng = np.random.default_rng(1)
    column = rng.normal(size=2000)
    holes = np.where(rng.random(2000) < 0.3, np.nan, column)
    assert psi(feature_profile(column), holes) > 0.5
    assert psi(feature_profile(np.full(9, np.nan)), np.full(20, np.nan)) == 0
    assert psi(feature_profile(np.full(9, np.nan)), column) > 5


def test_infinity_counts_as_missing():
    column = np.linspace(0, 1, 100)
    spoilt = np.append(column, [np.inf, -np.inf])
    assert feature_profile(spoilt).missing == pytest.approx(2 / 102)
    assert psi(feature_profile(column), spoilt) == psi(
        feature_profile(column), np.append(column, [np.nan, np.nan])
    )


def test_an_empty_window_has_no_drift_and_no_distance():
    profile = feature_profile(np.arange(10.0))
    assert psi(profile, np.empty(0)) == ks(profile, np.empty(0)) == 0
    assert aggregate({}) == 0


def test_the_aggregate_is_the_mean_of_the_three_worst():
    assert aggregate({"a": 0.8, "b": 0.6, "c": 0.01, "d": 0.0}) == pytest.approx(1.41 / 3)


def test_a_feature_that_no_longer_arrives_is_all_missing():
    rng = np.random.default_rng(0)
    reference = profile_of(
        "m", "1", {"a": rng.normal(size=500), "b": rng.normal(size=500)}, {"f1": float("nan")}, AT
    )
    assert reference.metrics == {}
    now = {"a": rng.normal(size=500), "new": np.zeros(500)}
    found = shift_of(reference, now, {}, 500).by_feature
    assert list(found) == ["b", "a"]
    assert found["b"] > 5


def test_a_profile_survives_its_way_through_json():
    column = np.random.default_rng(0).lognormal(size=999)
    reference = profile_of("m", "1", {"a": column}, {}, AT)
    assert ReferenceProfile.model_validate_json(reference.model_dump_json()) == reference
    assert psi(reference.features["a"], column) == pytest.approx(0, abs=1e-9)


def test_two_hundred_healthy_rows_never_reach_the_threshold():
    rng = np.random.default_rng(0)
    reference = profile_of("m", "1", {f"V{i}": rng.normal(size=5000) for i in range(29)}, {}, AT)
    worst = 0.0
    for _ in range(200):
        found = shift_of(
            reference, {name: rng.normal(size=200) for name in reference.features}, {}, 200
        )
        worst = max(worst, aggregate(found.by_feature))
        assert len(found.drifted) <= 1
    assert worst < 0.3


def test_row_scores_change_sign_where_the_drift_begins():
    rng = np.random.default_rng(0)
    reference = profile_of("m", "1", {"a": rng.normal(size=5000)}, {}, AT)
    column = np.r_[rng.normal(size=500), rng.normal(0, 3, size=500)]
    scores = row_scores(reference, ["a"], {"a": column}, {}, 1000)
    assert scores[:500].mean() < 0 < scores[500:].mean()


@pytest.mark.parametrize(
    ("scale", "shift", "scaled", "shifted"),
    [(1, 0, False, False), (2.5, 0, True, False), (1, 1.5, False, True), (0.01, 0, True, False)],
)
def test_a_factor_is_told_from_a_shift(scale, shift, scaled, shifted):
    rng = np.random.default_rng(4)
    affine = affine_of(
        feature_profile(rng.normal(5, 1, size=4000)), scale * rng.normal(5, 1, 400) + shift
    )
    assert (affine.is_scaled, affine.is_shifted) == (scaled, shifted)


def test_a_change_of_form_is_neither_factor_nor_shift():
    rng = np.random.default_rng(4)
    affine = affine_of(feature_profile(rng.normal(size=4000)), (rng.random(500) < 0.1) * 1.0)
    assert not affine.is_scaled
    assert not affine.is_shifted
    assert affine_of(feature_profile(np.full(90, 2.0)), rng.normal(size=90)) is None
