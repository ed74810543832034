"""Runbook sections, past incidents and the causes that runbooks describe."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from agentops_graph.domain.action import NOTICE_KINDS, ActionName
from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.record import Name, Record

DocumentKind = Literal["runbook", "incident"]
Outcome = Literal["passed", "failed", "rejected", "inconclusive", "undone", "unavailable"]
CONDITION = re.compile(
    r"^(?P<action>[a-z_]+) (?P<outcomes>(?:passed|failed|rejected|inconclusive|undone|unavailable)"
    r"(?: or (?:passed|failed|rejected|inconclusive|undone|unavailable))*)$"
)


class Origin(Record):
    """Where a section was read: file, lines, commit of a checkout, and the stamp of its text."""

    path: str
    first_line: int = Field(ge=1)
    last_line: int = Field(ge=1)
    version: str  # changes whenever the section's own text does
    git_commit: str | None = None
    read_at: str | None = None
    copies: tuple[str, ...] = ()  # other files with the same content


class Page(Record):
    """One section of a document, as found by a search."""

    reference: Name  # "model_drift.md#section-3-2-usual-causes"
    document: Name
    kind: DocumentKind
    title: str
    text: str
    score: float = 0.0
    confirmed: bool = True  # a post-mortem counts as precedent only after a person confirmed it
    alert_types: tuple[str, ...] = ()
    match: float = 0.0  # whether it answers at all, 0 to 1, comparable between queries
    guessed: bool = False  # its alert types were read out of plain text
    component: str | None = None  # the one that an incident report speaks of
    origin: Origin | None = None
    rerank: str | None = None  # the model that set its place, or why none did


class SignalWeight(Record):
    """How a signal speaks for a cause, in log-odds: added when seen, subtracted when absent."""

    signal: Name
    seen: float = 0.0
    absent: float = 0.0


class CauseAction(Record):
    """An action a cause calls for; `condition` reads like "retrain_model failed or rejected"."""

    action: ActionName
    priority: int = Field(ge=1, le=99)
    condition: str | None = Field(default=None, pattern=CONDITION.pattern)
    effect: str | None = Field(default=None, max_length=300)  # what it does for this cause

    @model_validator(mode="after")
    def _notices_go_at_once(self) -> Self:
        if self.condition is not None and self.action in NOTICE_KINDS:
            raise ValueError("a notice is sent at once and takes no condition")
        return self


class Cause(Record):
    """A candidate root cause from a runbook's front matter."""

    cause: Name
    title: str
    runbook: Name  # file name
    section: str  # heading number, "3.2"
    reference: Name
    serves: tuple[AlertType, ...]
    prior: float = Field(default=0.2, gt=0, lt=1)
    signals: tuple[SignalWeight, ...] = ()
    actions: tuple[CauseAction, ...] = ()
    guessed: bool = False  # read out of plain text; nobody declared it


def condition_holds(condition: str | None, outcomes: dict[str, Outcome]) -> bool:
    """True when `condition` is absent or an outcome of the action it names matches it.

    An action that could not be taken at all counts as failed, too.
    """
    if condition is None:
        return True
    match = CONDITION.match(condition)
    if match is None:
        return False
    named, outcome = match["outcomes"].split(" or "), outcomes.get(match["action"])
    return outcome in named or (outcome == "unavailable" and "failed" in named)
