"""Checks of what other systems push to us, and of who may read our figures."""

from agentops_graph.adapters.yaml_sources import read_sources
from agentops_graph.doctor.check import Check, Visit


def pushed(visit: Visit) -> list[Check]:
    """Whether anything came in yet, and by which rules it is read. A file with a mistake raises."""
    file = visit.settings.sources_file or visit.places.sources
    declared = read_sources(file).alertmanager
    rules = f"read by {file}" if declared is not None else "labels are read by the usual names"
    backlog = visit.ports.figures.backlog(visit.ports.clock.now())
    if backlog.heard_at is None:
        seen = f"off: nothing was ever pushed here; {rules}"
    else:
        seen = f"last heard of at {backlog.heard_at:%Y-%m-%d %H:%M} UTC; {rules}"
    return [Check(name="pushed alerts", state="ok", seen=seen), _metrics(visit)]


def _metrics(visit: Visit) -> Check:
    name = "metrics"
    if visit.settings.metrics_token is not None:
        return Check(name=name, state="ok", seen="/metrics is for AGENTOPS_METRICS_TOKEN")
    if visit.ports.credentials.has_tokens():
        seen = "/metrics wants a viewer's token; AGENTOPS_METRICS_TOKEN would read nothing else"
        return Check(name=name, state="ok", seen=seen)
    return Check(name=name, state="ok", seen="/metrics is open on this machine")
