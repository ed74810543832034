"""Reads the events of a span of time out of log files."""

from __future__ import annotations

import glob
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from agentops_graph.adapters.file_logs.budget import Budget
from agentops_graph.adapters.file_logs.files import Found, byte_of, found_files, raw_lines
from agentops_graph.detection.logs.events import Fields, Reading, joined, read_line
from agentops_graph.domain.log import LogLine, LogRead
from agentops_graph.domain.sources.logs import COMPONENT, FileLogs
from agentops_graph.errors import NotEnoughDataError, UnavailableError

LATE_S = 300.0  # lines of several threads may stand out of order by that much
SHOWN = 3  # files named in the evidence


class FileLogSource:
    """Files of one pattern, read from the moment that is asked for."""

    def __init__(self, declared: FileLogs, folder: Path) -> None:
        self._declared, self._folder = declared, folder

    @property
    def name(self) -> str:
        return self._declared.name

    def targets(self, subjects: Sequence[str]) -> tuple[str, ...]:
        known = tuple(s for s in subjects if s in self._declared.components)
        return known if COMPONENT in self._declared.path else known[:1]

    def lines(
        self, target: str, since: datetime, until: datetime, *, newest: bool = False
    ) -> LogRead:
        start, end = since.timestamp(), until.timestamp()
        pattern = self._pattern(target)
        files = self._found(pattern, start)
        if not files and not self._found(pattern, 0.0):
            raise NotEnoughDataError(f"{self.name}: {self._none_of(pattern)}")
        read = Budget(self._declared)
        events = self._within(files, start, end, read)
        found = _kept(events, self._declared.max_lines, newest, read)
        if read.troubles and not found:
            raise UnavailableError(f"{self.name}: {read.told}")
        names = [file.path.name for file in files]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        place = ", ".join(names[-SHOWN:]) + more if names else pattern
        return LogRead(place, pattern, sorted(found, key=lambda line: line.at), read.told)

    def check(self, now: datetime) -> str:
        found = [f for c in self._declared.components for f in self._found(self._pattern(c), 0.0)]
        if not found:
            raise UnavailableError(self._none_of(self._pattern(self._declared.components[0])))
        newest = max(found, key=lambda file: file.written_at)
        next(raw_lines(newest, Budget(self._declared)), "")  # may it be read?
        minutes = max(0.0, now.timestamp() - newest.written_at) / 60
        return f"files: {len(found)}, written last {minutes:.0f} min ago"

    def _found(self, pattern: str, since: float) -> list[Found]:
        return found_files(pattern, since, follow_links=self._declared.follow_links)

    def _none_of(self, pattern: str) -> str:
        if self._declared.follow_links or not found_files(pattern, 0.0, follow_links=True):
            return f"no file matches {pattern}"
        return f"only links to other folders match {pattern}; `follow_links: true` reads them"

    def _pattern(self, target: str) -> str:
        if "/" in target or target in (".", ".."):
            raise UnavailableError(f"{self.name}: {target!r} can't be part of a path")
        path = self._declared.path.replace(COMPONENT, glob.escape(target))
        return str(self._folder / Path(path).expanduser())

    def _within(
        self, files: Iterable[Found], start: float, end: float, read: Budget
    ) -> Iterator[LogLine]:
        declared = self._declared
        fields = Fields(declared.time_field, declared.level_field, declared.message_field)
        reading = Reading(near=end, zone=ZoneInfo(declared.timezone), fields=fields)
        for file in files:
            try:
                yield from _of_file(file, reading, read, start, end)
            except (UnavailableError, OSError) as error:  # the other files still count
                read.troubles.append(str(error))
            if read.cut:
                return


def _of_file(
    file: Found, reading: Reading, read: Budget, start: float, end: float
) -> Iterator[LogLine]:
    first = byte_of(file, start - LATE_S, lambda raw: read_line(raw, reading).at, read)
    lines = raw_lines(file, read, first)
    for at, line in joined(((None, raw) for raw in lines), reading):
        # A file that never says a time is as old as its last line.
        told = file.written_at if at is None else at
        if start <= told < end:
            yield line if at is not None else LogLine(told, line.severity, line.text)
        elif told >= end + LATE_S:
            return


def _kept(events: Iterator[LogLine], most: int, newest: bool, read: Budget) -> list[LogLine]:
    if newest:
        kept = deque(events, maxlen=most)
        if len(kept) == most:
            read.cut = read.cut or f"cut at the newest {most} lines"
        return list(kept)
    found = list(islice(events, most))
    if len(found) == most:
        read.cut = read.cut or f"cut at the first {most} lines"
    return found
