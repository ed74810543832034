"""What moved is named when it matters and is no chance; a healthy window stays quiet."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from agentops_graph.detection.drift import drift_by_feature
from agentops_graph.detection.profile import merged, profile_of
from agentops_graph.detection.psi import aggregate
from agentops_graph.detection.row_scores import row_scores
from agentops_graph.detection.shift import (
    beyond_chance,
    chance_of,
    numbers_only,
    output_shift,
    shift_of,
    words_only,
)
from agentops_graph.detection.shift_triggers import (
    missing_rise,
    moved_apart,
    output_drift,
    unseen_categories,
)
from agentops_graph.detection.together import pairs_of
from agentops_graph.detection.triggers import Window
from agentops_graph.domain.component import Component
from agentops_graph.domain.profile import ReferenceProfile

NOW = datetime(2026, 2, 28, 14, tzinfo=UTC)
WINDOW = Window(Component(name="churn"), NOW - timedelta(hours=1), NOW)


def words(rng, rows, shares):
    return rng.choice(list(shares), rows, p=list(shares.values())).astype(object)


def drawn(rng, rows):
    """Eight features of many forms, some moving together, and three categorical ones."""
    mixed = rng.normal(size=(rows, 8)) @ (np.eye(8) + 0.4 * np.eye(8, k=1))
    mixed[:, 0] = np.exp(mixed[:, 0])
    mixed[:, 1] = np.round(mixed[:, 1])
    mixed[rng.random(rows) < 0.7, 2] = 0
    mixed[rng.random(rows) < 0.05, 3] = np.nan
    tail = [f"shop {n % 3000}" for n in rng.zipf(1.6, rows)]
    return {f"n{i}": mixed[:, i] for i in range(8)}, {
        "country": words(rng, rows, {"DE": 0.5, "FR": 0.3, "AT": 0.19, "CH": 0.01}),
        "shop": np.array(tail, dtype=object),
        "even": words(rng, rows, {f"c{n}": 1 / 200 for n in range(200)}),
    }


def reference_of(rng, rows=6000):
    numbers, categories = drawn(rng, rows)
    outputs = {"prediction": (rng.random(rows) < 0.1) * 1.0}
    return profile_of("churn", "1", numbers, {}, NOW, categories=categories, outputs=outputs)


@pytest.mark.parametrize(("before", "rows"), [(6000, 200), (6000, 1500), (900, 300)])
def test_healthy_windows_stay_quiet(before, rows):
    rng = np.random.default_rng(before + rows)
    reference = reference_of(rng, before)
    named = 0
    for _ in range(40):
        numbers, categories = drawn(rng, rows)
        shift = shift_of(reference, numbers, categories, rows)
        named += bool(shift.drifted)
        assert aggregate(shift.by_feature) < WINDOW.component.thresholds.aggregate_psi
        assert missing_rise(WINDOW, shift) is None
        assert unseen_categories(WINDOW, reference, shift) is None
        assert moved_apart(WINDOW, pairs_of(reference.together, numbers), {}) is None
        calls = (rng.random(rows) < 0.1) * 1.0
        found = output_shift(reference.outputs["prediction"], calls, before)
        assert output_drift(WINDOW, "prediction", *found, rows) is None
    assert named == 0


def test_the_index_is_the_one_of_the_full_measure():
    rng = np.random.default_rng(1)
    reference, (now, _) = reference_of(rng), drawn(rng, 900)
    found = shift_of(reference, now, {}, 900).by_feature
    for name, drift in drift_by_feature(reference, now).items():
        assert found[name] == pytest.approx(drift.psi, abs=1e-12)


def test_only_the_feature_that_moved_is_named():
    rng = np.random.default_rng(2)
    reference, (now, categories) = reference_of(rng), drawn(rng, 600)
    now["n5"] = now["n5"] + 0.5
    shift = shift_of(reference, now, categories, 600)
    assert shift.drifted == ("n5",)
    assert shift.p_values["n5"] < 1e-6


def test_a_certain_move_too_small_to_matter_is_not_named():
    rng = np.random.default_rng(3)
    column = rng.normal(size=200_000)
    reference = profile_of("m", "1", {"a": column}, {}, NOW)
    shift = shift_of(reference, {"a": column + 0.08}, {}, len(column))
    assert 0 < shift.by_feature["a"] < 0.05
    assert shift.drifted == ()


def test_a_large_index_of_few_rows_is_chance():
    rng = np.random.default_rng(4)
    reference = profile_of("m", "1", {"a": rng.normal(size=5000)}, {}, NOW)
    shift = shift_of(reference, {"a": rng.normal(size=30)}, {}, 30)
    assert shift.by_feature["a"] > 0.1
    assert shift.drifted == ()


def test_the_chance_is_that_of_scipys_chi_square():
    table = np.array([[500.0, 300, 200], [60, 20, 20]])
    assert chance_of(table) == pytest.approx(chi2_contingency(table, correction=False).pvalue)


def test_a_bin_that_nobody_expects_a_row_in_makes_no_certainty():
    alone = np.array([[6000.0, 0], [199, 1]])
    assert chance_of(alone) == 1.0


def test_many_categories_in_few_rows_have_no_larger_index_than_ten():
    rng = np.random.default_rng(10)
    many = {f"c{n}": 1 / 60 for n in range(60)}
    held = {f"f{n}": words(rng, 6000, many) for n in range(3)}
    reference = profile_of("m", "1", {}, {}, NOW, categories=held)
    for _ in range(20):
        now = {name: words(rng, 200, many) for name in held}
        assert aggregate(shift_of(reference, {}, now, 200).by_feature) < 0.25
    half = {name: np.where(rng.random(200) < 0.5, "c0", now[name]) for name in now}
    assert aggregate(shift_of(reference, {}, half, 200).by_feature) > 0.5


def test_many_features_at_once_need_more_certainty_each():
    assert beyond_chance({"a": 5e-4}, 1) == ("a",)
    assert beyond_chance({"a": 5e-4}, 100) == ()
    assert beyond_chance({"a": 9e-6, "b": 1e-5, "c": 0.9}, 101) == ("a", "b")


def test_a_category_that_only_numbers_fill_now_is_unseen_and_not_missing():
    rng = np.random.default_rng(5)
    reference = profile_of(
        "m", "1", {}, {}, NOW, categories={"plan": words(rng, 2000, {"basic": 0.6, "pro": 0.4})}
    )
    coded = {"plan": (rng.random(500) < 0.4) * 1.0}
    shift = shift_of(reference, coded, {}, 500)
    finding = unseen_categories(WINDOW, reference, shift)
    assert finding.summary == "Unknown categories: plan: 'basic' is now '0', 'pro' is now '1'"
    assert shift.missing["plan"] == (0, 0)
    assert shift.drifted == ("plan",)


def test_a_category_that_no_longer_arrives_is_all_missing():
    rng = np.random.default_rng(6)
    reference = reference_of(rng)
    numbers, categories = drawn(rng, 500)
    del categories["country"]
    shift = shift_of(reference, numbers, categories, 500)
    assert shift.missing["country"] == (0, 1)
    assert missing_rise(WINDOW, shift).summary == "More missing values: country 0% -> 100%"


def test_free_text_and_ids_are_no_categories():
    rng = np.random.default_rng(7)
    ids = np.array([f"order {n}" for n in range(3000)], dtype=object)
    held = {"id": ids, "plan": words(rng, 3000, {"basic": 0.6, "pro": 0.4})}
    reference = profile_of("m", "1", {}, {}, NOW, categories=held)
    assert list(reference.categories) == ["plan"]


def test_a_column_is_of_the_kind_that_most_of_its_values_have():
    nan = float("nan")
    numbers = {"price": np.array([1.0, 2.0, nan]), "zone": np.array([nan, nan, 3.0])}
    held = {
        "price": np.array(["1", "2", "n.v."], dtype=object),
        "zone": np.array(["A", "B", "3"], dtype=object),
    }
    assert list(numbers_only(numbers, held)) == ["price"]
    assert list(words_only(numbers, held)) == ["zone"]


def test_rows_after_a_rename_score_above_those_before():
    rng = np.random.default_rng(8)
    plan = words(rng, 2000, {"basic": 0.6, "pro": 0.4})
    reference = profile_of("m", "1", {}, {}, NOW, categories={"plan": plan})
    now = np.r_[plan[:500], np.where(plan[:500] == "pro", "Pro", plan[:500])].astype(object)
    scores = row_scores(reference, ["plan"], {}, {"plan": now}, 1000)
    assert scores[:500].mean() < 0 < scores[500:].mean()


def test_profiles_of_partitions_merge_with_their_categories_and_outputs():
    rng = np.random.default_rng(9)
    first = reference_of(rng, 1000)
    numbers, categories = drawn(rng, 500)
    outputs = {"prediction": np.ones(500)}
    second = profile_of(
        "churn", "1", numbers, {}, NOW, like=first, categories=categories, outputs=outputs
    )
    both = merged(first, second)
    assert both.categories["country"].rows == both.outputs["prediction"].cells.rows == 1500
    assert both.together == first.together
    assert ReferenceProfile.model_validate_json(both.model_dump_json()) == both
