"""What every route is given: who asks, what they may use, and that no foreign page sent them."""

import hashlib
import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from agentops_graph.access import Access, identified
from agentops_graph.access.authentication import SECRET, TOKEN_NEEDED, credential_of, hashed
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.identity import Identity
from agentops_graph.errors import (
    AgentOpsError,
    ForbiddenError,
    InputError,
    UnauthenticatedError,
)
from agentops_graph.ledger_ports import Credentials
from agentops_graph.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
COOKIE = "agentops_session"
SOMEONE = "anonymous"
_READS = ("GET", "HEAD")
_PORTS = {"http": 80, "https": 443}
# Each is put there by a proxy, for somebody on another machine.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def trusted_hosts(settings: Settings) -> list[str]:
    """Names under which the service may be asked; a page elsewhere can't borrow another."""
    own = urlsplit(settings.url).hostname
    return [*LOOPBACK, *([own] if own and own not in LOOPBACK else [])]


def check_exposure(workshop: Workshop) -> None:
    """InputError when the settings let other machines in, directly or by a proxy in front, and
    nobody is asked who they are."""
    credentials, settings = workshop.ports.credentials, workshop.settings
    if workshop.issuer is not None:
        return
    check_bind(settings.http_host, credentials)
    check_bind(urlsplit(settings.url).hostname or "", credentials, "AGENTOPS_PUBLIC_URL")


def check_bind(host: str, credentials: Credentials, field: str = "AGENTOPS_HTTP_HOST") -> None:
    """InputError when other machines would reach a service at which everybody is an admin."""
    if host and host not in LOOPBACK and not credentials.has_tokens():
        raise InputError(
            f"{host} can be reached from other machines and the service asks nobody for a token; "
            "make one first with `agentops token create NAME --role admin`, or stay on 127.0.0.1",
            field=field,
        )


def own_workshop(request: Request) -> Workshop:
    workshop: Workshop = request.app.state.workshop
    return workshop


def own_origin(request: Request) -> None:
    """A page of another site can make a browser post here; its Origin gives it away, and so does
    what the browser itself says of it. Another port of this machine is another site."""
    if request.method in _READS:
        return
    origin = request.headers.get("origin")
    is_of_others = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    if is_of_others or (origin is not None and not _is_own(origin, request)):
        raise ForbiddenError(
            f"a page of {(origin or 'another site')[:200]} may not use this service"
        )


def _is_own(origin: str, request: Request) -> bool:
    """True for the address that was asked, or that people are told; a proxy may change the Host."""
    asked = f"{origin.partition('://')[0]}://{request.headers.get('host', '')}"
    own = {_place_of(asked), _place_of(own_workshop(request).settings.url)}
    place = _place_of(origin)
    return place is not None and place in own


def _place_of(url: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


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
    proof, owner = bearer or cookie, identity.credential_id or identity.subject
    if proof is not None and owner is not None:
        request.app.state.rates.trust(proof, owner)
    return identity


def owner_of(workshop: Workshop, secret: str) -> str | None:
    """For whom a secret counts, were it shown: one token with all its sessions, one link, or one
    person of an issuer. None for one that lets nobody in."""
    ports = workshop.ports
    try:
        if _is_foreign(secret, workshop):
            return _from_elsewhere(secret, workshop).subject
        held = ports.credentials.find(hashed(secret)) if SECRET.fullmatch(secret) else None
    except AgentOpsError:
        return None
    if held is None or not held.counts(ports.clock.now()):
        return None
    return held.credential_id if held.kind == "link" else held.identity.credential_id


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
    """False when the app is served by others than `serve`, on an address it was not told of, and
    for what a proxy on this machine brings from elsewhere."""
    server = request.scope.get("server")
    is_brought = any(name in request.headers for name in _FORWARDED)
    return server is not None and server[0] in LOOPBACK and not is_brought


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
