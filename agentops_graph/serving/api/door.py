"""What every route is given: who asks, what they may use, and that no foreign page sent them."""

import hashlib
import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from agentops_graph.access import Access, identified
from agentops_graph.access.authentication import SECRET, TOKEN_NEEDED, credential_of
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.identity import Identity
from agentops_graph.errors import ForbiddenError, InputError, UnauthenticatedError
from agentops_graph.ledger_ports import Credentials
from agentops_graph.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
COOKIE = "agentops_session"
SOMEONE = "anonymous"
_READS = ("GET", "HEAD")


def trusted_hosts(settings: Settings) -> list[str]:
    """Names under which the service may be asked; a page elsewhere can't borrow another."""
    own = urlsplit(settings.url).hostname
    return [*LOOPBACK, *([own] if own and own not in LOOPBACK else [])]


def check_bind(host: str, credentials: Credentials) -> None:
    """InputError when other machines would reach a service at which everybody is an admin."""
    if host not in LOOPBACK and not credentials.has_tokens():
        raise InputError(
            f"{host} can be reached from other machines and the service asks nobody for a token; "
            "make one first with `agentops token create NAME --role admin`, or bind to 127.0.0.1",
            field="AGENTOPS_HTTP_HOST",
        )


def own_workshop(request: Request) -> Workshop:
    workshop: Workshop = request.app.state.workshop
    return workshop


def own_origin(request: Request) -> None:
    """A page of another site can make a browser post here; its Origin gives it away."""
    origin = request.headers.get("origin")
    if request.method in _READS or origin is None:
        return
    if urlsplit(origin).hostname not in trusted_hosts(own_workshop(request).settings):
        raise ForbiddenError(f"a page of {origin[:200]} may not use this service")


def known(request: Request) -> Identity:
    """Who asks, by the bearer token or a page's session; every route but health rests on this.

    UnauthenticatedError, unless no token was ever made and the request came to this machine's own
    address.
    """
    bearer, cookie = bearer_of(request), request.cookies.get(COOKIE)
    ports = own_workshop(request).ports
    if bearer is None and cookie is not None:
        session = credential_of(ports.credentials, cookie, ports.clock.now(), "session")
        _check_own_page(request, cookie)
        identity = session.identity
    elif bearer is not None and _is_foreign(bearer, own_workshop(request)):
        identity = _from_elsewhere(bearer, own_workshop(request))
    elif bearer is None and own_workshop(request).issuer is not None:
        raise UnauthenticatedError(TOKEN_NEEDED)
    else:
        identity = identified(ports.credentials, bearer, ports.clock.now(), SOMEONE)
        if bearer is None and not _came_to_this_machine(request):
            raise UnauthenticatedError(TOKEN_NEEDED)
    request.state.identity = identity
    if (proof := bearer or cookie) is not None:
        request.app.state.rates.trust(proof)
    return identity


def _is_foreign(bearer: str, workshop: Workshop) -> bool:
    return workshop.issuer is not None and SECRET.fullmatch(bearer) is None


def _from_elsewhere(bearer: str, workshop: Workshop) -> Identity:
    assert workshop.issuer is not None
    return workshop.issuer.identity_of(bearer)


def bearer_of(request: Request) -> str | None:
    """The token of the request; an Authorization of another kind is one that nobody knows."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _came_to_this_machine(request: Request) -> bool:
    """False when the app is served by others than `serve`, on an address it was not told of."""
    server = request.scope.get("server")
    return server is not None and server[0] in LOOPBACK


def csrf_token(session_secret: str) -> str:
    """What a page sends beside its cookie, which a browser would send for any page."""
    return hashlib.sha256(f"csrf:{session_secret}".encode()).hexdigest()


def _check_own_page(request: Request, cookie: str) -> None:
    """A browser adds the cookie whoever's page asks; what only our own page can say is the header
    that the browser writes itself, or the token that came with the session."""
    if request.method in _READS or request.headers.get("sec-fetch-site") == "same-origin":
        return
    given = request.headers.get("x-csrf-token", "").encode()
    if not hmac.compare_digest(given, csrf_token(cookie).encode()):
        raise ForbiddenError(
            "with a session, a change needs the X-CSRF-Token that came with it; a program uses "
            "`Authorization: Bearer` instead"
        )


def own_service(request: Request, identity: Annotated[Identity, Depends(known)]) -> Access:
    return Access(own_workshop(request).service, identity, "http")


InWorkshop = Annotated[Workshop, Depends(own_workshop)]
InService = Annotated[Access, Depends(own_service)]
