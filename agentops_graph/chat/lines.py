"""The lines that answers are made of."""

from collections.abc import Iterator
from datetime import UTC, datetime

from agentops_graph.chat.talk import Talk, shown
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.case import Case
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.knowledge import Page

LISTED = 10  # more lines than this are not read in a chat
EXCERPT = 300


def case_lines(talk: Talk, case: Case) -> Iterator[str]:
    yield headline(case.incident)
    yield from _newest_alert(case)
    yield from _stakes(case)
    if case.diagnosis is not None:
        yield f"Cause: {shown(case.diagnosis.root_cause)} ({sure(case.diagnosis)})"
        cite_diagnosis(talk, case.diagnosis)
    if case.incident.owner:
        yield f"It belongs to {shown(case.incident.owner)}."
    yield from _ended(case)
    for line in case.work:
        yield f"Running: {shown(line)}."
    for approval in case.pending:
        yield approval_line(approval)
    if case.pending:
        yield from how_to(case.pending[0])
    if case.incident.status == "detected" or any(e.state == "intent" for e in case.effects):
        yield from waiting_for_runner(talk)


def _ended(case: Case) -> Iterator[str]:
    if case.resolution is not None and case.resolution.summary:
        yield f"Outcome: {shown(case.resolution.summary)}"
    if case.incident.status == "closed" and case.incident.summary:
        yield f"Closed with: {shown(case.incident.summary)}"


def _stakes(case: Case) -> Iterator[str]:
    told = case.alerts[-1].summary if case.alerts else ""
    for line in case.stakes.lines:
        if line not in told:
            yield f"{shown(line)}."


def _newest_alert(case: Case) -> Iterator[str]:
    told = [alert for alert in case.alerts if alert.summary] or case.alerts
    for alert in told[-1:]:
        figures = ", ".join(f"{k} {v:.4g}" for k, v in list(alert.metrics.items())[:LISTED])
        yield f"{shown(alert.feed_line)}{f' ({shown(figures)})' if figures else ''}"


def diagnosis_lines(talk: Talk, case: Case, diagnosis: Diagnosis) -> Iterator[str]:
    yield f"Cause: {shown(diagnosis.root_cause)} ({sure(diagnosis)})"
    rested_on = set(diagnosis.evidence)
    for piece in case.evidence:
        if piece.evidence_id in rested_on:
            yield from evidence_lines(talk, piece)
    for missing in diagnosis.missing[:LISTED]:
        yield f"Would settle it: {shown(missing)}"
    cite_diagnosis(talk, diagnosis)
    if diagnosis.runbook_reference:
        yield f"Runbook: {diagnosis.runbook_reference}"
    if diagnosis.similar_incidents:
        yield f"Seen before: {', '.join(diagnosis.similar_incidents)}"
    for part in diagnosis.degraded:
        yield f"Without: {shown(part, EXCERPT)}"


def cite_diagnosis(talk: Talk, diagnosis: Diagnosis) -> None:
    first = (diagnosis.runbook_reference,) if diagnosis.runbook_reference else ()
    for reference in (*first, *diagnosis.citations, *diagnosis.similar_incidents):
        talk.cite(reference)


def evidence_lines(talk: Talk, piece: Evidence) -> Iterator[str]:
    talk.cite(piece.evidence_id, piece.summary)
    mark = "" if piece.status == "ok" else f" [{piece.status}]"
    said = f"{shown(piece.summary, EXCERPT)} (read from {shown(piece.source)})"
    yield f"- {piece.evidence_id}{mark}: {said}"


def others_open(talk: Talk, incident: Incident) -> Iterator[str]:
    if talk.focus.is_named:
        return
    open_ones = talk.service.incidents(open_only=True)
    others = [i.incident_id for i in open_ones if i.incident_id != incident.incident_id]
    if others:
        yield f"Also open: {', '.join(others[:LISTED])}. Name one to hear about it."


def waiting_for_runner(talk: Talk) -> Iterator[str]:
    if not talk.service.runners_alive():
        yield (
            "No runner is alive to go on with it; start one with `agentops work` or "
            "`agentops serve`."
        )


def headline(incident: Incident) -> str:
    return (
        f"{incident.incident_id} {incident.severity} {incident.alert_type} on "
        f"{shown(incident.component)}: {incident.status}"
    )


def sure(diagnosis: Diagnosis) -> str:
    if diagnosis.confidence is None:
        return "confidence unknown"
    return f"confidence {diagnosis.confidence:.0%}"


def approval_line(approval: Approval) -> str:
    return (
        f"- {approval.approval_id}: {approval.proposal.action.action} on "
        f"{shown(approval.proposal.target)} ({approval.policy_reason}); "
        f"{approval.proposal.incident_id}, open until {moment(approval.expires_at)}"
    )


def how_to(approval: Approval) -> Iterator[str]:
    name = approval.approval_id
    yield f"To decide, write exactly `approve {name}` or `reject {name} because REASON`."


def page_line(page: Page) -> str:
    unconfirmed = "" if page.confirmed else " [not confirmed by a person]"
    return f"- {shown(page.title)} ({page.reference}){unconfirmed}: {shown(page.text, EXCERPT)}"


def more(count: int) -> Iterator[str]:
    if count > LISTED:
        yield f"... and {count - LISTED} more."


def count(number: int, noun: str) -> str:
    return f"1 {noun} waits" if number == 1 else f"{number} {noun}s wait"


def plural(number: int, noun: str) -> str:
    return f"1 {noun} is" if number == 1 else f"{number} {noun}s are"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
