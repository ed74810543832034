"""An incident that comes back: its earlier answer, checked again at a tenth of the first cost."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from agentops_graph.diagnosis.claims import claims_from
from agentops_graph.diagnosis.learning import calibrated
from agentops_graph.diagnosis.weights import recommended, specifics
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Diagnosis, Hypothesis
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
LONGEST_CHAIN = 50  # repeats of repeats; one beyond them is investigated
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
    diagnosis = _diagnosis(ports, last.incident_id)
    if diagnosis is None:
        return None
    confirmed = outcomes.get(last.incident_id)
    if diagnosis.cause == UNKNOWN_CAUSE and confirmed is None:
        return _unanswered(ports, earlier, now)
    if confirmed is None or not confirmed.is_right:
        return None
    worked, failed = _record(outcomes.values(), incident, diagnosis.cause)
    failed += _came_to_nothing(ports, earlier, outcomes)
    trust = trust_in(worked, failed)
    if trust < ports.policy.recurrence_trust:
        return None
    known = Recurrence(
        kind="answered", of=last.incident_id, trust=trust, worked=worked, failed=failed
    )
    return _checked(ports, incident, alert, now, known)


def diagnosis_of(
    ports: Ports,
    recurrence: Recurrence,
    alert: Alert,
    evidence: tuple[Evidence, ...],
    *,
    new: Diagnosis,
) -> Diagnosis:
    """The earlier answer for the new incident, no surer than it is trusted; or that none is known.

    `new` has the ids and the time of the new one. Of the earlier one it takes what was answered;
    what was read, asked and weighed then stays there.
    """
    same = {"similar_incidents": (recurrence.of,), "recurrence": recurrence}
    earlier = _diagnosis(ports, recurrence.of)
    if recurrence.kind == "unanswered" or earlier is None:
        told = f"Unknown: {recurrence.in_words}"
        return new.model_copy(
            update={**same, "root_cause": told, "recommended_actions": recommended(None)}
        )
    origin = _origin(ports, recurrence.of)
    named = None if origin is None else _named(origin[1])
    sure = min(earlier.confidence or recurrence.trust, recurrence.trust)
    return new.model_copy(
        update={
            **same,
            "root_cause": f"{named.title}: {specifics(alert)}" if named else earlier.root_cause,
            "cause": earlier.cause,
            "confidence": round(sure, 3),
            "evidence": tuple(piece.evidence_id for piece in evidence),
            "claims": claims_from(named.weights, evidence) if named else (),
            "recommended_actions": earlier.recommended_actions,
            "runbook_reference": earlier.runbook_reference,
            "citations": earlier.citations,
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


def _diagnosis(ports: Ports, incident_id: str) -> Diagnosis | None:
    kept = ports.incidents.kept(incident_id, "diagnosis")
    return Diagnosis.model_validate(kept[-1][1]) if kept else None


def _origin(ports: Ports, incident_id: str) -> tuple[str, Diagnosis] | None:
    """The investigation that the answer of an incident comes from, through repeats of repeats."""
    for _ in range(LONGEST_CHAIN):
        diagnosis = _diagnosis(ports, incident_id)
        if diagnosis is None or diagnosis.recurrence is None:
            return None if diagnosis is None else (incident_id, diagnosis)
        incident_id = diagnosis.recurrence.of
    return None


def _named(diagnosis: Diagnosis) -> Hypothesis | None:
    return next((h for h in diagnosis.hypotheses if h.cause == diagnosis.cause), None)


def _record(
    outcomes: Iterable[ConfirmedOutcome], incident: Incident, cause: str
) -> tuple[int, int]:
    """How often this cause, named for this kind of alert, was right and was not."""
    named = [
        one for one in outcomes if one.alert_type == incident.alert_type and one.named == cause
    ]
    worked = sum(one.is_right for one in named)
    return worked, len(named) - worked


def _came_to_nothing(ports: Ports, earlier: list[Incident], confirmed: Container[str]) -> int:
    """Repeats that were given the answer and were not resolved by it, but left to a person; until
    somebody says what they were, they count against it."""
    given_up = [
        _diagnosis(ports, one.incident_id)
        for one in earlier
        if one.status != "resolved" and one.incident_id not in confirmed
    ]
    known = [each.recurrence for each in given_up if each is not None]
    return sum(each is not None and each.kind == "answered" for each in known)


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
        diagnosis = _diagnosis(ports, one.incident_id)
        if diagnosis is None or diagnosis.cause != UNKNOWN_CAUSE:
            break
        found += [one] if diagnosis.recurrence is None else []
    return found


def _checked(
    ports: Ports, incident: Incident, alert: Alert, now: datetime, known: Recurrence
) -> Repeat | None:
    """The few most telling pieces of the first investigation, gathered anew; None when they are
    too dear, or don't say the same."""
    origin = _origin(ports, known.of)
    named = None if origin is None else _named(origin[1])
    if origin is None or named is None:
        return None
    first, asked = _first_evidence(ports, origin[0]), origin[1].model_use
    # A model counts as one call, however often it was asked: what a repeat may spend grows not.
    first_calls = len(first) + BESIDE_EVIDENCE
    wanted = _telling(named, first)[: int(SHARE * first_calls)]
    if not wanted:
        return None
    kinds, begun = {piece.kind for piece in wanted}, monotonic()
    found = gather(
        ports, incident, alert, now, kept=ports.answers, only=lambda each: each.kind in kinds
    )
    if not _say_the_same(named, wanted, found):
        return None
    read_ms = sum(piece.got.ms for piece in first if piece.got)
    cost = known.model_copy(
        update={
            "calls": len(found),
            "first_calls": first_calls,
            "ms": round((monotonic() - begun) * 1000, 1),
            "first_ms": round(read_ms + (asked.seconds * 1000 if asked else 0.0), 1),
        }
    )
    return Repeat(cost, found)


def _first_evidence(ports: Ports, incident_id: str) -> list[Evidence]:
    kept = ports.incidents.kept(incident_id, "evidence")
    plans = [chapter.plan_number for chapter, _ in kept]
    return [Evidence.model_validate(d) for c, d in kept if c.plan_number == max(plans)]


def _telling(named: Hypothesis, first: list[Evidence]) -> list[Evidence]:
    """Pieces that spoke for the cause, those with the most signals for it first."""
    spoke = {p.evidence_id: sum(p.signals.get(s, 0) > 0 for s in named.signals_for) for p in first}
    telling = [piece for piece in first if spoke[piece.evidence_id]]
    return sorted(telling, key=lambda piece: -spoke[piece.evidence_id])


def _say_the_same(named: Hypothesis, then: list[Evidence], now: list[Evidence]) -> bool:
    """Every signal for the cause that those pieces gave is seen again."""
    was, is_now = merged_signals(tuple(then)), merged_signals(tuple(now))
    seen = [signal for signal in named.signals_for if was.get(signal, 0) > 0]
    return bool(seen) and all(is_now.get(signal, 0) > 0 for signal in seen)
