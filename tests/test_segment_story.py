"""A segment that goes bad is one incident, and everything about it says which part it is."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.alerting import Alerting
from agentops_graph.domain.incident import story_it_belongs_to
from agentops_graph.gathering.hysteresis import held_now
from agentops_graph.gathering.judged import was_measured
from agentops_graph.gathering.measure import measure
from agentops_graph.gathering.rows import joined, picked
from agentops_graph.gathering.segment_baselines import with_segments
from agentops_graph.monitor import tick
from tests.desk import MODEL, NOON, Desk, profile, traffic

HOUR = timedelta(hours=1)


def logged(start, *, bad="", seed=1):
    """Healthy rows of three countries; in those of `bad` every second class is wrong."""
    rows = traffic(start, 60, version="1", broken=False, rows_a_minute=100, seed=seed)
    rng = np.random.default_rng(seed)
    named = rng.choice(["country=DE", "country=FR", "country=US"], len(rows), p=[0.2, 0.3, 0.5])
    wrong = np.array([bool(bad) and name.endswith(bad) for name in named])
    wrong &= rng.random(len(rows)) < 0.5
    prediction = np.where(wrong, 1 - rows.label, rows.prediction)
    return replace(rows, segment=named.tolist(), prediction=prediction)


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "home")
    healthy = logged(NOON - 4 * HOUR, seed=7)
    component = desk.ports.components[MODEL]
    desk.warehouse.save_reference(with_segments(profile("1", healthy, 0.93), component, healthy))
    return desk


def now_bad(desk, country):
    desk.warehouse.give(MODEL, logged(NOON - HOUR, bad=country))


def test_one_bad_country_is_one_incident_however_often_it_is_looked_at(desk):
    now_bad(desk, "DE")
    (admission,) = tick(desk.ports).admissions
    assert admission.alert.segment == "country=DE"
    assert tick(desk.ports).admissions == []
    assert [i.segment for i in desk.service.incidents(open_only=True)] == ["country=DE"]


def test_evidence_proposal_and_retraining_name_the_country(desk):
    now_bad(desk, "DE")
    (admission,) = tick(desk.ports).admissions
    desk.work()
    case = desk.case(admission.incident_id)
    (history,) = [e for e in case.evidence if e.kind == "metric_history"]
    assert history.values["segment"] == "country=DE"
    assert history.values["rest_f1"] > 0.85 > history.values["f1"]
    assert "for country=DE (" in history.summary
    assert history.signals["accuracy_dropped"] == 1.0
    (waiting,) = case.pending
    assert waiting.proposal.action.segment == "country=DE"
    assert "only country=DE went bad; this is for all traffic" in waiting.notes
    assert b'"segment":"country=DE"' in waiting.proposal.canonical()


def test_evidence_of_a_drift_is_of_the_country_that_drifted(desk):
    rows = logged(NOON - HOUR)
    moved = np.array([name == "country=FR" for name in rows.segment])
    features = {
        n: np.where(moved, v * 2 + 2, v) if n == "V14" else v for n, v in rows.features.items()
    }
    features |= {"V17": np.where(moved, rows.features["V17"] - 3, rows.features["V17"])}
    desk.warehouse.give(MODEL, replace(rows, features=features))
    (admission,) = tick(desk.ports).admissions
    assert (admission.alert.alert_type, admission.alert.segment) == ("model_drift", "country=FR")
    desk.work()
    evidence = desk.case(admission.incident_id).evidence
    (drift,) = [e for e in evidence if e.kind == "feature_drift"]
    assert "2 of 4 features drifted for country=FR: V17 (PSI" in drift.summary
    assert drift.values["rows"] == moved.sum()
    assert drift.signals["drift_seen"] == 1.0


def test_an_action_without_a_segment_has_the_digest_it_always_had(desk):
    incident = desk.report()
    desk.work()
    (waiting,) = desk.case(incident).pending
    assert waiting.proposal.action.segment is None
    assert b"segment" not in waiting.proposal.canonical()


def test_an_incident_of_the_whole_model_takes_its_parts_along(desk):
    now_bad(desk, "DE")
    whole = desk.report(alert_type="accuracy_drop", metrics={"f1": 0.8})
    assert tick(desk.ports).admissions == []
    (asked,) = desk.service.investigate(MODEL, actor="mia").admissions
    assert (asked.incident_id, asked.is_new) == (whole, False)
    assert asked.alert.segment == "country=DE"


def test_a_part_that_others_report_beside_the_whole_belongs_to_it(desk):
    whole = desk.case(desk.report(alert_type="accuracy_drop")).incident
    later = {"incident_id": "INC-2026-9999", "segment": "country=DE"}
    of_part = whole.model_copy(update={**later, "opened_at": whole.opened_at + HOUR})
    assert story_it_belongs_to(of_part, [whole]).incident_id == whole.incident_id
    assert story_it_belongs_to(whole, [of_part]) is None


def test_a_part_that_becomes_graver_is_told_to_the_open_incident_around_it(desk):
    now_bad(desk, "DE")
    whole = desk.report(alert_type="accuracy_drop", severity="info")
    (admission,) = tick(desk.ports).admissions
    assert (admission.incident_id, admission.is_new) == (whole, False)
    assert desk.case(whole).incident.severity == admission.alert.severity != "info"
    assert tick(desk.ports).admissions == []


def test_a_segment_rests_after_its_incident_as_the_whole_does(desk):
    now_bad(desk, "DE")
    (admission,) = tick(desk.ports).admissions
    now = desk.clock.now()
    desk.ports.incidents.update(admission.incident_id, status="closed", ended_at=now)
    desk.clock.move(300)
    seen = tick(desk.ports)
    assert seen.admissions == []
    assert seen.rested == [f"{MODEL}: accuracy_drop"]


def test_a_segments_loss_lingers_until_it_is_under_its_clear_level(desk):
    now_bad(desk, "DE")
    plain = desk.ports.components[MODEL]
    drop = tick(desk.ports).admissions[0].alert.findings[0].figures["loss_low"]
    states = []
    for line, clear_at in ((0.05, 1), (0.9, 1), (0.9, 0.05)):
        lines = plain.thresholds.model_copy(update={"metric_drop": line})
        changes = {"thresholds": lines, "alerting": Alerting(clear_at=clear_at)}
        model = plain.model_copy(update=changes)
        warehouse, place = desk.ports.warehouse, "country=DE"
        held = held_now(warehouse, model, "accuracy_drop", desk.clock.now(), segment=place)
        states.append(held.state)
    assert drop > 0.05
    assert states == ["holds", "over", "lingers"]


def test_a_part_of_a_segment_that_is_open_is_not_told_again(desk):
    now_bad(desk, "DE")
    (admission,) = tick(desk.ports).admissions
    incident = desk.case(admission.incident_id).incident
    claim = admission.alert.model_dump(exclude={"alert_id"})
    finding = admission.alert.findings[0]
    around = finding.model_copy(update={"segment": "region=EU", "covers": ("country=DE",)})
    (row,) = desk.ports.log.told(NOON)
    assert row.incident_id == incident.incident_id
    told = [
        row.tells(type_of_claim(claim, segment, found))
        for segment, found in (
            ("country=DE", finding),
            ("region=EU", around),
            ("country=FR", finding.model_copy(update={"segment": "country=FR", "covers": ()})),
            (None, finding.model_copy(update={"segment": None, "covers": ()})),
        )
    ]
    assert told == [True, True, False, False]


def type_of_claim(claim, segment, finding):
    return AlertClaim.model_validate(claim | {"segment": segment, "findings": (finding,)})


def test_a_segment_without_rows_is_not_called_healthy_again(desk):
    now_bad(desk, "DE")
    (admission,) = tick(desk.ports).admissions
    gone = logged(NOON - HOUR)
    kept = np.array([name != "country=DE" for name in gone.segment])
    desk.warehouse.give(MODEL, picked(gone, kept))
    component = desk.ports.components[MODEL]
    seen = measure(desk.ports.warehouse, component, NOON)
    assert seen.findings == []
    assert was_measured("accuracy_drop", "f1", seen, told=())
    assert not was_measured("accuracy_drop", "f1", seen, admission.alert.segment, told=())
    assert was_measured("accuracy_drop", "f1", seen, "country=FR", told=())
    held = held_now(desk.ports.warehouse, component, "accuracy_drop", NOON, segment="country=DE")
    assert held.state == "unmeasured"


def test_a_back_test_tells_a_bad_country_once_and_ends_it(desk):
    bad = (8, 9, 10)
    hours = [
        logged(NOON - (20 - n) * HOUR, bad="DE" if n in bad else "", seed=n) for n in range(20)
    ]
    desk.warehouse.give(MODEL, joined(hours))
    since = NOON - 19 * HOUR
    rules = desk.service.backtest(None, since, NOON, tried={"alerting.cool_down_s": "0"}).rules
    (row,) = [rule for rule in rules if rule.alert_type == "accuracy_drop"]
    assert (row.opened, row.paged, row.crossed) == (1, 1, len(bad))
