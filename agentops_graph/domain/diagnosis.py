"""The diagnosis: the cause, how sure, on which evidence, and what to do."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from agentops_graph.domain.action import ActionName
from agentops_graph.domain.alert import Alert
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.knowledge import CONDITION, Cause, Page
from agentops_graph.domain.model_use import ModelUse
from agentops_graph.domain.prospect import Risk
from agentops_graph.domain.record import Moment, Name, Record, Scalar
from agentops_graph.domain.recurrence import Recurrence

UNKNOWN_CAUSE = "unknown"
OPINIONS_THAT_AGREE = 2


class RecommendedAction(Record):
    """What an expert would do next, in order of priority, under a condition on earlier outcomes."""

    action: ActionName
    priority: int = Field(ge=1, le=99)
    requires_approval: bool
    condition: str | None = Field(default=None, pattern=CONDITION.pattern)
    effect: str = ""  # what it will do
    risk: Risk | None = None
    reversible: bool | None = None
    cost: str = ""


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
    prior: float | None = None  # log-odds before anything was measured
    score: float | None = None  # log-odds with all that was measured
    weights: dict[str, float] = Field(default_factory=dict)  # what each signal added or took


class Claim(Record):
    """One thing a diagnosis says, and the evidence with the figures that show it."""

    signal: str
    seen: bool  # False: it was looked for and is not there
    weight: float  # log-odds that it added to the named cause
    evidence_id: Name
    text: str
    figures: dict[str, Scalar] = Field(default_factory=dict)


class ModelOpinion(Record):
    """What a language model said of the cause, beside what the evidence weights say."""

    model: str
    cause: Name
    confidence: float = Field(ge=0, le=1)
    words: str = ""
    evidence: tuple[str, ...] = ()
    agrees: bool  # with the evidence weights
    doubts: tuple[str, ...] = ()  # what its answer does not show


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
    also: tuple[Name, ...] = ()  # other causes that hold at the same time
    claims: tuple[Claim, ...] = ()
    missing: tuple[str, ...] = ()  # what would settle it
    reasoner: str = "evidence_weights"
    degraded: tuple[str, ...] = ()  # parts that did not answer
    confidence_before: float | None = Field(default=None, ge=0, le=1)  # of a calibration
    cause_before: Name | None = None  # named before a calibration took the confidence away
    recurrence: Recurrence | None = None  # set when an earlier incident told the same
    opinion: ModelOpinion | None = None
    model_use: ModelUse | None = None
    gathered: tuple[Evidence, ...] = ()  # what a model asked for while it reasoned
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
    model_use: ModelUse | None = None


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
