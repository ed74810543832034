"""One case put to a language model: its questions, within time and tokens, and what they took."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from agentops_graph.diagnosis.json_reply import BadReplyError
from agentops_graph.diagnosis.prompts import Prompt
from agentops_graph.domain.model_use import ModelUse, cost_of
from agentops_graph.errors import NoAnswerError
from agentops_graph.model_ports import (
    ChatModel,
    Following,
    Message,
    ModelLimits,
    Question,
    Reply,
    Tool,
)

CHARACTERS_PER_TOKEN = 4  # for servers that count none
MOST_COUNTED = 1_000_000_000  # tokens of one answer; more is a server's nonsense
LONGEST_QUOTE = 4000  # of a bad answer that is sent back
T = TypeVar("T")


class UnusableAnswerError(NoAnswerError):
    """The model was heard, and what it said can't be used."""


class Consultation:
    """Asks a model for one incident, and counts calls, tokens and seconds."""

    def __init__(
        self, model: ChatModel, limits: ModelLimits, following: Following, incident_id: str
    ) -> None:
        self._model, self._limits = model, limits
        self._following, self._incident_id = following, incident_id
        self._begun = time.monotonic()
        self._calls = self._tokens_in = self._tokens_out = 0
        self._estimated = False
        self._prompts: list[str] = []

    def used(self, prompt: Prompt) -> None:
        """Notes the version that a question is asked with."""
        named = f"{prompt.name}.md {prompt.identity}"
        if named not in self._prompts:
            self._prompts.append(named)

    def asked(
        self,
        messages: tuple[Message, ...],
        step: str,
        *,
        schema: dict[str, Any] | None = None,
        tools: tuple[Tool, ...] = (),
    ) -> Reply:
        """Raises NoAnswerError, also when time or tokens are spent."""
        question = Question(messages, schema, tools)
        size = _size(question)
        spent = self._tokens_in + self._tokens_out
        if spent + size > self._limits.tokens:
            raise NoAnswerError(f"the budget of {self._limits.tokens} tokens is spent")
        said: list[str] = []
        self._calls += 1
        try:
            reply = self._model.answer(
                question,
                deadline=self._begun + self._limits.timeout_s,
                heard=lambda text: self._heard(step, text, said),
            )
        except NoAnswerError:
            # What was sent was read, and billed, whether or not an answer came of it.
            self._count(None, None, size, "".join(said))
            raise
        self._count(reply.tokens_in, reply.tokens_out, size, reply.text)
        return reply

    def answered(
        self,
        asked: str,
        step: str,
        schema: dict[str, Any],
        read: Callable[[str], T],
        repair: Prompt,
    ) -> T:
        """What `read` makes of the answer, asked for again once when it can't be used. Raises
        NoAnswerError."""
        messages: tuple[Message, ...] = (Message("user", asked),)
        first = self.asked(messages, step, schema=schema).text
        try:
            return read(first)
        except BadReplyError as error:
            mend = repair.filled(problem=str(error), keys=", ".join(schema["properties"]))
        self.used(repair)
        messages += (
            Message("assistant", first[:LONGEST_QUOTE] or "(empty)"),
            Message("user", mend),
        )
        try:
            return read(self.asked(messages, step, schema=schema).text)
        except BadReplyError as error:
            raise UnusableAnswerError(f"two answers could not be used; the last: {error}") from None

    @property
    def use(self) -> ModelUse:
        taken = self._tokens_in, self._tokens_out
        return ModelUse(
            model=f"{self._model.vendor}:{self._model.model}",
            calls=self._calls,
            tokens_in=self._tokens_in,
            tokens_out=self._tokens_out,
            estimated=self._estimated,
            cost=cost_of(self._limits.prices, self._model.model, *taken),
            seconds=round(time.monotonic() - self._begun, 3),
            prompts=tuple(self._prompts),
        )

    def _heard(self, step: str, text: str, said: list[str]) -> None:
        said.append(text)
        self._following.say(self._incident_id, step, text)

    def _count(self, sent: int | None, came: int | None, size: int, text: str) -> None:
        sent, came = _counted(sent), _counted(came)
        self._estimated = self._estimated or sent is None or came is None
        self._tokens_in += size if sent is None else sent
        self._tokens_out += len(text) // CHARACTERS_PER_TOKEN if came is None else came


def _counted(tokens: int | None) -> int | None:
    """What a server says that it counted, where that is a count."""
    is_count = isinstance(tokens, int) and 0 <= tokens <= MOST_COUNTED
    return tokens if is_count else None


def _size(question: Question) -> int:
    texts = [message.text for message in question.messages]
    texts += [json.dumps(tool.parameters) + tool.description for tool in question.tools]
    return sum(map(len, texts)) // CHARACTERS_PER_TOKEN
