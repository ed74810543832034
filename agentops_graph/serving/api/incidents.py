"""Routes of alerts and incidents."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from agentops_graph.domain.case import Case
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.verdict import IncidentVerdict
from agentops_graph.serving.api.bodies import (
    ALERT_EXAMPLE,
    Admitted,
    AlertList,
    CloseBody,
    IncidentList,
    NoiseList,
    RetryBody,
    VerdictBody,
)
from agentops_graph.serving.api.door import InService

routes = APIRouter(prefix="/api/v1", tags=["incidents"])
Limit = Annotated[int, Query(ge=1, le=1000)]
Days = Annotated[float, Query(gt=0, le=3650, allow_inf_nan=False)]
Claim = Annotated[
    dict[str, Any], Body(openapi_examples={"drift": {"value": ALERT_EXAMPLE}}, embed=False)
]


@routes.post(
    "/alerts", status_code=201, responses={200: {"description": "joined an open incident"}}
)
def raise_alert(claim: Claim, service: InService, response: Response) -> Admitted:
    """201 opens an incident, 200 joins the open one of the same component and kind."""
    admission = service.raise_alert(claim, actor="http", via="http")
    if not admission.is_new:
        response.status_code = 200
    return Admitted.of(admission)


@routes.get("/alerts")
def alerts(service: InService, limit: Limit = 100) -> AlertList:
    return AlertList(alerts=tuple(service.alerts(limit=limit)))


@routes.get("/incidents")
def incidents(service: InService, open: bool = False, limit: Limit = 100) -> IncidentList:
    return IncidentList(incidents=tuple(service.incidents(open_only=open, limit=limit)))


@routes.get("/noise")
def noise(service: InService, days: Days = 90) -> NoiseList:
    """Precision of each rule by people's verdicts, and a line that would have been better."""
    return NoiseList(days=days, rules=tuple(service.noise(days)))


@routes.get("/incidents/{incident_id}")
def incident(incident_id: str, service: InService) -> Case:
    return service.case(incident_id.upper())


@routes.post("/incidents/{incident_id}/retry")
def retry(incident_id: str, service: InService, body: RetryBody | None = None) -> Incident:
    return service.retry(incident_id.upper(), actor=(body or RetryBody()).actor)


@routes.post("/incidents/{incident_id}/close")
def close(incident_id: str, service: InService, body: CloseBody) -> Incident:
    return service.close(incident_id.upper(), actor=body.actor, note=body.note)


@routes.post("/incidents/{incident_id}/verdict")
def verdict(incident_id: str, service: InService, body: VerdictBody) -> IncidentVerdict:
    """Right, a false alarm or a duplicate; may be said again, and the last word counts."""
    return service.judge(
        incident_id.upper(),
        body.verdict,
        actor=body.actor,
        via="http",
        of=body.of.upper() if body.of else None,
        comment=body.comment,
    )
