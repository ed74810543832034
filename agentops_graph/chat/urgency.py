"""The answer to "do I get up for this?": what an incident costs, the most urgent first."""

import re
from collections.abc import Iterator

from agentops_graph.chat.lines import LISTED, headline, more, plural
from agentops_graph.chat.nothing import nothing_on_record
from agentops_graph.chat.talk import Talk, shown
from agentops_graph.domain.incident import Incident

# It asks what something that is over cost, and not whether anything is urgent.
OF_ONE = re.compile(r"\b(did|has|have)\b.*\b(cost|spen[dt]|lost|lose)")


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
    newest = talk.service.incidents(limit=1)
    if not incidents and newest and OF_ONE.search(talk.question.lower()):
        yield f"No incident is open; {newest[0].incident_id} is the newest on record."
        yield headline(newest[0])
        yield from _told(talk, newest[0])
        return
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
