"""Routes of sessions: a page shows a token once and is known by a cookie from then on."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from agentops_graph.access.authentication import credential_of
from agentops_graph.access.keys import Given, begin_session
from agentops_graph.domain.identity import Credential, Identity, Role
from agentops_graph.domain.record import Record
from agentops_graph.errors import UnauthenticatedError
from agentops_graph.serving.api.described import ASKS_A_SESSION, ASKS_NOBODY
from agentops_graph.serving.api.door import (
    COOKIE,
    InService,
    InWorkshop,
    csrf_token,
    own_origin,
    own_workshop,
)
from agentops_graph.serving.api.problems import problem_of

routes = APIRouter(prefix="/api/v1/session", tags=["session"])


class TokenBody(Record):
    """The token that a session is begun with."""

    token: str


class SessionView(Record):
    """Who is known, and what a page sends as `X-CSRF-Token` with every change."""

    name: str
    role: Role
    tenant: str | None
    expires_at: datetime | None = None
    csrf_token: str | None = None


def by_token(request: Request, body: TokenBody) -> Given:
    """The proof of this one route is in its body."""
    given = begin_session(own_workshop(request).service, body.token)
    request.state.identity = given.credential.identity
    return given


def by_cookie(request: Request) -> Credential | None:
    """Leaving needs no proof beyond the cookie; one that counts no more is taken away, too."""
    ports, secret = own_workshop(request).ports, request.cookies.get(COOKIE, "")
    try:
        session = credential_of(ports.credentials, secret, ports.clock.now(), "session")
    except UnauthenticatedError:
        return None
    request.state.identity = session.identity
    return session


@routes.post("", status_code=201, dependencies=[Depends(own_origin)], openapi_extra=ASKS_NOBODY)
def begin(
    given: Annotated[Given, Depends(by_token)],
    request: Request,
    response: Response,
    workshop: InWorkshop,
) -> SessionView:
    """201 with an HttpOnly cookie; 401 when the token counts for nothing."""
    held = given.credential
    lasts = (held.expires_at - held.created_at).total_seconds() if held.expires_at else 0
    is_https = request.url.scheme == "https" or workshop.settings.url.startswith("https:")
    response.set_cookie(
        COOKIE,
        given.secret,
        max_age=int(lasts),
        httponly=True,
        samesite="strict",
        secure=is_https,
    )
    return SessionView(
        name=held.name,
        role=held.role,
        tenant=held.tenant,
        expires_at=held.expires_at,
        csrf_token=csrf_token(given.secret),
    )


@routes.get("")
def who(service: InService) -> SessionView:
    """Who this service takes the caller for."""
    held: Identity = service.identity
    return SessionView(name=held.name, role=held.role, tenant=held.tenant)


@routes.delete(
    "",
    status_code=204,
    response_class=Response,
    dependencies=[Depends(own_origin)],
    openapi_extra=ASKS_A_SESSION,
)
def leave(
    session: Annotated[Credential | None, Depends(by_cookie)], workshop: InWorkshop
) -> Response:
    """Ends the session; the token stays. A cookie that counts no more is taken away, too, with
    401."""
    if session is None:
        answer: Response = problem_of(UnauthenticatedError("there is no session to end"))
    else:
        ports = workshop.ports
        ports.credentials.revoke(
            session.credential_id, by=session.name, via="http", at=ports.clock.now()
        )
        answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
