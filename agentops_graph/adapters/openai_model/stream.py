"""Reads a streamed chat completion while it comes."""

import json
import time
from collections.abc import Iterator
from typing import Any

from agentops_graph.errors import NoAnswerError
from agentops_graph.model_ports import Heard, Reply, ToolCall

LONGEST_REPLY = 100_000  # characters; a draft has about a thousand


def read_reply(stream: Iterator[Any], deadline: float, late: str, heard: Heard) -> Reply:
    """The whole answer, read while it comes, so that a slow or endless one can be left."""
    parts: list[str] = []
    calls: dict[int, dict[str, str]] = {}
    length, usage = 0, None
    for chunk in stream:
        if time.monotonic() > deadline:
            raise NoAnswerError(late)
        usage = getattr(chunk, "usage", None) or usage
        for choice in (chunk.choices or [])[:1]:
            text = choice.delta.content or ""
            length += len(text) + sum(
                _joined(calls, call) for call in choice.delta.tool_calls or []
            )
            if length > LONGEST_REPLY:
                raise NoAnswerError(f"reply longer than {LONGEST_REPLY} characters")
            if text:
                parts.append(text)
                heard(text)
    counted = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
    return Reply("".join(parts), tuple(_call(one) for one in calls.values()), *counted)


def _joined(calls: dict[int, dict[str, str]], piece: Any) -> int:
    """A call comes in pieces; returns how much came."""
    held = calls.setdefault(piece.index or 0, {"id": "", "name": "", "arguments": ""})
    held["id"] = piece.id or held["id"]
    held["name"] = (piece.function.name if piece.function else None) or held["name"]
    more = (piece.function.arguments if piece.function else None) or ""
    held["arguments"] += more
    return len(more)


def _call(held: dict[str, str]) -> ToolCall:
    try:
        arguments = json.loads(held["arguments"] or "{}")
    except (ValueError, RecursionError):
        arguments = {}
    return ToolCall(held["name"], arguments if isinstance(arguments, dict) else {}, held["id"])
