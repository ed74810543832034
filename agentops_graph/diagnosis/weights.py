"""The reasoner that needs no model: weighs evidence by the weights that runbooks declare."""

import re

from agentops_graph.diagnosis.claims import claims_of
from agentops_graph.diagnosis.precedents import confirmed_incidents, names_cause
from agentops_graph.diagnosis.scoring import (
    Weighed,
    doubt,
    holding_too,
    leans_on_the_past,
    led,
    weighed,
    would_settle,
)
from agentops_graph.domain.alert import Alert
from agentops_graph.domain.diagnosis import (
    UNKNOWN_CAUSE,
    Brief,
    Diagnosis,
    Hypothesis,
    RecommendedAction,
)
from agentops_graph.domain.evidence import CHANGE_PREFIX, SIGNALS, Evidence, merged_signals
from agentops_graph.domain.knowledge import Cause, CauseAction, Page
from agentops_graph.domain.policy import rule
from agentops_graph.domain.prospect import prospect

MISSING_SHOWN = 5
CITATIONS_SHOWN = 8
INCIDENTS_SHOWN = 5
FEATURES_SHOWN = 3
ONE_WORD = re.compile(r"[\w.=:/\-\[\]@+%|,]{1,80}")
LONGEST_NAME = 80
_INNER = str.maketrans("«»", "‹›")  # a name can't end its own quotation
WORTH_NAMING = 0.25  # share of the worst feature's figure; less is the calm rest
# Until a cause is known only people are told; nothing that changes production is proposed.
WHEN_UNKNOWN = (
    CauseAction(action="send_slack_alert", priority=1),
    CauseAction(action="create_github_issue", priority=2),
)


class EvidenceWeights:
    """Names the cause that the measured signals favour, or says that they settle nothing.

    Deterministic: the same brief gives the same diagnosis. The method and its sources stand in
    `scoring`; post-mortems that no person confirmed weigh nothing.
    """

    name = "evidence_weights"

    def diagnose(self, brief: Brief) -> Diagnosis:
        signals, ranked = merged_signals(brief.evidence), ranking(brief)
        hypotheses = tuple(hypothesis(one, brief.evidence) for one in ranked)
        why_not = doubt(ranked)
        if why_not is None and _confirmed(brief):
            why_not = leans_on_the_past(led(ranked)[0], weighed(brief.causes, signals, {}))
        named = led(ranked)[0] if why_not is None else None
        best = named.cause if named else None
        beside = holding_too(ranked) if named else []
        settling = would_settle(ranked, signals) if named is None else named.untested
        return Diagnosis(
            diagnosis_id=brief.diagnosis_id,
            alert_id=brief.alert.alert_id,
            root_cause=sentence(best, brief) if best else f"Unknown: {why_not}",
            cause=best.cause if best else UNKNOWN_CAUSE,
            confidence=round(named.confidence, 3) if named else None,
            evidence=_used(hypotheses[0] if best else None, brief.evidence),
            recommended_actions=recommended(best),
            runbook_reference=best.reference if best else _first_runbook(brief.pages),
            similar_incidents=alike(best, brief),
            hypotheses=hypotheses,
            citations=citations(best, brief),
            also=tuple(one.cause.cause for one in beside),
            claims=claims_of(named, brief.evidence),
            missing=tuple(described(signal) for signal in settling[:MISSING_SHOWN]),
            reasoner=self.name,
            degraded=tuple(
                f"{e.kind}: {e.summary}" for e in brief.evidence if e.status == "failed"
            ),
            diagnosed_at=brief.asked_at,
        )


def ranking(brief: Brief) -> list[Weighed]:
    """The candidates as the signals of the brief weigh them, the most probable first."""
    return weighed(brief.causes, merged_signals(brief.evidence), _confirmed(brief))


def _confirmed(brief: Brief) -> dict[str, Page]:
    found = confirmed_incidents((*brief.precedents, *brief.pages))
    found.pop(brief.incident_id, None)  # no incident is its own precedent
    return found


def hypothesis(one: Weighed, evidence: tuple[Evidence, ...]) -> Hypothesis:
    """A candidate with the ids of the evidence that carried its signals."""
    return Hypothesis(
        cause=one.cause.cause,
        title=one.cause.title,
        reference=one.cause.reference,
        probability=min(1.0, round(one.probability, 4)),
        evidence_for=_carriers(one.signals_for, evidence),
        evidence_against=_carriers(one.signals_against, evidence),
        signals_for=one.signals_for,
        signals_against=one.signals_against,
        prior=round(one.prior, 4),
        score=round(one.score, 4),
        weights={signal: round(effect, 4) for signal, effect in one.effects.items()},
    )


def recommended(cause: Cause | None) -> tuple[RecommendedAction, ...]:
    """The cause's own actions in order, with policy's word on approval and what each may do;
    notices when unknown."""
    steps = WHEN_UNKNOWN if cause is None else cause.actions
    return tuple(_weighed_action(step) for step in sorted(steps, key=lambda s: s.priority))


def _weighed_action(step: CauseAction) -> RecommendedAction:
    expected = prospect(step.action)
    return RecommendedAction(
        action=step.action,
        priority=step.priority,
        requires_approval=not rule(step.action).by_itself,
        condition=step.condition,
        effect=step.effect or expected.effect,
        risk=expected.risk,
        reversible=expected.reversible,
        cost=expected.cost,
    )


def sentence(cause: Cause, brief: Brief) -> str:
    """The cause's title with what is particular to this alert: features, component, onset."""
    return f"{cause.title}: {specifics(brief.alert)}"


def specifics(alert: Alert) -> str:
    """Which features of which component, since when, as far as the alert knows."""
    features: dict[str, float] = {}
    for finding in alert.findings:
        features |= finding.features
    most = max((abs(figure) for figure in features.values()), default=0.0)
    moved = [name for name, figure in features.items() if abs(figure) >= most * WORTH_NAMING]
    worst = sorted(moved, key=lambda name: -abs(features[name]))[:FEATURES_SHOWN]
    what = ", ".join(f"{quoted(name)} ({features[name]:.2f})" for name in worst)
    component = quoted(alert.affected_component)
    where = f"{what} of {component}" if what else component
    segment = f", segment {quoted(alert.segment)}" if alert.segment else ""
    since = f" since {alert.onset_at:%Y-%m-%d %H:%M %Z}" if alert.onset_at else ""
    return f"{where}{segment}{since}"


def quoted(name: str) -> str:
    """A name from outside: as it is when it is one word, else between marks, so that nobody takes
    a sentence for ours."""
    if ONE_WORD.fullmatch(name):
        return name
    inner = "".join(c if c.isprintable() else " " for c in name).translate(_INNER)
    return f"«{inner[:LONGEST_NAME]}»"


def described(signal: str) -> str:
    """A signal with what it means, for people who go and look."""
    if signal.startswith(CHANGE_PREFIX):
        kind = signal.removeprefix(CHANGE_PREFIX)
        return f"{signal}: whether {kind} was recorded near the onset"
    return f"{signal}: whether {SIGNALS[signal]}" if signal in SIGNALS else signal


def citations(cause: Cause | None, brief: Brief) -> tuple[str, ...]:
    """References in the order people should open them: the cause's section, then what was read."""
    read = [page.reference for page in (*brief.pages, *brief.precedents)]
    first = [cause.reference] if cause else []
    return tuple(dict.fromkeys([*first, *read]))[:CITATIONS_SHOWN]


def _carriers(signals: tuple[str, ...], evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    return tuple(e.evidence_id for e in evidence if any(e.signals.get(s) for s in signals))


def _used(best: Hypothesis | None, evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    """What the diagnosis rests on; all that was measured while nothing is settled."""
    if best is None:
        return tuple(e.evidence_id for e in evidence if e.status == "ok")
    chosen = {*best.evidence_for, *best.evidence_against}
    return tuple(e.evidence_id for e in evidence if e.evidence_id in chosen)


def alike(best: Cause | None, brief: Brief) -> tuple[str, ...]:
    """Confirmed incidents, those with the same root cause first."""
    incidents = _confirmed(brief)
    same = [i for i, page in incidents.items() if best is not None and names_cause(page, best)]
    return tuple(dict.fromkeys([*same, *incidents]))[:INCIDENTS_SHOWN]


def _first_runbook(pages: tuple[Page, ...]) -> str | None:
    return next((page.reference for page in pages if page.kind == "runbook"), None)
