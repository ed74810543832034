"""What is needed of a language model: one answer at a time, and reads that it may ask for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agentops_graph.domain.diagnosis import Brief
from agentops_graph.domain.evidence import Evidence


@dataclass(frozen=True)
class Tool:
    """A read that a model may ask for; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """One read that a model asked for, unchecked."""

    name: str
    arguments: Mapping[str, object]
    call_id: str = ""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation with a model."""

    role: Literal["user", "assistant", "tool"]
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""  # of the call that a tool's text answers


@dataclass(frozen=True)
class Question:
    """What a model is sent at once; an answer to a `schema` is JSON."""

    messages: tuple[Message, ...]
    schema: dict[str, Any] | None = None
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True)
class Reply:
    """A model's answer, unchecked; tokens are None when the server counted none."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    tokens_in: int | None = None
    tokens_out: int | None = None


Heard = Callable[[str], None]  # is given each piece of an answer while it comes


class ChatModel(Protocol):
    """A language model behind a server."""

    @property
    def vendor(self) -> str: ...

    @property
    def model(self) -> str: ...

    def answer(self, question: Question, *, deadline: float, heard: Heard) -> Reply:
        """Read while it comes, and left at `deadline` (of the monotonic clock). Raises
        NoAnswerError, and ToolsRefusedError where tools can't be offered."""
        ...


class EvidenceReads(Protocol):
    """Reads of one incident's surroundings that a model may ask for; none changes anything."""

    def tools(self) -> tuple[Tool, ...]: ...

    def read(self, call: ToolCall, number: int) -> Evidence:
        """The call as evidence, of status "failed" when it could not be read. Raises InputError
        for what is not offered; nothing was read then."""
        ...


class Following(Protocol):
    """Where a model's words go while they come."""

    def say(self, incident_id: str, step: str, text: str) -> None: ...


@dataclass(frozen=True)
class Unfollowed:
    """Nobody listens."""

    def say(self, incident_id: str, step: str, text: str) -> None: ...


ReadsFor = Callable[[Brief], EvidenceReads]


@dataclass(frozen=True)
class ModelLimits:
    """How much a model may take for one diagnosis."""

    timeout_s: float = 30.0  # all calls together
    tokens: int = 40_000  # in and out, all calls together
    reads: int = 4  # reads that it may ask for; 0 offers none
    prices: Mapping[str, str] = field(default_factory=dict)
