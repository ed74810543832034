"""Commands on incidents: incidents, show, trace, retry, close, confirm."""

from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk

if TYPE_CHECKING:
    from agentops_graph.domain.incident import Incident

IncidentId = Annotated[str, typer.Argument(metavar="ID", help="Such as INC-2026-1001.")]


def incidents(
    ctx: typer.Context,
    open_only: Annotated[bool, typer.Option("--open", help="Only those not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="At most so many.")] = 100,
    as_json: desk.AsJson = False,
) -> None:
    """List incidents: open ones by severity and cost, then the newest.

    Example: agentops incidents --open
    """
    from datetime import UTC, datetime

    from agentops_graph.cli import screen

    service = desk.workshop(ctx).service
    found = service.incidents(open_only=open_only, limit=limit)
    if as_json:
        screen.emit([incident.model_dump(mode="json") for incident in found])
        return
    if not found:
        screen.line("No incident is open." if open_only else "No incident yet.")
        return
    waits = {a.proposal.incident_id: a.approval_id for a in service.approvals()}
    waits |= service.work_in_trouble()
    now = datetime.now(UTC)
    priced = any(i.hourly_cost is not None for i in found)
    rows = [
        (
            screen.said(i.incident_id, "bold"),
            screen.severity(i.severity),
            screen.status(i.status),
            i.component + (f" / {i.segment}" if i.segment else ""),
            i.title,
            *([_by_the_hour(i)] if priced else []),
            screen.ago(i.opened_at, now),
            (waits.get(i.incident_id) or i.owner or "") if i.is_open else "",
        )
        for i in found
    ]
    costs = ("an hour",) if priced else ()
    headings = ("id", "severity", "status", "component", "what", *costs, "opened", "waits for")
    screen.out().print(screen.table(headings, rows))


def _by_the_hour(incident: "Incident") -> str:
    from agentops_graph.domain.stakes import in_words

    if incident.hourly_cost is None or incident.currency is None:
        return ""
    return f"{incident.currency} {in_words(incident.hourly_cost)}"


def show(
    ctx: typer.Context,
    incident_id: IncidentId,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Also every observation, with where it was read.")
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Also how the cause was reached, sum by sum.")
    ] = False,
    as_json: desk.AsJson = False,
) -> None:
    """Show one incident with all that is known.

    Example: agentops show INC-2026-1001 --evidence
    """
    from agentops_graph.cli import case_view, screen

    case = desk.workshop(ctx).service.case(incident_id.upper())
    if as_json:
        document = case.model_dump(mode="json")
        alert = document["alerts"][0] if document["alerts"] else None
        screen.emit({"alert": alert, **document})
        return
    case_view.print_case(case, evidence=evidence, why=why)


def trace(ctx: typer.Context, incident_id: IncidentId, as_json: desk.AsJson = False) -> None:
    """Draw the path an incident took, with the time of each step.

    Example: agentops trace INC-2026-1001 > path.md
    """
    from agentops_graph.cli import path, screen

    case = desk.workshop(ctx).service.case(incident_id.upper())
    steps = path.steps_of(case.timeline)
    if as_json:
        screen.emit(
            {
                "incident_id": case.incident.incident_id,
                "mermaid": path.mermaid(steps),
                "steps": [step.model_dump(mode="json") for step in steps],
                "total_ms": round(sum(step.ms or 0.0 for step in steps), 2),
            }
        )
        return
    path.print_path(case.incident.incident_id, steps)


def retry(
    ctx: typer.Context,
    incident_id: IncidentId,
    no_run: desk.NoRun = False,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Plan an escalated incident anew, from fresh evidence.

    Example: agentops retry INC-2026-1001
    """
    from agentops_graph.cli import decisions, screen

    workshop = desk.workshop(ctx)
    incident = workshop.service.retry(incident_id.upper(), actor=desk.person(as_name))
    if not as_json:
        screen.line(f"{incident.incident_id} is planned anew (plan {incident.plan_number}).")
    ended = decisions.go_on(workshop, incident.incident_id, "retry", no_run=no_run, as_json=as_json)
    if as_json:
        screen.emit(ended)


def close(
    ctx: typer.Context,
    incident_id: IncidentId,
    note: Annotated[str | None, typer.Option(help="What was done, for the next person.")] = None,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Close an escalated incident by hand.

    Example: agentops close INC-2026-1001 --note "feed restarted by the data team"
    """
    from agentops_graph.cli import screen

    text = desk.sentence(note, "--note", "say what was done, for the next person")
    service = desk.workshop(ctx).service
    actor = service.called(desk.person(as_name))
    incident = service.close(incident_id.upper(), actor=actor, note=text)
    if as_json:
        screen.emit(incident.model_dump(mode="json"))
        return
    screen.line(f"{incident.incident_id} closed by {actor}", "green")


def confirm(
    ctx: typer.Context,
    incident_id: IncidentId,
    lessons: Annotated[
        str | None, typer.Option(help="What would have caught it earlier; goes into the report.")
    ] = None,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Confirm a report, so that it counts as precedent.

    Example: agentops confirm INC-2026-1001 --lessons "alert on the vendor's changelog"
    """
    from agentops_graph.cli import screen

    service = desk.workshop(ctx).service
    actor = service.called(desk.person(as_name))
    service.confirm(incident_id.upper(), actor=actor, lessons=lessons)
    if as_json:
        screen.emit({"incident_id": incident_id.upper(), "confirmed": True, "by": actor})
        return
    screen.line(f"The report of {incident_id.upper()} counts as precedent, says {actor}.", "green")
