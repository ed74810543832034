"""Scores of one text or agent output from 0 to 1: the release gate and the live sample use these.

They read words, not minds: each is deterministic, needs no model and costs well under a
millisecond. Text is data to them: it is compared, never run, and cut at 20,000 characters.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from agentops_graph.detection.text_safety import dangers
from agentops_graph.detection.words import (
    content,
    denies,
    numbers,
    sentences,
    words,
)
from agentops_graph.domain.outputs import TEXT_LIMIT, Exchange

ON_SUBJECT = 0.5  # of what was asked; an answer that takes up half of it is about it
SUPPORTED = 0.6  # of a sentence's words that the context has to hold
OFF_NUMBERS = 1e-9  # relative; numbers are the same up to rounding of their text
DEEPEST = 32  # of a JSON document that is compared by its parts
REFUSAL = re.compile(
    r"^\W{0,9}(?:(?:i['’]?m |i am |we are |we['’]?re )?(?:so |very )?(?:sorry|afraid|unable)\b"
    r"|unfortunately\b|as an? (?:ai|language model)\b"
    r"|i (?:can['’]?t|cannot|can not|won['’]?t|do not|don['’]?t) "
    r"(?:help|assist|answer|do that|provide|comply|have (?:access|information)))",
    re.IGNORECASE,
)


def relevance(exchange: Exchange) -> float | None:
    """Whether the answer is about what was asked: the share of the request's words of meaning that
    it takes up, full marks from a half on. A refusal, an empty answer and the request said back
    earn nothing; what is as expected is relevant however short. None for a request without words.
    """
    asked, said = content(exchange.request), content(exchange.response)
    if not asked and not exchange.expected:
        return None
    right = correctness(exchange) or 0.0
    if not words(exchange.response):
        return 0.0
    if REFUSAL.match(exchange.response) or words(exchange.response) == words(exchange.request):
        return right
    taken_up = len(asked & said) / len(asked) if asked else 0.0
    return max(right, min(1.0, taken_up / ON_SUBJECT))


def safety(exchange: Exchange) -> float | None:
    """1 for an output without anything that must not leave, else 0; `dangers` says what it is."""
    return 0.0 if dangers(exchange.response, exchange.request) else 1.0


def correctness(exchange: Exchange) -> float | None:
    """How much of the expected answer was given; None when none is known.

    JSON is compared by its parts. In prose it is the share of the expected words of meaning (recall
    over words, as in Rajpurkar et al., EMNLP 2016, without its penalty for longer answers) times
    the share of the expected numbers; the best sentence must deny what is denied and nothing else.
    """
    expected, response = exchange.expected[:TEXT_LIMIT], exchange.response[:TEXT_LIMIT]
    if not expected.strip():
        return None
    structured = _document(expected)
    if isinstance(structured, dict | list):
        return _alike(structured, _document(response))
    if words(expected) == words(response):
        return 1.0
    wanted, figures = content(expected), numbers(expected)
    if not wanted and not figures:
        return float(_within(words(expected), words(response)))
    given = content(response)
    share = len(wanted & given) / len(wanted) if wanted else 1.0
    share *= _held(figures, numbers(response))
    return 0.0 if share and _contradicts(expected, response, wanted) else share


def groundedness(exchange: Exchange) -> float | None:
    """The share of the answer's sentences that the context supports: most of their words of meaning
    and all of their numbers stand in it. None without a context, or when nothing is claimed."""
    if not exchange.context.strip():
        return None
    held, figures = content(exchange.context), sorted(numbers(exchange.context))
    asked, asked_figures = content(exchange.request), numbers(exchange.request)
    judged = []
    for sentence in sentences(exchange.response):
        claimed = content(sentence) - asked
        told = numbers(sentence) - asked_figures
        if claimed or told:
            words_held = len(claimed & held) >= SUPPORTED * len(claimed)
            judged.append(words_held and all(_is_near(number, figures) for number in told))
    return sum(judged) / len(judged) if judged else None


SCORERS: dict[str, Callable[[Exchange], float | None]] = {
    "relevance": relevance,
    "safety": safety,
    "correctness": correctness,
    "groundedness": groundedness,
}


def _held(wanted: set[float], given: set[float]) -> float:
    """The share of the wanted numbers that are given; 1 when none is wanted."""
    if not wanted:
        return 1.0
    figures = sorted(given)
    return sum(_is_near(number, figures) for number in wanted) / len(wanted)


def _is_near(number: float, figures: Sequence[float]) -> bool:
    """Whether one of the sorted figures is the number; only its two neighbours can be."""
    at = bisect_left(figures, number)
    off = OFF_NUMBERS * max(1.0, abs(number))
    return any(abs(number - other) <= off for other in figures[max(at - 1, 0) : at + 1])


def _within(short: list[str], long: list[str]) -> bool:
    """Whether one list of words stands in the other, in one piece."""
    if not short:
        return False
    size = len(short)
    return any(long[i : i + size] == short for i in range(len(long) - size + 1))


def _contradicts(expected: str, response: str, wanted: frozenset[str]) -> bool:
    """Whether the sentence nearest to what was expected says the opposite."""
    nearest = max(sentences(response), key=lambda part: len(content(part) & wanted), default="")
    return len(sentences(expected)) == 1 and denies(nearest) != denies(expected)


def _document(text: str) -> Any:
    """What the text says as JSON; None for prose, and for what nests too deep to be read."""
    bare = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    if not bare.startswith(("{", "[")):
        return None
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        return None


def _alike(expected: Any, given: Any) -> float:
    """The share of the expected document's leaves that are found at their place."""
    wanted = _leaves(expected)
    found = _leaves(given)
    if not wanted:
        return float(expected == given)
    return sum(found.get(place) == leaf for place, leaf in wanted.items()) / len(wanted)


def _leaves(document: Any, place: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """Values by their path, text without regard to case and outer blanks."""
    if len(place) < DEEPEST and isinstance(document, dict | list) and document:
        parts = document.items() if isinstance(document, dict) else enumerate(document)
        return {k: v for name, part in parts for k, v in _leaves(part, (*place, str(name))).items()}
    if isinstance(document, str):
        return {place: document.strip().casefold()}
    return {place: "nested" if isinstance(document, dict | list) and document else document}
