"""Lines that programs wrote, as a log source hands them over."""

from dataclasses import dataclass, field
from typing import Literal

LogSeverity = Literal["error", "warning", "info", "unknown"]
EVENT_LIMIT = 16_000  # characters of one event, tracebacks and all


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event: its time (seconds since the epoch), its severity, its text without the two.

    A traceback is part of its event: `text` may have several lines.
    """

    at: float
    severity: LogSeverity
    text: str


@dataclass(frozen=True)
class LogRead:
    """What one read of a source gave, in time order; `cut` says why there may be more."""

    place: str  # the files, or the address without credentials
    query: str
    lines: list[LogLine] = field(default_factory=list)
    cut: str = ""
