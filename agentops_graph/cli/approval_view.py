"""How a proposal is shown: exactly the content that its digest covers."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentops_graph.cli import screen
from agentops_graph.domain.approval import shown_lines

if TYPE_CHECKING:
    from agentops_graph.domain.approval import Approval


def print_approval(approval: "Approval") -> None:
    """The canonical bytes as lines, then what goes with them but is not approved."""
    rows: list[tuple[str, object]] = list(shown_lines(approval.proposal.canonical()))
    rows += [("note", note) for note in approval.notes]
    rows += [
        *_of_people(approval),
        ("asks because", approval.policy_reason),
        ("digest", approval.digest),
        ("requested", screen.clock(approval.requested_at)),
        ("expires", screen.clock(approval.expires_at)),
    ]
    title = f"{approval.approval_id} of {approval.proposal.incident_id}"
    screen.out().print(screen.panel(title, screen.grid(rows), style="yellow"))


def _of_people(approval: "Approval") -> list[tuple[str, object]]:
    """Who asks, and how many have approved, where that is not the agent and not one person."""
    rows: list[tuple[str, object]] = []
    if approval.revision:
        rows.append(("requested by", approval.requested_by))
    if approval.so_far:
        rows.append(("approved by", approval.so_far))
    return rows


def print_approvals(approvals: "list[Approval]", *, everything: bool) -> None:
    if not approvals:
        screen.line("No approval was ever asked for." if everything else "Nothing waits for you.")
        return
    now = datetime.now(UTC)
    headings = ("id", "status", "incident", "action", "target", "asks because", "asked", "then")
    rows = [
        (
            screen.said(a.approval_id, "bold"),
            screen.status(a.status),
            a.proposal.incident_id,
            a.proposal.action.action,
            a.proposal.target,
            a.policy_reason,
            screen.ago(a.requested_at, now),
            _then(a, now),
        )
        for a in approvals
    ]
    screen.out().print(screen.table(headings, rows))
    if any(a.status == "pending" for a in approvals):
        screen.line("agentops show INCIDENT   why;   agentops approve ID   carries it out", "dim")


def _then(approval: "Approval", now: datetime) -> str:
    if approval.status == "pending":
        left = (approval.expires_at - now).total_seconds()
        then = f"expires in {screen.duration(left)}" if left > 0 else "expired"
        return f"{approval.so_far}, {then}" if approval.so_far else then
    if approval.superseded_by is not None:
        return f"replaced by {approval.superseded_by}"
    return f"{approval.status} by {approval.decided_by}" if approval.decided_by else ""


def document_of(approval: "Approval") -> dict[str, object]:
    """The approval as JSON, with the lines people are shown."""
    shown = [list(row) for row in shown_lines(approval.proposal.canonical())]
    return {**approval.model_dump(mode="json"), "shown": shown}
