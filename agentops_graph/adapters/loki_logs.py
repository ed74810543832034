"""Lines of a Loki server, as `LogSource`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from agentops_graph.detection.logs.events import Fields, Reading, joined, level_named
from agentops_graph.domain.log import LogLine, LogRead
from agentops_graph.domain.sources.logs import COMPONENT, LokiLogs, asked_of
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.guarded_http import GuardedHttp

NS = 1_000_000_000
PATH = "/loki/api/v1/query_range"
LEVELS = ("level", "detected_level", "severity")
LOOK = timedelta(minutes=5)  # what `check` asks for

Entry = tuple[int, str, str]  # nanoseconds since the epoch, stream, line


class LokiLogSource:
    """One log query, paged within the declared time and size."""

    def __init__(
        self,
        declared: LokiLogs,
        http: GuardedHttp,
        credentials: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._declared, self._http, self._credentials = declared, http, credentials

    @property
    def name(self) -> str:
        return self._declared.name

    def targets(self, subjects: Sequence[str]) -> tuple[str, ...]:
        return asked_of(self._declared, subjects)

    def lines(
        self, target: str, since: datetime, until: datetime, *, newest: bool = False
    ) -> LogRead:
        query = self._query(target)
        read = _Paging(self._declared, newest, _ns(since), _ns(until))
        deadline = monotonic() + self._declared.timeout_s
        while read.wanted:
            try:
                read.take(self._page(query, read, deadline - monotonic()))
            except UnavailableError as error:
                if not read.entries:
                    raise
                read.wanted, read.cut = False, f"stopped at {len(read.entries)} lines: {error}"
        place = f"{urlsplit(self._declared.url).netloc}{PATH}"
        return LogRead(place, query, _events(read, self._declared), read.cut)

    def check(self, now: datetime) -> str:
        target = self._declared.components[0]
        page = _Paging(self._declared, True, _ns(now - LOOK), _ns(now), limit=1)
        page.take(self._page(self._query(target), page, self._declared.timeout_s))
        return "answers" + ("" if page.entries else ", no line in the last five minutes")

    def _query(self, target: str) -> str:
        escaped = target.replace("\\", "\\\\").replace('"', '\\"').replace("`", "")
        return self._declared.query.replace(COMPONENT, escaped)

    def _page(self, query: str, read: _Paging, left: float) -> list[Entry]:
        from agentops_graph.guarded_http import Limits, document_of

        asked = {
            "query": query,
            "start": read.start,
            "end": read.end,
            "limit": read.limit,
            "direction": "backward" if read.newest else "forward",
        }
        headers = {"Accept": "application/json", **self._credentials()}
        if self._declared.tenant:
            headers["X-Scope-OrgID"] = self._declared.tenant
        url = f"{self._declared.url.rstrip('/')}{PATH}?{urlencode(asked)}"
        reply = self._http.get(url, headers, Limits(left, read.bytes_left))
        read.bytes_left = max(0, read.bytes_left - len(reply.body))
        if reply.status == 400:
            raise UnavailableError(f"{self.name}: Loki refused the query (400); check `query`")
        document = document_of(reply, self.name, mend="its token, its user or its tenant")
        try:
            return list(_entries(document))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise UnavailableError(f"{self.name} answered in another form than Loki's") from None


class _Paging:
    """How far one read has come. Pages overlap by one moment, since it may have more entries."""

    def __init__(
        self, declared: LokiLogs, newest: bool, start: int, end: int, limit: int | None = None
    ) -> None:
        self.newest, self.start, self.end = newest, start, end
        self.page = limit or declared.page_lines
        self.most, self.bytes_left = declared.max_lines, declared.max_bytes
        self.entries: dict[Entry, None] = {}
        self.cut, self.wanted = "", True

    @property
    def limit(self) -> int:
        return min(self.page, self.most)

    def take(self, page: list[Entry]) -> None:
        held = len(self.entries)
        self.entries.update(dict.fromkeys(page))
        if len(page) < self.limit:
            self.wanted = False
            return
        if len(self.entries) >= self.most or not self.bytes_left:
            ordered = sorted(self.entries, key=lambda entry: entry[0], reverse=self.newest)
            self.entries = dict.fromkeys(ordered[: self.most])
            self.wanted, self.cut = False, f"cut at {len(self.entries)} lines"
            return
        edge = min(e[0] for e in page) if self.newest else max(e[0] for e in page)
        if len(self.entries) == held:  # one moment fills a page: its rest can't be asked for
            self.cut = "one moment had more lines than a page"
            edge += -2 if self.newest else 1
        if self.newest:
            self.end = edge + 1  # exclusive
        else:
            self.start = edge
        self.wanted = self.start < self.end


def _entries(document: Any) -> list[Entry]:
    held = document["data"]
    if held["resultType"] != "streams":
        raise UnavailableError("`query` is a metric query; it must be one for log lines")
    found = []
    for stream in held["result"]:
        labels = _labels(stream["stream"])
        found += [(int(value[0]), labels, str(value[1])) for value in stream["values"]]
    return found


def _labels(stream: Mapping[str, str]) -> str:
    """The stream's level, and what tells it from others."""
    level = next((stream[name] for name in LEVELS if name in stream), "")
    return f"{level}\n{sorted(stream.items())}"


def _events(read: _Paging, declared: LokiLogs) -> list[LogLine]:
    streams: dict[str, list[Entry]] = {}
    for entry in read.entries:
        streams.setdefault(entry[1], []).append(entry)
    fields = Fields(declared.time_field, declared.level_field, declared.message_field)
    reading = Reading(near=read.start / NS, fields=fields)
    found: list[LogLine] = []
    for labels, entries in streams.items():
        entries.sort(key=lambda entry: entry[0])
        level = level_named(labels.partition("\n")[0])
        for _, line in joined(((at / NS, text) for at, _, text in entries), reading):
            unknown = line.severity == "unknown"
            found.append(LogLine(line.at, level, line.text) if unknown else line)
    return sorted(found, key=lambda line: line.at)


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * NS + at.microsecond * 1000
