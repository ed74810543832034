"""What confirmed incidents teach: which diagnoses were right, and how sure to be from now on."""

import math
from collections.abc import Iterable

from pydantic import Field

from agentops_graph.domain.approval import Door
from agentops_graph.domain.record import Moment, Name, Record

SUREST = 0.95  # no diagnosis is ever surer
LEAST = 0.01


class ConfirmedOutcome(Record):
    """A person's word on what an incident's cause really was."""

    incident_id: Name
    component: Name
    alert_type: Name
    named: Name  # the cause that was diagnosed
    confidence: float | None = Field(default=None, ge=0, le=1)  # None: none was named
    actual: Name
    actor: Name
    via: Door
    at: Moment

    @property
    def is_right(self) -> bool:
        return self.named == self.actual


class Calibration(Record):
    """How a reasoner's confidence is corrected: logit(new) = shift + slope * logit(old)."""

    calibration_id: int = 0  # given by the ledger
    shift: float = 0.0
    slope: float = Field(default=1.0, gt=0)
    outcomes: int = Field(ge=0)  # that it was fitted on
    actor: Name
    via: Door
    at: Moment

    def corrected(self, confidence: float) -> float:
        sure = min(max(confidence, LEAST), 1 - LEAST)
        logit = self.shift + self.slope * math.log(sure / (1 - sure))
        return min(SUREST, max(LEAST, 1 / (1 + math.exp(-logit))))


def last_words(outcomes: Iterable[ConfirmedOutcome]) -> list[ConfirmedOutcome]:
    """One for each incident, the one said last."""
    return list({outcome.incident_id: outcome for outcome in outcomes}.values())
