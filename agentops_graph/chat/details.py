"""Replies about one side of an incident: its onset, changes, precedents, actions, a rollback."""

from collections.abc import Iterator

from agentops_graph.chat.lines import (
    LISTED,
    approval_line,
    evidence_lines,
    headline,
    how_to,
    moment,
    sure,
)
from agentops_graph.chat.nothing import spoken_of
from agentops_graph.chat.talk import Talk, shown
from agentops_graph.domain.case import Case

OF_CHANGES = ("changes", "model_versions", "version_diff", "pipeline_runs")
OF_PAST = ("similar_incidents",)
OF_ROLLBACK = ("version_diff", "model_versions")


def changed(talk: Talk) -> Iterator[str]:
    """What was changed around the component before it began."""
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    yield from _of_kinds(talk, case, OF_CHANGES, "Nothing was gathered of changes.")


def onset(talk: Talk) -> Iterator[str]:
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    incident = case.incident
    began = next((a.onset_at for a in reversed(case.alerts) if a.onset_at), incident.onset_at)
    if began is None:
        yield "When it began is not known."
    else:
        yield f"It began at {moment(began)}."
    yield f"It was opened at {moment(incident.opened_at)}."
    if incident.ended_at is not None:
        yield f"It ended at {moment(incident.ended_at)}."


def before(talk: Talk) -> Iterator[str]:
    """Whether the same was seen before."""
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    same = case.diagnosis.similar_incidents if case.diagnosis else ()
    if same:
        for reference in same:
            talk.cite(reference)
        yield f"Seen before: {', '.join(same)}."
    if case.diagnosis is not None and case.diagnosis.recurrence is not None:
        yield f"It is {shown(case.diagnosis.recurrence.in_words)}."
    yield from _of_kinds(talk, case, OF_PAST, "Nobody looked for past incidents yet.")


def next_steps(talk: Talk) -> Iterator[str]:
    """What an expert would do, and what waits for a person."""
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    if case.diagnosis is None or not case.diagnosis.recommended_actions:
        yield "Nothing is recommended yet."
    else:
        yield "Recommended, in this order:"
        for step in case.diagnosis.recommended_actions:
            asks = " (asks a person first)" if step.requires_approval else ""
            condition = f", if {step.condition}" if step.condition else ""
            yield f"- {step.action}{asks}{condition}"
        if case.diagnosis.runbook_reference:
            talk.cite(case.diagnosis.runbook_reference)
            yield f"Runbook: {case.diagnosis.runbook_reference}"
    yield from _pending(case)


def done(talk: Talk) -> Iterator[str]:
    """What was carried out, sent and decided."""
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    lines = [f"- {e.key} on {shown(e.target)}: {e.state}" for e in case.effects]
    lines += [f"- {n.notice.action}: {n.state}" for n in case.notices]
    lines += [
        f"- {a.approval_id} ({a.proposal.action.action}): {a.status}"
        + (f" by {shown(a.decided_by)}" if a.decided_by else "")
        for a in case.approvals
    ]
    yield from lines[: 2 * LISTED] or ["Nothing was done yet."]


def rollback(talk: Talk) -> Iterator[str]:
    """What speaks for and against rolling back; the decision stays a person's."""
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    diagnosis = case.diagnosis
    if diagnosis is None:
        yield "It is not diagnosed yet, so nobody can say whether a rollback would help."
        return
    yield f"Cause: {shown(diagnosis.root_cause)} ({sure(diagnosis)})"
    asked = [r for r in diagnosis.recommended_actions if r.action == "rollback_model"]
    for step in asked:
        condition = f", if {step.condition}" if step.condition else ""
        yield f"A rollback is recommended as step {step.priority}{condition}."
    if not asked:
        yield "A rollback is not among what is recommended for this cause."
    yield from _of_kinds(talk, case, OF_ROLLBACK, "The versions were not compared.")
    yield (
        "A rollback changes production predictions, so a person approves it; it is probed, "
        "watched and can be undone."
    )
    yield from _pending(case)


def confidence(talk: Talk) -> Iterator[str]:
    """How sure the diagnosis is, what it competes with, and what would settle it."""
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    diagnosis = case.diagnosis
    if diagnosis is None:
        yield f"It is not diagnosed yet (status: {case.incident.status})."
        return
    yield f"Cause: {shown(diagnosis.root_cause)} ({sure(diagnosis)})"
    for other in diagnosis.hypotheses[:3]:
        yield f"- {shown(other.title)}: {other.probability:.0%}"
    for missing in diagnosis.missing[:LISTED]:
        yield f"Would settle it: {shown(missing)}"


def watched(talk: Talk) -> Iterator[str]:
    names = talk.service.components
    if not names:
        yield "Nothing is under watch; describe components in components.yaml."
        return
    yield f"Under watch ({len(names)}): {shown(', '.join(names))}."


def listed(talk: Talk) -> Iterator[str]:
    """The incidents on record, open ones first."""
    incidents = talk.service.incidents(limit=LISTED)
    if not incidents:
        yield "No incident is on record."
        return
    yield f"{len(incidents)} incidents, open ones first:"
    for incident in incidents:
        talk.touch(incident)
        yield f"- {headline(incident)}"


def off_topic(talk: Talk) -> Iterator[str]:
    yield (
        "That is outside of what I know, and the runbooks and past incidents say nothing about "
        "that: I look after models, agents and data pipelines. `help` lists what I can do."
    )


def _of_kinds(talk: Talk, case: Case, kinds: tuple[str, ...], otherwise: str) -> Iterator[str]:
    found = [piece for piece in case.evidence if piece.kind in kinds]
    for piece in found:
        yield from evidence_lines(talk, piece)
    if not found:
        yield otherwise


def _pending(case: Case) -> Iterator[str]:
    for approval in case.pending[:LISTED]:
        yield approval_line(approval)
    if case.pending:
        yield from how_to(case.pending[0])
