"""Talks to a language model behind a server that speaks OpenAI's chat completions."""

import time
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from agentops_graph.adapters.openai_model.shapes import message_shape, tool_shape
from agentops_graph.adapters.openai_model.stream import read_reply
from agentops_graph.bounded_http import Bounds, bounded_transport
from agentops_graph.domain.address import model_address
from agentops_graph.domain.redaction import redacted, remember_secrets
from agentops_graph.errors import InputError, NoAnswerError, ToolsRefusedError
from agentops_graph.model_ports import Heard, Question, Reply

LONGEST_DRAFT = 1500  # tokens the model may write
CONNECT_S = 5.0
LONGEST_WAIT_S = 20.0  # that a server may ask for before the one repeat
SHOWN = 300
NO_KEY = "none"  # servers of one's own ask for none, and the client insists on one
# What some servers refuse, and how a question does without it. In the order of what is missed
# least; a refusal that names none of these is final.
DOES_WITHOUT = ("stream_options", "temperature", "max_tokens", "json_schema", "json_object")
ABOUT_FORMATS = ("response_format", "schema", "grammar", "guided")


class OpenAIModel:
    """A model behind a base URL: vLLM, llama.cpp, LiteLLM, Azure, a company's gateway.

    What a server refuses is left out from then on: a JSON schema gives way to a JSON object, and
    this to plain text, which is checked in the same way.
    """

    vendor = "openai"

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str | None,
        *,
        temperature: float = 0.3,
        allow_remote: bool = False,
        hosts: Collection[str] = (),
    ) -> None:
        self._url = model_address(
            base_url, field="AGENTOPS_OPENAI_BASE_URL", allow_remote=allow_remote, hosts=hosts
        )
        self._key = api_key or NO_KEY
        if api_key:
            remember_secrets([api_key])
        self._model, self._temperature = model, temperature
        self._without: set[str] = set()

    @property
    def model(self) -> str:
        return self._model

    def answer(self, question: Question, *, deadline: float, heard: Heard) -> Reply:
        repeated = False
        while True:
            try:
                return self._once(question, deadline, heard)
            except _RefusedPartError as refused:
                self._without.add(refused.part)
            except _LaterError as later:
                if repeated or later.wait_s > deadline - time.monotonic():
                    raise NoAnswerError(str(later)) from None
                repeated = True
                time.sleep(later.wait_s)

    def _once(self, question: Question, deadline: float, heard: Heard) -> Reply:
        openai, httpx2 = _libraries()
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise NoAnswerError("the time for all answers is spent")
        late = f"no answer within {left_s:.3g} s"
        try:
            with self._client(left_s) as client:
                stream = client.chat.completions.create(**self._request(question), stream=True)
                with stream:
                    return read_reply(stream, deadline, late, heard)
        except openai.APIStatusError as error:
            raise self._refusal(error, question) from None
        except (openai.APITimeoutError, httpx2.TimeoutException):
            raise NoAnswerError(late) from None
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise NoAnswerError(f"{self._place}: {_short(_reason(error))}") from None
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # The client trusts the shape of what the server sends.
            raise NoAnswerError(f"unreadable reply ({type(error).__name__})") from None

    def _client(self, left_s: float) -> Any:
        import httpcore2

        openai, httpx2 = _libraries()
        timeout = httpx2.Timeout(left_s, connect=min(CONNECT_S, left_s))
        bounds = Bounds(time.monotonic() + left_s, own={"authorization": f"Bearer {self._key}"})
        return openai.OpenAI(
            api_key=self._key,
            base_url=self._url,
            timeout=timeout,
            max_retries=0,  # repeats are ours, within the time that is left
            http_client=openai.DefaultHttpxClient(
                timeout=timeout,
                headers={"Accept-Encoding": "identity"},
                transport=bounded_transport(httpx2, httpcore2, self._url, bounds),
                trust_env=False,  # a proxy from the environment must not see the brief
                follow_redirects=False,
            ),
        )

    def _request(self, question: Question) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [message_shape(message) for message in question.messages],
            "temperature": self._temperature,
            "max_tokens": LONGEST_DRAFT,
            "stream_options": {"include_usage": True},
        }
        if "max_tokens" in self._without:
            request["max_completion_tokens"] = request.pop("max_tokens")
        for part in {"temperature", "stream_options"} & self._without:
            del request[part]
        if question.tools:
            request["tools"] = [tool_shape(tool) for tool in question.tools]
        elif question.schema is not None and "json_object" not in self._without:
            request["response_format"] = self._format(question.schema)
        return request

    def _format(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "json_schema" in self._without:
            return {"type": "json_object"}
        named = {"name": "answer", "schema": schema, "strict": True}
        return {"type": "json_schema", "json_schema": named}

    def _refusal(self, error: Any, question: Question) -> Exception:
        status, said = error.status_code, _said(error)
        if status in (400, 404, 405, 422, 501):
            part = self._refused_part(said.lower(), question)
            if part == "tools":
                return ToolsRefusedError(f"{self._place} takes no tools for {self._model}")
            if part is not None:
                return _RefusedPartError(part)
        if status in (429, 503):
            wait_s = _wait(error.response.headers.get("retry-after"))
            return _LaterError(f"{self._place} answered {status}: {said}", wait_s)
        if status in (401, 403):
            mend = "check AGENTOPS_OPENAI_API_KEY"
            return NoAnswerError(f"{self._place} answered {status}: {mend}")
        if status == 404:
            return NoAnswerError(f"{self._place} has no model {self._model}, or no such path")
        return NoAnswerError(f"{self._place} answered {status}: {said}")

    def _refused_part(self, said: str, question: Question) -> str | None:
        """Which part of the question the server does not take, as far as its words tell."""
        if question.tools and ("tool" in said or "function" in said):
            return "tools"
        parts = [part for part in DOES_WITHOUT if part in said and part not in self._without]
        if parts:
            return parts[0]
        formats = [p for p in ("json_schema", "json_object") if p not in self._without]
        speaks_of_it = any(word in said for word in ABOUT_FORMATS)
        asked = question.schema is not None and not question.tools
        return formats[0] if formats and asked and speaks_of_it else None

    @property
    def _place(self) -> str:
        return urlsplit(self._url).netloc


class _RefusedPartError(Exception):
    """The server does not take a part of the question."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


class _LaterError(Exception):
    """The server asks to come again later."""

    def __init__(self, said: str, wait_s: float) -> None:
        super().__init__(said)
        self.wait_s = wait_s


def _libraries() -> tuple[Any, Any]:
    try:
        import httpx2
        import openai
    except ImportError:
        raise InputError(
            "openai needs its client: pip install 'agentops-graph[openai]'",
            field="AGENTOPS_REASONER",
        ) from None
    return openai, httpx2


def _said(error: Any) -> str:
    body = error.body
    inner = body.get("error", body) if isinstance(body, dict) else body
    text = inner.get("message", inner) if isinstance(inner, dict) else inner
    return _short(str(text or error.message))


def _wait(header: str | None) -> float:
    try:
        asked = float(header or 1)
    except ValueError:
        asked = 1.0
    return asked if 0 <= asked <= LONGEST_WAIT_S else float("inf")


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def _short(text: str) -> str:
    return redacted("".join(c if c.isprintable() else " " for c in text))[:SHOWN]
