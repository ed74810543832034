"""Routes of questions: measurements on demand, search, and the conversation."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse, StreamingResponse

from agentops_graph.serving.api.bodies import Found, InquiryView, QuestionBody
from agentops_graph.serving.api.door import InService
from agentops_graph.serving.chat_wire import (
    Document,
    chunks_of,
    conversation,
    read_request,
    response_of,
)

routes = APIRouter()
Limit = Annotated[int, Query(ge=1, le=50)]
Words = Annotated[str, Query(min_length=1, max_length=4000)]
_TALK = {
    "question": {"value": {"messages": [{"role": "user", "content": "what is wrong?"}]}},
    "decision": {
        "value": {
            "messages": [{"role": "user", "content": "approve A-12"}],
            "context": {"user_id": "mia"},
        }
    },
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}, "text/event-stream": {}}}
}


@routes.post("/api/v1/investigations", tags=["questions"])
def investigate(service: InService, body: QuestionBody) -> InquiryView:
    """Measures the component that the question names and opens incidents for what is wrong."""
    return InquiryView.of(service.investigate(body.question, actor=body.actor))


@routes.get("/api/v1/search", tags=["questions"])
def search(service: InService, q: Words, limit: Limit = 5) -> Found:
    return Found(query=q, pages=tuple(service.search(q, limit=limit)))


@routes.post("/invocations", tags=["conversation"], responses=_ANSWERS)
def invocations(
    service: InService, document: Annotated[dict[str, Any], Body(openapi_examples=_TALK)]
) -> Any:
    """The protocol of MLflow's ChatAgent. A request under `inputs` is answered under
    `predictions`; with `stream` the answer comes as `data:` lines and ends in `[DONE]`."""
    is_wrapped = "inputs" in document and "messages" not in document
    request = read_request(document["inputs"] if is_wrapped else document)
    events = conversation(service, request, "http")
    if request.stream:
        return StreamingResponse(_lines(chunks_of(events)), media_type="text/event-stream")
    reply = response_of(events)
    return JSONResponse({"predictions": reply} if is_wrapped else reply)


def _lines(chunks: Iterator[Document]) -> Iterator[str]:
    """MLflow's hosted client stops at any line whose key is not `data`."""
    for chunk in chunks:
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"
