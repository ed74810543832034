"""Profiles of partitions and windows combine to the profile of all their rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentops_graph.detection.categories import category_profile
from agentops_graph.detection.drift import drift_between_profiles, drift_by_feature
from agentops_graph.detection.profile import merged, profile_of
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.errors import InputError

AT = datetime(2026, 2, 28, tzinfo=UTC)
QUICK = settings(max_examples=50, deadline=None)
CELLS = profile_of("m", "1", {"a": np.linspace(-2, 2, 500), "b": np.arange(99.0)}, {}, AT)
NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), max_size=30)


def part(numbers, minute=0):
    column = np.array(numbers, dtype=np.float64)
    table = {"a": column, "b": np.arange(float(len(column)))}
    at = AT + timedelta(minutes=minute)
    return profile_of("m", "1", table, {"f1": minute / 60}, at, like=CELLS)


@QUICK
@given(NUMBERS, NUMBERS, NUMBERS)
def test_it_does_not_matter_which_parts_are_merged_first(first, second, third):
    one, two, three = part(first, 1), part(second, 2), part(third, 3)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))


@QUICK
@given(NUMBERS, NUMBERS)
def test_it_does_not_matter_which_part_came_first(first, second):
    one, two = part(first), part(second)
    assert merged(one, two) == merged(two, one)


@QUICK
@given(NUMBERS, NUMBERS)
def test_merged_parts_are_the_profile_of_all_rows(first, second):
    whole = part(first + second).features["a"]
    assert merged(part(first), part(second)).features["a"] == whole


@QUICK
@given(NUMBERS)
def test_a_part_without_rows_changes_nothing(numbers):
    assert merged(part(numbers), part([])) == part(numbers)


def test_minutes_make_an_hour_that_is_measured_without_its_rows():
    rng = np.random.default_rng(0)
    reference = profile_of("m", "1", {"a": rng.normal(size=5000)}, {}, AT)
    minutes = [rng.normal(0.02 * n, 1, size=50) for n in range(60)]
    hour = profile_of("m", "1", {"a": minutes[0]}, {}, AT, like=reference)
    for minute in minutes[1:]:
        hour = merged(hour, profile_of("m", "1", {"a": minute}, {}, AT, like=reference))
    rows = np.concatenate(minutes)
    assert hour.rows == 3000
    assert drift_between_profiles(reference, hour) == drift_by_feature(reference, {"a": rows})


def test_a_merged_profile_survives_its_way_through_json():
    both = merged(part([1.0, 2.0, float("nan")]), part([3.0]))
    assert ReferenceProfile.model_validate_json(both.model_dump_json()) == both


def test_profiles_over_different_cells_do_not_merge():
    other = profile_of("m", "1", {"a": np.arange(50.0), "b": np.arange(99.0)}, {}, AT)
    with pytest.raises(InputError, match="a: one of the profiles has no cells, or other bins"):
        merged(CELLS, other)
    cells, others = CELLS.features["a"].cells, other.features["a"].cells
    with pytest.raises(InputError, match="like="):
        cells.merged(others)


def test_profiles_of_different_features_do_not_merge():
    with pytest.raises(InputError, match="only one of the profiles has b"):
        merged(CELLS, profile_of("m", "1", {"a": np.arange(5.0)}, {}, AT, like=CELLS))


@QUICK
@given(*[st.lists(st.sampled_from(["de", "fr", "ß", None]), max_size=20)] * 3)
def test_counts_of_categories_merge_in_any_order(first, second, third):
    one, two, three = (category_profile(values) for values in (first, second, third))
    assert one.merged(two).merged(three) == three.merged(one.merged(two))
    assert one.merged(two) == category_profile(first + second)
