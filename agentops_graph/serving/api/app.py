"""Creates the FastAPI application over one data folder."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from agentops_graph.access import Access
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.identity import Identity
from agentops_graph.errors import UnavailableError
from agentops_graph.serving.api import (
    approvals,
    deliveries,
    incidents,
    ingest,
    lineage,
    links,
    questions,
    scrape,
    sessions,
    teaching,
)
from agentops_graph.serving.api.background import Background
from agentops_graph.serving.api.described import ASKS_NOBODY
from agentops_graph.serving.api.door import (
    InService,
    InWorkshop,
    check_exposure,
    known,
    own_origin,
    owner_of,
    trusted_hosts,
)
from agentops_graph.serving.api.metrics import Measured, Metrics
from agentops_graph.serving.api.problems import ProblemApp, answer_with_problems
from agentops_graph.serving.api.rates import RateLimit, Rates
from agentops_graph.serving.api.readiness import Part, Readiness, readiness_of
from agentops_graph.serving.api.recorded import Recorded

DESCRIPTION = "The on-call engineer for ML models, AI agents and data pipelines."


def create_app(workshop: Workshop | None = None, *, run: bool = True) -> FastAPI:
    """The service of one data folder; with `run` it also runs incidents and watches components.

    Raises InputError when other machines would reach it, by its address or by AGENTOPS_PUBLIC_URL,
    and nobody is asked for a token.
    """
    workshop = workshop or Workshop()
    settings = workshop.settings
    check_exposure(workshop)
    _ = workshop.sources  # a mistake in the file is said now, not at the first alert
    metrics = Metrics(workshop.ports)
    app = ProblemApp(
        title="agentops_graph",
        description=DESCRIPTION,
        openapi_url=None,  # served below, to whoever may read
        docs_url=None,  # the framework's pages load scripts from another host
        redoc_url=None,
        lifespan=_living(Background(workshop, metrics.ticked)) if run else None,
        max_body_size=settings.max_body_bytes,
    )
    app.state.workshop = workshop
    app.state.metrics = metrics
    app.state.writes = ingest.Writes()
    app.state.rates = Rates(settings.requests_per_minute, settings.requests_per_hour)
    app.add_middleware(
        TrustedHostMiddleware,
        allowed_hosts=trusted_hosts(settings),
        www_redirect=False,
    )
    app.add_middleware(RateLimit, rates=app.state.rates, owner_of=partial(owner_of, workshop))
    app.add_middleware(Recorded)
    app.add_middleware(Measured, metrics=metrics)
    answer_with_problems(app)
    _add_routes(app)
    return app


def _add_routes(app: FastAPI) -> None:
    """Every route asks who is there; only that the process answers is told to anybody."""
    guarded = APIRouter(dependencies=[Depends(own_origin), Depends(known)])
    for part in (
        deliveries.routes,
        incidents.routes,
        approvals.routes,
        questions.routes,
        ingest.routes,
        lineage.routes,
        teaching.routes,
    ):
        guarded.include_router(part)
    guarded.get("/openapi.json", include_in_schema=False)(description)
    app.include_router(guarded)
    app.include_router(sessions.routes)
    app.include_router(links.routes)
    app.include_router(scrape.routes)
    failed: dict[int | str, dict[str, Any]] = {
        503: {"model": Readiness, "description": "The ledger can't be read."}
    }
    app.get("/readyz", tags=["health"], responses=failed)(readyz)
    app.get("/healthz", tags=["health"], openapi_extra=ASKS_NOBODY)(healthz)


def description(request: Request, service: InService) -> dict[str, Any]:
    """What the service offers, as OpenAPI."""
    service.needs("read")
    app: FastAPI = request.app
    return app.openapi()


async def healthz() -> dict[str, str]:
    """The process answers, also while all its threads wait for something."""
    return {"status": "ok"}


def known_if_it_can_be(request: Request) -> Identity | None:
    """None when the ledger can't be read, so that it can't be said who asks."""
    try:
        return known(request)
    except UnavailableError:
        return None


def readyz(
    identity: Annotated[Identity | None, Depends(known_if_it_can_be)],
    workshop: InWorkshop,
    response: Response,
) -> Readiness:
    """Part by part what works; 503 when the ledger can't be read, and then no more than that."""
    if identity is not None:
        found = readiness_of(Access(workshop.service, identity, "http"), workshop.ports)
    else:
        ledger = Part(status="failed", detail="the ledger can't be read")
        found = Readiness(status="failed", degraded=("ledger",), parts={"ledger": ledger})
    if found.status == "failed":
        response.status_code = 503
    return found


def _living(background: Background) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(background.start)
        try:
            yield
        finally:
            await run_in_threadpool(background.stop)

    return living
