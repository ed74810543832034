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
from agentops_graph.domain.incident import Incident, Resolution

LONGEST_NOTICE = 3500


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
