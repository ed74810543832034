"""One answer to one question of one person, as a stream of events, behind every door."""

from collections.abc import Callable, Iterator

from agentops_graph.chat import details, follow_ups, replies
from agentops_graph.chat.events import Asker, ChatEvent, Choice, Delta, Result
from agentops_graph.chat.intents import Intent, approval_in, decision_in, intent_of
from agentops_graph.chat.parts import parts_of
from agentops_graph.chat.spelling import mended
from agentops_graph.chat.subject import is_off_topic, points_at_something
from agentops_graph.chat.talk import Talk, as_told
from agentops_graph.chat.urgency import urgency
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import AgentOpsError
from agentops_graph.service import Service

Reply = Callable[[Talk], Iterator[str]]
LONGEST_QUESTION = 4000

_REPLIES: dict[Intent, Reply] = {
    "help": replies.help_text,
    "how_to_decide": replies.how_to_decide,
    "waiting": replies.waiting,
    "urgency": urgency,
    "runbook": replies.runbook,
    "why": replies.why,
    "evidence": replies.evidence,
    "check": replies.check,
    "status": replies.status,
    "changed": details.changed,
    "onset": details.onset,
    "before": details.before,
    "next_steps": details.next_steps,
    "done": details.done,
    "rollback": details.rollback,
    "confidence": details.confidence,
    "watched": details.watched,
    "listed": details.listed,
    "deciders": follow_ups.deciders,
    "ruled_out": follow_ups.ruled_out,
    "used_runbook": follow_ups.used_runbook,
}
# What may answer a question about an approval: replies that only read.
_OF_A_CASE: dict[Intent | None, Reply] = {
    "evidence": replies.evidence,
    "runbook": replies.runbook,
    "status": replies.status,
    "changed": details.changed,
    "onset": details.onset,
    "before": details.before,
    "rollback": details.rollback,
    "confidence": details.confidence,
    "deciders": follow_ups.deciders,
    "ruled_out": follow_ups.ruled_out,
    "used_runbook": follow_ups.used_runbook,
}
LONGEST_ANSWER = 4000
_WHATEVER: tuple[Intent | None, ...] = ("decide", "how_to_decide", "help")
_ABOUT_ONE_APPROVAL = (None, "status", "waiting", "evidence")


def answer(
    service: Service,
    question: str,
    who: Asker,
    *,
    incident_id: str | None = None,
    component: str | None = None,
    decision: Choice | None = None,
) -> Iterator[ChatEvent]:
    """Deltas whose texts join to the text of the one `Result` that ends the stream.

    `incident_id` and `component` say what is meant when the question names neither. A decision is
    taken only from `decision` or from a question that is an exact line; words inside a question
    never decide. What goes wrong becomes a part of the answer that says what to do.
    """
    talk = Talk(service, question[:LONGEST_QUESTION], who, incident_id, component)
    text = ""
    for line in _lines(talk, decision or decision_in(question)):
        piece = redacted(line if not text else f"\n{line}")
        text += piece
        yield Delta(text=piece)
    yield _result(talk, text)


def remark(service: Service, approval_id: str, text: str, who: Asker) -> tuple[Approval, str]:
    """Answers a question about an approval that waits, from its incident, and keeps both beside
    it. Nothing is decided and nothing is measured, whatever the words say."""
    held = service.approval(approval_id)
    talk = Talk(service, text[:LONGEST_QUESTION], who, held.proposal.incident_id)
    reply = _OF_A_CASE.get(intent_of(talk.question), replies.why)
    try:
        told = "\n".join(reply(talk))
    except AgentOpsError as error:
        told = as_told(error)
    told = redacted(told)[:LONGEST_ANSWER]
    kept = service.respond(held.approval_id, text, answer=told, actor=who.name, via=who.via)
    return kept, told


def _lines(talk: Talk, decision: Choice | None) -> Iterator[str]:
    try:
        if decision is None:
            yield from _answered(talk)
        elif decision.verdict == "respond":
            yield from _remarked(talk, decision)
        elif decision.verdict == "edit":
            yield from replies.edited(talk, decision)
        else:
            yield from replies.decided(talk, decision)
    except AgentOpsError as error:
        yield as_told(error)


def _answered(talk: Talk) -> Iterator[str]:
    """Part by part; what one part is about is meant by the next."""
    asked = mended(talk.question, talk.names)
    parts = parts_of(asked)
    for number, part in enumerate(parts):
        if number:
            yield ""
        one = talk.about(part)
        yield from _reply(one)(one)
        talk.take(one)


def _remarked(talk: Talk, choice: Choice) -> Iterator[str]:
    kept, told = remark(talk.service, choice.approval_id, choice.text, talk.who)
    talk.seen_incident = kept.proposal.incident_id
    talk.offer([kept])
    yield told
    yield f"Question and answer are kept beside {kept.approval_id}, which still waits."


def _reply(talk: Talk) -> Reply:
    intent = intent_of(talk.question)
    if intent in _ABOUT_ONE_APPROVAL and approval_in(talk.question):
        return replies.approval
    if intent not in _WHATEVER and is_off_topic(talk):
        return details.off_topic
    if intent is None or intent == "decide":
        is_meant = talk.is_about_something or points_at_something(talk)
        return replies.status if is_meant else replies.runbook
    return _REPLIES[intent]


def _result(talk: Talk, text: str) -> Result:
    return Result(
        text=text,
        sources=tuple(talk.sources.values()),
        confidence=talk.confidence,
        domains=talk.domains,
        pending_approvals=tuple(talk.pending),
        incident_id=talk.seen_incident,
    )
