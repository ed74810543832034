"""Contract of `IncidentVerdicts`: the last word counts and none is lost."""

import pytest

from agentops_graph.domain.verdict import IncidentVerdict
from agentops_graph.errors import NotFoundError
from tests.contracts.desk import AT, after, at_once


def verdict(incident_id, word="right", **more):
    said = {"actor": "mia", "via": "cli", "at": AT} | more
    return IncidentVerdict(incident_id=incident_id, verdict=word, **said)


def test_verdicts_are_kept_in_order_with_who_when_and_why(desk):
    first, second = desk.report("a").incident_id, desk.report("b").incident_id
    desk.incident_verdicts.give(verdict(first, "right", comment="the vendor's change"))
    told = verdict(first, "duplicate", of=second, actor="ben", at=after(60))
    kept = desk.incident_verdicts.give(told)
    desk.incident_verdicts.give(verdict(second))
    given = desk.incident_verdicts.given(first)
    assert [v.verdict for v in given] == ["right", "duplicate"]
    assert given[0].comment == "the vendor's change"
    assert given[1] == kept == told.model_copy(update={"verdict_id": kept.verdict_id})
    assert [v.incident_id for v in desk.incident_verdicts.given()] == [first, first, second]


def test_a_verdict_is_in_the_audit_with_what_it_names(desk):
    incident_id = desk.report().incident_id
    desk.incident_verdicts.give(verdict(incident_id, "false_alarm"))
    (row,) = [r for r in desk.audit.rows(incident_id) if r["what"] == "incident.judged"]
    assert row["actor"] == "mia"
    assert "false_alarm" in row["fields"]
    assert desk.audit.verify() is None


@pytest.mark.parametrize("of", [None, "INC-2026-9999"])
def test_what_is_not_there_is_not_judged(desk, of):
    known = desk.report().incident_id
    said = verdict(known, "duplicate", of=of) if of else verdict("INC-2026-9999")
    with pytest.raises(NotFoundError, match="INC-2026-9999"):
        desk.incident_verdicts.give(said)
    assert desk.incident_verdicts.given() == []
    assert "incident.judged" not in desk.said_in_audit()


def test_verdicts_given_at_once_all_stay(desk):
    incident_id = desk.report().incident_id
    at_once(lambda n: desk.incident_verdicts.give(verdict(incident_id, actor=f"p{n}")))
    given = desk.incident_verdicts.given(incident_id)
    assert {v.actor for v in given} == {f"p{n}" for n in range(6)}
    assert len({v.verdict_id for v in given}) == 6


def test_a_credential_in_a_comment_is_not_kept(desk):
    incident_id = desk.report().incident_id
    comment = "seen with password=hunter2hunter2"
    desk.incident_verdicts.give(verdict(incident_id, comment=comment))
    assert "hunter2" not in desk.incident_verdicts.given()[0].comment
