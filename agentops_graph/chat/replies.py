"""The replies: each yields the lines of an answer and leaves in the talk what it rests on."""

from collections.abc import Iterator

from agentops_graph.chat.details import off_topic
from agentops_graph.chat.events import Choice
from agentops_graph.chat.intents import approval_in, intent_of
from agentops_graph.chat.lines import (
    LISTED,
    approval_line,
    case_lines,
    count,
    diagnosis_lines,
    evidence_lines,
    headline,
    how_to,
    more,
    others_open,
    plural,
    waiting_for_runner,
)
from agentops_graph.chat.nothing import nothing_on_record, pages_about, spoken_of, told
from agentops_graph.chat.talk import Talk, shown
from agentops_graph.domain.approval import shown_lines


def help_text(talk: Talk) -> Iterator[str]:
    yield "I look after models, agents and data pipelines. Ask me, for example:"
    yield "- what is wrong?  (or: status of INC-2026-1, how is MODEL?)"
    yield "- do I get up for this?  (what it costs)"
    yield "- why?  show me the evidence.  what is waiting for me?"
    yield "- check COMPONENT  (measures it now)"
    yield "- how do I roll back a model?  (searches the runbooks)"
    yield "To decide, write one of these lines and nothing else:"
    yield "- approve A-12"
    yield "- reject A-12 because REASON"
    yield "- edit A-12 set NAME to VALUE  (asks anew, for somebody else to approve)"
    yield "- ask A-12 QUESTION  (kept beside it with my answer)"
    if talk.service.components:
        yield f"Under watch: {shown(', '.join(talk.service.components))}."


def status(talk: Talk) -> Iterator[str]:
    focus = talk.focus
    if focus.incident is not None and (focus.is_named or focus.topics):
        yield from case_lines(talk, talk.open_case(focus.incident))
        return
    if focus.component is not None or focus.topics:
        yield from nothing_on_record(talk)
        return
    yield from _overview(talk)


def why(talk: Talk) -> Iterator[str]:
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    if case.diagnosis is None:
        yield f"It is not diagnosed yet (status: {case.incident.status})."
        yield from waiting_for_runner(talk)
        return
    yield from diagnosis_lines(talk, case, case.diagnosis)
    yield from others_open(talk, case.incident)


def evidence(talk: Talk) -> Iterator[str]:
    case = yield from spoken_of(talk, talk.focus.incident)
    if case is None:
        return
    if not case.evidence:
        yield f"No evidence is gathered yet (status: {case.incident.status})."
        yield from waiting_for_runner(talk)
    for piece in case.evidence:
        yield from evidence_lines(talk, piece)


def waiting(talk: Talk) -> Iterator[str]:
    approvals = talk.service.approvals()
    talk.offer(approvals)
    if not approvals:
        yield "Nothing waits for a decision."
    else:
        yield f"{count(len(approvals), 'action')} for a decision:"
        for approval in approvals[:LISTED]:
            yield approval_line(approval)
        yield from more(len(approvals))
        yield from how_to(approvals[0])
    owned = [i for i in talk.service.incidents(open_only=True) if i.status == "escalated"]
    for incident in owned[:LISTED]:
        talk.touch(incident)
        yield f"{incident.incident_id} on {shown(incident.component)} belongs to {incident.owner}."
    if len(approvals) == 1:
        talk.seen_incident = approvals[0].proposal.incident_id


def approval(talk: Talk) -> Iterator[str]:
    """The approval that is named, rendered from the bytes that a decision binds."""
    held = talk.service.approval(approval_in(talk.question) or "")
    talk.seen_incident = held.proposal.incident_id
    yield f"{held.approval_id} ({held.proposal.incident_id}) is {held.status}:"
    for label, text in shown_lines(held.proposal.canonical()):
        yield f"- {label}: {shown(text)}"
    for note in held.notes:
        yield f"- note: {shown(note)}"
    yield f"Asked because: {held.policy_reason}. Digest: {held.digest}"
    if held.status == "pending":
        talk.offer([held])
        yield from how_to(held)


def how_to_decide(talk: Talk) -> Iterator[str]:
    """Free words never decide; they are answered with the exact lines that do."""
    approvals = talk.service.approvals()
    talk.offer(approvals)
    yield "I have not decided anything: a decision is one exact line with nothing around it."
    if not approvals:
        yield "Nothing waits for a decision now."
        return
    for approval in approvals[:LISTED]:
        yield approval_line(approval)
    yield from more(len(approvals))
    yield from how_to(approvals[0])


def edited(talk: Talk, choice: Choice) -> Iterator[str]:
    """Asks for the same action with other arguments; somebody else has to approve it."""
    done = talk.service.edit(
        choice.approval_id,
        choice.arguments,
        actor=talk.who.name,
        via=talk.who.via,
        digest=choice.digest,
    )
    talk.open_case(talk.service.case(done.approval.proposal.incident_id).incident)
    yield f"{choice.approval_id} is replaced by {done.approval.approval_id}:"
    for label, text in shown_lines(done.approval.proposal.canonical()):
        yield f"- {label}: {shown(text)}"
    if done.hint:
        yield f"{shown(done.hint[0].upper() + done.hint[1:])}."


def decided(talk: Talk, choice: Choice) -> Iterator[str]:
    """Writes the person's decision; says so when no runner is there to go on with it."""
    done = talk.service.decide(
        choice.approval_id,
        "approve" if choice.verdict == "approve" else "reject",
        actor=talk.who.name,
        via=talk.who.via,
        digest=choice.digest,
        reason=choice.reason,
    )
    approval = done.approval
    talk.open_case(talk.service.case(approval.proposal.incident_id).incident)
    how = "approved" if approval.status == "pending" else "decided"
    yield (
        f"{approval.approval_id} is {approval.status}: {approval.proposal.action.action} on "
        f"{shown(approval.proposal.target)} ({approval.proposal.incident_id}), {how} by "
        f"{shown(talk.who.name)}."
    )
    if done.hint:
        yield f"{shown(done.hint[0].upper() + done.hint[1:])}."


def check(talk: Talk) -> Iterator[str]:
    """Measures a component now; what is wrong becomes an incident."""
    component = talk.service.component_in(talk.focus.component or talk.question)
    yield f"Measuring {shown(component)} now."
    inquiry = talk.service.investigate(component, actor=talk.who.name)
    for name, value in list(inquiry.measurement.readings.items())[:LISTED]:
        yield f"- {name}: {value:.4g}"
    for note in inquiry.measurement.notes:
        yield f"Note: {shown(note)}"
    if not inquiry.admissions:
        yield "No threshold is crossed."
        return
    for admission in inquiry.admissions:
        opened = "opened" if admission.is_new else "already open"
        yield f"{shown(admission.alert.feed_line)} -> {admission.incident_id} ({opened})"
    talk.open_case(talk.service.case(inquiry.admissions[0].incident_id).incident)
    yield from waiting_for_runner(talk)


def runbook(talk: Talk) -> Iterator[str]:
    pages = pages_about(talk)
    if not pages and intent_of(talk.question) is None:
        yield from off_topic(talk)
        return
    if not pages:
        yield "The runbooks and past incidents say nothing about that. `help` lists what I can do."
        return
    yield from told(talk, pages)


def _overview(talk: Talk) -> Iterator[str]:
    incidents = talk.service.incidents(open_only=True)
    if not incidents:
        watched = len(talk.service.components)
        yield f"No incident is open; {plural(watched, 'component')} under watch."
        yield "`check COMPONENT` measures one now."
        return
    if len(incidents) == 1:
        yield from case_lines(talk, talk.open_case(incidents[0]))
        return
    trouble = talk.service.work_in_trouble()
    yield f"{len(incidents)} incidents are open:"
    for incident in incidents[:LISTED]:
        talk.touch(incident)
        stuck = trouble.get(incident.incident_id)
        yield f"- {headline(incident)}{f' ({shown(stuck)})' if stuck else ''}"
    yield from more(len(incidents))
    approvals = talk.service.approvals()
    talk.offer(approvals)
    for approval in approvals[:LISTED]:
        yield approval_line(approval)
