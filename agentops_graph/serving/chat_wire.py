"""A conversation in the JSON of MLflow's ChatAgent, made without MLflow, which is heavy to load."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from agentops_graph.access import Access
from agentops_graph.chat import Asker, ChatEvent, Choice, Delta, Result, answer
from agentops_graph.chat.events import ANONYMOUS
from agentops_graph.domain.approval import Door
from agentops_graph.domain.record import Text
from agentops_graph.errors import InputError
from agentops_graph.service import Service

Document = dict[str, Any]
LONGEST_NAME = 200


class Message(BaseModel):
    """One message; only the last one, and only a user's, is answered."""

    role: str
    content: str | None = None
    id: str | None = None


class Context(BaseModel):
    """Who talks, in which conversation."""

    conversation_id: str | None = None
    user_id: str | None = None


class CustomInputs(BaseModel):
    """What a client may hand over beside the words; other keys are the client's own."""

    decision: Choice | None = None
    incident_id: Text | None = None
    component: Text | None = None
    token: SecretStr | None = None  # proves who asks, where MLflow serves the agent


class ChatRequest(BaseModel):
    """A request in the form of MLflow's ChatAgent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"messages": [{"role": "user", "content": "what is wrong?"}]}]
        }
    )

    messages: list[Message] = Field(max_length=1000)
    context: Context | None = None
    custom_inputs: CustomInputs | None = None
    stream: bool | None = False


def read_request(document: object) -> ChatRequest:
    """The request, or InputError that names its field."""
    try:
        return ChatRequest.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(str(part) for part in problem["loc"]) or "body"
        raise InputError(problem["msg"], field=field) from None


def conversation(service: Service, request: ChatRequest, via: Door) -> Iterator[ChatEvent]:
    """The events of the answer; InputError at once when there is nothing to answer."""
    given = request.custom_inputs or CustomInputs()
    question = "" if given.decision else _question(request.messages)
    user = ((request.context.user_id if request.context else None) or ANONYMOUS)[:LONGEST_NAME]
    # Who talks is what was proved; what a client says of its user is no proof.
    name = service.called(user) if isinstance(service, Access) else user
    return answer(
        service,
        question,
        Asker(name=name, via=via),
        incident_id=given.incident_id,
        component=given.component,
        decision=given.decision,
    )


def _question(messages: list[Message]) -> str:
    """What others than the user said, an assistant or a tool, is never taken for a question."""
    last = messages[-1] if messages else None
    if last is None or last.role != "user" or last.content is None:
        raise InputError("the last message must be the user's, with content", field="messages")
    return last.content


def response_of(events: Iterable[ChatEvent]) -> Document:
    """The whole answer as a ChatAgentResponse."""
    result = [event for event in events if isinstance(event, Result)][-1]
    return {
        "messages": [{"role": "assistant", "content": result.text, "id": str(uuid.uuid4())}],
        "finish_reason": "stop",
        "custom_outputs": _outputs(result),
    }


def chunks_of(events: Iterable[ChatEvent]) -> Iterator[Document]:
    """The answer as ChatAgentChunks of one message, each as soon as its event comes."""
    message_id = str(uuid.uuid4())
    for event in events:
        if isinstance(event, Delta):
            yield {"delta": {"role": "assistant", "content": event.text, "id": message_id}}
        else:
            yield {
                "delta": {"role": "assistant", "content": "", "id": message_id},
                "finish_reason": "stop",
                "custom_outputs": _outputs(event),
            }


def said(text: str) -> list[ChatEvent]:
    """Fixed words as the events of an answer."""
    return [Delta(text=text), Result(text=text)]


def _outputs(result: Result) -> Document:
    return result.model_dump(mode="json", exclude={"text"})
