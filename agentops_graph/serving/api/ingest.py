"""The route that takes rows in: batches of JSON, as many at a time as the warehouse can write."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from agentops_graph.domain.row_kinds import RowKind
from agentops_graph.domain.rows import Reading, Refusal, Taken
from agentops_graph.serving.api.described import PROBLEM_TYPE
from agentops_graph.serving.api.door import InService
from agentops_graph.serving.api.problems import encodable, problem

routes = APIRouter(prefix="/api/v1", tags=["rows"])
MOST_WRITES = 4  # one writes, the others wait for it
RETRY_AFTER_S = 1
_EXAMPLE = {
    "timestamp": "2026-02-28T10:15:00Z",
    "pipeline_name": "transactions",
    "record_count": 1200,
    "schema_violations": 3,
}
_ROWS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
                "example": [_EXAMPLE],
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


class Writes:
    """The batches that are being written, or wait for it."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(MOST_WRITES)

    @contextmanager
    def one(self) -> Iterator[bool]:
        """False when there is no room for one more."""
        has_room = self._free.acquire(blocking=False)
        try:
            yield has_room
        finally:
            if has_room:
                self._free.release()


def loader(service: InService) -> None:
    """Whoever may not load is told so before their body is read."""
    service.needs("report")


async def body_of(request: Request, _: Annotated[None, Depends(loader)]) -> bytes:
    return await request.body()


@routes.post("/ingest/{kind}", openapi_extra=_ROWS, response_model=Taken)
def ingest(
    kind: RowKind,
    request: Request,
    body: Annotated[bytes, Depends(body_of)],
    service: InService,
    key: Key = None,
) -> Any:
    """Takes rows into the warehouse: a JSON array, or one object a line. The same batch, by its
    content or under the same `Idempotency-Key`, is taken once. 422 names the rows that were
    refused; the others are in."""
    from agentops_graph.adapters.row_files import body_rows

    writes: Writes = request.app.state.writes
    with writes.one() as has_room:
        if not has_room:
            refusal = problem(
                429, f"{MOST_WRITES} batches are being written; ask again in {RETRY_AFTER_S} s"
            )
            refusal.headers["Retry-After"] = str(RETRY_AFTER_S)
            return refusal
        source = body_rows(body, "body")
        taken = service.ingest(source, kind, Reading(), actor="http", via="http", key=key)
    return _refused(taken) if taken.refused else taken


def _refused(taken: Taken) -> JSONResponse:
    kept = f"of them the first {taken.refused - taken.unkept} are" if taken.unkept else "are"
    counts = taken.model_dump(mode="json", exclude={"reasons", "shown"})
    said = {
        "type": "urn:agentops:problem:rows-refused",
        "title": "Some rows could not be loaded",
        "status": 422,
        "detail": (
            f"{taken.refused} of {taken.read} rows were refused and {kept} in quarantine; "
            f"{taken.loaded} were loaded; mend and send only the refused ones"
        ),
        "reasons": {encodable(reason): count for reason, count in taken.reasons.items()},
        "shown": [_told(one) for one in taken.shown],
    }
    return JSONResponse(said | counts, status_code=422, media_type=PROBLEM_TYPE)


def _told(refusal: Refusal) -> dict[str, object]:
    return {"line": refusal.line, "reason": encodable(refusal.reason)}
