"""How noisy a rule has been, by what people said of its incidents."""

from datetime import timedelta

import pytest

from agentops_graph.adapters.memory import MemoryIncidents, MemoryIncidentVerdicts, MemoryLedger
from agentops_graph.domain.alert import AlertClaim, Finding, claim_from
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.verdict import IncidentVerdict
from agentops_graph.gathering.noise import noise
from tests.desk import MODEL, NOON


class Ledger:
    """Incidents of a rule, each told at a level and judged."""

    def __init__(self):
        rows = MemoryLedger()
        self.log, self.verdicts = MemoryIncidents(rows), MemoryIncidentVerdicts(rows)
        self.number = 0

    def incident(self, level, word=None, *, at=NOON, again=(), component=MODEL):
        self.number += 1
        admitted = self.log.admit(claim(level, component), opened_by="monitor", at=at)
        for further in again:
            self.log.admit(claim(further, component), opened_by="monitor", at=at)
        held: Incident = self.log.get(admitted.incident_id)
        self.log.update(held.incident_id, status="closed", ended_at=at)
        if word:
            self.judge(held.incident_id, word)
        return held.incident_id

    def judge(self, incident_id, word):
        said = IncidentVerdict(
            incident_id=incident_id, verdict=word, actor="mia", via="cli", at=NOON
        )
        self.verdicts.give(said)

    def rows(self, since=NOON - timedelta(days=90), only=lambda _: True):
        return noise(self.log, self.verdicts, since, only=only)


def claim(level, component=MODEL):
    finding = Finding(
        component=component,
        alert_type="model_drift",
        severity="critical",
        metric="drift_score",
        value=level,
        threshold=0.3,
        window_start=NOON - timedelta(hours=1),
        window_end=NOON,
        summary="drift",
    )
    return claim_from([finding])


@pytest.fixture
def ledger():
    return Ledger()


def test_precision_counts_incidents_with_its_interval_and_a_line_is_suggested(ledger):
    for level in (0.6, 0.7, 0.9):
        ledger.incident(level, "right", again=(0.4,))
    for level in (0.32, 0.35, 0.4):
        ledger.incident(level, "false_alarm")
    ledger.incident(0.5)
    (row,) = ledger.rows()
    assert (row.alerts, row.incidents, row.right, row.false_alarm) == (10, 7, 3, 3)
    assert row.precision == 0.5
    assert row.precision_low == pytest.approx(0.188, abs=0.001)  # Wilson, 3 of 6
    assert row.precision_high == pytest.approx(0.812, abs=0.001)
    assert (row.setting, row.line, row.suggested, row.dropped) == ("aggregate_psi", 0.3, 0.5, 3)
    assert "kept all 3 and dropped 3 of 3" in row.said


def test_too_few_verdicts_suggest_nothing_and_say_so(ledger):
    ledger.incident(0.6, "right")
    ledger.incident(0.32, "false_alarm")
    (row,) = ledger.rows()
    assert row.suggested is None
    assert row.said == "too little to say: 2 of 5 verdicts"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ((0.4, 0.5, 0.6, 0.7, 0.8), (), "every verdict is right"),
        ((), (0.4, 0.5, 0.6, 0.7, 0.8), "does anybody need this rule"),
        ((0.31, 0.5, 0.6), (0.4, 0.7, 0.8), "no line parts"),
        ((0.7, 0.8, 0.9, 1.0), (0.4,), "needs 3 right ones and 3 false alarms"),
    ],
)
def test_what_can_not_be_suggested_is_said(ledger, right, wrong, said):
    for level in right:
        ledger.incident(level, "right")
    for level in wrong:
        ledger.incident(level, "false_alarm")
    (row,) = ledger.rows()
    assert row.suggested is None
    assert said in row.said


def test_the_last_verdict_counts_and_a_duplicate_counts_for_neither_side(ledger):
    first = ledger.incident(0.6, "false_alarm")
    ledger.judge(first, "right")
    other = ledger.incident(0.7)
    ledger.verdicts.give(
        IncidentVerdict(
            incident_id=other, verdict="duplicate", of=first, actor="mia", via="cli", at=NOON
        )
    )
    (row,) = ledger.rows()
    assert (row.right, row.false_alarm, row.duplicate, row.precision) == (1, 0, 1, 1.0)


def test_older_incidents_and_other_tenants_components_are_left_out(ledger):
    ledger.incident(0.6, "right", at=NOON - timedelta(days=100))
    ledger.incident(0.6, "right", component="theirs")
    assert ledger.rows(only=lambda name: name != "theirs") == []


def test_an_alert_from_outside_is_a_rule_of_its_own(ledger):
    given = AlertClaim(
        severity="warning", alert_type="latency", affected_component=MODEL, timestamp=NOON
    )
    ledger.log.admit(given, opened_by="pager", at=NOON)
    (row,) = ledger.rows()
    assert (row.metric, row.setting, row.incidents) == ("as reported", None, 1)
