"""One-time links: a page that shows one approval, and the decision made on it without a token."""

import hashlib
import hmac
import secrets
import time
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import AfterValidator, StringConstraints

from agentops_graph.access import Access, Keys
from agentops_graph.access.keys import decide_by_link, identity_of_link
from agentops_graph.chat.talk import as_told
from agentops_graph.domain.identity import Credential
from agentops_graph.domain.record import Moment, Name, Record, storable
from agentops_graph.errors import AgentOpsError, ForbiddenError, UnauthenticatedError
from agentops_graph.serving.api.door import InService, InWorkshop, own_origin, own_workshop
from agentops_graph.serving.api.link_page import (
    dead_page,
    decided_page,
    page_of,
    past_page,
    refused_page,
)

routes = APIRouter(tags=["links"])
VIEW_LASTS_S = 3600.0
FORM_FIELDS = 10
LONGEST_NAME = 200
GONE = 410


class LinkBody(Record):
    """Who gets the link; decisions made with it are in this name."""

    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
        AfterValidator(storable),
    ]


class LinkView(Record):
    """The link, shown this once."""

    link_id: Name
    url: str
    name: str
    approval_id: Name
    expires_at: Moment | None


class Visitor(Record):
    """Someone who followed a link that still counts."""

    link: Credential
    secret: str


def by_link(request: Request, secret: str) -> Visitor | None:
    """The link is the proof; None when it was used, has expired or never was."""
    try:
        link, identity = identity_of_link(own_workshop(request).service, secret)
    except UnauthenticatedError:
        return None
    request.state.identity = identity
    request.app.state.rates.trust(secret, link.credential_id)
    return Visitor(link=link, secret=secret)


async def answered(request: Request) -> dict[str, str]:
    """The fields of a form, which a browser sends urlencoded."""
    text = (await request.body()).decode(errors="replace")
    try:
        fields = parse_qs(text, max_num_fields=FORM_FIELDS, keep_blank_values=True)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


InVisitor = Annotated[Visitor | None, Depends(by_link)]
Answers = Annotated[dict[str, str], Depends(answered)]


@routes.post(
    "/api/v1/approvals/{approval_id}/links", status_code=201, dependencies=[Depends(own_origin)]
)
def make(approval_id: str, service: InService, workshop: InWorkshop, body: LinkBody) -> LinkView:
    """A link with which somebody decides on this approval, once. Whoever has it may."""
    given = Keys(service).link(approval_id, body.name)
    held = given.credential
    return LinkView(
        link_id=held.credential_id,
        url=f"{workshop.settings.url.rstrip('/')}/a/{given.secret}",
        name=held.name,
        approval_id=held.approval_id or approval_id,
        expires_at=held.expires_at,
    )


@routes.get("/a/{secret}", include_in_schema=False)
def show(visitor: InVisitor, workshop: InWorkshop) -> HTMLResponse:
    """Shows and changes nothing: programs that look at links before people do may follow it."""
    if visitor is None:
        return dead_page(GONE)
    access = Access(workshop.service, visitor.link.identity, "link")
    approval = access.approval(visitor.link.approval_id or "")
    if approval.status != "pending":
        return past_page(approval, GONE)
    return page_of(approval, visitor.link.name, _view_of(visitor.secret, approval.digest))


@routes.post("/a/{secret}", include_in_schema=False)
def answer(visitor: InVisitor, workshop: InWorkshop, given: Answers) -> HTMLResponse:
    """The decision, once. No Origin is asked for, as browsers leave it out after such a page; only
    the page that this very link showed holds the token that a decision needs."""
    if visitor is None:
        return dead_page(GONE)
    digest = given.get("digest", "")
    try:
        if not _is_own_view(visitor.secret, digest, given.get("view", "")):
            raise ForbiddenError("this page is too old, or not ours; open the link again")
        if given.get("verdict") not in ("approve", "reject"):
            raise ForbiddenError("neither approved nor rejected; open the link again")
        access = Access(workshop.service, visitor.link.identity, "link")
        decided = decide_by_link(
            access, visitor.link, given["verdict"], digest, given.get("reason") or None
        )
    except AgentOpsError as error:
        return refused_page(error.status, as_told(error))
    return decided_page(decided)


def _view_of(secret: str, digest: str) -> str:
    """What proves that a form came from a page shown here, for this content, a short time ago."""
    seen = f"{int(time.time())}.{secrets.token_hex(8)}"
    return f"{seen}.{_signed(secret, seen, digest)}"


def _is_own_view(secret: str, digest: str, view: str) -> bool:
    seen, _, signature = view.rpartition(".")
    at = seen.partition(".")[0]
    is_signed = hmac.compare_digest(signature.encode(), _signed(secret, seen, digest).encode())
    return is_signed and 0 <= time.time() - int(at) <= VIEW_LASTS_S


def _signed(secret: str, seen: str, digest: str) -> str:
    return hmac.new(secret.encode(), f"{seen}|{digest}".encode(), hashlib.sha256).hexdigest()
