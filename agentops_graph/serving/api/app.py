"""Creates the FastAPI application over one data folder."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI, Response
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware

from agentops_graph.bootstrap import Workshop
from agentops_graph.serving.api import approvals, incidents, questions
from agentops_graph.serving.api.background import Background
from agentops_graph.serving.api.door import (
    InWorkshop,
    check_bind,
    own_origin,
    trusted_hosts,
)
from agentops_graph.serving.api.problems import ProblemApp, answer_with_problems
from agentops_graph.serving.api.readiness import Readiness, readiness_of

LARGEST_BODY = 1_000_000
DESCRIPTION = "The on-call engineer for ML models, AI agents and data pipelines."


def create_app(workshop: Workshop | None = None, *, run: bool = True) -> FastAPI:
    """The service of one data folder; with `run` it also runs incidents and watches components.

    Raises InputError when it would be bound where other machines reach it.
    """
    workshop = workshop or Workshop()
    check_bind(workshop.settings.http_host)
    app = ProblemApp(
        title="agentops_graph",
        description=DESCRIPTION,
        docs_url=None,  # the framework's pages load scripts from another host; openapi.json stays
        redoc_url=None,
        lifespan=_living(Background(workshop)) if run else None,
        dependencies=[Depends(own_origin)],
        max_body_size=LARGEST_BODY,
    )
    app.state.workshop = workshop
    app.add_middleware(
        TrustedHostMiddleware,
        allowed_hosts=trusted_hosts(workshop.settings),
        www_redirect=False,
    )
    answer_with_problems(app)
    for part in (incidents.routes, approvals.routes, questions.routes):
        app.include_router(part)
    app.get("/healthz", tags=["health"])(healthz)
    app.get("/readyz", tags=["health"])(readyz)
    return app


def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


def readyz(workshop: InWorkshop, response: Response) -> Readiness:
    """Part by part what works; 503 when the ledger can't be read."""
    found = readiness_of(workshop)
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
