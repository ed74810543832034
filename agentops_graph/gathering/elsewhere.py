"""Whether another system says that an incident's alert fires still."""

from agentops_graph.ports import Ports


def fires_elsewhere(ports: Ports, incident_id: str) -> bool:
    """True while the source of one of its alerts has not said its end. That source judges by a rule
    of its own: that our figures are in order does not show that its rule is."""
    followed = ports.outside_alerts.followed(incident_id)
    return any(firing.over_at is None for firing in followed)
