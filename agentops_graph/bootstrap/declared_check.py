"""Holds what is declared against itself as the monitor would, and asks nobody."""

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentops_graph.bootstrap.evidence_sources import refuse_addresses
from agentops_graph.domain.known import known_names
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.bootstrap.workshop import Workshop

Named = tuple[str, tuple[int | str, ...]]  # a component, and the path where it is named


def check_declared(workshop: "Workshop") -> None:
    """Makes every reader, with its secrets. Raises InputError with file and line."""
    workshop.reads.warehouse(workshop.warehouse)
    if workshop.sources.lineage is not None and workshop.sources.lineage.mlflow:
        _ = workshop.store  # the one reader of lineage that refuses an address
    allow_remote = workshop.settings.allow_remote_hosts
    refuse_addresses(workshop.sources, workshop.place, allow_remote=allow_remote)
    feeds = {feed for component in workshop.components.values() for feed in component.feeds}
    known = sorted({*workshop.components, *feeds})
    for name, path in _named(workshop):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {known_names(known)}"
            raise InputError(
                f"{name} is no component and no feed; {hint}", field=workshop.place(*path)
            )


def _named(workshop: "Workshop") -> Iterator[Named]:
    sources = workshop.sources
    for section in ("logs", "rest"):
        for number, entry in enumerate(getattr(sources, section)):
            for position, name in enumerate(entry.components):
                yield name, (section, number, "components", position)
    if sources.alertmanager is not None:
        for label, name in sources.alertmanager.components.items():
            yield name, ("alertmanager", "components", label)
