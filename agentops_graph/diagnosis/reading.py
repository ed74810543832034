"""Lets a language model ask for more evidence, from the reads that it is offered and no others."""

import json
from dataclasses import replace

from agentops_graph.diagnosis.briefing import brief_text, evidence_text
from agentops_graph.diagnosis.consultation import LONGEST_QUOTE, Consultation
from agentops_graph.diagnosis.json_reply import THINKING, BadReplyError, json_in
from agentops_graph.diagnosis.prompts import Prompt
from agentops_graph.domain.diagnosis import Brief, Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.errors import InputError
from agentops_graph.model_ports import EvidenceReads, Message, Reply, ToolCall

MOST_ROUNDS = 3  # a small model asks for the same again and again
MOST_CALLS = 10  # of one reply; further ones are not even refused
LONGEST_CALL = 1000  # characters of its arguments; the longest that is offered has 120


def gathered(
    consultation: Consultation,
    prompt: Prompt,
    brief: Brief,
    base: Diagnosis,
    reads: EvidenceReads,
    most: int,
) -> tuple[Evidence, ...]:
    """What the model asked for and was read, at most so many pieces. Raises NoAnswerError, and
    ToolsRefusedError where it takes no tools."""
    tools = reads.tools()
    consultation.used(prompt)
    asked = prompt.filled(brief=brief_text(brief, base), reads=str(most))
    messages: tuple[Message, ...] = (Message("user", asked),)
    found: list[Evidence] = []
    seen: set[str] = set()
    for _ in range(MOST_ROUNDS):
        reply = consultation.asked(messages, "reads", tools=tools)
        calls = _calls({tool.name for tool in tools}, reply)
        if not calls:
            break
        messages += (Message("assistant", reply.text[:LONGEST_QUOTE], calls=calls),)
        for call in calls:
            told = _told(call, reads, found, seen, most)
            messages += (Message("tool", told, call_id=call.call_id),)
        if len(found) >= most:
            break
    return tuple(found)


def _told(
    call: ToolCall, reads: EvidenceReads, found: list[Evidence], seen: set[str], most: int
) -> str:
    """What the model is told of one call; what was read joins `found`."""
    asked = json.dumps([call.name, dict(call.arguments)], sort_keys=True)
    if asked in seen:
        return "That was read already."
    seen.add(asked)
    if len(found) >= most:
        return "No more reads are left."
    try:
        piece = reads.read(call, len(found) + 1)
    except InputError as error:
        return f"Nothing was read: {error}"
    found.append(piece)
    return evidence_text(piece)


def _calls(names: set[str], reply: Reply) -> tuple[ToolCall, ...]:
    """The first calls of a reply; arguments that nobody offered by their sheer size are dropped,
    as they would be sent back to the model with every question."""
    calls = reply.calls or _written(names, reply)
    return tuple(
        call if _fits(call) else replace(call, arguments={}) for call in calls[:MOST_CALLS]
    )


def _fits(call: ToolCall) -> bool:
    if not isinstance(call.arguments, dict):
        return False
    try:
        return len(json.dumps(call.arguments, sort_keys=True)) <= LONGEST_CALL
    except (ValueError, RecursionError):  # a number too long to write
        return False


def _written(names: set[str], reply: Reply) -> tuple[ToolCall, ...]:
    """A call that a model wrote as text, as those do whose template knows no tools."""
    text = THINKING.sub("", reply.text)
    try:
        document = json_in(text, "name")
    except BadReplyError:
        return ()
    name = document["name"]
    arguments = document.get("arguments", document.get("parameters", {}))
    if not isinstance(name, str) or name not in names or not isinstance(arguments, dict):
        return ()
    return (ToolCall(name, arguments),)
