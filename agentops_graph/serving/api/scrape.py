"""The route that Prometheus reads."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response

from agentops_graph.access import Access
from agentops_graph.serving.api.door import bearer_of, known, own_workshop
from agentops_graph.serving.api.metrics import Metrics

routes = APIRouter(tags=["health"])
SCRAPER = "metrics"


def by_scraper(request: Request) -> None:
    """AGENTOPS_METRICS_TOKEN, or whoever may read what is every tenant's."""
    workshop, bearer = own_workshop(request), bearer_of(request)
    own = workshop.settings.metrics_token
    if own is not None and bearer is not None:
        wanted = own.get_secret_value()
        if hmac.compare_digest(bearer.encode(errors="replace"), wanted.encode()):
            request.app.state.rates.trust(bearer, SCRAPER)
            return
    identity = known(request)
    Access(workshop.service, identity, "http").needs("read", everywhere=True)


@routes.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(request: Request, _: Annotated[None, Depends(by_scraper)]) -> Response:
    """The service's figures in Prometheus' text format."""
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

    held: Metrics = request.app.state.metrics
    return Response(generate_latest(held.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
