"""An incident that comes back: its earlier answer, checked again, or the pause it waits for."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agentops_graph.diagnosis.claims import claims_from
from agentops_graph.diagnosis.learning import calibrated
from agentops_graph.diagnosis.weights import recommended, specifics
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.lesson import ConfirmedOutcome, last_words
from agentops_graph.domain.recurrence import Recurrence, trust_in
from agentops_graph.errors import AgentOpsError, ConflictError
from agentops_graph.gathering.earlier import diagnosis_kept, earlier_than, named_by, origin_of
from agentops_graph.gathering.pause import paused
from agentops_graph.gathering.recheck import rechecked

if TYPE_CHECKING:
    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.diagnosis import Brief
    from agentops_graph.domain.incident import Incident
    from agentops_graph.ports import Ports


log = logging.getLogger(__name__)
LONGEST_WHY = 300


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


def recalled(
    ports: Ports, incident: Incident, alert: Alert, now: datetime
) -> tuple[Repeat | None, str]:
    """The repeat that it is, or why nobody could tell. What was kept of the past, or a source that
    is only asked for it, must never stand in the way of an investigation."""
    try:
        return repeat_of(ports, incident, alert, now), ""
    except ConflictError:  # another runner has the incident now
        raise
    except AgentOpsError as error:
        why = str(error)
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        # What such an error says may quote what was kept.
        why = f"what was kept can't be used ({type(error).__name__}; see the log)"
        log.exception("%s: whether it is a repeat can't be told", incident.incident_id)
    return None, f"whether it is a repeat can't be told: {why}"[:LONGEST_WHY]


def repeat_of(ports: Ports, incident: Incident, alert: Alert, now: datetime) -> Repeat | None:
    """None when it is no repeat, or the earlier answer does not hold on fresh evidence; then it
    is investigated like anything new."""
    earlier = earlier_than(ports, incident, now)
    if not earlier or ports.lessons is None:
        return None
    outcomes = {one.incident_id: one for one in last_words(ports.lessons.learnt())}
    last = earlier[0]
    diagnosis = diagnosis_kept(ports, last.incident_id)
    if diagnosis is None:
        return None
    confirmed = outcomes.get(last.incident_id)
    if diagnosis.cause == UNKNOWN_CAUSE and confirmed is None:
        waits = paused(ports, incident, alert, earlier, now)
        return None if waits is None else Repeat(waits, [])
    if confirmed is None or not confirmed.is_right:
        return None
    worked, failed = _record(ports, outcomes.values(), incident, diagnosis.cause)
    failed += _came_to_nothing(ports, earlier, outcomes)
    trust = trust_in(worked, failed)
    origin = origin_of(ports, last.incident_id)
    if trust < ports.policy.recurrence_trust or origin is None:
        return None
    again = rechecked(ports, incident, alert, now, of=last, origin=origin)
    if again is None:
        return None
    known = {"of": last.incident_id, "trust": trust, "worked": worked, "failed": failed}
    recurrence = Recurrence.model_validate({"kind": "answered", **known, **again.cost})
    return Repeat(recurrence, again.found)


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
    earlier = diagnosis_kept(ports, recurrence.of)
    if recurrence.kind == "unanswered" or earlier is None:
        told = f"Unknown: {recurrence.in_words}"
        return new.model_copy(
            update={**same, "root_cause": told, "recommended_actions": recommended(None)}
        )
    origin = origin_of(ports, recurrence.of)
    named = None if origin is None else named_by(origin[1])
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


def _came_to_nothing(ports: Ports, earlier: list[Incident], confirmed: Container[str]) -> int:
    """Repeats that were given the answer and were not resolved by it, but left to a person; until
    somebody says what they were, they count against it."""
    given_up = [
        diagnosis_kept(ports, one.incident_id)
        for one in earlier
        if one.status != "resolved" and one.incident_id not in confirmed
    ]
    known = [each.recurrence for each in given_up if each is not None]
    return sum(each is not None and each.kind == "answered" for each in known)


def _record(
    ports: Ports, outcomes: Iterable[ConfirmedOutcome], incident: Incident, cause: str
) -> tuple[int, int]:
    """How often this cause, named for this kind of alert, was right and was not; other tenants'
    words count for them alone."""
    named = [
        one
        for one in outcomes
        if (one.alert_type, one.named) == (incident.alert_type, cause)
        and _is_of_one_tenant(ports, one.component, incident.component)
    ]
    worked = sum(one.is_right for one in named)
    return worked, len(named) - worked


def _is_of_one_tenant(ports: Ports, one: str, other: str) -> bool:
    """Whose a component is that is configured no longer, nobody knows."""
    if one == other:
        return True
    known = ports.components
    return one in known and other in known and known[one].tenant == known[other].tenant
