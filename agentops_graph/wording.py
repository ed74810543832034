"""The words of notices, and of the documents an incident ends with."""

from agentops_graph.domain.action import (
    AcknowledgePage,
    CloseGithubIssue,
    CreateGithubIssue,
    Notice,
    NotifyDataTeam,
    SendSlackAlert,
)
from agentops_graph.domain.alert import Alert
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.incident import Incident, Resolution, TimelineEvent

LONGEST_NOTICE = 3500
LESSONS_TO_COME = "To be written by the person who confirms this report."


def notice_for(name: str, incident: Incident, alert: Alert, diagnosis: Diagnosis) -> Notice:
    """The notice of this kind that tells people of a diagnosis."""
    text = _diagnosis_text(incident, alert, diagnosis)
    short = text[:LONGEST_NOTICE]
    if name == "create_github_issue":
        return CreateGithubIssue(title=_title(incident, alert), text=text[:20000])
    if name == "notify_data_team":
        return NotifyDataTeam(text=short)
    if name == "acknowledge_page":
        return AcknowledgePage(text=f"{incident.incident_id}: {alert.feed_line}"[:LONGEST_NOTICE])
    return SendSlackAlert(text=short)


def _title(incident: Incident, alert: Alert) -> str:
    return f"[{incident.incident_id}] {incident.component}: {alert.summary or alert.alert_type}"[
        :200
    ]


def _diagnosis_text(incident: Incident, alert: Alert, diagnosis: Diagnosis) -> str:
    sure = "unknown" if diagnosis.confidence is None else f"{diagnosis.confidence:.0%}"
    lines = [
        f"{alert.feed_line} ({incident.component}, {incident.incident_id})",
        f"Cause: {diagnosis.root_cause} (confidence {sure})",
    ]
    if diagnosis.runbook_reference:
        lines.append(f"Runbook: {diagnosis.runbook_reference}")
    if diagnosis.similar_incidents:
        lines.append(f"Seen before: {', '.join(diagnosis.similar_incidents)}")
    return "\n".join(lines)


def waiting_notice(approval: Approval, person: str, minutes: float, url: str) -> Notice:
    """Tells the next person of the chain that an approval still waits."""
    proposal = approval.proposal
    return SendSlackAlert(
        text=(
            f"For {person}: {approval.approval_id} ({proposal.action.action} on {proposal.target}, "
            f"{proposal.incident_id}) has waited {max(minutes, 0):.0f} min. Decide with "
            f"`agentops approve {approval.approval_id}` or at {url}"
        )
    )


def recovered_notice(approval: Approval) -> Notice:
    """Tells people that what an approval waits for may no longer be needed."""
    proposal = approval.proposal
    return SendSlackAlert(
        text=(
            f"{proposal.incident_id} looks recovered while {approval.approval_id} "
            f"({proposal.action.action}) waits. If nothing is needed any more: `agentops withdraw "
            f"{approval.approval_id}`"
        )
    )


def replaced_notice(approval: Approval, note: str) -> Notice:
    """Tells people that an approval is left to them though its cause looks like another one now."""
    proposal = approval.proposal
    text = (
        f"{approval.approval_id} ({proposal.action.action} on {proposal.target}, "
        f"{proposal.incident_id}): {note}"
    )
    return SendSlackAlert(text=text[:LONGEST_NOTICE])


def handed_over(incident: Incident, person: str, why: str) -> Notice:
    """Tells a person that an incident is theirs now."""
    text = f"{incident.incident_id} on {incident.component} now belongs to {person}: {why}"
    return SendSlackAlert(text=text[:LONGEST_NOTICE])


def closing_notices(line: str, resolution: Resolution) -> list[Notice]:
    """The last word in the channel, and the issue closed with the resolution."""
    body = [line, "", *(f"- {a.action}: {a.status} {a.details}" for a in resolution.actions_taken)]
    return [SendSlackAlert(text=line[:LONGEST_NOTICE]), CloseGithubIssue(text="\n".join(body))]


def post_mortem(
    incident: Incident,
    alert: Alert,
    diagnosis: Diagnosis,
    resolution: Resolution,
    timeline: list[TimelineEvent],
) -> str:
    """The incident as a report in the form of `runbooks/incidents/`, unconfirmed."""
    minutes = (resolution.time_to_resolve or 0.0) / 60
    head = [
        "---",
        f"incident_id: {incident.incident_id}",
        f"title: {_yaml(incident.title)}",
        f"alert_type: {incident.alert_type}",
        f"component: {_yaml(incident.component)}",
        f"severity: {incident.severity}",
        f"date: {incident.opened_at.date().isoformat()}",
        f"root_cause: {diagnosis.cause}",
        f"resolution: {_yaml(resolution.summary)}",
        f"duration_minutes: {max(1, round(minutes))}",
        "confirmed: false",
        "---",
    ]
    numbers = [f"- {name}: {value:.4g}" for name, value in sorted(alert.metrics.items())]
    steps = [
        f"- {event.at:%Y-%m-%d %H:%M:%S} UTC, {event.agent or 'agentops'}: {_line(event.text)}"
        for event in timeline
        if event.kind in ("step", "decision", "effect")
    ]
    taken = [f"- {a.action}: {a.status}. {_line(a.details)}" for a in resolution.actions_taken]
    body = [
        f"# {incident.incident_id}: {_line(incident.title)}",
        "## 1. Summary",
        f"{_line(alert.feed_line)} on {_line(incident.component)}. {_line(resolution.summary)}",
        *numbers,
        "## 2. Timeline",
        *steps,
        "## 3. Root cause",
        _line(diagnosis.root_cause),
        f"Runbook: {diagnosis.runbook_reference or 'none'}",
        "## 4. Resolution",
        *(taken or ["Nothing was carried out."]),
        "## 5. Lessons",
        LESSONS_TO_COME,
    ]
    return "\n".join([*head, "", *body]) + "\n"


def _line(text: str) -> str:
    """Text of unknown origin on one line, so that it can't start a heading or a front matter."""
    return " ".join(text.split())


def _yaml(text: str) -> str:
    escaped = _line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
