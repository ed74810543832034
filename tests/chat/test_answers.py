"""What people ask and what they are told."""

import pytest

from agentops_graph.chat.intents import intent_of


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("what is wrong?", "status"),
        ("What's happening with fraud_model", "status"),
        ("why?", "why"),
        ("how sure are you", "why"),
        ("show me the evidence", "evidence"),
        ("What is waiting for me?", "waiting"),
        ("any pending approvals?", "waiting"),
        ("check fraud_model", "check"),
        ("investigate fraud_model", "check"),
        ("how do I roll back a model?", "runbook"),
        ("how do I approve", "how_to_decide"),
        ("please approve A-1", "how_to_decide"),
        ("approve A-1", "decide"),
        ("help", "help"),
        ("", "help"),
        ("V14", None),
    ],
)
def test_intent_is_told_from_the_words(question, intent):
    assert intent_of(question) == intent


def test_quiet_desk_says_so_and_how_to_measure(desk):
    result = desk.ask("what is wrong?")
    assert result.text.startswith("No incident is open; 2 components are under watch.")
    assert result.incident_id is None


def test_status_of_a_fresh_incident_names_it_and_the_missing_runner(desk):
    incident_id = desk.report()
    result = desk.ask("what is wrong?")
    assert f"{incident_id} critical model_drift on fraud_model: detected" in result.text
    assert "CRITICAL: Model drift detected. Aggregate PSI: 0.47" in result.text
    assert "No runner is alive" in result.text
    assert (result.incident_id, result.domains) == (incident_id, ("quality",))


def test_several_open_incidents_are_listed_with_what_waits(desk):
    first = desk.report()
    second = desk.report(component="churn-model", alert_type="cost_spike", summary="cost")
    pending = desk.propose(first)
    result = desk.ask("status")
    assert first in result.text
    assert second in result.text
    assert set(result.domains) == {"quality", "cost"}
    assert [p.approval_id for p in result.pending_approvals] == [pending.approval_id]


def test_pending_approval_carries_what_a_client_needs(desk):
    pending = desk.propose(desk.report())
    (offered,) = desk.ask("what is waiting for me?").pending_approvals
    assert offered.model_dump() == {
        "approval_id": pending.approval_id,
        "action": "rollback_model",
        "target": "model:fraud_model",
        "reason": "changes production predictions",
        "digest": pending.digest,
        "incident_id": pending.proposal.incident_id,
        "expires_at": pending.expires_at,
    }


def test_question_follows_the_component_it_names(desk):
    desk.report()
    churn = desk.report(component="churn-model")
    desk.report(component="fraud_model", alert_type="latency")
    assert desk.ask("how is churn_model doing?").incident_id == churn


def test_question_follows_the_incident_it_names_or_is_given(desk):
    first = desk.report()
    second = desk.report(component="churn-model")
    assert desk.ask(f"status of {first.lower()}").incident_id == first
    assert desk.ask("why?", incident_id=first).incident_id == first
    assert desk.ask("what happened?", component="churn-model").incident_id == second


def test_what_the_question_names_comes_before_what_it_was_about(desk):
    drift = desk.report()
    spike = desk.report(component="churn-model", alert_type="cost_spike")
    assert desk.ask("how is churn-model?", incident_id=drift).incident_id == spike
    assert desk.ask("why did costs spike?", incident_id=drift).incident_id == spike
    assert desk.ask("why did it drift?", incident_id=drift).incident_id == drift


def test_question_about_costs_is_not_answered_with_a_drift(desk):
    drift = desk.report()
    result = desk.ask("Why did costs spike yesterday?")
    assert result.incident_id is None
    assert f"Open are: {drift}." in result.text
    assert "No incident that touches cost is on record." in result.text

    spike = desk.report(component="churn-model", alert_type="cost_spike")
    assert desk.ask("Why did costs spike yesterday?").incident_id == spike


def test_incident_that_is_not_there_is_said_plainly(desk):
    result = desk.ask("why INC-2026-4711?")
    assert "no incident 'INC-2026-4711'" in result.text


def test_diagnosis_is_told_with_confidence_evidence_and_citations(diagnosed):
    case = diagnosed.service.case(diagnosed.incident_id)
    result = diagnosed.ask("why?")
    assert case.diagnosis.root_cause in result.text
    assert result.confidence == case.diagnosis.confidence
    assert "confidence" in result.text
    references = [source.reference for source in result.sources]
    assert case.diagnosis.runbook_reference in references
    assert set(case.diagnosis.citations) <= set(references)


def test_evidence_is_listed_with_its_source_and_cited(diagnosed):
    case = diagnosed.service.case(diagnosed.incident_id)
    result = diagnosed.ask("show me the evidence")
    assert case.evidence
    for piece in case.evidence:
        assert piece.evidence_id in result.text
        assert piece.evidence_id in [source.reference for source in result.sources]


def test_escalated_incident_is_waiting_for_its_owner(diagnosed):
    result = diagnosed.ask("what is waiting for me?")
    assert f"{diagnosed.incident_id} on fraud_model belongs to on-call." in result.text


def test_how_to_question_is_answered_from_the_runbooks_with_citations(diagnosed):
    result = diagnosed.ask("how do I roll back a model?")
    assert result.sources
    for source in result.sources:
        assert source.reference in result.text
        assert diagnosed.service.page(source.reference).title.startswith(source.title[:40])


def test_words_nobody_wrote_a_runbook_about_find_nothing(diagnosed):
    result = diagnosed.ask("xyzzyplugh qwfpgj")
    assert result.sources == ()
    assert "say nothing about that" in result.text


def test_checking_an_unknown_component_lists_those_there_are(desk):
    result = desk.ask("check billing")
    assert "churn-model, fraud_model" in result.text


def test_checking_without_data_says_what_to_load_and_names_no_folder(desk, tmp_path):
    result = desk.ask("check fraud_model")
    assert result.text.startswith("Measuring fraud_model now.")
    assert "agentops ingest predictions" in result.text
    assert str(tmp_path) not in result.text


def test_credentials_in_an_alert_do_not_leave_in_an_answer(desk):
    desk.report(summary="login failed with token=abcdef1234567890")
    result = desk.ask("what is wrong?")
    assert "abcdef1234567890" not in result.text
    assert "[credential removed]" in result.text


def test_invisible_characters_in_an_alert_are_made_visible(desk):
    desk.report(summary="all good \u202eevil\u202c\x1b[2J")
    result = desk.ask("what is wrong?")
    assert "\u202e" not in result.text
    assert "\x1b" not in result.text
    assert "\\u202e" in result.text
