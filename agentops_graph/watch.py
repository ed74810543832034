"""Watches the world while an approval waits: recovered, moved, or a different story by now."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from agentops_graph.domain.action import Notice
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.diagnosis import Diagnosis, SecondOpinion, settled_on
from agentops_graph.domain.incident import Incident, Replan
from agentops_graph.domain.ledger import Chapter, Timer
from agentops_graph.domain.policy import rule
from agentops_graph.domain.story import main_alert
from agentops_graph.errors import AgentOpsError, NotEnoughDataError
from agentops_graph.faults import fault
from agentops_graph.gathering.brief import brief_of
from agentops_graph.gathering.elsewhere import fires_elsewhere
from agentops_graph.gathering.gather import gather
from agentops_graph.gathering.hysteresis import Standing, held_now
from agentops_graph.gathering.recurrence import diagnosed
from agentops_graph.ports import Ports
from agentops_graph.replans import keep_replan, replans
from agentops_graph.wording import recovered_notice, replaced_notice

log = logging.getLogger(__name__)

# A look is cheap, a whole diagnosis is not: every fifth look diagnoses again.
DIAGNOSES_EVERY = 5
OPINIONS = 100_000  # more than any approval can live to hear
REVISIONS = 100  # of one step, by people who edit what is asked
RECOVERED = "recovered: the alert no longer holds on live data"


@dataclass(frozen=True)
class Moved:
    """What is no longer as it was when the approval was asked for, in words."""

    because: Literal["production", "cause"]
    text: str


def look_while_waiting(ports: Ports, timer: Timer) -> None:
    """One look behind a pending approval; sets the next one. A source that is down changes
    nothing: what can't be seen neither supersedes nor recovers."""
    approval = ports.approvals.get(timer.approval_id or "")
    if approval.status != "pending":
        return
    number = int(timer.timer_id.rpartition(":")[2])
    # Set before anything is looked at: whatever fails in this look, there is a next one.
    _set_next(ports, timer, number + 1)
    try:
        moved = _other_production(ports, approval) or _other_story(ports, approval, number)
        recovered = moved is None and _recovered(ports, approval)
    except AgentOpsError as error:
        log.warning("%s can't be watched now: %s", approval.approval_id, error)
        return
    if moved is not None:
        _take_back(ports, approval, moved)
    elif recovered:
        _say(ports, approval, RECOVERED, "recovered", recovered_notice(approval))


def _set_next(ports: Ports, timer: Timer, number: int) -> None:
    now = ports.clock.now()
    due_at = now + timedelta(seconds=ports.policy.watch_every_s)
    fresh = Timer(
        timer_id=f"{timer.approval_id}:watch:{number}",
        kind="watch",
        incident_id=timer.incident_id,
        approval_id=timer.approval_id,
        due_at=due_at,
        set_at=now,
    )
    ports.timers.set(fresh)


def _take_back(ports: Ports, approval: Approval, moved: Moved) -> None:
    """Superseded, so that it is asked anew. Past the limit nothing is asked anew: what can still be
    carried out stays for people to decide, what can't goes to a person."""
    times = len(replans(ports, approval.proposal.incident_id))
    if times < ports.policy.replans_per_incident:
        _supersede(ports, approval, moved, "a new plan follows")
        return
    so_far = f"it was replaced {times} times already"
    if moved.because == "production":
        _supersede(ports, approval, moved, f"{so_far}, so a person takes over")
        return
    note = f"{moved.text}; {so_far}: decide or reject"
    _say(ports, approval, note, "replaced", replaced_notice(approval, note))


def _supersede(ports: Ports, approval: Approval, moved: Moved, then: str) -> None:
    why, now = f"{moved.text}; {then}", ports.clock.now()
    approval_id = approval.approval_id
    with ports.incidents.together():
        held = ports.approvals.retire(approval_id, "superseded", why=why, by="agentops", at=now)
        fault("watch.before_commit")
        if (held.status, held.reason) == ("superseded", why):  # else somebody was first
            replan = Replan(approval_id=approval_id, because=moved.because, why=moved.text, at=now)
            keep_replan(ports, approval, replan)
    fault("watch.after_commit")


def _other_production(ports: Ports, approval: Approval) -> Moved | None:
    """What serves now, when it is not what the approval was made for."""
    condition = approval.proposal.precondition
    if condition is None:
        return None
    model = approval.proposal.target.partition(":")[2]
    serving = ports.models.production(model)
    seen = "nothing" if serving is None else serving.version
    if seen == condition.equals:
        return None
    text = f"production moved from {condition.equals} to {seen} while it waited"
    return Moved("production", text)


def _other_story(ports: Ports, approval: Approval, number: int) -> Moved | None:
    """The cause on which fresh evidence settles, when it is another known one."""
    if number % DIAGNOSES_EVERY:
        return None
    incident, then = _incident(ports, approval), _diagnosis(ports, approval)
    now = ports.clock.now()
    alert = main_alert(incident, ports.log.alerts(incident.incident_id))
    brief = brief_of(
        ports.shelf,
        alert,
        tuple(gather(ports, incident, alert, now)),
        watched=ports.components,
        incident_id=incident.incident_id,
        diagnosis_id=then.diagnosis_id,
        now=now,
    )
    fresh = diagnosed(ports, brief)
    opinion = SecondOpinion(
        cause=fresh.cause, confidence=fresh.confidence, at=now, model_use=fresh.model_use
    )
    heard = _heard(ports, approval, opinion, number // DIAGNOSES_EVERY)
    cause = settled_on(heard, at_least=ports.policy.supersede_confidence)
    if cause in (None, then.cause):
        return None
    return Moved("cause", f"the cause looks like {cause} now, not {then.cause}")


def _heard(
    ports: Ports, approval: Approval, opinion: SecondOpinion, number: int
) -> list[SecondOpinion]:
    """The opinions on this approval up to this one, which is kept: a restart forgets none."""
    proposal = approval.proposal
    first = (proposal.step * REVISIONS + approval.revision) * OPINIONS
    chapter = Chapter(
        incident_id=proposal.incident_id,
        kind="second_opinion",
        plan_number=proposal.plan_number,
        step=first + number,
    )
    ports.incidents.keep(chapter, opinion)
    return [
        SecondOpinion.model_validate(document)
        for held, document in ports.incidents.kept(proposal.incident_id, "second_opinion")
        if held.plan_number == proposal.plan_number and first < held.step <= chapter.step
    ]


def _recovered(ports: Ports, approval: Approval) -> bool:
    """True when the alert behind an approval was measured just now and is under its clear level."""
    return _looked_at(ports, approval) == "over"


def holds_now(ports: Ports, approval: Approval) -> bool:
    """True when the alert was measured just now and holds; without data nobody can say so."""
    try:
        return _looked_at(ports, approval) in ("holds", "lingers")
    except NotEnoughDataError:
        return False


def _looked_at(ports: Ports, approval: Approval) -> Standing:
    incident = _incident(ports, approval)
    component = ports.components.get(incident.component)
    if component is None:
        return "unmeasured"
    now = ports.clock.now()
    told = main_alert(incident, ports.log.alerts(incident.incident_id)).metrics
    held = held_now(
        ports.warehouse, component, incident.alert_type, now, told=told, segment=incident.segment
    )
    if held.state == "over" and fires_elsewhere(ports, incident.incident_id):
        return "unmeasured"
    return held.state


def _say(ports: Ports, approval: Approval, note: str, what: str, notice: Notice) -> None:
    """Once beside the proposal and once in the channel; a person decides what follows from it."""
    with ports.incidents.together():
        if not ports.approval_log.note(approval.approval_id, note):
            return
        ports.outbox.put(
            approval.proposal.incident_id,
            notice,
            marker=f"{approval.approval_id}:{what}",
            reason=rule("send_slack_alert").reason,
            at=ports.clock.now(),
        )


def _incident(ports: Ports, approval: Approval) -> Incident:
    return ports.incidents.get(approval.proposal.incident_id)


def _diagnosis(ports: Ports, approval: Approval) -> Diagnosis:
    kept = ports.incidents.kept(approval.proposal.incident_id, "diagnosis")
    return Diagnosis.model_validate(kept[-1][1])
