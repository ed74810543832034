"""What people ask next of an incident, and how-to questions while none fits."""

import pytest

from agentops_graph.chat.intents import intent_of


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("who approved it?", "deciders"),
        ("who approved A-1?", "deciders"),
        ("who approved the retraining of fraud-detector", "deciders"),
        ("was it approved?", "deciders"),
        ("did mia approve it?", "deciders"),
        ("what did you rule out?", "ruled_out"),
        ("why not concept drift?", "ruled_out"),
        ("why not just roll it back?", "why"),
        ("which runbook did you use", "used_runbook"),
        ("which runbook is about latency?", "runbook"),
        ("can I approve A-1?", "how_to_decide"),
        ("approve it", "how_to_decide"),
    ],
)
def test_a_follow_up_is_told_from_a_decision(question, intent):
    assert intent_of(question) == intent


@pytest.mark.parametrize(
    "question",
    [
        "What should I do about a memory leak",
        "how do I fix a memory leak",
        "what should I do when memory leaks?",
    ],
)
def test_a_how_to_question_without_an_incident_is_looked_up(desk, question):
    result = desk.ask(question)
    assert "latency_spike.md#section-3-6-memory-leak" in result.text


@pytest.mark.parametrize("question", ["who approved it?", "who approved {0}?"])
def test_who_decided_is_answered_from_the_approval_and_decides_nothing(desk, question):
    incident_id = desk.report()
    held = desk.propose(incident_id)
    asked = question.format(held.approval_id)
    waits = desk.ask(asked, incident_id=incident_id)
    assert "nobody decided yet" in waits.text
    assert desk.workshop.service.approval(held.approval_id).status == "pending"
    desk.workshop.service.decide(
        held.approval_id, "approve", actor="mia", via="cli", digest=held.digest, reason=None
    )
    told = desk.ask(asked, incident_id=incident_id)
    assert "approved by mia" in told.text
    assert "have not decided" not in told.text


def test_who_approved_an_action_of_a_component_is_named(desk):
    held = desk.propose(desk.report())
    desk.workshop.service.decide(
        held.approval_id, "reject", actor="ben", via="cli", digest=held.digest, reason="too early"
    )
    desk.report()  # a newer one of the same component, for which nobody was asked
    told = desk.ask("who approved the rollback of fraud_model?")
    assert "rejected by ben" in told.text
    assert "too early" in told.text


def test_what_was_ruled_out_comes_from_the_causes_that_were_weighed(diagnosed):
    case = diagnosed.workshop.service.case(diagnosed.incident_id)
    told = diagnosed.ask("what did you rule out?", incident_id=diagnosed.incident_id)
    others = [h for h in case.diagnosis.hypotheses if h.cause != case.diagnosis.cause]
    assert others
    assert others[0].title in told.text
    one = diagnosed.ask("why not concept drift?", incident_id=diagnosed.incident_id)
    concept = next(h for h in others if h.cause == "concept_drift")
    assert concept.title in one.text
    assert all(h.title not in one.text for h in others if h.cause != "concept_drift")


def test_the_runbook_that_was_used_is_named_in_spite_of_slips(diagnosed):
    case = diagnosed.workshop.service.case(diagnosed.incident_id)
    told = diagnosed.ask("wich runbok did you use", incident_id=diagnosed.incident_id)
    reference = case.diagnosis.runbook_reference
    assert (reference or "no runbook") in told.text
    assert "the newest" in diagnosed.ask("which runbook did you use").text


def test_what_it_cost_is_told_of_the_newest_when_nothing_is_open(desk):
    desk.report(component="churn-model")
    incident_id = desk.report()
    for incident in desk.workshop.service.incidents():
        desk.workshop.ports.incidents.update(incident.incident_id, status="closed")
    told = desk.ask("how much did it cost?")
    assert f"{incident_id} is the newest on record" in told.text
