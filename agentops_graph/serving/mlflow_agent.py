"""The agent as MLflow's ChatAgent: it answers, reads and decides; it is never a runner."""

import os
import threading
from collections.abc import Generator, Iterable
from typing import Any

from pydantic import BaseModel

from agentops_graph.access import Access, identified, write_unproved
from agentops_graph.bootstrap import Workshop
from agentops_graph.chat.events import ANONYMOUS, ChatEvent
from agentops_graph.chat.talk import as_told
from agentops_graph.errors import AgentOpsError, UnauthenticatedError
from agentops_graph.serving.chat_wire import (
    ChatRequest,
    chunks_of,
    conversation,
    read_request,
    response_of,
    said,
)
from agentops_graph.settings import SILENCE

os.environ.update(SILENCE)  # before mlflow is imported, which phones home otherwise

from mlflow.pyfunc import ChatAgent
from mlflow.types.agent import ChatAgentChunk, ChatAgentMessage, ChatAgentResponse, ChatContext

# MLflow runs `predict` while it logs a model; under this switch that reads and does nothing.
LOGGING_SWITCH = "AGENTOPS_LOGGING_AGENT"
INTRODUCTION = (
    "I look after ML models, AI agents and data pipelines: I say what is wrong and why, and take "
    "decisions on what waits for a person. Ask `help` to begin."
)


class HealthMonitorAgent(ChatAgent):  # type: ignore[misc] # mlflow carries no types here
    """The on-call engineer behind `mlflow models serve` and `mlflow.pyfunc.load_model`.

    It works on the data folder that `AGENTOPS_HOME` names where it is served, touches nothing
    before the first question, and reads the runbooks kept there, not those logged with it.
    `custom_inputs` may hold `incident_id`, `component` and `decision` {approval_id, verdict,
    digest, reason}, and the `token` that proves who asks; `custom_outputs` holds sources,
    confidence, domains, pending_approvals and incident_id. A user without an id is `anonymous`.
    """

    def __init__(self, workshop: Workshop | None = None) -> None:
        self._workshop = workshop
        self._lock = threading.Lock()

    def predict(
        self,
        messages: list[ChatAgentMessage],
        context: ChatContext | None = None,
        custom_inputs: dict[str, Any] | None = None,
    ) -> ChatAgentResponse:
        events = self._events(messages, context, custom_inputs)
        return ChatAgentResponse.model_validate(response_of(events))

    def predict_stream(
        self,
        messages: list[ChatAgentMessage],
        context: ChatContext | None = None,
        custom_inputs: dict[str, Any] | None = None,
    ) -> Generator[ChatAgentChunk, None, None]:
        for chunk in chunks_of(self._events(messages, context, custom_inputs)):
            yield ChatAgentChunk.model_validate(chunk)

    def _events(
        self,
        messages: list[ChatAgentMessage],
        context: ChatContext | None,
        custom_inputs: dict[str, Any] | None,
    ) -> Iterable[ChatEvent]:
        if os.environ.get(LOGGING_SWITCH):
            return said(INTRODUCTION)
        try:
            request = read_request(
                {
                    "messages": [_plain(message) for message in messages],
                    "context": _plain(context),
                    "custom_inputs": custom_inputs,
                }
            )
            return conversation(self._access(request), request, "mlflow")
        except AgentOpsError as error:
            return said(as_told(error))

    def _access(self, request: ChatRequest) -> Access:
        """For whoever the token in `custom_inputs` belongs to, else that of this process. What
        `context.user_id` says is no proof; it counts only while no token was ever made."""
        workshop = self._opened()
        ports, own = workshop.ports, workshop.settings.token
        given = request.custom_inputs.token if request.custom_inputs else None
        proof = own if given is None else given
        secret = proof.get_secret_value() if proof is not None else None
        try:
            identity = identified(ports.credentials, secret, ports.clock.now(), ANONYMOUS)
        except UnauthenticatedError as error:
            write_unproved(ports, "mlflow")
            raise UnauthenticatedError(f"{error}; or send it as custom_inputs.token") from None
        return Access(workshop.service, identity, "mlflow")

    def _opened(self) -> Workshop:
        with self._lock:
            if self._workshop is None:
                self._workshop = Workshop(tends_knowledge=False)
            return self._workshop


def _plain(part: BaseModel | dict[str, Any] | None) -> dict[str, Any] | None:
    return part.model_dump() if isinstance(part, BaseModel) else part
