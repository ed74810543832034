"""Mistakes in a runbook's front matter that show only when its parts are held beside each other."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from agentops_graph.diagnosis.wording import Location, nearest
from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.knowledge import CONDITION

MOST_COMPARED = 200  # sections that a wrong name is compared with, for the nearest
OURS = ("serves", "causes")
Slip = tuple[Location, str]


def slips(values: dict[str, Any], headings: Sequence[str], known: set[str]) -> Iterator[Slip]:
    """Where each stands and what to write. `known` are all names a section goes by, `headings`
    those that are proposed. What has another form than a runbook's is passed over: the form is
    told by those who read it."""
    names: set[str] = set()
    for position, cause in enumerate(_mappings(values.get("causes"))):
        where: Location = ("causes", position)
        name, section = cause.get("cause"), cause.get("section")
        if isinstance(name, str) and name in names:
            yield (*where, "cause"), f"cause {name!r} stands twice"
        names.add(str(name))
        if isinstance(section, str) and section and section not in known:
            reason = f"section {section!r} is no heading of this document"
            yield (*where, "section"), reason + nearest(section, headings[:MOST_COMPARED])
        yield from _signals(cause, where)
        yield from _conditions(cause, where)


def misspelt(values: dict[str, Any]) -> Slip | None:
    """A key that is meant as `serves` or `causes` by what it holds, in front matter that has
    none of our keys: taken as another tool's, its causes would be lost without a word."""
    for key, value in values.items():
        meant = nearest(key, OURS)
        if meant and (_are_causes(value) if "'causes'" in meant else _are_types(value)):
            return (key,), f"unknown key {key!r}{meant}"
    return None


def _signals(cause: dict[str, Any], where: Location) -> Iterator[Slip]:
    seen: set[str] = set()
    for position, entry in enumerate(_mappings(cause.get("signals"))):
        signal = entry.get("signal")
        if isinstance(signal, str) and signal in seen:
            reason = f"signal {signal!r} stands twice in this cause; give it one line"
            yield (*where, "signals", position, "signal"), reason
        seen.add(str(signal))


def _conditions(cause: dict[str, Any], where: Location) -> Iterator[Slip]:
    actions = list(_mappings(cause.get("actions")))
    listed = [str(entry.get("action")) for entry in actions]
    for position, entry in enumerate(actions):
        match = CONDITION.match(str(entry.get("condition")))
        own = str(entry.get("action"))
        others = [action for action in listed if action != own]
        if match and match["action"] not in others:
            reason = f"the condition waits for {match['action']!r}, which this cause does not list"
            place = (*where, "actions", position, "condition")
            yield place, reason + (nearest(match["action"], others) or "; list it before")


def _are_causes(value: object) -> bool:
    return any("cause" in entry or "signals" in entry for entry in _mappings(value))


def _are_types(value: object) -> bool:
    named = [value] if isinstance(value, str) else value
    return (
        isinstance(named, list) and bool(named) and set(map(str, named)) <= set(get_args(AlertType))
    )


def _mappings(value: object) -> Iterator[dict[str, Any]]:
    """The entries of a list, an empty one in place of what is no mapping."""
    for entry in value if isinstance(value, list) else ():
        yield entry if isinstance(entry, dict) else {}
