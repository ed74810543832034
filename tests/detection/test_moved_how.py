"""Features that changed places, moved by whole hours, or broke on every kind of row."""

import numpy as np
import pytest

from agentops_graph.detection.affine import affine_of
from agentops_graph.detection.error_pattern import error_pattern
from agentops_graph.detection.moved_how import hours_moved, spreads_moved, swapped
from agentops_graph.detection.profile import profile_of
from tests.desk import NOON

DICE = np.random.default_rng(4)
COLUMNS = {
    "a": DICE.normal(0, 1, 4000),
    "b": DICE.normal(9, 3, 4000),
    "hours": DICE.gamma(2, 6, 4000),
}
REFERENCE = profile_of("m", "1", COLUMNS, {}, NOON).features
NOW = {name: values[:400] for name, values in COLUMNS.items()}


def test_two_columns_in_each_others_place_are_found():
    mixed = NOW | {"a": NOW["b"], "b": NOW["a"]}
    assert swapped(REFERENCE, mixed, ["a", "b"]) == ("a", "b")


def test_two_features_that_merely_drifted_are_not_called_swapped():
    moved = NOW | {"a": NOW["a"] * 10, "b": NOW["b"] * 10}
    assert swapped(REFERENCE, moved, ["a", "b"]) is None


@pytest.mark.parametrize(
    ("by", "name", "told"), [(7, "hours", 7.0), (-9, "hours", -9.0), (7, "b", None)]
)
def test_only_a_feature_of_time_is_said_to_move_by_hours(by, name, told):
    values = NOW[name] + by
    assert hours_moved(name, affine_of(REFERENCE[name], values), len(values)) == told


def test_a_feature_of_time_in_another_unit_did_not_move_by_hours():
    values = NOW["hours"] * 60
    assert hours_moved("hours", affine_of(REFERENCE["hours"], values), 400) is None


def test_how_far_is_told_in_spreads_of_the_inner_rows():
    assert spreads_moved(REFERENCE["a"], NOW["a"] + 2) == pytest.approx(2.5, abs=0.3)
    assert spreads_moved(REFERENCE["a"], NOW["a"]) < 0.2


def pattern(wrong):
    return error_pattern(
        wrong.astype(float), np.zeros(400), {n: v for n, v in NOW.items()}, of_numbers=False
    )


def test_wrong_labels_fall_on_every_kind_of_row():
    found = pattern(DICE.random(400) < 0.4)
    assert found.is_worse
    assert found.is_everywhere
    assert not found.is_concentrated


def test_a_changed_world_errs_where_a_feature_has_certain_values():
    found = pattern(NOW["b"] > 9)
    assert found.is_concentrated
    assert not found.is_everywhere
    assert found.feature == "b"


def test_a_handful_of_errors_says_nothing():
    assert pattern(np.arange(400) < 20) is None
