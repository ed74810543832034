"""Any REST API as evidence: what to ask, what to take from the answer, and what it means."""

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from agentops_graph.domain.address import checked_address
from agentops_graph.domain.evidence import CHANGE_PREFIX, SIGNALS
from agentops_graph.domain.record import Name, Record, Scalar, Text
from agentops_graph.domain.sources.logs import EnvName, Label, named_once

PLACEHOLDERS = ("component", "since", "until")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Set by us, or by what carries the request.
_RESERVED = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}


def _template(url: str) -> str:
    """Placeholders may change the path and the query, never whom is asked."""
    checked_address(url)
    unknown = [n for n in _PLACEHOLDER.findall(url) if n not in PLACEHOLDERS]
    if unknown:
        raise ValueError(f"{{{unknown[0]}}} is none of {', '.join(PLACEHOLDERS)}")
    if "{" in urlsplit(url).netloc:
        raise ValueError("a placeholder may stand in the path and the query, not in the host")
    return url


def _known(signal: str) -> str:
    kind = signal.removeprefix(CHANGE_PREFIX)
    if signal in SIGNALS or (signal != kind and re.fullmatch(r"[a-z_]{1,60}", kind)):
        return signal
    raise ValueError(f"is no signal; docs/runbooks.md lists them, and {CHANGE_PREFIX}KIND is one")


Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]
HeaderText = Annotated[str, Field(pattern=r"^[\x20-\x7e]{0,1000}$")]
Pointer = Annotated[Text, Field(min_length=1, max_length=500)]  # /a/0/b, or a.0.b
Template = Annotated[Text, Field(min_length=1, max_length=2000), AfterValidator(_template)]
Signal = Annotated[str, AfterValidator(_known)]


class RestSignal(Record):
    """A signal and when it is seen; while its value is missing from the answer it is unknown."""

    signal: Signal
    value: Name  # one of the source's values
    one_of: tuple[Scalar, ...] | None = None
    none_of: tuple[Scalar, ...] | None = None
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = (self.one_of, self.none_of, self.above, self.below)
        if sum(condition is not None for condition in given) != 1:
            raise ValueError("needs one of one_of, none_of, above, below")
        return self

    def holds(self, value: Scalar) -> bool | None:
        """None when the value can't be judged by this condition."""
        if value is None:
            return None
        if self.one_of is not None:
            return value in self.one_of
        if self.none_of is not None:
            return value not in self.none_of
        if isinstance(value, bool | str):
            return None
        return value > self.above if self.above is not None else value < (self.below or 0.0)


class RestSource(Record):
    """One address that is asked with GET."""

    name: Label
    url: Template
    components: tuple[Name, ...] = Field(min_length=1)
    headers: dict[Header, HeaderText] = Field(default_factory=dict)
    token_env: EnvName | None = None
    token_header: Header = "Authorization"  # gets "Bearer TOKEN"; any other gets the token alone
    allow_private: tuple[Name, ...] = ()  # hosts that may lie in a private network
    timeout_s: float = Field(default=5, gt=0, le=25)
    max_bytes: int = Field(default=1_000_000, ge=1000, le=20_000_000)
    every_s: float = Field(default=60, ge=0, le=86_400)  # an answer is used again for that long
    values: dict[Label, Pointer] = Field(min_length=1, max_length=50)
    signals: tuple[RestSignal, ...] = ()
    summary: Annotated[Text, Field(max_length=500)] = ""  # {VALUE} stands for a value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        named = {name.lower() for name in self.headers}
        if named & {"authorization", "cookie", self.token_header.lower()}:
            raise ValueError("headers: a credential is named by token_env and token_header")
        if named & _RESERVED:
            raise ValueError(f"headers: {min(named & _RESERVED)} is set by agentops")
        for signal in self.signals:
            if signal.value not in self.values:
                raise ValueError(f"signals: {signal.value} is none of the values")
        return self


RestSection = Annotated[tuple[RestSource, ...], AfterValidator(named_once)]
