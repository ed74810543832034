"""What an incident ends with: its resolution, measured from the ledger."""

from datetime import datetime

from agentops_graph.domain.action import DeployModel
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.gate import GateReport
from agentops_graph.domain.incident import ActionTaken, Incident, Resolution, Step
from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.domain.policy import rule
from agentops_graph.domain.record import seconds_between
from agentops_graph.domain.story import main_alert
from agentops_graph.ports import Ports
from agentops_graph.post_mortem import post_mortem
from agentops_graph.wording import closing_notices

# A resolution names the alert that began the incident, however often it was seen again.
EVERY_ALERT = 100_000


def resolution_of(ports: Ports, incident: Incident, status: str, now: datetime) -> Resolution:
    """The resolution in the contract's fields; waiting for people is a figure of its own."""
    alert = ports.log.alerts(incident.incident_id, limit=EVERY_ALERT)[0]
    approvals = ports.approval_log.listed(incident_id=incident.incident_id)
    waited = sum(seconds_between(a.requested_at, a.decided_at or now) or 0.0 for a in approvals)
    detected_from = incident.onset_at or alert.onset_at
    return Resolution.model_validate(
        {
            "alert_id": alert.alert_id,
            "actions_taken": _actions(ports, incident),
            "resolution_status": status,
            "time_to_detect": seconds_between(detected_from, incident.opened_at),
            "time_to_diagnose": seconds_between(incident.opened_at, incident.diagnosed_at),
            "time_to_act": seconds_between(incident.diagnosed_at, incident.acted_at),
            "time_to_resolve": seconds_between(incident.opened_at, now),
            "waited_for_people": waited,
            "summary": closing_line(ports, incident, status),
        }
    )


def tell_people(
    ports: Ports,
    incident_id: str,
    resolution: Resolution,
    at: datetime,
    *,
    line: str | None = None,
    ending: str = "closing",
) -> None:
    """Puts the notices of an end into the outbox, each once per `ending`; `line` stands in for the
    resolution's own sentence."""
    told = resolution.summary if line is None else line
    for number, notice in enumerate(closing_notices(told, resolution)):
        ports.outbox.put(
            incident_id,
            notice,
            marker=f"{incident_id}:{ending}:{number}",
            reason=rule(notice.action).reason,
            at=at,
        )


def closing_line(ports: Ports, incident: Incident, status: str) -> str:
    """The one sentence people read: `Model drift resolved. New model v3 deployed. F1: ...`."""
    story = incident.alert_type.replace("_", " ").capitalize()
    if status != "resolved":
        return f"{story} {status}. {incident.summary}"
    parts = [f"{story} resolved."]
    deployed = _deployed(ports, incident)
    if deployed is not None:
        parts.append(f"New model v{deployed} deployed.")
        gates = ports.incidents.kept(incident.incident_id, "trial")
        trial = GateReport.model_validate(gates[-1][1]).trial if gates else None
        if trial is not None:
            name = trial.metric.upper()
            parts.append(f"{name}: {trial.incumbent:.2f} -> {trial.candidate:.2f}")
    return " ".join(parts)


def draft(ports: Ports, incident: Incident, resolution: Resolution) -> str | None:
    """The report of an incident that ends, kept with it; None when it was never diagnosed."""
    diagnosis = last_diagnosis(ports, incident.incident_id)
    if diagnosis is None:
        return None
    evidence = [
        Evidence.model_validate(document)
        for chapter, document in ports.incidents.kept(incident.incident_id, "evidence")
        if chapter.plan_number == incident.plan_number
    ]
    alert = main_alert(incident, ports.log.alerts(incident.incident_id))
    timeline = ports.log.timeline(incident.incident_id)
    text = post_mortem(incident, alert, diagnosis, resolution, timeline, evidence)
    ports.incidents.keep(
        Chapter(
            incident_id=incident.incident_id, kind="postmortem", plan_number=incident.plan_number
        ),
        Note(values={"markdown": text}),
    )
    return text


def last_diagnosis(ports: Ports, incident_id: str) -> Diagnosis | None:
    kept = ports.incidents.kept(incident_id, "diagnosis")
    return Diagnosis.model_validate(kept[-1][1]) if kept else None


def _deployed(ports: Ports, incident: Incident) -> str | None:
    """The version this incident put into production and left there."""
    done = {e.key for e in ports.effect_log.listed(incident.incident_id) if e.state == "done"}
    for approval in reversed(ports.approval_log.listed(incident_id=incident.incident_id)):
        action, key = approval.proposal.action, approval.approval_id
        if isinstance(action, DeployModel) and f"{key}:do" in done and f"{key}:undo" not in done:
            return action.version
    return None


def _actions(ports: Ports, incident: Incident) -> list[ActionTaken]:
    steps = {
        (chapter.plan_number, step.action): step
        for chapter, document in ports.incidents.kept(incident.incident_id, "step")
        for step in [Step.model_validate(document)]
    }
    taken = [
        ActionTaken(
            action=sent.notice.action,
            status="sent" if sent.state == "sent" else "queued",
            details=sent.reference or sent.error or "",
        )
        for sent in ports.outbox.listed(incident.incident_id)
    ]
    for approval in ports.approval_log.listed(incident_id=incident.incident_id):
        name = approval.proposal.action.action
        step = steps.pop((approval.proposal.plan_number, name), None)
        if approval.status == "rejected":
            details = f"rejected by {approval.decided_by}: {approval.reason}"
            taken.append(ActionTaken(action=name, status="rejected", details=details))
        elif step is not None:
            taken.append(ActionTaken(action=name, status=step.outcome, details=step.details))
        else:
            status = "waiting" if approval.status == "pending" else "unknown"
            url = f"/api/v1/approvals/{approval.approval_id}"
            taken.append(ActionTaken(action=name, status=status, approval_url=url))
    taken += [
        ActionTaken(action=s.action, status=s.outcome, details=s.details) for s in steps.values()
    ]
    return taken
