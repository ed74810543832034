"""Asks a language model on Ollama for the diagnosis, and does without it when it can't be used."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from agentops_graph.diagnosis.briefing import brief_text
from agentops_graph.diagnosis.draft import BadDraftError, Draft, combined, read_draft, schema
from agentops_graph.diagnosis.prompts import Prompt
from agentops_graph.domain.address import refuse_remote
from agentops_graph.domain.diagnosis import Brief, Diagnosis
from agentops_graph.errors import InputError
from agentops_graph.ports import Reasoner

log = logging.getLogger(__name__)

LONGEST_REPLY = 100_000  # characters; a draft has about a thousand
LONGEST_DRAFT = 1500  # tokens the model may write
WINDOW = 8192  # tokens; Ollama's own default silently cuts off the brief
CONNECT_S = 5.0

Messages = list[tuple[str, str]]


class NoAnswerError(Exception):
    """The model gave nothing that can be used; the message says why."""


class OllamaReasoner:
    """A reasoner that lets a model choose between the hypotheses of a deterministic one.

    The model's answer is checked against the brief and asked for again once; after that, or when
    Ollama does not answer within `timeout_s` altogether, the fallback's diagnosis stands and its
    `degraded` says why. How far the model is believed stands in `diagnosis.draft`.
    """

    def __init__(
        self,
        model: str,
        host: str,
        temperature: float,
        timeout_s: float,
        fallback: Reasoner,
        prompts: Mapping[str, Prompt],
        allow_remote: bool = False,
    ) -> None:
        url = host if "://" in host else f"http://{host}"
        refuse_remote(
            url,
            field="AGENTOPS_OLLAMA_HOST",
            allow_remote=allow_remote,
            sent="alerts and evidence",
        )
        for name in ("diagnose", "repair"):
            if name not in prompts:
                raise InputError(f"{name}.md is missing", field="prompts")
        self._model, self._host = model, url
        self._temperature, self._timeout_s = temperature, timeout_s
        self._fallback, self._prompts = fallback, prompts

    @property
    def name(self) -> str:
        return f"ollama:{self._model} (diagnose.md {self._prompts['diagnose'].version})"[:200]

    def diagnose(self, brief: Brief) -> Diagnosis:
        base = self._fallback.diagnose(brief)
        if not base.hypotheses:  # nothing to choose between
            return base
        try:
            draft = self._draft(brief, base)
        except NoAnswerError as error:
            log.warning("diagnosing without the model: %s", error)
            return base.model_copy(update={"degraded": (*base.degraded, f"ollama: {error}")})
        return combined(base, draft, brief, self.name)

    def _draft(self, brief: Brief, base: Diagnosis) -> Draft:
        deadline = time.monotonic() + self._timeout_s
        asked = self._prompts["diagnose"].filled(brief=brief_text(brief, base))
        messages: Messages = [("human", asked)]
        reply = self._ask(messages, schema(brief), deadline)
        try:
            return read_draft(reply, brief)
        except BadDraftError as error:
            repair = self._prompts["repair"].filled(problem=str(error))
        messages += [("ai", reply[:4000] or "(empty)"), ("human", repair)]
        reply = self._ask(messages, schema(brief), deadline)
        try:
            return read_draft(reply, brief)
        except BadDraftError as error:
            raise NoAnswerError(f"two answers could not be used; the last: {error}") from None

    def _ask(self, messages: Messages, answer_schema: dict[str, Any], deadline: float) -> str:
        """The reply's text, read while it comes, so that a slow or endless one can be left."""
        import httpx
        from ollama import ResponseError

        try:
            return self._streamed(messages, answer_schema, deadline)
        except ResponseError as error:
            raise NoAnswerError(self._refusal(error.status_code, error.error)) from None
        except httpx.TimeoutException:
            raise NoAnswerError(f"no answer within {self._timeout_s:g} s") from None
        except (httpx.HTTPError, ConnectionError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise NoAnswerError(f"{self._host}: {reason[:300]}") from None
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            # The client trusts the shape of what the server sends.
            raise NoAnswerError(f"unreadable reply ({type(error).__name__})") from None

    def _streamed(self, messages: Messages, answer_schema: dict[str, Any], deadline: float) -> str:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise NoAnswerError(f"no answer within {self._timeout_s:g} s")
        parts: list[str] = []
        length = 0
        # `format` is what with_structured_output(method="json_schema") binds; the raw text is
        # needed to say what is wrong with it.
        stream = self._client(left_s).bind(format=answer_schema).stream(messages)
        try:
            for chunk in stream:
                text = str(chunk.text)
                parts.append(text)
                length += len(text)
                if length > LONGEST_REPLY:
                    raise NoAnswerError(f"reply longer than {LONGEST_REPLY} characters")
                if time.monotonic() > deadline:
                    raise NoAnswerError(f"no answer within {self._timeout_s:g} s")
        finally:
            _close(stream)
        return "".join(parts)

    def _client(self, left_s: float) -> Any:
        import httpx
        from langchain_ollama import ChatOllama

        return ChatOllama(
            model=self._model,
            base_url=self._host,
            temperature=self._temperature,
            reasoning=False,
            num_predict=LONGEST_DRAFT,
            num_ctx=WINDOW,
            client_kwargs={
                "timeout": httpx.Timeout(left_s, connect=min(CONNECT_S, left_s)),
                "trust_env": False,  # a proxy from the environment must not see the brief
                "follow_redirects": False,
                "limits": httpx.Limits(max_keepalive_connections=0),
            },
        )

    def _refusal(self, status: int, error: str) -> str:
        if status == 404:
            return f"model {self._model} is not there; `ollama pull {self._model}` fetches it"
        return f"Ollama answered {status}: {error[:300]}"


def _close(stream: Any) -> None:
    """Ends a generator that may not have run to its end, and with it the connection."""
    if hasattr(stream, "close"):
        stream.close()
