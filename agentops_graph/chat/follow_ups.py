"""Replies to what people ask next: who decided, what was ruled out, which runbook, and why not."""

from collections.abc import Generator, Iterator

from agentops_graph.chat.intents import approval_in, incident_in
from agentops_graph.chat.lines import LISTED, moment, sure
from agentops_graph.chat.nothing import spoken_of
from agentops_graph.chat.subject import content_of, stems_of
from agentops_graph.chat.talk import Talk, shown
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.case import Case
from agentops_graph.domain.diagnosis import Diagnosis, Hypothesis

# Words of a question that mean one kind of action, by their stems.
ACTIONS = ("retrain", "rollback", "roll", "deploy", "rerun", "restart", "scale")


def deciders(talk: Talk) -> Iterator[str]:
    """Who decided on the approval that is named, or on those of the incident; nothing is decided
    by asking."""
    named = approval_in(talk.question)
    if named is not None:
        held = talk.service.approval(named)
        talk.seen_incident = held.proposal.incident_id
        yield _decision(held)
        return
    case = yield from _meant(talk)
    if case is None:
        return
    asked = _of_action(talk.question, _approvals(talk, case))
    yield from [_decision(each) for each in asked[:LISTED]] or ["Nobody was asked to decide."]


def ruled_out(talk: Talk) -> Iterator[str]:
    """The causes that were weighed and not named, with what speaks against each."""
    case = yield from _meant(talk)
    if case is None:
        return
    diagnosis = case.diagnosis
    if diagnosis is None:
        yield f"It is not diagnosed yet (status: {case.incident.status})."
        return
    yield f"Named: {shown(diagnosis.root_cause)} ({sure(diagnosis)})"
    others = [h for h in diagnosis.hypotheses if h.cause != diagnosis.cause]
    asked = [h for h in diagnosis.hypotheses if _is_meant(h, talk.question)]
    if asked and all(h.cause == diagnosis.cause for h in asked):
        yield "That is the cause that is named."
    elif _names_a_cause(talk.question) and not asked:
        yield "What you ask about is not among the causes that were weighed."
    for each in [h for h in asked if h in others] or others[:LISTED]:
        yield from _against(talk, each, diagnosis)
    if not others:
        yield "No other cause was weighed."


def used_runbook(talk: Talk) -> Iterator[str]:
    """The runbook that the diagnosis rests on."""
    case = yield from _meant(talk)
    if case is None:
        return
    reference = case.diagnosis.runbook_reference if case.diagnosis else None
    if reference is None:
        yield "The diagnosis rests on no runbook." if case.diagnosis else "It is not diagnosed yet."
        return
    talk.cite(reference)
    yield f"Runbook: {reference}"


def _meant(talk: Talk) -> Generator[str, None, Case | None]:
    """The incident that is named, spoken of, open, or the newest, which is then said."""
    focus, incident = talk.focus, None
    if focus.is_named:
        incident = focus.incident
    elif talk.incident_id is not None:
        incident = talk.service.case(talk.incident_id.upper()).incident
    else:
        newest = talk.service.incidents(limit=1)
        incident = focus.incident or (newest[0] if newest else None)
        if incident is not None:
            yield f"No incident was named; {incident.incident_id} is the newest."
    return (yield from spoken_of(talk, incident))


def _decision(held: Approval) -> str:
    asked = f"{held.proposal.action.action} on {shown(held.proposal.target)}"
    what = f"{held.approval_id} ({asked}, {held.proposal.incident_id})"
    if held.status == "pending":
        so_far = f": {shown(held.so_far)}" if held.so_far else ""
        return f"- {what}: nobody decided yet, it still waits{so_far}."
    who = ", ".join(held.approvers) or held.decided_by
    if held.decided_by is None or who is None:
        return f"- {what}: {held.status}; no person decided."
    when = f" at {moment(held.decided_at)}" if held.decided_at else ""
    why = f" because {shown(held.reason)}" if held.reason else ""
    by = who if held.status == "approved" else held.decided_by
    return f"- {what}: {held.status} by {shown(by)}{when}{why}."


def _approvals(talk: Talk, case: Case) -> tuple[Approval, ...]:
    """Those of the incident; of every incident of a component that is named by itself."""
    name = talk.focus.component
    if name is None or incident_in(talk.question) is not None:
        return case.approvals
    of_it = {i.incident_id for i in talk.service.incidents() if i.component == name}
    held = talk.service.approvals(status=None)
    newest = sorted(held, key=lambda approval: approval.requested_at, reverse=True)
    return tuple(a for a in newest if a.proposal.incident_id in of_it)


def _of_action(question: str, approvals: tuple[Approval, ...]) -> list[Approval]:
    words = stems_of(question)
    meant = [a for a in ACTIONS if any(word.startswith(a[:6]) for word in words)]
    found = [a for a in approvals if any(a.proposal.action.action.startswith(m) for m in meant)]
    return found or list(approvals)


def _names_a_cause(question: str) -> bool:
    return question.lower().lstrip(" ,").removeprefix("and ").startswith("why") and bool(
        content_of(question)
    )


def _is_meant(hypothesis: Hypothesis, question: str) -> bool:
    asked = set(content_of(question))
    name = stems_of(hypothesis.cause.replace("_", " "))
    title = stems_of(hypothesis.title)
    return bool(asked) and (name <= stems_of(question) or asked <= (name | title))


def _against(talk: Talk, other: Hypothesis, diagnosis: Diagnosis) -> Iterator[str]:
    best = diagnosis.hypotheses[0].probability if diagnosis.hypotheses else 0.0
    for reference in other.evidence_against:
        talk.cite(reference)
    against = ", ".join(other.signals_against)
    lacks = f"against it: {shown(against)}" if against else f"less speaks for it than {best:.0%}"
    rests = f" ({', '.join(other.evidence_against)})" if other.evidence_against else ""
    yield f"- {shown(other.title)}: {other.probability:.0%}; {lacks}{rests}"
