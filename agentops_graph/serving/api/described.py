"""What the OpenAPI description says of every route, once: the proofs it takes, how it refuses."""

from typing import Any

from agentops_graph.serving.api.door import COOKIE

PROBLEM_TYPE = "application/problem+json"
ASKS_NOBODY: dict[str, Any] = {"security": []}
ASKS_A_SESSION: dict[str, Any] = {"security": [{"session": []}]}
_METHODS = ("get", "post", "put", "patch", "delete")
_OUTERMOST = {
    400: "The body can't be read, or the service does not answer to that Host.",
    413: "The body is larger than the service takes.",
}
_REFUSALS = _OUTERMOST | {
    401: "There is no token or session that counts.",
    403: "The role may not do that, or a page of another site asks.",
    404: "There is no such thing, or it is another tenant's.",
    409: "It is not in the state for that.",
    410: "It has expired or was replaced.",
    422: "What was sent is not what is needed; `field` names the place.",
    429: "Asked too often; `Retry-After` says when to ask again.",
    503: "Something that the service rests on does not answer.",
}
_PROBLEM = {
    "type": "object",
    "description": "An error, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string", "description": "What the error is about."},
    },
}
_PROOFS = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}


def described(document: dict[str, Any]) -> dict[str, Any]:
    """The framework's description, with what holds for all routes. A route's own words stay."""
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for of_the_framework in ("HTTPValidationError", "ValidationError"):
        schemas.pop(of_the_framework, None)
    schemas["Problem"] = _PROBLEM
    parts["responses"] = {f"Refused{status}": _told(why) for status, why in _REFUSALS.items()}
    parts["securitySchemes"] = _PROOFS
    document["security"] = [{name: []} for name in _PROOFS]
    for path in document["paths"].values():
        for method, operation in path.items():
            if method in _METHODS:
                _add_refusals(operation)
    return document


def _told(why: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": why, "content": {PROBLEM_TYPE: {"schema": schema}}}


def _add_refusals(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    is_health = "health" in operation.get("tags", ()) and operation.get("security") == []
    for status in _OUTERMOST if is_health else _REFUSALS:
        responses.setdefault(str(status), {"$ref": f"#/components/responses/Refused{status}"})
