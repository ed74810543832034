"""OpenLineage events, as much of them as lineage needs: https://openlineage.io/docs/spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from agentops_graph.domain.lineage.fragment import Edge, Fragment, Node, NodeKind, usable
from agentops_graph.domain.record import Moment, Record, storable
from agentops_graph.domain.redaction import redacted

ORIGIN = "openlineage"
MOST_SETS = 2000  # inputs or outputs of one event
MESSAGE_LIMIT = 300  # characters of why a job failed
Word = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(storable)]


class _Sent(Record):
    """A part of an event; facets and fields that are not named here are passed over."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=True)


class Named(_Sent):
    """A job or a data set."""

    namespace: Word
    name: Word
    facets: dict[str, Any] = Field(default_factory=dict)

    @property
    def full_name(self) -> str | None:
        """One name for both parts; a password in the namespace stays out. None when it can't be
        shown."""
        return _full_name(self.namespace, self.name)


@lru_cache(maxsize=10_000)  # a log of events names the same few things over and over
def _full_name(namespace: str, name: str) -> str | None:
    return usable(redacted(f"{namespace.rstrip('/')}/{name}"))


class Run(_Sent):
    run_id: Word = Field(alias="runId")
    facets: dict[str, Any] = Field(default_factory=dict)


class LineageEvent(_Sent):
    """A RunEvent, or a JobEvent, which has no run; a DatasetEvent has no job and draws nothing."""

    event_type: str | None = Field(default=None, alias="eventType", max_length=40)
    event_time: Moment = Field(alias="eventTime")
    run: Run | None = None
    job: Named | None = None
    inputs: tuple[Named, ...] = Field(default=(), max_length=MOST_SETS)
    outputs: tuple[Named, ...] = Field(default=(), max_length=MOST_SETS)


class JobFailure(Record):
    """A run that failed."""

    job: str
    run_id: str
    at: Moment
    message: str


def fragment_of(event: LineageEvent) -> Fragment:
    """The job between what it read and what it wrote. Column lineage names inputs, too."""
    job = event.job.full_name if event.job is not None else None
    if job is None:
        return Fragment()
    read = set(_names((*event.inputs, *_behind_columns(event.outputs))))
    written = set(_names(event.outputs))
    nodes = {_node(name, "table") for name in read | written}
    return Fragment(
        frozenset(nodes | {_node(job, "pipeline")}),
        frozenset(
            {Edge(ORIGIN, name, job) for name in read}
            | {Edge(ORIGIN, job, name) for name in written}
        ),
    )


def failure_of(event: LineageEvent) -> JobFailure | None:
    """What failed; None for every other event."""
    job = event.job.full_name if event.job is not None else None
    if (event.event_type or "").upper() != "FAIL" or event.run is None or job is None:
        return None
    told = event.run.facets.get("errorMessage")
    message = told.get("message") if isinstance(told, dict) else None
    words = " ".join(str(message or "it did not say why")[: 4 * MESSAGE_LIMIT].split())
    shown = "".join(c if c.isprintable() else " " for c in redacted(words))
    return JobFailure(
        job=job,
        run_id=event.run.run_id[:200],
        at=event.event_time,
        message=shown[:MESSAGE_LIMIT],
    )


def _node(name: str, kind: NodeKind) -> Node:
    return Node(ORIGIN, name, kind)


def _names(sets: Iterable[Named]) -> Iterator[str]:
    return (name for one in sets if (name := one.full_name) is not None)


def _behind_columns(outputs: Iterable[Named]) -> Iterator[Named]:
    """The data sets that the facet `columnLineage` names; one that is not as specified is passed
    over."""
    for output in outputs:
        facet = output.facets.get("columnLineage")
        fields = facet.get("fields") if isinstance(facet, dict) else None
        for column in fields.values() if isinstance(fields, dict) else ():
            listed = column.get("inputFields") if isinstance(column, dict) else None
            for one in listed[:MOST_SETS] if isinstance(listed, list) else ():
                if _is_named(one):
                    yield Named(namespace=one["namespace"], name=one["name"])


def _is_named(one: object) -> bool:
    if not isinstance(one, dict):
        return False
    texts = (one.get("namespace"), one.get("name"))
    return all(isinstance(t, str) and 0 < len(t) <= 2000 and t.isprintable() for t in texts)
