"""Incidents as a person reads them."""

from datetime import UTC, datetime, timedelta

import pytest

from agentops_graph.cli import path
from agentops_graph.domain.incident import TimelineEvent
from agentops_graph.domain.ledger import Chapter, Note

# Clears the screen, hides text, turns the reading direction, ends a link.
NASTY = (
    "F1 fell \x1b[2J\x1b]8;;http://evil\x07 [bold red]markup[/bold red] \u202egnp.exe\u202c \x9b1m"
)
REPORT = """---
incident_id: {id}
title: "F1 fell"
alert_type: accuracy_drop
component: "ghost-model"
severity: critical
date: 2026-11-21
root_cause: feature_drift
resolution: "confirmed: false was not it"
duration_minutes: 3
confirmed: false
---

# {id}: F1 fell
## 1. Summary
The zebrafish feed broke.
"""


def ended(desk, **more):
    incident_id = desk.incident(**more)
    desk.run("work", "--once")
    return incident_id


def test_an_unknown_incident_ends_with_three_and_one_line(desk):
    for command in ("show", "trace", "retry", "confirm"):
        result = desk.run(command, "INC-1")
        assert result.exit_code == 3
        assert result.stdout == ""
        assert result.stderr.strip().count("\n") == 0
        assert "agentops incidents" in result.stderr


def test_a_list_tells_what_each_incident_waits_for(desk):
    incident_id = desk.incident()
    approval = desk.approval(incident_id)
    text = desk.run("incidents").stdout
    assert incident_id in text
    assert approval.approval_id in text
    assert desk.run("incidents", "--open").stdout == text


def test_open_leaves_out_what_has_ended(desk):
    incident_id = ended(desk)
    desk.run("close", incident_id, "--note", "feed restarted", "--as", "mia")
    assert desk.read("incidents", "--open") == []
    assert [i["status"] for i in desk.read("incidents")] == ["closed"]
    assert "waits for" in desk.run("incidents").stdout
    assert "on-call" not in desk.run("incidents").stdout
    assert "No incident is open" in desk.run("incidents", "--open").stdout


def test_a_case_has_the_contracts_fields(desk):
    incident_id = ended(desk)
    case = desk.read("show", incident_id.lower())
    assert case["alert"]["affected_component"] == "ghost-model"
    assert case["alert"]["metrics"]["baseline_f1"] == 0.9
    assert {"root_cause", "confidence", "evidence", "recommended_actions"} <= set(case["diagnosis"])
    assert case["resolution"]["resolution_status"] == "escalated"
    assert {"time_to_detect", "time_to_diagnose", "time_to_act"} <= set(case["resolution"])
    assert case["timeline"][0]["agent"] == "Monitor"


def test_a_case_is_shown_with_the_next_thing_to_do(desk):
    incident_id = ended(desk)
    result = desk.run("show", incident_id)
    for text in ("root_cause", "confidence", "CRITICAL: F1 fell", "timeline", "Investigator"):
        assert text in result.stdout
    assert f"agentops retry {incident_id}" in result.stdout
    approval = desk.approval(desk.incident(segment="eu"))
    text = desk.run("show", approval.proposal.incident_id).stdout
    assert f"agentops approve {approval.approval_id}" in text


def test_evidence_is_shown_on_request_with_where_it_was_read(desk):
    incident_id = ended(desk)
    kept = desk.read("show", incident_id)["evidence"]
    assert kept
    assert kept[0]["evidence_id"] in desk.run("show", incident_id, "--evidence").stdout


@pytest.mark.parametrize("command", ["incidents", "show", "trace", "approvals"])
def test_an_alerts_text_can_not_drive_the_terminal(desk, command):
    incident_id = ended(desk, summary=NASTY)
    desk.approval(incident_id, notes=(NASTY,))
    args = () if command in ("incidents", "approvals") else (incident_id,)
    for more in ((), ("--json",)):
        result = desk.run(command, *args, *more)
        assert result.exit_code == 0
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(result.output)


def test_an_alerts_text_is_never_read_as_markup(desk):
    incident_id = desk.incident(summary=NASTY)
    assert "[bold red]markup[/bold red]" in desk.run("show", incident_id).stdout
    assert "\\u001b[2J" in desk.run("incidents").stdout


def test_a_trace_is_the_path_that_was_taken(desk):
    incident_id = ended(desk)
    told = desk.read("trace", incident_id)
    assert [step["node"] for step in told["steps"]][:2] == ["detect", "triage"]
    assert told["steps"][-1]["node"] == "escalate"
    assert told["mermaid"].startswith("flowchart LR")
    assert told["total_ms"] > 0
    text = desk.run("trace", incident_id).stdout
    assert "```mermaid" in text
    assert "-->" in text


def event(node, agent, second, ms=10.0, kind="step"):
    at = datetime(2026, 2, 28, 14, 0, tzinfo=UTC) + timedelta(seconds=second)
    return TimelineEvent(
        incident_id="INC-1", at=at, agent=agent, node=node, kind=kind, text="x", ms=ms
    )


def test_waiting_and_hand_overs_stand_on_the_arrows():
    steps = path.steps_of(
        [
            event("plan", "Investigator", 0),
            event("plan", "Investigator", 0, kind="handover"),
            event("act", "Remediator", 125),
        ]
    )
    assert steps[1].waited_s == pytest.approx(124.99)
    assert 's1 -->|"to Remediator, waited 2 min 4 s"| s2' in path.mermaid(steps)


def test_an_escalated_incident_is_planned_anew_and_carried_forward(desk):
    incident_id = ended(desk)
    told = desk.read("retry", incident_id)
    assert told["incident"]["plan_number"] == 1
    assert told["ran_here"] is True
    assert told["incident"]["status"] == "escalated"


def test_an_incident_that_is_not_escalated_is_neither_retried_nor_closed(desk):
    incident_id = desk.incident()
    assert desk.run("retry", incident_id).exit_code == 4
    assert desk.run("close", incident_id, "--note", "done").exit_code == 4


def test_closing_needs_a_note(desk):
    result = desk.run("close", ended(desk))
    assert result.exit_code == 2
    assert "--note" in result.stderr


def test_a_confirmed_report_counts_as_precedent_and_the_audit_says_who(desk):
    incident_id = desk.incident()
    ports = desk.workshop.ports
    text = REPORT.format(id=incident_id)
    ports.shelf.add_incident(incident_id, text, confirmed=False)
    ports.incidents.keep(
        Chapter(incident_id=incident_id, kind="postmortem"), Note(values={"markdown": text})
    )
    before = [p for p in desk.workshop.service.search("zebrafish") if p.document == incident_id]
    assert before
    assert not any(page.confirmed for page in before)
    assert desk.run("confirm", incident_id, "--as", "mia").exit_code == 0
    after = [p for p in desk.workshop.service.search("zebrafish") if p.document == incident_id]
    assert after
    assert all(page.confirmed for page in after)
    row = ports.audit.rows(incident_id)[-1]
    assert (row["what"], row["actor"]) == ("postmortem.confirmed", "mia")


def test_an_incident_without_a_report_can_not_be_confirmed(desk):
    result = desk.run("confirm", desk.incident())
    assert result.exit_code == 3
    assert "report" in result.stderr


def test_a_priced_incident_says_its_cost_in_the_list_and_by_itself(desk):
    sums = {"eur_per_hour": 311.0, "eur_per_hour_low": 208.0, "eur_per_hour_high": 424.0}
    desk.incident(affected_component="other-model", summary="unpriced")
    incident_id = desk.incident(metrics=sums)
    rows = desk.read("incidents", "--open")
    assert [row["hourly_cost"] for row in rows] == [311.0, None]
    assert "EUR 310" in desk.run("incidents").stdout
    shown = " ".join(desk.run("show", incident_id).stdout.split())
    assert "Costs about EUR 310 an hour (210 to 420)" in shown
