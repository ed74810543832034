"""How often the moving world took a question back from the people who were to decide it."""

from agentops_graph.domain.approval import Approval
from agentops_graph.domain.incident import Replan
from agentops_graph.domain.ledger import Chapter
from agentops_graph.ports import Ports


def replans(ports: Ports, incident_id: str) -> list[Replan]:
    """Those of this incident since a person last took it over, oldest first: whoever has it planned
    anew begins a new count."""
    taken_over = [c.plan_number for c, _ in ports.incidents.kept(incident_id, "resolution")]
    since = max(taken_over, default=-1)
    return [
        Replan.model_validate(document)
        for chapter, document in ports.incidents.kept(incident_id, "replan")
        if chapter.plan_number > since
    ]


def keep_replan(ports: Ports, approval: Approval, replan: Replan) -> None:
    proposal = approval.proposal
    chapter = Chapter(
        incident_id=proposal.incident_id,
        kind="replan",
        plan_number=proposal.plan_number,
        step=proposal.step,
    )
    ports.incidents.keep(chapter, replan)


def why_no_more(ports: Ports, incident_id: str) -> str | None:
    """Why nobody is asked once more, or None while there may be another plan."""
    past, limit = replans(ports, incident_id), ports.policy.replans_per_incident
    if len(past) <= limit:
        return None
    return f"no other plan is made: what was asked was replaced {limit} times; {past[-1].why}"
