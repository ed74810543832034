"""Talks to a language model on Ollama."""

import time
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import urlsplit

from agentops_graph.bounded_http import Bounds, bounded_transport
from agentops_graph.domain.address import model_address
from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import NoAnswerError, ToolsRefusedError
from agentops_graph.model_ports import Heard, Message, Question, Reply, Tool, ToolCall

LONGEST_REPLY = 100_000  # characters; a draft has about a thousand
LONGEST_DRAFT = 1500  # tokens the model may write
WINDOW = 8192  # tokens; Ollama's own default silently cuts off the brief
CONNECT_S = 5.0
SHOWN = 300
KEY_HOST = "ollama.com"


class OllamaModel:
    """A model behind Ollama's chat, whose answers are streamed."""

    vendor = "ollama"

    def __init__(
        self,
        model: str,
        host: str,
        *,
        temperature: float = 0.3,
        allow_remote: bool = False,
        hosts: Collection[str] = (),
    ) -> None:
        url = host if "://" in host else f"http://{host}"
        self._host = model_address(
            url, field="AGENTOPS_OLLAMA_HOST", allow_remote=allow_remote, hosts=hosts
        )
        self._model, self._temperature = model, temperature

    @property
    def model(self) -> str:
        return self._model

    def answer(self, question: Question, *, deadline: float, heard: Heard) -> Reply:
        import httpx
        from ollama import ResponseError

        asked_s = deadline - time.monotonic()
        try:
            return self._streamed(question, deadline, heard)
        except ResponseError as error:
            raise self._refusal(error.status_code, error.error) from None
        except httpx.TimeoutException:
            raise NoAnswerError(f"no answer within {max(asked_s, 0):.3g} s") from None
        except (httpx.HTTPError, ConnectionError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise NoAnswerError(f"{self._host}: {_short(reason)}") from None
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            # The client trusts the shape of what the server sends.
            raise NoAnswerError(f"unreadable reply ({type(error).__name__})") from None

    def _streamed(self, question: Question, deadline: float, heard: Heard) -> Reply:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise NoAnswerError("the time for all answers is spent")
        bound: dict[str, Any] = {}
        if question.tools:
            bound["tools"] = [_tool(tool) for tool in question.tools]
        elif question.schema is not None:
            # `format` is what with_structured_output(method="json_schema") binds; the raw text is
            # needed to say what is wrong with it.
            bound["format"] = question.schema
        stream = self._client(left_s).bind(**bound).stream(_messages(question.messages))
        try:
            return _read(stream, deadline, left_s, heard)
        finally:
            _close(stream)

    def _client(self, left_s: float) -> Any:
        import httpcore
        import httpx
        from langchain_ollama import ChatOllama

        # The client sends $OLLAMA_API_KEY to whatever host it is given.
        is_theirs = urlsplit(self._host).hostname == KEY_HOST
        passed = ("authorization",) if is_theirs else ()
        bounds = Bounds(time.monotonic() + left_s, passed=passed)
        return ChatOllama(
            model=self._model,
            base_url=self._host,
            temperature=self._temperature,
            reasoning=False,
            num_predict=LONGEST_DRAFT,
            num_ctx=WINDOW,
            sync_client_kwargs={
                "timeout": httpx.Timeout(left_s, connect=min(CONNECT_S, left_s)),
                "trust_env": False,  # a proxy from the environment must not see the brief
                "follow_redirects": False,
                "headers": {"Accept-Encoding": "identity"},
                "transport": bounded_transport(httpx, httpcore, self._host, bounds),
            },
        )

    def _refusal(self, status: int, error: str) -> NoAnswerError:
        if "does not support tools" in error:
            return ToolsRefusedError(f"model {self._model} takes no tools")
        if status == 404:
            return NoAnswerError(
                f"model {self._model} is not there; `ollama pull {self._model}` fetches it"
            )
        return NoAnswerError(f"Ollama answered {status}: {_short(error)}")


def _read(stream: Iterator[Any], deadline: float, left_s: float, heard: Heard) -> Reply:
    """The whole answer, read while it comes, so that a slow or endless one can be left."""
    parts: list[str] = []
    calls: list[ToolCall] = []
    length, usage = 0, None
    for chunk in stream:
        text = str(chunk.text)
        parts.append(text)
        length += len(text)
        if length > LONGEST_REPLY:
            raise NoAnswerError(f"reply longer than {LONGEST_REPLY} characters")
        if time.monotonic() > deadline:
            raise NoAnswerError(f"no answer within {left_s:.3g} s")
        if text:
            heard(text)
        calls += [ToolCall(c["name"], c["args"], c["id"] or "") for c in chunk.tool_calls]
        usage = chunk.usage_metadata or usage
    counted = usage or {}
    return Reply(
        "".join(parts), tuple(calls), counted.get("input_tokens"), counted.get("output_tokens")
    )


def _messages(messages: tuple[Message, ...]) -> list[Any]:
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

    made: list[Any] = []
    for message in messages:
        if message.role == "user":
            made.append(HumanMessage(message.text))
        elif message.role == "tool":
            made.append(ToolMessage(message.text, tool_call_id=message.call_id))
        else:
            calls = [
                {"name": c.name, "args": dict(c.arguments), "id": c.call_id, "type": "tool_call"}
                for c in message.calls
            ]
            made.append(AIMessage(message.text, tool_calls=calls))
    return made


def _tool(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def _short(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in redacted(text))[:SHOWN]


def _close(stream: Any) -> None:
    """Ends a generator that may not have run to its end, and with it the connection."""
    if hasattr(stream, "close"):
        stream.close()
