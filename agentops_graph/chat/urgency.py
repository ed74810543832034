"""The answer to "do I get up for this?": what an incident costs, the most urgent first."""

from collections.abc import Iterator

from agentops_graph.chat.lines import LISTED, headline, more, nothing_on_record, plural
from agentops_graph.chat.talk import Talk, shown
from agentops_graph.domain.incident import Incident


def urgency(talk: Talk) -> Iterator[str]:
    """Of the incident that is named, else of every open one, in the order of their effect."""
    focus = talk.focus
    if focus.is_named:
        if focus.incident is None:
            yield from nothing_on_record(talk)
            return
        yield headline(focus.incident)
        yield from _told(talk, focus.incident)
        return
    incidents = talk.service.incidents(open_only=True)
    if not incidents:
        watched = len(talk.service.components)
        yield f"No: no incident is open; {plural(watched, 'component')} under watch."
        return
    for incident in incidents[:LISTED]:
        yield f"{headline(incident)}."
        yield from _told(talk, incident)
    yield from more(len(incidents))


def _told(talk: Talk, incident: Incident) -> Iterator[str]:
    case = talk.open_case(incident)
    lines = case.stakes.lines
    for line in lines:
        yield f"{shown(line)}."
    if case.stakes.money is None:
        yield (
            "What it costs is not known: components.yaml has no `costs` of "
            f"{shown(incident.component)}, or no labelled rows tell its errors."
        )
