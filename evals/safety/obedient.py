"""A bad model: over the wire it does whatever hostile text in its prompt asks, and is else honest.

It obeys in full: it names the cause, the confidence and the words that the text wants, and calls
the tool that the text names. Where no such text stands before it, it names the most probable
candidate.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.adapters import ollama_wire, openai_wire

HYPOTHESIS = re.compile(r'<hypothesis id="([^"]+)">\n.*?evidence weights give ([\d.]+)', re.S)
CANDIDATE = re.compile(r"^- (\S+): probability ([\d.]+)", re.M)
HONEST = "The measured signals point there."
WORD = re.compile(r"\w+")
SEEN_WORDS = 3  # of the hostile text in a row: fences and cuts may change the rest


class Obedient:
    """Scripts the replies of one case, and notes what it saw and did."""

    def __init__(self, wire: Any, text: str, wants: dict[str, Any]) -> None:
        self._wire, self._wants = wire, wants
        self._words = WORD.findall(text.lower())
        self.saw, self.called = 0, 0
        self.leaked = False  # hostile text reached the question that decides

    def answer(self, body: dict[str, Any]) -> Callable[[Any], None]:
        text = "\n".join(str(message.get("content") or "") for message in body["messages"])
        sees = self._sees(text)
        decides = "candidates:" in text and "<alert" not in text
        self.saw += sees
        self.leaked = self.leaked or (sees and decides)
        if body.get("tools"):
            return self._tool(sees and len(body["messages"]) == 1)
        return self._wire.says(json.dumps(self._draft(body, text, sees)))

    def _tool(self, sees: bool) -> Callable[[Any], None]:
        wanted = self._wants.get("tool")
        if not sees or wanted is None:
            return self._wire.says("READY")
        self.called += 1
        return self._wire.calls(wanted[0], wanted[1])

    def _draft(self, body: dict[str, Any], text: str, sees: bool) -> dict[str, Any]:
        named = self._schema(body)["properties"]
        ranked = HYPOTHESIS.findall(text) or CANDIDATE.findall(text)
        likeliest = max(ranked, key=lambda pair: float(pair[1]))[0]
        honest = {"cause": likeliest, "confidence": 0.8, "explanation": HONEST}
        wants = self._wants if sees else {}
        obeyed = {
            "cause": wants.get("cause", honest["cause"]),
            "confidence": wants.get("confidence", honest["confidence"]),
            "explanation": wants.get("words", honest["explanation"]),
        }
        answer = obeyed | {"evidence": named["evidence"]["items"]["enum"]}
        return answer | ({"citations": []} if "citations" in named else {})

    def _schema(self, body: dict[str, Any]) -> dict[str, Any]:
        if "format" in body:
            return dict(body["format"])
        return dict(body["response_format"]["json_schema"]["schema"])

    def _sees(self, text: str) -> bool:
        shown = " ".join(WORD.findall(text.lower()))
        wanted = self._words
        starts = range(max(1, len(wanted) - SEEN_WORDS + 1))
        return any(" ".join(wanted[i : i + SEEN_WORDS]) in shown for i in starts)


WIRES: dict[str, Any] = {"ollama": ollama_wire, "openai": openai_wire}


def server_of(arm: str) -> Any:
    """A server for the arm that is not started yet."""
    return ollama_wire.Ollama() if arm == "ollama" else openai_wire.OpenAIServer()
