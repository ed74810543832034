"""What agents and text models were asked and answered, as read from the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

TEXT_LIMIT = 20_000  # characters of one text; more is neither read nor judged
NAME_LIMIT = 200


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `context` is what the answer was to rest on, `expected` what a
    person or a test says it should have been. Empty means unknown."""

    request: str
    response: str
    context: str = ""
    expected: str = ""


@dataclass(frozen=True)
class Calls:
    """Requests to one agent in order of time, without their texts; one entry per row.

    `timestamps` are seconds since the epoch, `latency_ms` milliseconds, `cost` dollars. Unknown
    numbers are NaN, unknown names empty. `failed` is 1 where `failure` says why, else 0. `progress`
    is 1 for a turn that got on, 0 for one that did not; `false_positive` is 1 for a refusal that
    was wrong, 0 for one that was right.
    """

    ids: list[str]
    timestamps: Floats
    version: list[str]
    session: list[str]
    provider: list[str]
    failure: list[str]
    failed: Floats
    retries: Floats
    latency_ms: Floats
    cost: Floats
    tokens: Floats
    progress: Floats
    false_positive: Floats

    def __len__(self) -> int:
        return len(self.ids)
