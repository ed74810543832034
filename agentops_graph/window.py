"""The health window of one approved action, from the ledger alone: its looks, and how it stands."""

from datetime import datetime

from agentops_graph.domain.action import DeployModel, RollbackModel, ShiftTraffic
from agentops_graph.domain.approval import Approval, Guard
from agentops_graph.domain.health import (
    MOST_LOOKS,
    HealthReport,
    Look,
    began_by,
    judge_window,
    next_look,
    window_end,
)
from agentops_graph.domain.ledger import Chapter, Timer
from agentops_graph.faults import fault
from agentops_graph.gathering.look import look
from agentops_graph.ports import Ports

Watched = DeployModel | RollbackModel | ShiftTraffic
LOOKS_OF_A_STEP = 1000


def standing(ports: Ports, approval: Approval, guard: Guard) -> HealthReport | Timer:
    """Where the window stands after the look that is due, or the timer that the next one waits for.

    Nothing is judged before a look that is due was taken, however late that is. A breach that is
    kept needs no further look: the undo may only have been interrupted.
    """
    looks, over_at, now = _looks(ports, approval), ended_at(ports, approval), ports.clock.now()
    began_at = began_by(over_at, looks, now)
    report = judge_window(guard, looks, began_at=began_at, now=now)
    if report.verdict in ("breached", "too_late"):
        return report
    if len(looks) >= MOST_LOOKS:  # of a guard that was approved before windows had this limit
        reason = f"its {len(looks)} looks are all that a window may take"
        return report.model_copy(update={"verdict": "no_data", "reason": reason})
    due_at = next_look(guard, looks, ended_at=over_at, now=now)
    if due_at is not None:
        if report.verdict != "watching":
            return report
        timer = wait_for_look(ports, approval, len(looks) + 1, due_at)
        if timer is not None:
            return timer
    taken = _take(ports, approval, guard, began_at, now)
    return judge_window(
        guard, [*looks, _keep(ports, approval, looks, taken)], began_at=began_at, now=now
    )


def wait_for_look(ports: Ports, approval: Approval, number: int, due_at: datetime) -> Timer | None:
    """The timer that is set; None when this wait is over already, whatever the clock says."""
    timer = Timer(
        timer_id=f"{approval.approval_id}:look:{number}",
        kind="look",
        incident_id=approval.proposal.incident_id,
        approval_id=approval.approval_id,
        due_at=due_at,
        set_at=ports.clock.now(),
    )
    return timer if ports.timers.set(timer) else None


def began(ports: Ports, approval: Approval) -> datetime:
    """When the action was over, by a clock that may have been put back behind that: then an empty
    look marks from where its time counts."""
    looks, over_at, now = _looks(ports, approval), ended_at(ports, approval), ports.clock.now()
    if now < over_at and not any(look.at <= now for look in looks):
        looks = [_keep(ports, approval, looks, Look(at=now, rows=0))]
    return began_by(over_at, looks, now)


def ended_at(ports: Ports, approval: Approval) -> datetime:
    """When the action was over: its effect, or the work that the effect began."""
    key = f"{approval.approval_id}:do"
    work, effect = ports.work.find(key), ports.effects.find(key)
    if work is not None and work.ended_at is not None:
        return work.ended_at
    if effect is None:
        return approval.requested_at
    # Without a receipt it was seen by a probe: it may have happened at any time since the intent.
    over_at = effect.intent_at if effect.receipt is None else effect.ended_at
    return over_at or approval.requested_at


def _take(
    ports: Ports, approval: Approval, guard: Guard, began_at: datetime, now: datetime
) -> Look:
    action = approval.proposal.action
    assert isinstance(action, Watched)
    return look(
        ports.warehouse,
        ports.components[action.model],
        action.to_version if isinstance(action, RollbackModel) else action.version,
        began_at,
        now,
        window_ends_at=window_end(guard, began_at),
    )


def _keep(ports: Ports, approval: Approval, looks: list[Look], taken: Look) -> Look:
    proposal = approval.proposal
    chapter = Chapter(
        incident_id=proposal.incident_id,
        kind="look",
        plan_number=proposal.plan_number,
        step=proposal.step * LOOKS_OF_A_STEP + len(looks),
    )
    kept = Look.model_validate(ports.incidents.keep(chapter, taken))
    fault("look.kept")
    return kept


def _looks(ports: Ports, approval: Approval) -> list[Look]:
    """The looks kept for this step, in order."""
    first = approval.proposal.step * LOOKS_OF_A_STEP
    return [
        Look.model_validate(document)
        for chapter, document in ports.incidents.kept(approval.proposal.incident_id, "look")
        if chapter.plan_number == approval.proposal.plan_number
        and first <= chapter.step < first + LOOKS_OF_A_STEP
    ]
