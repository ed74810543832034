"""Traces of agents as the requests that they were; implements `CallSource`."""

from __future__ import annotations

import json
import logging
import re
import time
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.adapters.mlflow_registry.reading import (
    experiment_id,
    pages,
    reader,
    tagged,
)
from agentops_graph.adapters.mlflow_registry.store import MlflowStore
from agentops_graph.domain.outputs import NAME_LIMIT, TEXT_LIMIT, Calls, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlflow.entities import Trace, TraceInfo

    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.sources.mlflow import MlflowTraces

log = logging.getLogger(__name__)

PAGE = 500  # the most that MLflow's servers give at once
MOST = 50_000  # traces of one read; the newest count
KEPT = timedelta(hours=36)  # a day before the window, and some more
LATE = timedelta(hours=1)  # a trace is written when it ends, under the time at which it began
AT_ONCE = 100  # traces asked for by their ids in one search
MOST_TEXTS = 5000  # 10 MB
PLAIN_ID = re.compile(r"[\w:.-]+\Z")  # the filter language can't quote others
ENDED = ("OK", "ERROR")
LARGEST = 1e75
NAN = float("nan")


@dataclass(frozen=True, order=True)
class Request:
    """One trace, without what nobody asks for."""

    at_ms: int
    trace_id: str
    failed: bool = field(compare=False)
    latency_ms: float = field(compare=False)
    cost: float = field(compare=False)
    tokens: float = field(compare=False)
    session: str = field(compare=False)
    version: str = field(compare=False)
    provider: str = field(compare=False)


@dataclass
class Kept:
    """Requests that were read before: all that began from `since` to before `until`."""

    since: datetime
    until: datetime
    requests: list[Request]


class MlflowTraceLog:
    """Requests of agents, from the traces in their experiments.

    Only what is new, and the hour before it, is searched at each read. A trace that is still under
    way is no request yet. Texts are the previews that MLflow keeps with a trace (1,000 characters).
    """

    def __init__(
        self,
        store: MlflowStore,
        traces: Mapping[str, MlflowTraces],
        *,
        now: Callable[[], float] = time.time,
        most: int = MOST,
    ) -> None:
        self._store, self._traces, self._now, self._most = store, traces, now, most
        self._kept: dict[str, Kept] = {}
        self._texts: dict[str, Exchange] = {}
        self._lock = Lock()

    def knows(self, agent: str) -> bool:
        return agent in self._traces

    def asked_for(self, subject: str) -> str:
        return "mlflow"

    def calls(self, agent: str, since: datetime, until: datetime) -> Calls:
        return _frame(self._requests(agent, since, until))

    def exchanges(
        self, agent: str, since: datetime, until: datetime, ids: Sequence[str]
    ) -> dict[str, Exchange]:
        """Those of the requests that were asked for lately are still at hand."""
        inside = {each.trace_id for each in self._requests(agent, since, until)}
        wanted = [name for name in ids if name in inside]
        with self._lock:
            found = {name: self._texts[name] for name in wanted if name in self._texts}
        missing = [name for name in wanted if name not in found and PLAIN_ID.match(name)]
        for first in range(0, len(missing), AT_ONCE):
            listed = ", ".join(f"'{name}'" for name in missing[first : first + AT_ONCE])
            for info in self._infos(agent, f"attributes.request_id IN ({listed})"):
                found[str(info.trace_id)] = _exchange(info)
        with self._lock:
            self._texts.update(found)
            while len(self._texts) > MOST_TEXTS:
                del self._texts[next(iter(self._texts))]
        return found

    def _requests(self, agent: str, since: datetime, until: datetime) -> list[Request]:
        with self._lock:
            kept = self._kept.get(agent)
        older: list[Request] = []
        begin, declared = since, self._traces[agent]
        if kept is not None and kept.since <= since <= kept.until:
            begin = max(since, min(kept.until, until))
            older = _between(kept.requests, since, begin)
        when = f"timestamp_ms >= {_millis(begin)} AND timestamp_ms < {_millis(until)}"
        fresh = [
            _request(info, declared)
            for info in self._infos(agent, when + tagged(declared.tags))
            if info.state.value in ENDED
        ]
        # While pages are turned more may come in, and one may stand on two pages.
        found = sorted({each.trace_id: each for each in older + fresh}.values())
        self._keep(agent, since, until, found)
        return found

    def _keep(self, agent: str, since: datetime, until: datetime, found: list[Request]) -> None:
        """Also what was kept from before `since`, which a longer look asks for again."""
        settled = min(until, datetime.fromtimestamp(self._now(), UTC) - LATE)
        with self._lock:
            kept = self._kept.get(agent)
            if settled <= since or (kept is not None and settled < kept.until):
                return
            requests = _between(found, since, settled)
            if kept is not None and kept.since <= since <= kept.until:
                begin = max(kept.since, settled - KEPT)
                requests = _between(kept.requests, begin, since) + requests
                since = begin
            if len(requests) > self._most:
                requests = requests[-self._most :]
                since = datetime.fromtimestamp(requests[0].at_ms / 1000, UTC)
            self._kept[agent] = Kept(since, settled, requests)

    def _infos(self, agent: str, wanted: str) -> list[TraceInfo]:
        """Newest first."""
        declared, client = self._traces[agent], reader(self._store)
        place = experiment_id(self._store, declared.experiment)
        found: Iterator[Trace] = pages(
            f"traces of {agent}",
            self._most,
            lambda token: client.search_traces(
                locations=[place],
                filter_string=wanted,
                max_results=PAGE,
                order_by=["timestamp_ms DESC"],
                page_token=token,
                include_spans=False,
            ),
        )
        infos = [trace.info for trace in found]
        if len(infos) == self._most:
            log.warning("%s has more than %d traces; older ones are left out", agent, self._most)
        return infos


def _between(requests: list[Request], since: datetime, until: datetime) -> list[Request]:
    cuts = [bisect_left(requests, _millis(at), key=lambda r: r.at_ms) for at in (since, until)]
    return requests[cuts[0] : cuts[1]]


def _request(info: TraceInfo, declared: MlflowTraces) -> Request:
    said = {**info.trace_metadata, **info.tags}
    model = said.get("mlflow.modelId", "")
    return Request(
        at_ms=int(info.request_time),
        trace_id=str(info.trace_id)[:NAME_LIMIT],
        failed=info.state.value == "ERROR",
        latency_ms=NAN if info.execution_duration is None else float(info.execution_duration),
        cost=_figure(said.get("mlflow.trace.cost"), "total_cost"),
        tokens=_figure(said.get("mlflow.trace.tokenUsage"), "total_tokens"),
        session=str(said.get("mlflow.trace.session", ""))[:NAME_LIMIT],
        version=str(said.get(declared.version_tag, model))[:NAME_LIMIT],
        provider=str(said.get(declared.provider_tag, ""))[:NAME_LIMIT],
    )


def _figure(document: str | None, name: str) -> float:
    """One number of a JSON document in the metadata; NaN when it is not there."""
    try:
        value = float(json.loads(document or "{}")[name])
    except (ValueError, TypeError, KeyError, RecursionError):
        return NAN
    return value if abs(value) <= LARGEST else NAN


def _frame(requests: Sequence[Request]) -> Calls:
    unknown = np.full(len(requests), NAN)

    def figures(name: str) -> Floats:
        return np.array([getattr(each, name) for each in requests], dtype=np.float64)

    return Calls(
        ids=[each.trace_id for each in requests],
        timestamps=figures("at_ms") / 1000,
        version=[each.version for each in requests],
        session=[each.session for each in requests],
        provider=[each.provider for each in requests],
        failure=["the trace ended with an error" if each.failed else "" for each in requests],
        failed=figures("failed"),
        retries=unknown,
        latency_ms=figures("latency_ms"),
        cost=figures("cost"),
        tokens=figures("tokens"),
        progress=unknown,
        false_positive=unknown,
    )


def _exchange(info: TraceInfo) -> Exchange:
    expected = ""
    for each in info.assessments:
        held = getattr(each, "expectation", None)
        if each.name == "expected_response" and held is not None:
            expected = str(held.value)[:TEXT_LIMIT]
    return Exchange(
        _plain(info.request_preview)[:TEXT_LIMIT],
        _plain(info.response_preview)[:TEXT_LIMIT],
        expected=expected,
    )


def _plain(preview: str | None) -> str:
    """The words in a preview, which is JSON, or the beginning of it."""
    text = preview or ""
    try:
        return _words(json.loads(text)) or text
    except (ValueError, RecursionError):
        return text


def _words(held: Any) -> str:
    """A text; the last message of a conversation; the only text of a mapping."""
    if isinstance(held, str):
        return held
    if isinstance(held, list) and held:
        return _words(held[-1])
    if not isinstance(held, dict):
        return ""
    for name in ("messages", "choices", "message", "content", "output", "text"):
        if name in held:
            return _words(held[name])
    texts = [value for value in held.values() if isinstance(value, str | dict | list)]
    return _words(texts[0]) if len(texts) == 1 else ""


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
