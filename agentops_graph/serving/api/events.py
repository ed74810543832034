"""Reads CloudEvents from a request: structured, in a batch, or with the attributes as headers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from agentops_graph.domain.sources.cloudevents import TYPES, CloudEvent
from agentops_graph.errors import InputError
from agentops_graph.verdicts import checked

ONE, MANY, PLAIN = (
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/json",
)
MOST_EVENTS = 500
ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time")


def events_of(headers: Mapping[str, str], body: bytes) -> list[CloudEvent]:
    """Every event of the request, or InputError that names the field: nothing is taken of a
    request of which a part can't be."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == MANY:
        return list(_batch(_document(body)))
    if kind == ONE:
        return [_event(_document(body))]
    if kind == PLAIN and "ce-specversion" in headers:
        return [_event(_binary(headers, body))]
    raise InputError(
        f"must be {ONE}, {MANY}, or {PLAIN} with ce- headers (seen: {kind[:100] or 'none'})",
        field="content-type",
    )


def _batch(document: Any) -> Iterator[CloudEvent]:
    if not isinstance(document, list) or not 0 < len(document) <= MOST_EVENTS:
        raise InputError(f"must be a list of 1 to {MOST_EVENTS} events", field="body")
    for number, each in enumerate(document):
        try:
            yield _event(each)
        except InputError as error:
            raise InputError(f"of event {number}: {error}", field=f"[{number}]") from None


def _binary(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Attributes come percent-encoded, as the HTTP binding has it."""
    given = {name: headers.get(f"ce-{name}") for name in ATTRIBUTES}
    attributes = {name: unquote(value) for name, value in given.items() if value is not None}
    return attributes | {"data": _document(body) if body else {}}


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("it is not JSON", field="body") from None


def _event(document: Any) -> CloudEvent:
    if not isinstance(document, dict):
        raise InputError("must be an event", field="body")
    if "data_base64" in document:
        raise InputError("is not taken here; send JSON as `data`", field="data_base64")
    event = checked(CloudEvent, document)
    if event.type not in TYPES:
        raise InputError(f"{event.type!r} is not known; known: {', '.join(TYPES)}", field="type")
    return event
