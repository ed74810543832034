"""Drops credentials from text before it leaves for traces, artifacts or messages."""

import re

DROPPED = "[credential removed]"
_CREDENTIALS = (
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
    ),
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}"),
    re.compile(r"\bxapp-[A-Za-z0-9-]{8,}"),
    re.compile(r"\b(?:gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
# The name stays, so that a reader sees what was there; only the value goes.
_NAMED = (
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r"(?i)([\"']?\b[a-z0-9_-]*(?:password|passwd|secret|api[_-]?key|access[_-]?key|token)"
        r"[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&}]+)"
    ),
)


def redacted(text: str) -> str:
    """`text` without what looks like a credential; the dropped part can't be restored."""
    for pattern in _CREDENTIALS:
        text = pattern.sub(DROPPED, text)
    for pattern in _NAMED:
        text = pattern.sub(rf"\1{DROPPED}", text)
    return text
