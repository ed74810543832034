"""The gate: every use of the service by role, by tenant, and by what a link speaks for."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentops_graph.access import Access
from agentops_graph.access.gate import Gate
from agentops_graph.adapters.row_files import body_rows
from agentops_graph.chat import Asker, answer
from agentops_graph.domain.delivery import Outside
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.frames import Change
from agentops_graph.domain.identity import ROLE_MAY, role_may
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.rows import Reading
from agentops_graph.errors import AgentOpsError, ForbiddenError, NotFoundError
from agentops_graph.service import Service

ACTOR = {"actor": "somebody else"}
SAID = ACTOR | {"via": "python"}
CLAIM = {
    "severity": "warning",
    "alert_type": "latency",
    "affected_component": "price-model",
    "metrics": {"latency_p99": 1500},
    "timestamp": "2026-02-28T10:15:00Z",
}
NO_ROWS = body_rows(b'[{"timestamp": "x"}]', "body")

MESSAGE = Outside(
    source="test", key="k", fingerprint="f", starts_at=datetime(2026, 2, 28, tzinfo=UTC)
)
CHANGE = Change(datetime(2026, 2, 28, tzinfo=UTC), "deploy", "nobody", "version 4")
# Every public name of the service: the deed it is, and a use of it.
USES = {
    "components": ("read", lambda s: s.components),
    "component_in": ("read", lambda s: s.component_in("fraud_model")),
    "investigate": ("ask", lambda s: s.investigate("how is nobody?", **ACTOR)),
    "incidents": ("read", lambda s: s.incidents()),
    "alerts": ("read", lambda s: s.alerts()),
    "case": ("read", lambda s: s.case("INC-0")),
    "approvals": ("read", lambda s: s.approvals()),
    "approval": ("read", lambda s: s.approval("A-77")),
    "runners_alive": ("read", lambda s: s.runners_alive()),
    "page": ("read", lambda s: s.page("none.md#section")),
    "search": ("read", lambda s: s.search("drift")),
    "readings": ("read", lambda s: s.readings("nobody")),
    "paused": ("read", lambda s: s.paused()),
    "silences": ("read", lambda s: s.silences()),
    "noise": ("read", lambda s: s.noise(90)),
    "backtest": ("ask", lambda s: s.backtest("nobody", None, None)),
    "lineage": ("read", lambda s: s.lineage()),
    "take_lineage": ("report", lambda s: s.take_lineage({})),
    "judge": ("operate", lambda s: s.judge("INC-0", "right", **SAID)),
    "work_underway": ("read", lambda s: s.work_underway("INC-0")),
    "work_in_trouble": ("read", lambda s: s.work_in_trouble()),
    "is_in_doubt": ("read", lambda s: s.is_in_doubt("INC-0")),
    "to_reconcile": ("read", lambda s: s.to_reconcile()),
    "raise_alert": ("report", lambda s: s.raise_alert(CLAIM, **SAID)),
    "deliver": ("report", lambda s: s.deliver([MESSAGE], **SAID)),
    "tell_truncated": ("report", lambda s: s.tell_truncated(set(), 3, **SAID)),
    "note_change": ("report", lambda s: s.note_change(CHANGE, key="k", source="ci", **SAID)),
    "record_batch": ("report", lambda s: s.record_batch("nobody", Path("b.csv"), **ACTOR)),
    "ingest": ("report", lambda s: s.ingest(NO_ROWS, "quality", Reading(), **SAID)),
    "intake": ("operate", lambda s: s.intake),
    "edit": ("edit", lambda s: s.edit("A-77", {"replicas": 3}, **SAID)),
    "respond": ("edit", lambda s: s.respond("A-77", "why?", answer="so", **SAID)),
    "decide": ("decide", lambda s: s.decide("A-77", "approve", **SAID)),
    "withdraw": ("operate", lambda s: s.withdraw("A-77", **ACTOR)),
    "retry": ("operate", lambda s: s.retry("INC-0", **ACTOR)),
    "close": ("operate", lambda s: s.close("INC-0", note="done", **ACTOR)),
    "postmortem": ("read", lambda s: s.postmortem("INC-0")),
    "lessons_report": ("read", lambda s: s.lessons_report()),
    "accept_lessons": ("administer", lambda s: s.accept_lessons(**ACTOR)),
    "shelve_confirmed": ("administer", lambda s: s.shelve_confirmed()),
    "confirm": ("operate", lambda s: s.confirm("INC-0", **ACTOR)),
    "take_reference": ("operate", lambda s: s.take_reference("nobody", None, None, **ACTOR)),
    "silence": ("operate", lambda s: s.silence("nobody", hours=1, reason="test", **ACTOR)),
    "end_silence": ("operate", lambda s: s.end_silence("S-9", **ACTOR)),
    "pause_actions": ("operate", lambda s: s.pause_actions(everything=False, **ACTOR)),
    "resume_actions": ("administer", lambda s: s.resume_actions(**ACTOR)),
    "reconcile": ("administer", lambda s: s.reconcile("A-77:do", True, note="seen", **ACTOR)),
}


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def test_every_use_of_the_service_stands_at_the_gate_by_name():
    assert set(USES) == public(Service)
    held = {name for kind in Access.__mro__ if issubclass(kind, Gate) for name in vars(kind)}
    assert public(Service) - held == set()


def test_use_that_was_forgotten_at_the_gate_finds_nothing_to_work_with(desk, monkeypatch):
    monkeypatch.setattr(Service, "secrets", lambda self: self._ports.incidents, raising=False)
    with pytest.raises(AttributeError, match="_ports"):
        desk.at("admin").secrets()


@pytest.mark.parametrize("role", ROLE_MAY)
def test_each_use_is_open_to_the_roles_of_its_deed_and_refused_to_others(desk, role):
    person = desk.at(role)
    for name, (deed, use) in USES.items():
        before = len(desk.said("access.refused"))
        try:
            use(person)
            is_refused = False
        except ForbiddenError:
            is_refused = True
        except AgentOpsError:  # let through, and then there is no such thing
            is_refused = False
        assert is_refused is not role_may(role, deed), name
        rows = desk.said("access.refused")
        assert len(rows) == before + is_refused
        if is_refused:
            assert (rows[-1]["actor"], rows[-1]["via"]) == (f"{role}-person", "http")
            assert json.loads(rows[-1]["fields"])["deed"] == deed


def test_refusal_names_the_role_and_what_is_needed(desk):
    with pytest.raises(ForbiddenError) as refusal:
        desk.at("viewer").decide("A-1", "approve", **SAID)
    assert "viewer-person (viewer)" in str(refusal.value)
    assert "decide needs the role approver or admin" in str(refusal.value)


def test_proved_name_and_door_count_and_not_what_the_caller_says(desk):
    pending = desk.propose(desk.report())
    held = desk.at("approver").decide(pending.approval_id, "approve", **SAID).approval
    assert (held.decided_by, held.decided_via) == ("approver-person", "http")


def test_given_name_counts_where_nobody_is_asked(desk):
    pending = desk.propose(desk.report())
    assert desk.open.decide(pending.approval_id, "approve", **SAID).approval.decided_by == (
        "somebody else"
    )


def told(use):
    with pytest.raises(NotFoundError) as refusal:
        use()
    return str(refusal.value)


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_other_tenants_things_are_as_if_they_were_not(desk, role):
    theirs = desk.report("churn-model")
    approval = desk.propose(theirs).approval_id
    silence = desk.open.silence("churn-model", hours=1, reason="test", actor="x").silence_id
    north = desk.at(role, "north")

    def same(use, its_id, unknown):
        assert told(lambda: use(its_id)).replace(its_id, "ID") == told(
            lambda: use(unknown)
        ).replace(unknown, "ID")

    same(north.case, theirs, "INC-2026-9999")
    same(north.approval, approval, "A-99")
    same(north.is_in_doubt, theirs, "INC-2026-9999")
    same(north.readings, "churn-model", "nobody")
    same(north.component_in, "churn-model", "nobody")
    assert (north.incidents(), north.alerts(), north.approvals(), north.silences()) == (
        [],
        [],
        [],
        [],
    )
    assert north.components == ["fraud_model"]
    if role == "admin":
        same(lambda i: north.decide(i, "approve", **SAID), approval, "A-99")
        same(lambda i: north.edit(i, {}, **SAID), approval, "A-99")
        same(lambda i: north.respond(i, "why?", answer="so", **SAID), approval, "A-99")
        same(lambda i: north.withdraw(i, **ACTOR), approval, "A-99")
        same(lambda i: north.retry(i, **ACTOR), theirs, "INC-2026-9999")
        same(lambda i: north.close(i, note="done", **ACTOR), theirs, "INC-2026-9999")
        same(lambda i: north.confirm(i, **ACTOR), theirs, "INC-2026-9999")
        same(lambda i: north.end_silence(i, **ACTOR), silence, "S-99")
        same(
            lambda i: north.raise_alert(CLAIM | {"affected_component": i}, **SAID),
            "churn-model",
            "x",
        )
        same(lambda i: north.silence(i, hours=1, reason="test", **ACTOR), "churn-model", "nobody")
    assert desk.status_of(desk.service.approval(approval)) == "pending"


def test_own_tenants_things_are_all_there(desk):
    own, theirs = desk.report(), desk.report("churn-model")
    approval = desk.propose(own).approval_id
    desk.propose(theirs)
    north = desk.at("approver", "north")
    assert [i.incident_id for i in north.incidents()] == [own]
    assert [a.affected_component for a in north.alerts()] == ["fraud_model"]
    assert [a.approval_id for a in north.approvals()] == [approval]
    assert north.case(own).incident.incident_id == own
    assert north.decide(approval, "approve", **SAID).approval.status == "approved"


def test_list_of_a_tenant_is_cut_after_others_are_left_out(desk):
    own = desk.report()
    for kind in ("latency", "accuracy_drop", "data_quality"):
        desk.report("churn-model", kind)
    north = desk.at("viewer", "north")
    assert [i.incident_id for i in north.incidents(limit=1)] == [own]
    assert len(north.alerts(limit=1)) == 1


def test_report_of_another_tenants_incident_is_not_found_by_search(desk):
    shelf = desk.workshop.ports.shelf
    own, theirs = desk.report(), desk.report("churn-model")
    shipped = shelf.page("INC-2026-0115.md#section-3-root-cause")
    for incident_id in (own, theirs):
        text = (
            f"---\nkind: incident\nincident_id: {incident_id}\nalert_types: [model_drift]\n"
            f"confirmed: true\n---\n# {incident_id}\n\n## 1. Zebra wavelength\n\nIt fell.\n"
        )
        shelf.add_incident(incident_id, text, confirmed=True)
    found = {p.document: p.reference for p in desk.service.search("zebra wavelength", limit=9)}
    assert {own, theirs} <= set(found)
    north = desk.at("viewer", "north")
    assert theirs not in {p.document for p in north.search("zebra wavelength", limit=9)}
    assert own in {p.document for p in north.search("zebra wavelength", limit=9)}
    assert north.page(found[own]).document == own
    assert north.page(shipped.reference) == shipped
    refused, unknown = told(lambda: north.page(found[theirs])), told(lambda: north.page("x.md#y"))
    assert refused.replace(found[theirs], "") == unknown.replace("x.md#y", "")


def test_what_concerns_every_tenant_is_not_one_tenants_admins(desk):
    north = desk.at("admin", "north")
    north.pause_actions(everything=True, **ACTOR)
    with pytest.raises(ForbiddenError, match="every tenant"):
        north.resume_actions(**ACTOR)
    assert desk.service.paused() == "all"
    desk.at("admin").resume_actions(**ACTOR)
    assert desk.service.paused() is None


def test_link_reads_and_decides_its_one_approval_and_nothing_else(desk):
    incident = desk.report()
    own = desk.propose(incident).approval_id
    other = desk.propose(incident, step=1).approval_id
    link = desk.at("approver", credential_id=None, approval_id=own)
    assert link.approval(own.lower()).approval_id == own
    assert "no approval" in told(lambda: link.approval(other))
    assert "no approval" in told(lambda: link.decide(other, "approve", **SAID))
    for name, (deed, use) in USES.items():
        if deed != "decide" and name != "approval":
            with pytest.raises(ForbiddenError):
                use(link)
    assert link.decide(own, "approve", **SAID).approval.status == "approved"
    assert desk.status_of(desk.service.approval(other)) == "pending"


def diagnosed(desk, component, seen_before):
    """An incident whose diagnosis and evidence name others."""
    ports, own = desk.workshop.ports, desk.report(component)
    alert = ports.log.alerts(own)[0]
    references = tuple(f"{i}.md#2-root-cause" for i in seen_before)
    evidence = Evidence(
        evidence_id="new",
        incident_id=own,
        kind="similar_incidents",
        source="incident reports",
        query="search",
        summary=f"similar: {', '.join(seen_before)}",
        references=references,
        measured_at=desk.in_(),
    )
    diagnosis = Diagnosis(
        diagnosis_id="new",
        alert_id=alert.alert_id,
        root_cause=f"as in {seen_before[0]}, and not as in {seen_before[0]}7",
        similar_incidents=seen_before,
        citations=(*references, "model_drift.md#section-1"),
        diagnosed_at=desk.in_(),
    )
    for kind, record in (("evidence", evidence), ("diagnosis", diagnosis)):
        ports.incidents.keep(Chapter(incident_id=own, kind=kind, plan_number=0), record)
    return own


def test_case_does_not_name_another_tenants_incidents(desk):
    theirs = desk.report("churn-model")
    sibling = desk.report(alert_type="latency")
    named = (theirs, sibling, "INC-2026-0115")  # the last came with the runbooks
    own = diagnosed(desk, "fraud_model", named)
    north, everybody = desk.at("viewer", "north"), desk.at("viewer")
    assert everybody.case(own).diagnosis.similar_incidents == named
    case = north.case(own)
    assert case.diagnosis.similar_incidents == named[1:]
    assert case.diagnosis.citations == (
        f"{sibling}.md#2-root-cause",
        "INC-2026-0115.md#2-root-cause",
        "model_drift.md#section-1",
    )
    assert case.diagnosis.root_cause == f"as in another incident, and not as in {theirs}7"
    assert case.evidence[-1].references == tuple(f"{i}.md#2-root-cause" for i in named[1:])
    assert theirs not in case.model_dump_json().replace(f"{theirs}7", "")
    told = list(answer(north, f"why {own}?", Asker(name="vic")))[-1].text
    assert sibling in told
    assert theirs not in told.replace(f"{theirs}7", "")


def test_own_report_does_not_name_another_tenants_incidents(desk):
    shelf, own, theirs = desk.workshop.ports.shelf, desk.report(), desk.report("churn-model")
    text = (
        f"---\nkind: incident\nincident_id: {own}\nalert_types: [model_drift]\nconfirmed: true\n"
        f"---\n# {own}\n\n## 1. Zebra wavelength\n\nIt fell, as in {theirs}.\n"
    )
    shelf.add_incident(own, text, confirmed=True)
    north = desk.at("viewer", "north")
    (found,) = [p for p in north.search("zebra wavelength", limit=9) if p.document == own]
    assert "as in another incident." in found.text
    assert "as in another incident." in north.page(found.reference).text
    assert theirs in desk.service.page(found.reference).text
