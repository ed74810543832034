"""Turns raw lines into events: time, severity and message, of plain text, JSON and logfmt."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo

from agentops_graph.detection.logs import stamps
from agentops_graph.domain.log import EVENT_LIMIT, LogLine, LogSeverity

TIMES = ("timestamp", "@timestamp", "time", "ts", "asctime", "datetime", "date", "eventTime", "t")
LEVELS = ("level", "severity", "levelname", "lvl", "log.level", "loglevel", "log_level")
MESSAGES = ("message", "msg", "event", "log", "text", "body")
CAUSES = (
    "error",
    "err",
    "exception",
    "exc_info",
    "stack_trace",
    "stacktrace",
    "stack",
    "traceback",
)
KLOG_LEVELS: dict[str, LogSeverity] = {
    "I": "info",
    "W": "warning",
    "E": "error",
    "F": "error",
}
LINE_LIMIT = 8000  # characters of one line that are kept
# Longer keys first, so that `log.level` is not read as `level`.
_PAIR = re.compile(r"([A-Za-z_@][\w.@-]*)=(\"(?:[^\"\\]|\\.)*\"|[^\s\"]*)")
_LEVEL = re.compile(
    r"(?<![\w/.-])(?:(?P<error>ERROR|ERR|FATAL|CRITICAL|CRIT|PANIC|SEVERE|EMERG|ALERT|error|fatal|critical"
    r"|Error(?=:)|panic)"
    r"|(?P<warning>WARNING|WARN|warning|warn)"
    r"|(?P<info>INFO|DEBUG|TRACE|NOTICE|info|debug|trace|notice))\b"
    # Neither a path nor a count of none.
    r"(?![/-]|\.\w|\s?[=:]\s?(?:0|none|null|nil|false)\b)"
)
_FAILED = re.compile(r"(?i)\bexception\b|\btraceback\b|(?:Error|Exception): ")
_LEVEL_REACH = 80  # a level stands near the start
_CONTINUES = re.compile(
    r"\s|Traceback \(most recent call last\)|Caused by: |During handling of |The above exception"
    r"|\.\.\. \d+ more"
)
_RAISED = re.compile(
    r"[A-Za-z_][\w.$]*(?:Error|Exception|Exit|Interrupt|Warning|Fault)\b|[\w.]+\.\w+: "
)


@dataclass(frozen=True)
class Fields:
    """Where JSON and logfmt lines keep what; None is one of the usual names."""

    time: str | None = None
    level: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Reading:
    """How lines of one source are read."""

    near: float  # a moment not far from them, for times without a year
    zone: tzinfo = UTC
    fields: Fields = Fields()


@dataclass(slots=True)
class Event:
    """One line, read; `at` is None when it says no time."""

    at: float | None
    severity: LogSeverity
    text: str
    continues: bool = False  # it is no event of its own but goes on with the one before
    is_whole: bool = False  # of a form in which every line is an event


def read_line(raw: str, reading: Reading) -> Event:
    """The line's own time, severity and message."""
    raw = raw.rstrip()
    if raw.startswith("{"):
        document = _json(raw)
        if document is not None:
            return read_fields(document, raw, reading)
    raw = raw[:LINE_LIMIT]
    if "=" in raw:
        pairs = _logfmt(raw)
        if pairs is not None:
            return read_fields(pairs, raw, reading)
    if _CONTINUES.match(raw):
        return Event(None, severity_of(raw), raw, continues=True)
    found = stamps.stamped(raw, near=reading.near, zone=reading.zone)
    at, text = found if found else (None, raw)
    by_letter = KLOG_LEVELS.get(raw[:1]) if found and stamps.KLOG.match(raw) else None
    return Event(at, by_letter or severity_of(text), text)


def joined(
    lines: Iterable[tuple[float | None, str]], reading: Reading
) -> Iterator[tuple[float | None, LogLine]]:
    """Events with their continuation lines joined to them.

    Each line comes with the time its server gave it, or None when the line has to say it itself.
    Yields the line's own or given time, and the event; a file's lines before its first time have
    None and the time 0.
    """
    open_event: list[str] = []
    at: float | None = None
    severity: LogSeverity = "unknown"
    has_stamps, indented = False, False
    for given, raw in lines:
        event = read_line(raw, reading)
        told = given if given is not None else event.at
        goes_on = event.continues or (
            given is None and has_stamps and event.at is None and not event.is_whole
        )
        goes_on = goes_on or (indented and event.at is None and _RAISED.match(raw) is not None)
        if open_event and goes_on:
            _extend(open_event, raw.rstrip())
            severity = _worse(severity, event.severity, raw)
        else:
            if open_event:
                yield at, LogLine(at or 0.0, severity, "\n".join(open_event))
            open_event, severity = [event.text], event.severity
            at = told if told is not None else at
        has_stamps = has_stamps or event.at is not None
        indented = raw[:1].isspace()
    if open_event:
        yield at, LogLine(at or 0.0, severity, "\n".join(open_event))


def severity_of(text: str) -> LogSeverity:
    """By the level that stands near the start, else by what reads like a failure."""
    found = _LEVEL.search(text[:_LEVEL_REACH])
    if found is not None:
        return found.lastgroup  # type: ignore[return-value]
    return "error" if _FAILED.search(text[:400]) else "unknown"


def level_named(value: object) -> LogSeverity:
    """By the word that a level field holds, or its number: 0 to 7 as in syslog, else 10 to 60 as
    loggers that write JSON use them."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < 8:
            return "error" if value <= 3 else "warning" if value == 4 else "info"
        return "error" if value >= 50 else "warning" if value >= 40 else "info"
    found = _LEVEL.match(str(value).strip().upper())
    return found.lastgroup if found else "unknown"  # type: ignore[return-value]


def _extend(parts: list[str], raw: str) -> None:
    """The end of a traceback names the error, so the middle gives way."""
    if sum(map(len, parts)) + len(raw) > EVENT_LIMIT and len(parts) > 2:
        del parts[len(parts) // 2]
    parts.append(raw[: EVENT_LIMIT // 4])


def _worse(severity: LogSeverity, found: LogSeverity, raw: str) -> LogSeverity:
    is_trace = raw.startswith("Traceback") or _RAISED.match(raw) is not None
    return "error" if severity == "unknown" and (found == "error" or is_trace) else severity


def _json(raw: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _logfmt(raw: str) -> Mapping[str, object] | None:
    """Only what says a level or a message in pairs; other lines may hold an `=` too."""
    pairs = {name: value.strip('"') for name, value in _PAIR.findall(raw)}
    told = any(name in pairs for name in ("level", "lvl", "msg", "severity"))
    return pairs if told and len(pairs) >= 2 else None


def read_fields(held: Mapping[str, object], raw: str, reading: Reading) -> Event:
    """The same of a line whose fields are known; `raw` stands in for a missing message."""
    wanted = reading.fields
    told = value_at(held, wanted.time, TIMES)
    at = stamps.moment(told, near=reading.near, zone=reading.zone)
    level = value_at(held, wanted.level, LEVELS)
    message = message_of(held, wanted.message)
    text = raw if message is None else str(message)
    for cause in CAUSES:
        if held.get(cause) and message is not None:
            text += f" {cause}={_short(held[cause])}"
    severity = level_named(level) if level is not None else "unknown"
    told_so = severity if severity != "unknown" else severity_of(text)
    return Event(at, told_so, text[:LINE_LIMIT], is_whole=True)


def message_of(held: Mapping[str, object], named: str | None) -> object | None:
    """The message; the usual names stand over whole documents in some schemas, which are none."""
    if named:
        return value_at(held, named, ())
    usual = [name for name in MESSAGES if not isinstance(held.get(name), Mapping)]
    return value_at(held, None, usual)


def value_at(held: Mapping[str, object], named: str | None, usual: Iterable[str]) -> object | None:
    """The field of that name, whole or by its dotted parts; else the first of the usual ones."""
    for name in (named,) if named else usual:
        if name in held:
            return held[name]
        found: object = held
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found is not None:
            return found
    return None


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
