"""Errors as `application/problem+json` (RFC 9457), without stacks or folders of this machine."""

import http
import logging
import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentops_graph.chat.talk import as_told
from agentops_graph.domain.redaction import redacted, redacted_within
from agentops_graph.errors import AgentOpsError, InputError, UnauthenticatedError
from agentops_graph.serving.api.described import PROBLEM_TYPE, described
from agentops_graph.serving.api.door import known

log = logging.getLogger(__name__)

_SHOWN = 200
_REFUSALS = {
    400: "this service does not answer to that Host; ask it by the name it is bound to",
    413: "the body is larger than the service takes; AGENTOPS_MAX_BODY_BYTES says how much",
}


def problem(
    status: int,
    detail: str,
    *,
    kind: str = "about:blank",
    title: str = "",
    field: str | None = None,
) -> JSONResponse:
    document = {
        "type": kind,
        "title": title or http.HTTPStatus(status).phrase,
        "status": status,
        "detail": encodable(redacted(detail)),
    }
    if field is not None:
        document["field"] = encodable(field)
    return JSONResponse(document, status_code=status, media_type=PROBLEM_TYPE)


def encodable(text: str) -> str:
    """What was sent may come back in an answer, and need not be text that can be sent."""
    return text.encode(errors="backslashreplace").decode()


def answer_with_problems(app: FastAPI) -> None:
    """Every error of the app, its own or the framework's, leaves in one form."""
    app.add_exception_handler(AgentOpsError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_a_body)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _unforeseen)


def problem_of(error: AgentOpsError) -> JSONResponse:
    """What an error of ours is told as."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__.removesuffix("Error"))
    answer = problem(
        error.status,
        as_told(error),
        kind=f"urn:agentops:problem:{words.lower()}",
        title=_title(type(error)),
        field=error.field if isinstance(error, InputError) else None,
    )
    if isinstance(error, UnauthenticatedError):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _of_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AgentOpsError)
    return problem_of(error)


def _refusal_of(request: Request) -> JSONResponse | None:
    """A body is read before it is asked who sent it; what is wrong with it is told only to those
    who may ask."""
    try:
        known(request)
    except AgentOpsError as error:
        return problem_of(error)
    return None


def _of_a_body(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _refusal_of(request) or _fault_of(error)


def _fault_of(error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _malformed("body", "it is not JSON")
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    # First redacted, then cut: half a credential is one that no pattern knows.
    seen = redacted(repr(redacted_within(first.get("input"))))[:_SHOWN]
    return _malformed(place or "body", f"{first['msg']} (seen: {seen})")


def _malformed(field: str, what: str) -> JSONResponse:
    return problem(
        422,
        f"{field}: {what}",
        kind="urn:agentops:problem:input",
        title=_title(InputError),
        field=field,
    )


def _title(kind: type[Exception]) -> str:
    return (kind.__doc__ or "").partition("\n")[0].rstrip(".")


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    is_about_a_body = error.status_code == http.HTTPStatus.BAD_REQUEST
    refusal = _refusal_of(request) if is_about_a_body else None
    return refusal or problem(error.status_code, str(error.detail))


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "the service failed on this request; its log says why")


class ProblemApp(FastAPI):
    """An application whose outermost refusals are problems, too.

    A body that is too large and a foreign Host are answered in plain text by middleware, before
    any exception handler is asked.
    """

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = described(super().openapi())
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        return _PlainRefusals(super().build_middleware_stack())


class _PlainRefusals:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: int | None = None

        async def as_problem(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and _is_plain_refusal(message):
                refused = message["status"]
            elif refused is None:
                await send(message)
            elif not message.get("more_body", False):
                said = _REFUSALS.get(refused, http.HTTPStatus(refused).phrase)
                await problem(refused, said)(scope, receive, send)

        await self._app(scope, receive, as_problem)


def _is_plain_refusal(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    is_plain = bytes(headers.get(b"content-type", b"")).startswith(b"text/plain")
    return is_plain and int(start["status"]) >= http.HTTPStatus.BAD_REQUEST
