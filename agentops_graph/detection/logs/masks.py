"""Masks what changes from line to line: numbers, ids, addresses, paths, quoted values."""

import re

HEADLINE = 400  # characters of an event that decide its template
_MASKS = re.compile(
    r"(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)"
    r"|(?P<time>\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?"
    r"(?:Z|[+-]\d\d:?\d\d)?)?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?)"
    r"|(?P<url>\b[a-z][a-z0-9+]{1,10}://[^\s\"'<>)\]]+)"
    r"|(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,100})"
    r"|(?P<ip>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b)"
    r"|(?P<path>(?<![\w/])(?:[A-Za-z]:\\|\.{0,2}/)[\w.@+~-]+(?:[/\\][\w.@+~=-]+)*/?)"
    r"|(?P<hex>\b0x[0-9a-fA-F]+\b|\b(?=[a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{7,}\b)"
    r"|(?P<num>(?<![A-Za-z_])[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?"
    r"(?:%|(?:ns|us|µs|ms|s|m|h|d|[kKMGT]i?B|B|b)\b)?)"
    r"|(?P<id>(?<=[A-Za-z_-])\d+)"
)
_QUOTED = re.compile(r"\"[^\"]{0,200}\"|(?<!\w)'[^']{0,200}'|`[^`]{0,200}`")
_CHANGING = re.compile(r"[\d/@\\]")  # a word without one of them is kept as it is
_ROUGH = re.compile(r"[0-9a-f]{12,}|[0-9]+")
_MASKED = {name: f"<{name}>" for name in _MASKS.groupindex} | {"id": "<num>"}


def headline(text: str) -> str:
    """The first line of an event, and the last one of a traceback, which names the error."""
    if "\n" not in text:
        return _cut(text, HEADLINE)
    lines = [line for line in text.split("\n") if line.strip()] or [""]
    first, last = (_cut(line, HEADLINE // 2).strip() for line in (lines[0], lines[-1]))
    return first if len(lines) == 1 else f"{first} | {last}"


def _cut(line: str, limit: int) -> str:
    """Cut between words: half a credential would not be recognised as one."""
    if len(line) <= limit:
        return line
    kept, gap, _ = line[:limit].rpartition(" ")
    return kept if gap else line[:limit]


def roughly(line: str) -> str:
    """A quick mask of digits and long hexadecimal runs: lines that are the same by it are masked
    but once."""
    return _ROUGH.sub("0", line)


def masked(line: str) -> str:
    """The line with `<num>`, `<uuid>`, `<path>` and the like in place of what changes."""
    if '"' in line or "'" in line or "`" in line:
        line = _QUOTED.sub("<quoted>", line)
    # Word by word: most words hold nothing that changes, and the long pattern is slow.
    return " ".join([_MASKS.sub(_mask, w) if _CHANGING.search(w) else w for w in line.split()])


def _mask(found: re.Match[str]) -> str:
    return _MASKED[found.lastgroup or "num"]
