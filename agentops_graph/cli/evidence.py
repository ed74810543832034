"""The command that shows the long evidence which was kept for an incident: evidence."""

from typing import TYPE_CHECKING

import typer

from agentops_graph.cli import desk
from agentops_graph.cli.incidents import IncidentId

if TYPE_CHECKING:
    from agentops_graph.domain.case import Case


def evidence(ctx: typer.Context, incident_id: IncidentId, as_json: desk.AsJson = False) -> None:
    """Print what was too long to show: log lines since the onset, and other long evidence.

    Example: agentops evidence INC-2026-1001 | grep ERROR
    """
    from agentops_graph.cli import screen

    workshop = desk.workshop(ctx)
    case = workshop.service.case(incident_id.upper())  # whoever may not see it gets no further
    folder = workshop.ports.evidence_folder
    kept = {} if folder is None else {each: folder.read(each) for each in _kept(case)}
    if as_json:
        screen.emit([{"reference": name, "lines": t.splitlines()} for name, t in kept.items()])
        return
    if not kept:
        screen.aside(f"No lines were kept for {case.incident.incident_id}.")
    for reference, text in kept.items():
        screen.aside(reference)
        for line in text.splitlines():
            screen.line(line)


def _kept(case: "Case") -> list[str]:
    logs = [r for piece in case.evidence if piece.kind == "logs" for r in piece.references]
    return list(dict.fromkeys([*logs, *(piece.file for piece in case.evidence if piece.file)]))
