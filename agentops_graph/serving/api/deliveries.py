"""Routes to which other systems push: Alertmanager's alerts, and CloudEvents."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.delivery import Delivered, source_of
from agentops_graph.domain.record import Record
from agentops_graph.domain.sources.alertmanager import AlertmanagerSource, Notification, told_by
from agentops_graph.domain.sources.cloudevents import (
    CHANGE,
    RESOLVED,
    ChangeTold,
    CloudEvent,
    ends,
    fires,
)
from agentops_graph.serving.api.door import InService, InWorkshop
from agentops_graph.serving.api.events import MANY, ONE, PLAIN, events_of
from agentops_graph.verdicts import checked

routes = APIRouter(prefix="/api/v1", tags=["deliveries"])
BY_ALERTMANAGER, BY_EVENT = "alertmanager", "cloudevents"
MOST_ALERTS = 500  # of one notification
_EVENT = CloudEvent.model_json_schema()
_TAKEN: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            ONE: {"schema": _EVENT},
            MANY: {"schema": {"type": "array", "minItems": 1, "items": _EVENT}},
            PLAIN: {"schema": {"type": "object"}},
        },
    }
}


class Deliveries(Record):
    """What became of each message, in the order in which they were taken."""

    deliveries: tuple[Delivered, ...]
    left_out: int = 0  # alerts of the group that were not sent, or were too many to take


@routes.post("/alerts/alertmanager")
def alertmanager(
    notification: Notification, service: InService, workshop: InWorkshop
) -> Deliveries:
    """The webhook of Alertmanager. A message that came before changes nothing, so that several
    Alertmanagers, and retries, may all send it."""
    service.needs("report")
    ports, identity = workshop.ports, service.identity
    mapping = workshop.sources.alertmanager or AlertmanagerSource()
    told = told_by(
        notification,
        mapping,
        list(ports.components),
        source=source_of("alertmanager", identity.tenant, mapping.sender(identity.sender)),
        at=ports.clock.now(),
    )
    delivered = service.deliver(told[:MOST_ALERTS], actor=BY_ALERTMANAGER, via="http")
    left_out = notification.truncatedAlerts + max(0, len(told) - MOST_ALERTS)
    opened = {each.incident_id for each in delivered if each.incident_id is not None}
    if left_out and any(each.outcome != "known" for each in delivered):
        service.tell_truncated(opened, left_out, actor=BY_ALERTMANAGER, via="http")
    return Deliveries(deliveries=tuple(delivered), left_out=left_out)


@routes.post("/events", openapi_extra=_TAKEN)
async def events(request: Request, service: InService, workshop: InWorkshop) -> Deliveries:
    """CloudEvents, each taken once by its source and id: alerts that fire, their ends, changes."""
    body = await request.body()
    return await run_in_threadpool(_taken, request, body, service, workshop)


def _taken(request: Request, body: bytes, service: InService, workshop: InWorkshop) -> Deliveries:
    service.needs("report")
    now = workshop.ports.clock.now()
    # Read whole before the first is taken: a batch is refused as one.
    read = [(event, _content(event, now)) for event in events_of(request.headers, body)]
    found = [_delivered(event, content, service, now) for event, content in read]
    return Deliveries(deliveries=tuple(found))


def _content(event: CloudEvent, now: datetime) -> AlertClaim | ChangeTold | None:
    if event.type == RESOLVED:
        return None
    given: dict[str, Any] = dict(event.data)
    if event.type == CHANGE:
        return checked(ChangeTold, {"at": event.time or now} | given)
    given.pop("findings", None)  # those are ours alone
    return checked(AlertClaim, {"timestamp": event.time or now} | given)


def _delivered(
    event: CloudEvent, content: AlertClaim | ChangeTold | None, service: InService, now: datetime
) -> Delivered:
    identity = service.identity
    source = source_of(f"event {event.source}", identity.tenant, identity.sender)
    if isinstance(content, ChangeTold):
        change, key = content.change(now), event.key(source)
        return service.note_change(change, key=key, source=source, actor=BY_EVENT, via="http")
    told = ends(event, now, source) if content is None else fires(event, content, source)
    (delivered,) = service.deliver([told], actor=BY_EVENT, via="http")
    return delivered
