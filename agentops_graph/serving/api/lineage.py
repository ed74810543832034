"""Routes of lineage: OpenLineage events in, and the map around one thing."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from agentops_graph.lineage_intake import LineageTaken
from agentops_graph.serving.api.door import InService

routes = APIRouter(tags=["lineage"])
_EXAMPLE = {
    "eventType": "COMPLETE",
    "eventTime": "2026-02-28T10:15:00Z",
    "run": {"runId": "0199f3c2-7d0e-7e1a-9c51-0d6c1b6a2f11"},
    "job": {"namespace": "airflow", "name": "load_transactions"},
    "inputs": [{"namespace": "postgres://shop:5432", "name": "shop.public.payments"}],
    "outputs": [{"namespace": "snowflake://acme", "name": "PROD.RAW.TRANSACTIONS"}],
    "producer": "https://example.com/airflow",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
}
Event = Annotated[dict[str, Any], Body(openapi_examples={"run": {"value": _EXAMPLE}}, embed=False)]


@routes.post("/v1/lineage", status_code=201, include_in_schema=False)
@routes.post("/api/v1/lineage", status_code=201)
def take_lineage(event: Event, service: InService) -> LineageTaken:
    """An OpenLineage event, as its clients post it: what it names is kept, the event is not. Sent
    twice it changes nothing."""
    return service.take_lineage(event)
