"""The reads that a language model may ask for: each typed, bounded, and of this incident only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as SlowError
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from agentops_graph.domain.component import Component
from agentops_graph.domain.evidence import Evidence, EvidenceKind
from agentops_graph.domain.redaction import redacted
from agentops_graph.domain.story import main_alert
from agentops_graph.errors import AgentOpsError, InputError
from agentops_graph.gathering import asked_figures as figures
from agentops_graph.gathering.asked_once import Asking, Memory
from agentops_graph.gathering.case import Case, Observed
from agentops_graph.gathering.gather import finite
from agentops_graph.gathering.oversize import within_limits
from agentops_graph.model_ports import Tool, ToolCall

if TYPE_CHECKING:
    from agentops_graph.domain.diagnosis import Brief
    from agentops_graph.ports import Ports

READ_S = 10.0  # a model waits, and so does whoever waits for the diagnosis
MOST_HOURS = 72
LONGEST_WORDS = 120
LONGEST_NAME = 100
NAME = re.compile(r"[^\s<>]+(?: [^\s<>]+){0,3}")
TOLD = 4000  # characters of what a read says
Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Offer:
    """One kind of read: how it is described, what it gives, and the function that reads."""

    tool: Tool
    kind: EvidenceKind
    source: str
    read: Callable[[Case, Arguments], Observed]


class AskedReads:
    """Reads around one incident: of its component, its feeds, its logs, and the runbooks.

    What may be named stands in the tools as closed lists; anything else is refused unread. A
    question that was asked before, by the model or when the evidence was gathered, is not put to a
    source again where its answer can't have changed.
    """

    def __init__(self, ports: Ports, brief: Brief) -> None:
        incident = ports.incidents.get(brief.incident_id)
        alert = main_alert(incident, ports.log.alerts(brief.incident_id))
        component = ports.components.get(incident.component) or Component(name=incident.component)
        self._case = Case(ports, incident, alert, component, brief.asked_at)
        self._memory = Memory(incident.incident_id, brief.asked_at, ports.answers)
        self._diagnosis_id = brief.diagnosis_id
        self._offers = {offer.tool.name: offer for offer in _offers(self._case)}

    def tools(self) -> tuple[Tool, ...]:
        return tuple(offer.tool for offer in self._offers.values())

    def read(self, call: ToolCall, number: int) -> Evidence:
        offer = self._offers.get(call.name)
        if offer is None:
            raise InputError(f"there is no read of that name; there are {', '.join(self._offers)}")
        arguments = _checked(call.arguments, offer.tool.parameters["properties"])
        asking = Asking(self._memory, deadline=monotonic() + READ_S)
        observed = self._read(offer, arguments, self._case.asked_by(asking))
        asking.meter.stop()
        why = observed if isinstance(observed, str) else ""
        found, file = None, None
        if not isinstance(observed, str):
            found, file = within_limits(self._case, offer.kind, f"T{number}", observed)
        return Evidence(
            evidence_id=f"{self._diagnosis_id}/T{number}",
            incident_id=self._case.incident.incident_id,
            kind=offer.kind,
            source=found.source if found else offer.source,
            query=found.query if found else f"{call.name}()",
            summary=redacted(found.summary if found else f"{offer.source} failed: {why}")[:TOLD],
            values=finite(found.values) if found else {},
            references=found.references if found else (),
            measured_at=self._case.now,
            status="failed" if found is None else "ok" if found.found else "absent",
            got=asking.meter.got,
            file=file,
        )

    def _read(self, offer: Offer, arguments: Arguments, case: Case) -> Observed | str:
        """What was seen, or why nothing was; a read that hangs is left behind."""
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="asked")
        try:
            return pool.submit(offer.read, case, arguments).result(timeout=READ_S)
        except (SlowError, AgentOpsError) as error:
            return str(error) or "it did not answer in time"
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _offers(case: Case) -> list[Offer]:
    hours = {"type": "integer", "minimum": 1, "maximum": MOST_HOURS}
    subjects = {"type": "string", "enum": offered(case.subjects)}
    series = Tool(
        "series",
        "How the measures of a component or feed ran over the hours before the onset and since.",
        _closed(subject=subjects, hours=hours),
    )
    changes = Tool(
        "changes",
        "Deploys, schema and configuration changes recorded in the hours before the onset.",
        _closed(subject=subjects, hours=hours),
    )
    words = {"type": "string", "minLength": 1, "maxLength": LONGEST_WORDS}
    search = Tool(
        "search_runbooks",
        "The sections of runbooks and past incidents nearest to a few words.",
        _closed(words=words),
    )
    offers = [
        Offer(series, "metric_history", "warehouse series", figures.series),
        Offer(changes, "changes", "CHANGES", figures.changes),
        Offer(search, "runbook_sections", "runbooks", figures.sections),
    ]
    offers = offers if subjects["enum"] else offers[2:]
    features = offered(figures.features_of(case))
    if features:
        tool = Tool(
            "drift_of_feature",
            "How one feature's values moved against the reference: mean, spread, missing values.",
            _closed(feature={"type": "string", "enum": features}),
        )
        offers.append(Offer(tool, "feature_drift", "PREDICTION_LOGS", figures.drift_of_feature))
    logs = offered(figures.logs_of(case))
    if logs:
        tool = Tool(
            "search_log",
            "Lines of a log since the onset that hold some words, quoted.",
            _closed(log={"type": "string", "enum": logs}, words=words),
        )
        offers.append(Offer(tool, "logs", "logs", figures.lines))
    return offers


def offered(names: Iterable[str]) -> list[str]:
    """The names that a model may be shown where nothing marks them as text from outside: lineage
    and columns are named by others, and what is a sentence or a credential is no name."""
    return [n for n in names if len(n) <= LONGEST_NAME and NAME.fullmatch(n) and redacted(n) == n]


def _closed(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _checked(arguments: Mapping[str, object], properties: Mapping[str, Any]) -> Arguments:
    """The arguments, each held against its schema. Raises InputError."""
    strange = [name for name in arguments if name not in properties]
    if strange:
        raise InputError(f"takes no such argument; it takes {', '.join(properties)}")
    return {name: _fitting(name, arguments.get(name), kind) for name, kind in properties.items()}


def _fitting(name: str, value: object, kind: Mapping[str, Any]) -> object:
    if "enum" in kind:
        if value not in kind["enum"]:
            raise InputError(f"must be one of {', '.join(kind['enum'])[:300]}", field=name)
        return value
    if kind["type"] == "integer":
        whole = _whole(value)
        if whole is None or not kind["minimum"] <= whole <= kind["maximum"]:
            raise InputError(f"must be {kind['minimum']} to {kind['maximum']}", field=name)
        return whole
    words = " ".join(value.split()) if isinstance(value, str) else ""
    if not 0 < len(words) <= kind["maxLength"] or not words.isprintable():
        raise InputError(f"must be 1 to {kind['maxLength']} characters of text", field=name)
    return words


def _whole(value: object) -> int | None:
    """Small models write numbers as text, or with a point."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None
