"""How commands show what can't be seen, and when each component is looked at next."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_graph.domain.sight import Sight
    from agentops_graph.ports import Ports


def tell_blind(blind: "Mapping[str, Sight]", now: datetime) -> None:
    """A line for each component that can't be seen."""
    from agentops_graph.cli import screen
    from agentops_graph.domain.sight import in_words

    for name, sight in blind.items():
        screen.line(f"{name} is {in_words(sight, now)}", "bold red")


def blind_document(sight: "Sight") -> dict[str, object]:
    """The same for machines; `last_known` is of the time `seen_at`."""
    told = sight.model_dump(mode="json", include={"source", "fault", "why", "seen_at", "missed"})
    since = sight.blind_since.isoformat() if sight.blind_since else None
    return {"since": since, **told, "last_known": sight.readings}


def next_looks(ports: "Ports") -> dict[str, str | None]:
    """By component; None before its first look by a monitor that goes on."""
    known = {} if ports.rounds is None else {s.component: s for s in ports.rounds.sights()}
    held = {name: known.get(name) for name in ports.components}
    return {
        name: sight.due_at.isoformat() if sight and sight.due_at else None
        for name, sight in held.items()
    }
