"""Finds the time that a log line says, in the forms that programs write."""

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

# How far into a line a time may begin: after a priority, a level or an address.
REACH = 120
DAY_S = 86_400.0
_EPOCH_DIGITS = {10: 1.0, 13: 1e3, 16: 1e6, 19: 1e9}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MONTH = "|".join(MONTHS)
ISO = re.compile(
    r"(?P<day>\d{4}[-/]\d\d[-/]\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
    r" ?(?P<zone>Z\b|UTC\b|[+-]\d\d:?\d\d)?"
)
SYSLOG = re.compile(
    rf"(?:^|[>\s])(?P<month>{_MONTH}) {{1,2}}(?P<day>\d{{1,2}}) (?P<clock>\d\d:\d\d:\d\d)"
    r"(?:\.(?P<part>\d{1,9}))?"
)
ACCESS = re.compile(
    rf"\[(?P<day>\d\d)/(?P<month>{_MONTH})/(?P<year>\d{{4}}):(?P<clock>\d\d:\d\d:\d\d)"
    r" (?P<zone>[+-]\d{4})\]"
)
KLOG = re.compile(
    r"^(?P<level>[IWEF])(?P<month>\d\d)(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d)\.(?P<part>\d{1,9})"
    r"\s+\d+ [^\s\]]+\] "
)
EPOCH = re.compile(r"^\[?(?P<whole>\d{10}|\d{13}|\d{16}|\d{19})(?:[.,](?P<part>\d{1,9}))?\]?(?=\s)")
_PRIORITY = re.compile(r"^<\d{1,3}>(?:1 )?")
_AROUND, _AFTER = " \t[]()|:-,", " \t])|:-,"


def stamped(line: str, *, near: float, zone: tzinfo = UTC) -> tuple[float, str] | None:
    """The time of a line (seconds since the epoch) and the line without it, or None.

    `near` is a moment not far from it: a form without a year takes the year that lies nearest.
    """
    head = line[:REACH]
    found = ISO.search(head)
    if found is not None:
        at = _iso(found["day"], found["clock"], found["zone"], zone)
        return _cut(line, found, at)
    for form, told in ((ACCESS, _access), (SYSLOG, _syslog), (KLOG, _klog), (EPOCH, _epoch)):
        found = form.search(head)
        if found is not None:
            return _cut(line, found, told(found, near, zone))
    return None


def moment(value: object, *, near: float, zone: tzinfo = UTC) -> float | None:
    """The time that a field holds: text in one of the forms, or seconds, milliseconds,
    microseconds or nanoseconds since the epoch."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _since_epoch(str(int(value)), f"{value % 1:.6f}"[2:] if value >= 0 else "")
    text = str(value).strip()
    whole, _, part = text.partition(".")
    if whole.isascii() and whole.isdigit() and len(whole) in _EPOCH_DIGITS:
        return _since_epoch(whole, part if part.isdigit() else "")
    found = stamped(text[:REACH], near=near, zone=zone)
    return found[0] if found else None


def _cut(line: str, found: re.Match[str], at: float | None) -> tuple[float, str] | None:
    if at is None:
        return None
    fraction = found.groupdict().get("part")
    if fraction and found.re is not EPOCH:
        at += int(fraction) / 10 ** len(fraction)
    before = _PRIORITY.sub("", line[: found.start()]).strip(_AROUND)
    after = line[found.end() :].lstrip(_AFTER)
    return at, f"{before} {after}" if before else after


@lru_cache(maxsize=4096)  # a busy second has many lines
def _iso(day: str, clock: str, zone: str | None, naive: tzinfo) -> float | None:
    try:
        at = datetime.fromisoformat(f"{day.replace('/', '-')}T{clock}{_offset(zone)}")
        return (at if at.tzinfo else at.replace(tzinfo=naive)).timestamp()
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> str:
    return {None: "", "Z": "+00:00", "UTC": "+00:00"}.get(zone, zone or "")


def _access(found: re.Match[str], near: float, zone: tzinfo) -> float | None:
    month = MONTHS.index(found["month"]) + 1
    return _iso(f"{found['year']}-{month:02d}-{found['day']}", found["clock"], found["zone"], zone)


def _syslog(found: re.Match[str], near: float, zone: tzinfo) -> float | None:
    month = MONTHS.index(found["month"]) + 1
    return _nearest(f"{month:02d}-{int(found['day']):02d}", found["clock"], near, zone)


def _klog(found: re.Match[str], near: float, zone: tzinfo) -> float | None:
    return _nearest(f"{found['month']}-{found['day']}", found["clock"], near, zone)


def _nearest(day: str, clock: str, near: float, zone: tzinfo) -> float | None:
    year = datetime.fromtimestamp(near, UTC).year
    told = [_iso(f"{y}-{day}", clock, None, zone) for y in (year - 1, year, year + 1)]
    return min((at for at in told if at is not None), key=lambda at: abs(at - near), default=None)


def _epoch(found: re.Match[str], near: float, zone: tzinfo) -> float | None:
    at = _since_epoch(found["whole"], found["part"] or "")
    # A long number at the start of a line is an id unless it lies in living memory.
    return at if at is not None and abs(at - near) < 3660 * DAY_S else None


def _since_epoch(whole: str, part: str) -> float | None:
    unit = _EPOCH_DIGITS.get(len(whole))
    if unit is None or not whole.isdigit():
        return None
    return int(whole) / unit + (int(part) / 10 ** len(part) / unit if part else 0.0)
