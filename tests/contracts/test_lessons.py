"""Contract of `Lessons`: every word is kept with its audit row, and the last calibration is in
force."""

import pytest

from agentops_graph.domain.lesson import Calibration, ConfirmedOutcome, last_words
from agentops_graph.errors import NotFoundError
from tests.contracts.desk import AT, after


def outcome(incident_id, actual="upstream_schema_change", **more):
    told = {
        "component": "fraud-detector",
        "alert_type": "model_drift",
        "named": "upstream_schema_change",
        "confidence": 0.8,
        "actor": "mia",
        "via": "cli",
        "at": AT,
    }
    return ConfirmedOutcome(incident_id=incident_id, actual=actual, **told | more)


def calibration(**more):
    told = {"shift": -0.5, "slope": 0.8, "outcomes": 12, "actor": "mia", "via": "http", "at": AT}
    return Calibration(**told | more)


def test_outcomes_are_kept_in_order_and_the_last_word_of_an_incident_counts(desk):
    first, second = desk.report("a").incident_id, desk.report("b").incident_id
    said = [outcome(first), outcome(second), outcome(first, "season", at=after(60), actor="ben")]
    for one in said:
        desk.lessons.learn(one)
    assert desk.lessons.learnt() == said
    assert [one.is_right for one in last_words(desk.lessons.learnt())] == [False, True]


def test_an_outcome_without_a_named_cause_is_kept_too(desk):
    incident_id = desk.report().incident_id
    desk.lessons.learn(outcome(incident_id, named="unknown", confidence=None))
    (kept,) = desk.lessons.learnt()
    assert kept.confidence is None


def test_an_outcome_of_no_incident_is_refused(desk):
    with pytest.raises(NotFoundError):
        desk.lessons.learn(outcome("INC-2026-9999"))
    assert desk.lessons.learnt() == []


def test_outcomes_and_calibrations_stand_in_the_audit(desk):
    incident_id = desk.report().incident_id
    desk.lessons.learn(outcome(incident_id))
    desk.lessons.accept(calibration())
    learnt, accepted = desk.audit.rows()[-2:]
    assert (learnt["what"], learnt["actor"]) == ("outcome.confirmed", "mia")
    assert learnt["incident_id"] == incident_id
    assert (accepted["what"], accepted["via"]) == ("calibration.accepted", "http")


def test_the_calibration_accepted_last_is_in_force(desk):
    assert desk.lessons.accepted() is None
    first = desk.lessons.accept(calibration())
    second = desk.lessons.accept(calibration(shift=0.25))
    assert second.calibration_id > first.calibration_id
    assert desk.lessons.accepted() == second
