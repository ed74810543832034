"""Confidence follows what people confirmed, slowly, and never says more than it knows."""

import numpy as np
import pytest

from agentops_graph.diagnosis.learning import FEWEST, calibrated, fitted, report_on
from agentops_graph.domain.diagnosis import RecommendedAction
from agentops_graph.domain.lesson import Calibration
from agentops_graph.domain.recurrence import trust_in
from tests.contracts.test_lessons import calibration, outcome
from tests.desk import diagnosis


def said(number, confidence, right):
    actual = "upstream_schema_change" if right else "season"
    return outcome(f"INC-2026-{number}", actual, confidence=confidence)


def overconfident(count=60):
    """Told 90% and right half of the time; told 60% and right a third of it."""
    rng = np.random.default_rng(4)
    told = [(0.9, 0.5), (0.6, 0.33)]
    return [said(n, *(lambda c, p: (c, rng.random() < p))(*told[n % 2])) for n in range(count)]


def test_a_reasoner_that_is_too_sure_is_offered_a_calibration_that_is_better():
    report = report_on(overconfident(), None)
    assert report.is_better
    assert report.after.calibration_error < report.before.calibration_error
    assert calibration(shift=report.shift, slope=report.slope).corrected(0.9) < 0.7


def test_a_reasoner_that_is_right_as_often_as_it_says_is_left_alone():
    rng = np.random.default_rng(1)
    outcomes = [said(n, c, rng.random() < c) for n in range(400) for c in [0.55 + 0.1 * (n % 4)]]
    report = report_on(outcomes, None)
    assert report.shift == pytest.approx(0, abs=0.35)
    assert report.slope == pytest.approx(1, abs=0.35)


def test_few_outcomes_offer_nothing():
    report = report_on(overconfident(FEWEST - 1), None)
    assert (report.after, report.shift, report.slope) == (None, 0.0, 1.0)
    assert not report.is_better


def test_one_outcome_moves_little():
    shift, slope = fitted(np.array([0.9]), np.array([0.0]))
    assert calibration(shift=shift, slope=slope).corrected(0.9) > 0.6


def test_what_a_person_said_last_of_an_incident_counts_once():
    report = report_on([said(1, 0.9, True), said(1, 0.9, False)], None)
    assert (report.outcomes, report.right) == (1, 0)


def test_a_cause_that_is_no_longer_sure_enough_is_not_named_nor_acted_on():
    told = diagnosis().model_copy(update={"confidence": 0.7})
    changed = calibrated(told, calibration(shift=-1.5, slope=1.0))
    assert (changed.cause, changed.confidence) == ("unknown", None)
    assert changed.told_confidence == 0.7
    assert changed.cause_before == told.cause
    assert not any(action.requires_approval for action in changed.recommended_actions)


def test_without_a_calibration_nothing_changes():
    assert calibrated(diagnosis(), None) == diagnosis()


def test_confidence_stays_within_its_limits():
    assert calibration(shift=9.0).corrected(0.9) == 0.95
    assert Calibration(**calibration().model_dump() | {"shift": -9.0}).corrected(0.9) == 0.01


def test_trust_in_a_past_answer_follows_how_often_it_was_right():
    assert trust_in(1, 0) == pytest.approx(2 / 3)
    assert trust_in(1, 1) == 0.5
    assert trust_in(9, 0) > trust_in(9, 1) > trust_in(9, 5)


def test_a_recommended_notice_survives():
    notice = RecommendedAction(action="send_slack_alert", priority=1, requires_approval=False)
    told = diagnosis().model_copy(update={"confidence": 0.6, "recommended_actions": (notice,)})
    assert calibrated(told, calibration(shift=-1.5)).recommended_actions == (notice,)
