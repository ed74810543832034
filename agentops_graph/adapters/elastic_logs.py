"""Documents of an Elasticsearch or OpenSearch index, as `LogSource`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from agentops_graph.detection.logs.events import (
    CAUSES,
    LEVELS,
    MESSAGES,
    Fields,
    Reading,
    message_of,
    read_fields,
)
from agentops_graph.domain.log import LogLine, LogRead
from agentops_graph.domain.sources.logs import COMPONENT, ElasticLogs, asked_of
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_graph.guarded_http import GuardedHttp

TIME = "@timestamp"
LOOK = timedelta(minutes=5)  # what `check` asks for
NANOSECONDS = 10**16  # a sort value above is of a date_nanos field
# Characters that query_string gives a meaning; a component's name has none.
_MEANT = '+-=&|><!(){}[]^"~*?:\\/ '


class ElasticLogSource:
    """One query on an index, paged by `search_after` within the declared time and size."""

    def __init__(
        self,
        declared: ElasticLogs,
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
        read = _Paging(self._declared, newest)
        asked = self._asked(target, since, until, newest)
        deadline = monotonic() + self._declared.timeout_s
        while read.wanted:
            try:
                read.take(*self._page(asked, read, deadline - monotonic()))
            except UnavailableError as error:
                if not read.hits:
                    raise
                read.wanted, read.cut = False, f"stopped at {len(read.hits)} lines: {error}"
        place = f"{urlsplit(self._declared.url).netloc}/{self._declared.index}"
        query = self._query(target)
        return LogRead(place, query, _events(read, self._declared, since), read.cut)

    def check(self, now: datetime) -> str:
        asked = self._asked(self._declared.components[0], now - LOOK, now, newest=True)
        page = _Paging(self._declared, True, limit=1)
        hits, _ = self._page(asked, page, self._declared.timeout_s)
        return "answers" + ("" if hits else ", no line in the last five minutes")

    def _query(self, target: str) -> str:
        escaped = "".join(f"\\{c}" if c in _MEANT else c for c in target)
        return self._declared.query.replace(COMPONENT, escaped)

    def _asked(self, target: str, since: datetime, until: datetime, newest: bool) -> dict[str, Any]:
        declared, time = self._declared, self._declared.time_field or TIME
        span = {"gte": _ms(since), "lt": _ms(until), "format": "epoch_millis"}
        return {
            "query": {
                "bool": {
                    "filter": [
                        {"range": {time: span}},
                        {"query_string": {"query": self._query(target), "lenient": True}},
                    ]
                }
            },
            "sort": [{time: {"order": "desc" if newest else "asc", "unmapped_type": "date"}}],
            "_source": _wanted(declared),
            "track_total_hits": False,
            "timeout": f"{max(1, int(declared.timeout_s))}s",
        }

    def _page(
        self, asked: Mapping[str, Any], read: _Paging, left: float
    ) -> tuple[list[Mapping[str, Any]], str]:
        from agentops_graph.guarded_http import Limits, document_of

        body = {**asked, "size": read.limit}
        if read.after is not None:
            body["search_after"] = [read.after]
        index = quote(self._declared.index, safe="*,")
        url = f"{self._declared.url.rstrip('/')}/{index}/_search"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        reply = self._http.post(
            url,
            {**headers, **self._credentials()},
            json.dumps(body).encode(),
            Limits(left, read.bytes_left),
        )
        read.bytes_left = max(0, read.bytes_left - len(reply.body))
        if reply.status == 404:
            raise UnavailableError(f"{self.name}: there is no index {self._declared.index} (404)")
        if reply.status == 400:
            raise UnavailableError(f"{self.name} refused the query (400); check `query`")
        document = document_of(reply, self.name, mend="its token, API key or user")
        try:
            return _hits(document)
        except (KeyError, TypeError, AttributeError, IndexError):
            raise UnavailableError(
                f"{self.name} answered in another form than a search's"
            ) from None


class _Paging:
    """How far one read has come. Pages overlap by the smallest step of time, since several
    documents may have the same one and a search without a snapshot has no other order."""

    def __init__(self, declared: ElasticLogs, newest: bool, limit: int | None = None) -> None:
        self.newest = newest
        self.page = limit or declared.page_lines
        self.most, self.bytes_left = declared.max_lines, declared.max_bytes
        self.hits: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.after: int | str | None = None
        self.cut, self.wanted = "", True

    @property
    def limit(self) -> int:
        return min(self.page, self.most)

    def take(self, page: list[Mapping[str, Any]], partial: str) -> None:
        held = len(self.hits)
        self.hits |= {(str(hit["_index"]), str(hit["_id"])): hit for hit in page}
        self.cut = partial or self.cut
        if len(page) < self.limit:
            self.wanted = False
            return
        if len(self.hits) >= self.most or not self.bytes_left:
            # Pages come in the order that was asked for: the last to come are too many.
            self.hits = dict(islice(self.hits.items(), self.most))
            self.wanted, self.cut = False, f"cut at {len(self.hits)} lines"
            return
        edge = page[-1]["sort"][0]
        if len(self.hits) == held or not isinstance(edge, int):
            self.cut = "one moment had more lines than a page"
            self.wanted = self.after != edge
            self.after = edge
            return
        self.after = edge + (1 if self.newest else -1)


def _hits(document: Any) -> tuple[list[Mapping[str, Any]], str]:
    """The hits, each checked for what is read of it, and why some may be missing."""
    shards = document.get("_shards", {})
    failed = shards.get("failed", 0)
    partial = f"{failed} of {shards.get('total')} shards did not answer" if failed else ""
    if document.get("timed_out"):
        partial = "the search took too long and is partial"
    hits = document["hits"]["hits"]
    for hit in hits:
        _ = hit["_index"], hit["_id"], hit["sort"][0], hit.get("_source", {}).keys()
    return list(hits), partial


def _events(read: _Paging, declared: ElasticLogs, since: datetime) -> list[LogLine]:
    time = declared.time_field or TIME
    reading = Reading(
        near=since.timestamp(), fields=Fields(time, declared.level_field, declared.message_field)
    )
    found = []
    for hit in read.hits.values():
        held = hit.get("_source", {})
        message = message_of(held, declared.message_field)
        raw = json.dumps(held, default=str) if message is None else ""
        event = read_fields(held, raw, reading)
        stack = held.get("error", {})
        if isinstance(stack, Mapping) and stack.get("message"):  # as the common schema nests it
            event.text = f"{event.text.partition(' error=')[0]} error={stack['message']}"
        found.append(LogLine(_moment(hit["sort"][0], event.at, since), event.severity, event.text))
    return sorted(found, key=lambda line: line.at)


def _moment(value: object, told: float | None, since: datetime) -> float:
    """By the value it was sorted by; a server of another make may not give it as a number."""
    if isinstance(value, int | float):
        return value / (1e9 if value > NANOSECONDS else 1e3)
    return told if told is not None else since.timestamp()


def _wanted(declared: ElasticLogs) -> list[str]:
    named = (declared.time_field, declared.level_field, declared.message_field)
    return [*(name for name in named if name), TIME, *LEVELS, *MESSAGES, *CAUSES]


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
