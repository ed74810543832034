"""Watches the world while an approval waits: recovered, moved, or a different story by now."""

import logging
from datetime import timedelta

from agentops_graph.domain.approval import Approval
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Diagnosis
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.ledger import Timer
from agentops_graph.domain.policy import rule
from agentops_graph.errors import AgentOpsError
from agentops_graph.gathering.brief import brief_of
from agentops_graph.gathering.gather import gather
from agentops_graph.gathering.judged import was_measured
from agentops_graph.gathering.measure import measure
from agentops_graph.ports import Ports
from agentops_graph.wording import recovered_notice

log = logging.getLogger(__name__)

# A look is cheap, a whole diagnosis is not: every fifth look diagnoses again.
DIAGNOSES_EVERY = 5
RECOVERED = "recovered: the alert no longer holds on live data"


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
        moved = _moved(ports, approval) or _other_story(ports, approval, number)
        recovered = moved is None and _recovered(ports, approval)
    except AgentOpsError as error:
        log.warning("%s can't be watched now: %s", approval.approval_id, error)
        moved, recovered = None, False
    now = ports.clock.now()
    if moved is not None:
        ports.approvals.retire(approval.approval_id, "superseded", why=moved, by="agentops", at=now)
        return
    if recovered:
        _offer_withdrawal(ports, approval)


def _set_next(ports: Ports, timer: Timer, number: int) -> None:
    due_at = ports.clock.now() + timedelta(seconds=ports.policy.watch_every_s)
    fresh = {"timer_id": f"{timer.approval_id}:watch:{number}", "due_at": due_at}
    ports.timers.set(timer.model_copy(update=fresh))


def _moved(ports: Ports, approval: Approval) -> str | None:
    """What the approval was made for and is no longer so, in words."""
    condition = approval.proposal.precondition
    if condition is None:
        return None
    model = approval.proposal.target.partition(":")[2]
    serving = ports.models.production(model)
    seen = "nothing" if serving is None else serving.version
    if seen == condition.equals:
        return None
    return f"production moved from {condition.equals} to {seen} while it waited; a new plan follows"


def _other_story(ports: Ports, approval: Approval, number: int) -> str | None:
    """The cause that fresh evidence names now, when it is another known one."""
    if number % DIAGNOSES_EVERY:
        return None
    incident, then = _incident(ports, approval), _diagnosis(ports, approval)
    alert, now = ports.log.alerts(incident.incident_id)[-1], ports.clock.now()
    brief = brief_of(
        ports.shelf,
        alert,
        tuple(gather(ports, incident, alert, now)),
        incident_id=incident.incident_id,
        diagnosis_id=then.diagnosis_id,
        now=now,
    )
    fresh = ports.reasoner.diagnose(brief)
    if fresh.cause in (then.cause, UNKNOWN_CAUSE):
        return None
    return f"the cause looks like {fresh.cause} now, not {then.cause}; a new plan follows"


def _recovered(ports: Ports, approval: Approval) -> bool:
    incident = _incident(ports, approval)
    component = ports.components.get(incident.component)
    if component is None:
        return False
    seen = measure(ports.warehouse, component, ports.clock.now())
    holds = any(finding.alert_type == incident.alert_type for finding in seen.findings)
    return not holds and was_measured(incident.alert_type, component.metric.name, seen)


def _offer_withdrawal(ports: Ports, approval: Approval) -> None:
    """Said once beside the proposal and in the channel; a person withdraws or decides."""
    if not ports.approval_log.note(approval.approval_id, RECOVERED):
        return
    ports.outbox.put(
        approval.proposal.incident_id,
        recovered_notice(approval),
        marker=f"{approval.approval_id}:recovered",
        reason=rule("send_slack_alert").reason,
        at=ports.clock.now(),
    )


def _incident(ports: Ports, approval: Approval) -> Incident:
    return ports.incidents.get(approval.proposal.incident_id)


def _diagnosis(ports: Ports, approval: Approval) -> Diagnosis:
    kept = ports.incidents.kept(approval.proposal.incident_id, "diagnosis")
    return Diagnosis.model_validate(kept[-1][1])
