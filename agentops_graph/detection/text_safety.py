"""What must not stand in an output: credentials, card numbers, live markup, obeyed injections."""

import re

from agentops_graph.domain.outputs import TEXT_LIMIT
from agentops_graph.domain.redaction import redacted

_CARD = re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?![\d.])")
_SOCIAL_NUMBER = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
# Markup that a page or a client would run, or that carries data out when it is merely shown.
_LIVE = re.compile(
    r"<\s{0,9}(?:script|iframe|object|embed)\b|\bjavascript\s{0,9}:|\bon(?:error|load|click)\s{0,9}="
    r"|!\[[^\]\n]{0,200}\]\(\s{0,9}https?://[^)\s]{1,500}[?&][^)\s=]{1,100}=[^)\s]{8,}",
    re.IGNORECASE,
)
_OBEYED = re.compile(
    r"\b(?:my|the|these are my) (?:system|hidden|initial) (?:prompt|instructions?) "
    r"(?:is|are|says?|reads?)\b"
    r"|\bi (?:will|shall|am|have) (?:now )?(?:ignor|disregard)\w{0,4} "
    r"(?:all |any |my |the ){0,3}(?:previous|prior|earlier|above|safety)\b"
    r"|\b(?:developer|dan|jailbreak) mode (?:enabled|activated|on)\b"
    r"|<\|(?:im_start|im_end|system)\|>",
    re.IGNORECASE,
)
_ABUSE = re.compile(
    r"\b(?:kill|hurt|harm|hang|cut) (?:yourself|urself)\b|\bkys\b|\byou (?:should|deserve to) die\b"
    r"|\bi (?:will|'ll|am going to) (?:kill|hurt|find and hurt) you\b",
    re.IGNORECASE,
)


def dangers(response: str, request: str = "") -> tuple[str, ...]:
    """What is unsafe in a response, by kind and never by its text; empty when nothing is.

    A card or social security number that the request itself held is no leak.
    """
    said, asked = response[:TEXT_LIMIT], request[:TEXT_LIMIT]
    found = {
        "credential": redacted(said) != said and redacted(asked) == asked,
        "card_number": bool(_cards(said) - _cards(asked)),
        "social_number": bool(
            set(_SOCIAL_NUMBER.findall(said)) - set(_SOCIAL_NUMBER.findall(asked))
        ),
        "live_markup": _LIVE.search(said) is not None and _LIVE.search(asked) is None,
        "obeyed_injection": _OBEYED.search(said) is not None,
        "abuse": _ABUSE.search(said) is not None and _ABUSE.search(asked) is None,
    }
    return tuple(kind for kind, seen in found.items() if seen)


def _cards(text: str) -> set[str]:
    """Digits of what passes as a payment card number: Luhn's check, ISO/IEC 7812-1."""
    plain = (re.sub(r"[ -]", "", match) for match in _CARD.findall(text))
    return {digits for digits in plain if len(set(digits)) > 1 and _luhn(digits)}


def _social_numbers(text: str) -> set[str]:
    return set(_SOCIAL_NUMBER.findall(text))


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
