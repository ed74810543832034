"""An incident that comes back: its earlier answer, checked again at a tenth of the first cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from agentops_graph.diagnosis.learning import calibrated
from agentops_graph.diagnosis.weights import WHEN_UNKNOWN
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Diagnosis
from agentops_graph.domain.evidence import Evidence, merged_signals
from agentops_graph.domain.lesson import ConfirmedOutcome, last_words
from agentops_graph.domain.recurrence import Recurrence, trust_in
from agentops_graph.gathering.gather import gather

if TYPE_CHECKING:
    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.diagnosis import Brief
    from agentops_graph.domain.incident import Incident
    from agentops_graph.ports import Ports

SHARE = 0.1  # of the first calls
BESIDE_EVIDENCE = 4  # causes, two searches and the reasoner, which a repeat does without
LOOKED_AT = 300  # newest incidents
LONGEST_PAUSE = timedelta(days=1)
ENDED = ("resolved", "closed", "escalated")


@dataclass(frozen=True)
class Repeat:
    """What an incident's recurrence came to, with the little that was gathered."""

    recurrence: Recurrence
    evidence: list[Evidence]


def diagnosed(ports: Ports, brief: Brief) -> Diagnosis:
    """The reasoner's word, as sure as people's confirmations allow."""
    told = ports.reasoner.diagnose(brief)
    in_force = None if ports.lessons is None else ports.lessons.accepted()
    return calibrated(told, in_force)


def repeat_of(ports: Ports, incident: Incident, alert: Alert, now: datetime) -> Repeat | None:
    """None when it is no repeat, or the earlier answer does not hold on fresh evidence; then it
    is investigated like anything new."""
    earlier = _earlier(ports, incident, now)
    if not earlier or ports.lessons is None:
        return None
    outcomes = {one.incident_id: one for one in last_words(ports.lessons.learnt())}
    last = earlier[0]
    diagnosis = _diagnosis(ports, last)
    if diagnosis is None:
        return None
    confirmed = outcomes.get(last.incident_id)
    if diagnosis.cause == UNKNOWN_CAUSE and confirmed is None:
        return _unanswered(ports, earlier, now)
    if confirmed is None or not confirmed.is_right:
        return None
    worked, failed = _record(outcomes.values(), incident, diagnosis.cause)
    trust = trust_in(worked, failed)
    if trust < ports.policy.recurrence_trust:
        return None
    known = Recurrence(
        kind="answered", of=last.incident_id, trust=trust, worked=worked, failed=failed
    )
    return _checked(ports, incident, alert, now, diagnosis, known)


def diagnosis_of(
    ports: Ports, recurrence: Recurrence, evidence: tuple[Evidence, ...], *, new: Diagnosis
) -> Diagnosis:
    """The earlier answer for the new incident, no surer than it is trusted; or that none is known.

    `new` has the ids and the time of the new one.
    """
    same = {"similar_incidents": (recurrence.of,), "recurrence": recurrence}
    if recurrence.kind == "unanswered":
        told = f"Unknown: {recurrence.in_words}"
        return new.model_copy(
            update={**same, "root_cause": told, "recommended_actions": WHEN_UNKNOWN}
        )
    kept = ports.incidents.kept(recurrence.of, "diagnosis")
    earlier = Diagnosis.model_validate(kept[-1][1])
    sure = min(earlier.confidence or recurrence.trust, recurrence.trust)
    return earlier.model_copy(
        update={
            **same,
            "diagnosis_id": new.diagnosis_id,
            "alert_id": new.alert_id,
            "diagnosed_at": new.diagnosed_at,
            "reasoner": new.reasoner,
            "confidence": round(sure, 3),
            "confidence_before": None,
            "evidence": tuple(e.evidence_id for e in evidence),
            "hypotheses": (),
            "missing": (),
            "degraded": (),
        }
    )


def _earlier(ports: Ports, incident: Incident, now: datetime) -> list[Incident]:
    """Of the same component, segment and type, ended or with a person, the newest first."""
    place = (incident.component, incident.segment or None, incident.alert_type)
    since = now - timedelta(seconds=ports.policy.recurrence_window_s)
    found = [
        one
        for one in ports.log.listed(limit=LOOKED_AT)
        if (one.component, one.segment or None, one.alert_type) == place
        and one.incident_id != incident.incident_id
        and one.status in ENDED
        and (one.ended_at or one.opened_at) >= since
    ]
    return sorted(found, key=lambda one: one.opened_at, reverse=True)


def _diagnosis(ports: Ports, incident: Incident) -> Diagnosis | None:
    kept = ports.incidents.kept(incident.incident_id, "diagnosis")
    return Diagnosis.model_validate(kept[-1][1]) if kept else None


def _record(
    outcomes: Iterable[ConfirmedOutcome], incident: Incident, cause: str
) -> tuple[int, int]:
    """How often this cause, named for this kind of alert, was right and was not."""
    named = [
        one for one in outcomes if one.alert_type == incident.alert_type and one.named == cause
    ]
    worked = sum(one.is_right for one in named)
    return worked, len(named) - worked


def _unanswered(ports: Ports, earlier: list[Incident], now: datetime) -> Repeat | None:
    """While the pause lasts a person is told, and nobody looks again; it doubles each time."""
    looked_into = _in_vain(ports, earlier)
    if not looked_into:
        return None
    last, times = looked_into[0], len(looked_into)
    pause = timedelta(seconds=ports.policy.unanswered_pause_s * 2 ** min(times - 1, 16))
    looked_at = last.diagnosed_at or last.opened_at
    again_at = looked_at + min(pause, LONGEST_PAUSE)
    if now >= again_at:
        return None
    return Repeat(Recurrence(kind="unanswered", of=last.incident_id, again_at=again_at), [])


def _in_vain(ports: Ports, earlier: list[Incident]) -> list[Incident]:
    """The newest ones in a row that were looked into, and not just handed on, without a cause."""
    found = []
    for one in earlier:
        diagnosis = _diagnosis(ports, one)
        if diagnosis is None or diagnosis.cause != UNKNOWN_CAUSE:
            break
        found += [one] if diagnosis.recurrence is None else []
    return found


def _checked(
    ports: Ports,
    incident: Incident,
    alert: Alert,
    now: datetime,
    diagnosis: Diagnosis,
    known: Recurrence,
) -> Repeat | None:
    """The few most telling pieces of the first investigation, gathered anew; None when they are
    too dear, or don't say the same."""
    first = _first_evidence(ports, known.of)
    first_calls = len(first) + BESIDE_EVIDENCE
    wanted = _telling(diagnosis, first)[: int(SHARE * first_calls)]
    if not wanted:
        return None
    kinds, begun = {piece.kind for piece in wanted}, monotonic()
    found = gather(
        ports, incident, alert, now, kept=ports.answers, only=lambda each: each.kind in kinds
    )
    if not _say_the_same(diagnosis, wanted, found):
        return None
    cost = known.model_copy(
        update={
            "calls": len(found),
            "first_calls": first_calls,
            "ms": round((monotonic() - begun) * 1000, 1),
            "first_ms": round(sum(piece.got.ms for piece in first if piece.got), 1),
        }
    )
    return Repeat(cost, found)


def _first_evidence(ports: Ports, incident_id: str) -> list[Evidence]:
    kept = ports.incidents.kept(incident_id, "evidence")
    plans = [chapter.plan_number for chapter, _ in kept]
    return [Evidence.model_validate(d) for c, d in kept if c.plan_number == max(plans)]


def _signals_for(diagnosis: Diagnosis) -> set[str]:
    return {s for h in diagnosis.hypotheses if h.cause == diagnosis.cause for s in h.signals_for}


def _telling(diagnosis: Diagnosis, first: list[Evidence]) -> list[Evidence]:
    """Pieces that spoke for the cause, those with the most signals for it first."""
    wanted = _signals_for(diagnosis)
    spoke = {p.evidence_id: sum(p.signals.get(s, 0) > 0 for s in wanted) for p in first}
    telling = [piece for piece in first if spoke[piece.evidence_id]]
    return sorted(telling, key=lambda piece: -spoke[piece.evidence_id])


def _say_the_same(diagnosis: Diagnosis, then: list[Evidence], now: list[Evidence]) -> bool:
    """Every signal for the cause that those pieces gave is seen again."""
    was, is_now = merged_signals(tuple(then)), merged_signals(tuple(now))
    seen = [signal for signal in _signals_for(diagnosis) if was.get(signal, 0) > 0]
    return bool(seen) and all(is_now.get(signal, 0) > 0 for signal in seen)
