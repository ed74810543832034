"""A cause that leads only because what decides against it is unknown is never told as sure."""

import pytest

from agentops_graph.diagnosis.joined import ALLOWANCE
from agentops_graph.diagnosis.scoring import UNTESTED_LIMIT, weighed
from evals.diagnosis.judged import SURE
from evals.diagnosis.world import shelf_of
from tests.diagnosis.test_evidence_weights import cause, diagnosed

SCHEMA = cause(
    "upstream_schema_change",
    0.3,
    few_features_drifted=(1.5, 0.8),
    feature_scaled=(2.4, 0.3),
    change__schema_change=(2.5, 0.3),
    features_swapped=(-4.0, 0.0),
)
MIX_UP = cause(
    "column_mix_up",
    0.2,
    few_features_drifted=(0.6, 0.4),
    change__schema_change=(1.0, 0.0),
    features_swapped=(4.0, 2.5),
)
SHARED = {"few_features_drifted": 1, "change:schema_change": 1}


def told(signals):
    return diagnosed(signals, causes=(SCHEMA, MIX_UP))


def test_what_both_explain_does_not_make_one_sure_while_what_decides_is_unknown():
    found = told(SHARED)
    assert (found.cause, found.confidence) == ("upstream_schema_change", UNTESTED_LIMIT)
    assert found.missing[0].startswith("features_swapped: whether")


def test_once_the_deciding_signal_is_looked_for_the_answer_is_sure_either_way():
    absent, there = told(SHARED | {"features_swapped": -1}), told(SHARED | {"features_swapped": 1})
    assert (absent.cause, absent.missing) == ("upstream_schema_change", ())
    assert there.cause == "column_mix_up"
    assert min(absent.confidence, there.confidence) >= SURE


def test_a_mark_that_only_one_of_them_explains_is_enough_without_it():
    found = told(SHARED | {"feature_scaled": 1})
    assert (found.cause, found.missing) == ("upstream_schema_change", ())
    assert found.confidence >= SURE


def test_a_model_that_agrees_makes_it_no_surer_than_unsure():
    assert UNTESTED_LIMIT + ALLOWANCE / 2 < SURE


def test_a_rival_that_no_outcome_would_put_first_raises_no_doubt():
    unlikely = MIX_UP.model_copy(update={"prior": 0.001})
    found = diagnosed(SHARED, causes=(SCHEMA, unlikely))
    assert (found.cause, found.missing) == ("upstream_schema_change", ())


def of_the_runbooks(alert_type, **signals):
    given = {name.replace("__", ":"): float(value) for name, value in signals.items()}
    return weighed(shelf_of(None).causes(alert_type), given, {})[0]


LOST = {
    "accuracy_dropped": 1,
    "accuracy_steady": -1,
    "drift_seen": -1,
    "drift_gradual": 1,
    "new_version_before_onset": -1,
    "quality_bad": -1,
    "change__deploy": -1,
    "seasonal_date": -1,
}


def test_wrong_labels_and_a_changed_world_are_not_told_apart_before_the_errors_are_looked_at():
    best = of_the_runbooks("accuracy_drop", **LOST)
    assert "errors_everywhere" in best.untested
    assert best.confidence < SURE


@pytest.mark.parametrize(
    ("seen", "right"),
    [("errors_everywhere", "label_fault"), ("errors_concentrated", "concept_drift")],
)
def test_where_the_errors_lie_settles_it(seen, right):
    looked = dict.fromkeys(("errors_everywhere", "errors_concentrated"), -1) | {seen: 1}
    best = of_the_runbooks("accuracy_drop", **LOST, **looked)
    assert (best.cause.cause, best.untested) == (right, ())
    assert best.confidence >= SURE


def test_an_early_drift_after_a_change_of_the_feed_may_still_be_a_swap():
    best = of_the_runbooks(
        "model_drift",
        drift_seen=1,
        drift_large=1,
        drift_abrupt=1,
        few_features_drifted=1,
        feature_shifted=1,
        change__schema_change=1,
        accuracy_dropped=1,
    )
    assert best.cause.cause == "upstream_schema_change"
    assert "features_swapped" in best.untested
    assert best.confidence < SURE
