"""Sees whether what was done helped: the gate, the health window, the alert measured again."""

from datetime import timedelta

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agentops_graph.domain.action import (
    DeployModel,
    RetrainModel,
    RollbackModel,
    ShiftTraffic,
)
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.component import HealthWindow
from agentops_graph.domain.gate import GateReport, Trial, judge
from agentops_graph.domain.health import MOST_LOOKS, HealthReport, longest_wait
from agentops_graph.domain.incident import Step
from agentops_graph.domain.knowledge import Outcome
from agentops_graph.domain.ledger import Chapter, Timer, Work
from agentops_graph.domain.story import main_alert
from agentops_graph.effects import carry_out
from agentops_graph.errors import NotEnoughDataError, RefusedError
from agentops_graph.gathering.judged import was_measured
from agentops_graph.gathering.measure import measure
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update
from agentops_graph.window import began, standing, wait_for_look

FIRST_EXTRA_LOOK = MOST_LOOKS  # looks while waiting for data are numbered after those of the window


def verify(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    approval = ports.approvals.get(state["approval_id"])
    action = approval.proposal.action
    work = ports.work.find(f"{approval.approval_id}:do")
    if work is not None and work.state in ("open", "running"):
        interrupt({"work": work.key})
        return {"verdict": "waiting"}
    if work is not None and work.state == "lost":
        return _lost(ports, approval, work)
    if work is not None and work.state == "failed":
        return _next(ports, approval, "failed", f"{action.action} failed: {work.error}")
    if isinstance(action, DeployModel | RollbackModel | ShiftTraffic):
        return _watch(ports, approval)
    if work is None:
        return _next(ports, approval, "passed", "carried out; nothing to wait for")
    if isinstance(action, RetrainModel):
        return _gate(ports, approval, action, work)
    return _measured_again(ports, approval, f"{action.action} ended: {work.result.get('summary')}")


def _lost(ports: Ports, approval: Approval, work: Work) -> Update:
    """Whether it ends, and how, nobody can know: never begun again by itself, a person is asked."""
    effect = ports.effects.find(work.key)
    if effect is not None and effect.state == "unknown":
        ports.incidents.update(approval.proposal.incident_id, needs_reconcile=True)
    why = work.error or f"{work.key} is lost"
    return {"verdict": "doubt", "said": why, "why": why}


def _gate(ports: Ports, approval: Approval, action: RetrainModel, work: Work) -> Update:
    component = ports.components[action.model]
    delivered = work.result.get("trial")
    report = judge(
        None if delivered is None else Trial.model_validate(delivered),
        component.metric,
        holdout_sha256=action.holdout_sha256,
        min_positives=component.min_positives,
    )
    kept = ports.incidents.keep(_chapter(approval, "trial"), report)
    report = GateReport.model_validate(kept)
    said = f"gate {report.verdict}: {'; '.join(report.reasons)}"
    serving = ports.models.production(action.model)
    trained = report.trial.candidate_version if report.trial else None
    if report.verdict == "passed" and serving is not None and serving.version == trained:
        # Some serving systems put what they train into production themselves.
        return _measured_again(ports, approval, f"{said}; it serves already")
    return _next(ports, approval, report.verdict, said)


def _watch(ports: Ports, approval: Approval) -> Update:
    """One look of the health window, when it is due."""
    guard = approval.proposal.guard
    if guard is None:
        return _measured_again(ports, approval, "carried out; no health window was asked for")
    report = standing(ports, approval, guard)
    if isinstance(report, Timer):
        return _wait(report)
    if report.verdict == "watching":
        return {"verdict": "waiting", "said": f"health window: {report.reason}"}
    if report.verdict == "healthy":
        return _measured_again(ports, approval, f"healthy: {report.reason}")
    return _not_healthy(ports, approval, report)


def keep_guard(ports: Ports, approval: Approval) -> str | None:
    """The same window outside the graph, for an incident whose checkpoint is of no use: what came
    of it, with the undo carried out if its guard fired; None while a timer waits for a look."""
    guard = approval.proposal.guard
    assert guard is not None  # asked of an open window only
    work = ports.work.find(f"{approval.approval_id}:do")
    if work is not None and work.state in ("open", "running"):
        return None  # its end is a job of its own
    report = standing(ports, approval, guard)
    while not isinstance(report, Timer) and report.verdict == "watching":
        report = standing(ports, approval, guard)
    if isinstance(report, Timer):
        return None
    if report.verdict != "healthy":
        return _not_healthy(ports, approval, report)["said"]
    _keep_step(ports, approval, "passed", f"healthy: {report.reason}")
    return f"healthy: {report.reason}"


def _not_healthy(ports: Ports, approval: Approval, report: HealthReport) -> Update:
    if report.verdict == "breached":
        return _breached(ports, approval, report)
    why = f"the health window can't be judged: {report.reason}"
    if report.verdict == "too_late":
        why = f"unhealthy, and too late for an undo without a person: {report.reason}"
    return {"verdict": "doubt", "said": why, "why": why}


def _wait(timer: Timer) -> Update:
    interrupt({"look": timer.timer_id, "due_at": timer.due_at.isoformat()})
    return {"verdict": "waiting"}


def _breached(ports: Ports, approval: Approval, report: HealthReport) -> Update:
    """The guard that was approved fired: undo without a click, or hand over."""
    if approval.proposal.undo is None:
        why = f"unhealthy after {approval.proposal.action.action}: {report.reason}"
        return {"verdict": "doubt", "said": why, "why": why}
    try:
        undone = carry_out(ports, approval, "undo")
    except RefusedError as refusal:
        why = f"the guard fired ({report.reason}) and the undo was refused: {refusal}"
        return {"verdict": "doubt", "said": why, "why": why}
    if undone.state == "failed":  # known not to have happened: nothing to reconcile
        why = f"the guard fired ({report.reason}) and the undo failed: {undone.error}"
        return {"verdict": "doubt", "said": why, "why": why}
    if undone.state != "done":
        ports.incidents.update(approval.proposal.incident_id, needs_reconcile=True)
        why = (
            f"the guard fired ({report.reason}); whether the undo happened is not known "
            f"({undone.error}); `agentops reconcile`"
        )
        return {"verdict": "doubt", "said": why, "why": why}
    return _next(ports, approval, "undone", f"guard fired, rolled back: {report.reason}")


def _measured_again(ports: Ports, approval: Approval, said: str) -> Update:
    """The alert measured once more: gone means healthy, still there means the next action."""
    incident = ports.incidents.get(approval.proposal.incident_id)
    component = ports.components[incident.component]
    began_at = began(ports, approval)
    try:
        seen = measure(ports.warehouse, component, ports.clock.now(), since=began_at)
    except NotEnoughDataError as error:
        why = f"{said}; whether it helped can't be measured: {error}"
        return {"verdict": "doubt", "said": why, "why": why}
    still = [f.summary for f in seen.findings if f.alert_type == incident.alert_type]
    if still:
        return _next(ports, approval, "failed", f"{said}; still there: {'; '.join(still)}")
    told = main_alert(incident, ports.log.alerts(incident.incident_id)).metrics
    if not was_measured(
        incident.alert_type, component.metric.name, seen, incident.segment, told=told
    ):
        return _unjudged(ports, approval, component.health, seen.notes, said)
    _keep_step(ports, approval, "passed", said)
    calm = f"; drift {seen.readings['drift_score']:.2f}" if "drift_score" in seen.readings else ""
    return {"verdict": "healthy", "said": f"{said}; the alert no longer holds{calm}"}


def _unjudged(
    ports: Ports, approval: Approval, health: HealthWindow, notes: list[str], said: str
) -> Update:
    """Waits for enough fresh data, as long as a window may wait for it; then a person is asked."""
    began_at, now = began(ports, approval), ports.clock.now()
    elapsed = (now - began_at).total_seconds()
    if elapsed < longest_wait(health.seconds):
        slot, timer = int(elapsed // health.every_s), None
        while timer is None:  # one that has fired already is of a clock that was put back since
            slot += 1
            due_at = began_at + timedelta(seconds=slot * health.every_s)
            timer = wait_for_look(ports, approval, slot + FIRST_EXTRA_LOOK, due_at)
        return _wait(timer)
    why = f"{said}; whether it helped can't be judged: {'; '.join(notes) or 'no fresh data'}"
    return {"verdict": "doubt", "said": why, "why": why}


def _next(ports: Ports, approval: Approval, outcome: Outcome, said: str) -> Update:
    _keep_step(ports, approval, outcome, said)
    return {"verdict": "next", "status": "investigating", "said": said}


def _keep_step(ports: Ports, approval: Approval, outcome: Outcome, said: str) -> None:
    proposal = approval.proposal
    ports.incidents.keep(
        _chapter(approval, "step"),
        Step(
            step=proposal.step, action=proposal.action.action, outcome=outcome, details=said[:1000]
        ),
    )


def _chapter(approval: Approval, kind: str, step: int | None = None) -> Chapter:
    proposal = approval.proposal
    return Chapter.model_validate(
        {
            "incident_id": proposal.incident_id,
            "kind": kind,
            "plan_number": proposal.plan_number,
            "step": proposal.step if step is None else step,
        }
    )
