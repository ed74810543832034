"""Which incident a question is about: the one named, its component's, its topic's, the newest."""

import re
from dataclasses import dataclass

from agentops_graph.chat.events import DOMAINS, DomainName
from agentops_graph.chat.intents import incident_in, topics_in
from agentops_graph.domain.incident import Incident
from agentops_graph.service import Service

POINTS = re.compile(r"\b(it|its|this|that|they|them|these|those|there)\b")


@dataclass(frozen=True)
class Focus:
    """What a question points at; `incident` is None when nothing on record fits."""

    incident: Incident | None = None
    component: str | None = None
    topics: tuple[DomainName, ...] = ()
    is_named: bool = False  # the question, or the client, named the incident or the component


def focus_of(
    service: Service,
    question: str,
    *,
    incident_id: str | None = None,
    component: str | None = None,
) -> Focus:
    """What the question names comes before what the client says it is about.

    Raises NotFoundError for an incident that is named and not there.
    """
    named = incident_in(question)
    if named is not None:
        return _on(service, named)
    incidents = service.incidents()
    name = _component_in(question, service, incidents)
    if name is not None:
        return _on_component(name, incidents)
    topics = topics_in(question)
    if incident_id is not None:
        given = _on(service, incident_id.upper())
        is_meant = not topics or POINTS.search(question.lower()) is not None
        if given.incident is not None and (is_meant or _touches(given.incident, topics)):
            return given
    elif component is not None:
        return _on_component(component, incidents)
    if topics:
        return Focus(_newest([i for i in incidents if _touches(i, topics)]), topics=topics)
    return Focus(_newest([i for i in incidents if i.is_open]))


def _on(service: Service, incident_id: str) -> Focus:
    incident = service.case(incident_id).incident
    return Focus(incident, incident.component, is_named=True)


def _on_component(name: str, incidents: list[Incident]) -> Focus:
    return Focus(_newest([i for i in incidents if i.component == name]), name, is_named=True)


def _touches(incident: Incident, topics: tuple[DomainName, ...]) -> bool:
    return not set(topics).isdisjoint(DOMAINS[incident.alert_type])


def _component_in(question: str, service: Service, incidents: list[Incident]) -> str | None:
    """The longest name that stands in the question, as it is written or with dashes for `_`."""
    words = question.lower().replace("_", "-")
    names = {*service.components, *(incident.component for incident in incidents)}
    found = [name for name in names if name.lower().replace("_", "-") in words]
    return max(found, key=lambda name: (len(name), name)) if found else None


def _newest(incidents: list[Incident]) -> Incident | None:
    """Open ones come before those that ended."""
    return max(incidents, key=lambda i: (i.is_open, i.opened_at, i.incident_id), default=None)
