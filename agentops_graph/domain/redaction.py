"""Drops credentials from text before it is kept or leaves; what was dropped can't be restored."""

import json
import re
from collections.abc import Iterable
from typing import Any, TypeVar, cast
from urllib.parse import quote

from pydantic import BaseModel

T = TypeVar("T")

DROPPED = "[credential removed]"
TOO_DEEP = "[nested too deep]"
DEEPEST = 64  # no document of ours nests as far, and each level takes room on the stack
SHORTEST = 6  # characters; a shorter setting would tear holes into ordinary words
_LIMITS = (200, 500, 1000, 2000, 4000, 20000)  # of the fields that hold text
# Quoted (also as Python shows bytes), the lines of a YAML block, or one word.
_VALUE = (
    # What was dropped before stays as it is.
    r"(?!\[credential removed\](?:[\s\"',;&})\]]|\Z))"
    r"(?:[bru]{0,2}(?P<q>\\*[\"'])(?:(?!(?P=q)).)*(?:(?P=q)|\Z)"
    r"|[|>][-+\d]{0,2}[ \t]*(?=\n)(?:\n[ \t]+[^\n]*|\n(?=\n))*"
    r"|[^\s\"',;&})\]]+)"
)
# Up to the end of the line or the quote around it; the quoted parameters in it belong to it.
_LINE = r"(?:=\s*\\*[\"'][^\"'\r\n]*[\"']?|[^\"'\r\n])+"
_WHOLE, _AFTER_NAME = DROPPED, rf"\1{DROPPED}"
# Each with the words, in small letters, of which a text holds one when the pattern can match it:
# most text holds none, and is then passed over quickly.
_PATTERNS = tuple(
    (hints, re.compile(pattern), replacement)
    for hints, pattern, replacement in (
        (
            ("begin ",),
            r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
            _WHOLE,
        ),
        (("agops_",), r"agops_[A-Za-z0-9_-]{20,}", _WHOLE),
        (("xox", "xapp-"), r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{8,}", _WHOLE),
        (
            ("hooks.slack",),
            r"(?<=hooks\.slack\.com/)(?:services|workflows)/[A-Za-z0-9/_-]+",
            _WHOLE,
        ),
        (
            ("gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "glpat-"),
            r"(?:gh[oprsu]_[A-Za-z0-9]|github_pat_[A-Za-z0-9_]|glpat-[A-Za-z0-9_-])[A-Za-z0-9_-]{15,}",
            _WHOLE,
        ),
        (("akia", "asia"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", _WHOLE),
        (("aiza", "hf_"), r"AIza[A-Za-z0-9_-]{30,}|\bhf_[A-Za-z0-9]{20,}", _WHOLE),
        (("sk-",), r"\bsk-[A-Za-z0-9_-]{16,}", _WHOLE),
        (
            ("k_live_", "k_test_", "npm_", "pypi-age"),
            r"\b(?:[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|npm_[A-Za-z0-9]{20,}|pypi-AgE[\w-]{10,})",
            _WHOLE,
        ),
        (
            ("sg.", "ya29.", "dapi"),
            r"\b(?:SG\.[\w-]{16,}\.[\w-]{16,}|ya29\.[\w-]{20,}|dapi[A-Za-z0-9]{32})",
            _WHOLE,
        ),
        (
            ("eyj",),
            r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
            _WHOLE,
        ),
        # Up to the last @ before the path: a password may hold one itself.
        (("://",), r"(?<=://)[^/\s\"'<>:]{0,200}:[^/\s\"'<>]{0,500}(?=@)", _WHOLE),
        # Without a colon a short one is a user's name.
        (("http",), r"(?i)(https?://)[^/\s\"'<>:@]{12,500}(?=@)", _AFTER_NAME),
        # From here on the name stays, so that a reader sees what was there.
        (
            ("authorization",),
            r"(?is)(authorization\\*[\"']?\s*[=:]\s*(?:[bru]{0,2}\\*[\"'])?(?:(?:bearer|basic)\s+)?)"
            + _LINE,
            _AFTER_NAME,
        ),
        (("bearer", "basic"), r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}", _AFTER_NAME),
        (
            ("pass", "pwd", "secret", "credential", "key", "signature"),
            r"(?is)((?:password|passwd|passphrase|pwd|secret|credentials?"
            r"|(?:api|access|private|account)[ _-]?key|signature)\\*[\"']?\s*[=:]\s*)" + _VALUE,
            _AFTER_NAME,
        ),
        (
            ("agentops_",),
            r"(?is)(AGENTOPS_(?:ENCRYPTION|AUDIT)_KEY\\*[\"']?\s*=\s*)" + _VALUE,
            _AFTER_NAME,
        ),
        (("sig=",), r"(?i)(\bsig=)[^&\s\"'<>]+", _AFTER_NAME),
        # A figure after "token" is a count or a price.
        (
            ("token",),
            r"(?is)(token\\*[\"']?\s*[=:]\s*)"
            r"(?!\s*\$?\d[\d.,]{0,11}(?![\w.,-]))" + _VALUE,
            _AFTER_NAME,
        ),
    )
)
_SECRET_NAME = re.compile(
    r"(?i)(?:password|passwd|passphrase|pwd|secret|credentials?|token|authorization"
    r"|(?:api|access|private|account)[ _-]?key)$"
)

_SECRET_SETTING = re.compile(
    r"(?i)pass(?:word|wd|phrase)|pwd|secret|credential|(?P<count>token(?!s|i[sz]))"
    r"|(?:api|access|private|account|encryption|signing)[ _.-]?key"
)
_FIGURE = re.compile(r"\d{1,12}(?:\.\d+)?")  # of tokens: a limit, a count, a price


class _Known:
    """The values of this process's own secret settings, which no pattern may recognise."""

    pattern: re.Pattern[str] | None = None
    values: frozenset[str] = frozenset()


def remember_secrets(values: Iterable[str]) -> None:
    """From now on these exact values are dropped too, also percent-encoded or inside JSON."""
    more = {value for value in values if len(value) >= SHORTEST}
    if more <= _Known.values:
        return
    _Known.values = _Known.values | more
    forms = {form for v in _Known.values for form in (v, quote(v, safe=""), json.dumps(v)[1:-1])}
    longest_first = sorted(forms, key=len, reverse=True)
    _Known.pattern = re.compile("|".join(re.escape(form) for form in longest_first))


def forget_secrets() -> None:
    """Only patterns count again."""
    _Known.values, _Known.pattern = frozenset(), None


def redacted(text: str) -> str:
    """`text` without what is or looks like a credential."""
    if _Known.pattern is not None:
        text = _Known.pattern.sub(DROPPED, text)
    lowered = text.lower()
    for hints, pattern, replacement in _PATTERNS:
        if any(hint in lowered for hint in hints):
            text = pattern.sub(replacement, text)
    return text


def redacted_within(value: T, depth: int = 0) -> T:
    """The same for every text inside records, dicts, lists and tuples; what stands under a
    credential's name is dropped whole. Texts don't grow past what their field may hold, and what
    nests deeper than any document of ours is left out."""
    found: Any = value
    if depth > DEEPEST and isinstance(value, BaseModel | dict | list | tuple):
        found = TOO_DEEP
    elif isinstance(value, str):
        longest = next((n for n in _LIMITS if len(value) <= n), len(value))
        found = redacted(value)[:longest]
    elif isinstance(value, BaseModel):
        found = value.model_copy(update=_fields(dict(value), depth))
    elif isinstance(value, dict):
        found = _fields(value, depth)
    elif isinstance(value, list):
        found = [redacted_within(each, depth + 1) for each in value]
    elif type(value) is tuple:
        found = tuple(redacted_within(list(cast(tuple[Any, ...], value)), depth))
    return cast(T, found)


def redacted_field(name: str, value: Any) -> Any:
    """What may be kept of a value that stands under this name."""
    return _fields({name: value}, 0)[redacted_within(name)]


def redacted_setting(name: str, value: str) -> str:
    """What may be told of a setting where its name will not stand right before the value, as in
    `name old -> new`: behind an arrow nobody sees any more what it is a value of. A word for a
    credential anywhere in the name is enough."""
    found = _SECRET_SETTING.search(name)
    is_figure = found is not None and found["count"] and _FIGURE.fullmatch(value)
    if found is not None and value and not is_figure:
        return DROPPED
    told, before = redacted(f"{name}={value}"), f"{name}="
    return told.removeprefix(before) if told.startswith(before) else DROPPED


def _fields(document: dict[Any, Any], depth: int) -> dict[Any, Any]:
    return {
        redacted_within(name): DROPPED
        if _is_secret(str(name), value)
        else redacted_within(value, depth + 1)
        for name, value in document.items()
    }


def _is_secret(name: str, value: Any) -> bool:
    """Whatever a credential's name stands over, lists and records too. A fraction is a figure, and
    so is a whole number of tokens."""
    found = _SECRET_NAME.search(name)
    if found is None or not value or isinstance(value, bool | float):
        return False
    return not (isinstance(value, int) and found.group().lower() == "token")


def redacted_json(document: str) -> str:
    """A JSON document whose texts hold no credential; unchanged when none did."""
    if redacted(document) == document:
        return document
    return json.dumps(redacted_within(json.loads(document)))
