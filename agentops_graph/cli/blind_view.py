"""How commands show what can't be seen, and when each component is looked at next."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_graph.domain.sight import Sight
    from agentops_graph.ports import Ports


def tell_blind(
    blind: "Mapping[str, Sight]",
    seen: "Collection[str]",
    now: datetime,
    told: "dict[str, Sight] | None" = None,
) -> None:
    """A line for each component that can't be seen, and for each that is `seen` again.

    `told` holds what earlier looks said, and is kept up: the last known values are said once.
    """
    from agentops_graph.cli import screen
    from agentops_graph.domain.sight import in_words

    told = {} if told is None else told
    for name in [name for name in told if name in seen and name not in blind]:
        del told[name]
        screen.line(f"{name} is seen again", "green")
    for name, sight in blind.items():
        before = told.get(name)
        told[name] = sight
        if before is None or _trouble(before) != _trouble(sight):
            screen.line(f"{name} is {in_words(sight, now)}", "bold red")
        else:
            screen.line(f"{name} is still blind, since {sight.blind_since:%H:%M} UTC", "red")


def _trouble(sight: "Sight") -> tuple[object, ...]:
    return sight.blind_since, sight.source, sight.fault


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
