"""Detached work that hangs, or whose host is gone: it is ended, or becomes a person's."""

from agentops_graph.domain.ledger import Work
from agentops_graph.domain.policy import rule
from agentops_graph.domain.standing import standing, why_lost, why_overdue
from agentops_graph.ports import Ports
from agentops_graph.wording import handed_over


def look_after(ports: Ports, work: Work) -> int:
    """What running work needs from any runner; returns how much was done.

    Nothing is ever begun again here: what may still be running is lost, and a person says what
    became of it; what runs too long and can be reached is told to end.
    """
    if work.silent_s is None:  # its last heartbeat is on a clock that nobody here can read
        ports.work.beat(work.key)
        return 0
    now = ports.clock.now()
    why = why_lost(work, ports.policy)
    if why is not None:
        return int(ports.work.lose(work, why=why, at=now) and _told(ports, work, why))
    if standing(work, ports.policy) == "overdue":
        return int(ports.work.tell_to_end(work, why=why_overdue(work, ports.policy), at=now))
    return 0


def _told(ports: Ports, work: Work, why: str) -> bool:
    """The person who has the incident already is told what nobody knows any more; one that is
    still at work goes on, and is handed over by its own run."""
    incident = ports.incidents.get(work.incident_id)
    if not incident.is_open or incident.status == "escalated":
        ports.outbox.put(
            work.incident_id,
            handed_over(incident, incident.owner or ports.policy.person_at(0), why),
            marker=f"{work.key}:lost",
            reason=rule("send_slack_alert").reason,
            at=ports.clock.now(),
        )
    return True
