"""People read and confirm reports, and say when confidence is corrected."""

import pytest
from fastapi.testclient import TestClient

from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.domain.lesson import ConfirmedOutcome
from agentops_graph.errors import NotFoundError, UnavailableError
from agentops_graph.serving.api.app import create_app
from tests.desk import NOON, diagnosis

DRAFT = """---
incident_id: {0}
title: "F1 fell"
alert_type: accuracy_drop
root_cause: bad_release
confirmed: false
---

# {0}: F1 fell
## 7. Lessons
To be written by the person who confirms this report.
"""


@pytest.fixture
def reported(desk):
    incident_id = desk.incident()
    incidents = desk.workshop.ports.incidents
    text = DRAFT.format(incident_id)
    note = Note(values={"markdown": text})
    incidents.keep(Chapter(incident_id=incident_id, kind="postmortem"), note)
    incidents.keep(Chapter(incident_id=incident_id, kind="diagnosis"), diagnosis())
    return incident_id


def test_a_report_is_read_and_confirmed_with_its_true_cause(desk, reported):
    assert "confirmed: false" in desk.read("postmortem", reported)["markdown"]
    told = desk.read(
        "postmortem", reported, "--confirm", "--cause", "season", "--lessons", "look\nearlier"
    )
    assert "confirmed: true" in told["markdown"]
    assert "root_cause: season" in told["markdown"]
    assert "look earlier" in told["markdown"]
    (outcome,) = desk.workshop.ports.lessons.learnt()
    assert (outcome.named, outcome.actual) == (diagnosis().cause, "season")


def test_words_for_the_report_need_the_confirmation(desk, reported):
    result = desk.run("postmortem", reported, "--cause", "season")
    assert result.exit_code == 2
    assert desk.workshop.ports.lessons.learnt() == []


def test_a_cause_that_is_no_name_is_refused(desk, reported):
    result = desk.run("postmortem", reported, "--confirm", "--cause", "x\nconfirmed: true")
    assert result.exit_code == 2


def test_an_incident_without_a_report_says_when_there_is_one(desk):
    result = desk.run("postmortem", desk.incident())
    assert result.exit_code == 3
    assert "one is written when it ends" in result.stderr


def test_too_few_outcomes_are_not_accepted(desk, reported):
    report = desk.read("reasoner", "report")
    assert report["outcomes"] == 0
    assert desk.run("reasoner", "accept").exit_code != 0
    assert desk.workshop.ports.lessons.accepted() is None


def test_the_report_shows_before_and_after_and_only_accept_changes_anything(desk, reported):
    lessons = desk.workshop.ports.lessons
    for number in range(14):
        other = desk.incident(affected_component=f"model-{number}")
        lessons.learn(
            ConfirmedOutcome(
                incident_id=other,
                component=f"model-{number}",
                alert_type="accuracy_drop",
                named="bad_release",
                confidence=0.9,
                actual="bad_release" if number % 2 else "season",
                actor="mia",
                via="cli",
                at=NOON,
            )
        )
    shown = desk.run("reasoner", "report").stdout
    assert "before, as told" in shown
    assert "after, each left out in turn" in shown
    assert lessons.accepted() is None
    kept = desk.read("reasoner", "accept")
    assert desk.workshop.ports.lessons.accepted().calibration_id == kept["calibration_id"]
    assert desk.read("reasoner", "report")["in_force"]["outcomes"] == 14


def test_reports_are_read_and_confirmed_over_http(desk, reported):
    with TestClient(create_app(desk.workshop, run=False), base_url="http://127.0.0.1") as http:
        read = http.get(f"/api/v1/incidents/{reported.lower()}/postmortem")
        assert "confirmed: false" in read.json()["markdown"]
        said = http.post(f"/api/v1/incidents/{reported}/postmortem/confirm", json={"actor": "mia"})
        assert "confirmed: true" in said.json()["markdown"]
        assert http.get("/api/v1/reasoner/report").json()["outcomes"] == 1
        assert http.post("/api/v1/reasoner/accept").status_code == 422
        bad = http.post(
            f"/api/v1/incidents/{reported}/postmortem/confirm", json={"cause": "No Name"}
        )
        assert bad.status_code == 422
        assert http.get("/api/v1/incidents/INC-2026-9999/postmortem").status_code == 404


def broken(*_, **__):
    raise UnavailableError("knowledge.db: database or disk is full")


def test_a_confirmation_that_the_ledger_does_not_take_is_no_precedent(desk, reported, monkeypatch):
    workshop = desk.workshop
    monkeypatch.setattr(type(workshop.ports.lessons), "learn", broken)
    with pytest.raises(UnavailableError):
        workshop.service.confirm(reported, actor="mia")
    assert [p for p in workshop.shelf.search(reported) if p.document == reported] == []
    assert "postmortem.confirmed" not in [r["what"] for r in workshop.ports.audit.rows()]
    assert workshop.ports.incidents.kept(reported, "confirmed_report") == []


def test_what_the_shelf_missed_of_a_confirmation_comes_with_the_next_sync(
    desk, reported, monkeypatch
):
    workshop = desk.workshop
    words = {"cause": "season", "lessons": "look earlier"}
    with monkeypatch.context() as full:
        full.setattr(type(workshop.shelf), "add_incident", broken)
        with pytest.raises(UnavailableError, match="runbooks sync"):
            workshop.service.confirm(reported, actor="mia", **words)
    assert "postmortem.confirmed" in [r["what"] for r in workshop.ports.audit.rows(reported)]
    reference = f"{reported}.md#section-7-lessons"
    with pytest.raises(NotFoundError):
        workshop.shelf.page(reference)
    assert desk.run("runbooks", "sync").exit_code == 0
    page = desk.workshop.shelf.page(reference)
    assert page.confirmed
    assert "Root cause: season\n" in page.text
    assert page.text.endswith("look earlier")
    assert desk.workshop.service.shelve_confirmed() == []  # once is enough


def test_a_report_that_was_confirmed_again_is_shelved_as_it_was_confirmed_last(desk, reported):
    service, shelf = desk.workshop.service, desk.workshop.shelf
    service.confirm(reported, actor="mia", cause="season", lessons="first")
    service.confirm(reported, actor="ben", cause="bad_release", lessons="second")
    shelf.add_incident(reported, DRAFT.format(reported), confirmed=False)
    assert service.shelve_confirmed() == [reported]
    page = shelf.page(f"{reported}.md#section-7-lessons")
    assert page.confirmed
    assert "Root cause: bad_release\n" in page.text
    assert page.text.endswith("second")
