"""The diagnosis: the cause, how sure, on which evidence, and what to do."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from agentops_graph.domain.action import ActionName
from agentops_graph.domain.alert import Alert
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.knowledge import CONDITION, Cause, Page
from agentops_graph.domain.record import Moment, Name, Record
from agentops_graph.domain.recurrence import Recurrence

UNKNOWN_CAUSE = "unknown"
OPINIONS_THAT_AGREE = 2


class RecommendedAction(Record):
    """What an expert would do next, in order of priority, under a condition on earlier outcomes."""

    action: ActionName
    priority: int = Field(ge=1, le=99)
    requires_approval: bool
    condition: str | None = Field(default=None, pattern=CONDITION.pattern)


class Hypothesis(Record):
    """A candidate cause with the evidence that speaks for and against it."""

    cause: Name
    title: str
    reference: str
    probability: float = Field(ge=0, le=1)
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()
    signals_for: tuple[str, ...] = ()
    signals_against: tuple[str, ...] = ()


class Diagnosis(Record):
    """A named root cause; `confidence` is None when the evidence can't settle it."""

    diagnosis_id: Name
    alert_id: Name
    root_cause: str
    cause: Name = UNKNOWN_CAUSE
    confidence: float | None = Field(default=None, ge=0, le=1)
    evidence: tuple[str, ...] = ()
    recommended_actions: tuple[RecommendedAction, ...] = ()
    runbook_reference: str | None = None
    similar_incidents: tuple[str, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    citations: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # what would settle it
    reasoner: str = "evidence_weights"
    degraded: tuple[str, ...] = ()  # parts that did not answer
    confidence_before: float | None = Field(default=None, ge=0, le=1)  # of a calibration
    cause_before: Name | None = None  # named before a calibration took the confidence away
    recurrence: Recurrence | None = None  # set when an earlier incident told the same
    diagnosed_at: Moment

    @model_validator(mode="after")
    def _known_or_unsure(self) -> Self:
        if self.cause == UNKNOWN_CAUSE and self.confidence is not None:
            raise ValueError("confidence: must be empty when the cause is unknown")
        return self

    @property
    def told_confidence(self) -> float | None:
        """As the reasoner told it, which is what its calibration is fitted on."""
        return self.confidence if self.confidence_before is None else self.confidence_before


class SecondOpinion(Record):
    """What fresh evidence named while an approval waited."""

    cause: Name
    confidence: float | None
    at: Moment


def settled_on(opinions: Sequence[SecondOpinion], *, at_least: float) -> str | None:
    """The known cause on which the two newest opinions agree, each sure enough of it; one alone may
    be a passing mood of the data."""
    newest = opinions[-OPINIONS_THAT_AGREE:]
    causes = {opinion.cause for opinion in newest}
    if len(newest) < OPINIONS_THAT_AGREE or len(causes) > 1 or UNKNOWN_CAUSE in causes:
        return None
    is_sure = all((opinion.confidence or 0.0) >= at_least for opinion in newest)
    return causes.pop() if is_sure else None


class Brief(Record):
    """Everything a reasoner may read: one alert, its evidence, candidate causes and pages."""

    diagnosis_id: Name
    incident_id: Name
    alert: Alert
    evidence: tuple[Evidence, ...]
    causes: tuple[Cause, ...]
    pages: tuple[Page, ...]
    precedents: tuple[Page, ...]
    asked_at: Moment
