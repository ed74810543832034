"""The answer to "do I get up for this?"."""

import pytest

from agentops_graph.chat.intents import intent_of


def costing(value):
    return {"eur_per_hour": value, "eur_per_hour_low": value / 2, "eur_per_hour_high": value * 2}


@pytest.mark.parametrize(
    "question",
    ["do I get up for this?", "How bad is it", "is this urgent", "how much does it cost?"],
)
def test_intent_is_told_from_the_words(question):
    assert intent_of(question) == "urgency"


def test_questions_about_spend_are_still_about_spend():
    assert intent_of("Why did costs spike yesterday?") == "why"


def test_what_costs_most_comes_first_within_a_severity(desk):
    cheap = desk.report(component="cheap-model", metrics=costing(20.0))
    dear = desk.report(component="dear-model", metrics=costing(310.0))
    desk.report(component="late-model", metrics=costing(9999.0), severity="warning")
    lines = desk.ask("do I get up for this?").text.splitlines()
    assert lines[0].startswith(dear)
    assert lines[1] == "Costs about EUR 310 an hour (160 to 620)."
    assert lines[2].startswith(cheap)
    assert [i.component for i in desk.service.incidents(open_only=True)] == [
        "dear-model",
        "cheap-model",
        "late-model",
    ]
    assert desk.service.incidents(open_only=True, limit=1)[0].incident_id == dear


def test_status_says_what_is_at_stake_once(desk):
    line = "Costs about EUR 310 an hour (160 to 620)"
    desk.report(metrics=costing(310.0), summary=f"Model drift detected. {line}")
    assert desk.ask("what is wrong?").text.count(line) == 1


def test_without_prices_it_says_what_is_missing(desk):
    incident_id = desk.report()
    text = desk.ask(f"do I get up for {incident_id}?").text
    assert "What it costs is not known: components.yaml has no `costs` of fraud_model" in text


def test_nobody_gets_up_for_nothing(desk):
    assert desk.ask("do I get up?").text.startswith("No: no incident is open")
