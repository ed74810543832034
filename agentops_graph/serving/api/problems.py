"""Errors as `application/problem+json` (RFC 9457), without stacks or folders of this machine."""

import http
import logging
import re

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from agentops_graph.chat.talk import as_told
from agentops_graph.errors import AgentOpsError, InputError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_SHOWN = 200


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
        "detail": detail,
    }
    if field is not None:
        document["field"] = field
    return JSONResponse(document, status_code=status, media_type=MEDIA_TYPE)


def answer_with_problems(app: FastAPI) -> None:
    """Every error of the app, its own or the framework's, leaves in one form."""
    app.add_exception_handler(AgentOpsError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_a_body)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _unforeseen)


def _of_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AgentOpsError)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__.removesuffix("Error"))
    return problem(
        error.status,
        as_told(error),
        kind=f"urn:agentops:problem:{words.lower()}",
        title=(type(error).__doc__ or "").partition("\n")[0].rstrip("."),
        field=error.field if isinstance(error, InputError) else None,
    )


def _of_a_body(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    seen = repr(first.get("input"))[:_SHOWN]
    return problem(
        422,
        f"{place or 'body'}: {first['msg']} (seen: {seen})",
        kind="urn:agentops:problem:input",
        title="What came in is malformed",
        field=place or "body",
    )


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail))


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "the service failed on this request; its log says why")
