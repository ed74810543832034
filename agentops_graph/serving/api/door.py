"""What every route is given: the service, and the check that the caller is no foreign page."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from agentops_graph.bootstrap import Workshop
from agentops_graph.errors import ForbiddenError, InputError
from agentops_graph.service import Service
from agentops_graph.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def trusted_hosts(settings: Settings) -> list[str]:
    """Names under which the service may be asked; a page elsewhere can't borrow another."""
    own = urlsplit(settings.url).hostname
    return [*LOOPBACK, *([own] if own and own not in LOOPBACK else [])]


def check_bind(host: str) -> None:
    """Nobody is asked for a token yet, so only this machine may ask the service."""
    if host not in LOOPBACK:
        raise InputError(
            f"{host} can be reached from other machines and the service asks nobody for a token; "
            "bind to 127.0.0.1 and put a proxy that authenticates people in front of it",
            field="AGENTOPS_HTTP_HOST",
        )


def own_workshop(request: Request) -> Workshop:
    workshop: Workshop = request.app.state.workshop
    return workshop


def own_service(request: Request) -> Service:
    return own_workshop(request).service


def own_origin(request: Request) -> None:
    """A page of another site can make a browser post here; its Origin gives it away."""
    origin = request.headers.get("origin")
    if request.method in ("GET", "HEAD") or origin is None:
        return
    if urlsplit(origin).hostname not in trusted_hosts(own_workshop(request).settings):
        raise ForbiddenError(f"a page of {origin[:200]} may not use this service")


InWorkshop = Annotated[Workshop, Depends(own_workshop)]
InService = Annotated[Service, Depends(own_service)]
