"""The command that takes a reference profile from a model's own rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.domain.profile import ReferenceProfile

WEIGHTS_SHOWN = 5


def reference(
    ctx: typer.Context,
    component: Annotated[str, typer.Argument(help="As components.yaml names it.")],
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The first day, or an ISO-8601 time.")
    ],
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The end; itself not included.")
    ],
    version: Annotated[
        str | None, typer.Option(help="Of the model; by default the last that predicted then.")
    ] = None,
    importance: Annotated[
        bool,
        typer.Option("--importance", help="Also weigh its features: loads and runs the model."),
    ] = False,
    name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Keep what a model's data looked like in a good time; drift is judged against it.

    Times without an offset are UTC. Taking it again replaces the profile of that version.

    Example: agentops reference churn --from 2026-03-01 --until 2026-03-08
    """
    from agentops_graph.cli import screen

    start, end = _time(since, "--from"), _time(until, "--until")
    workshop = desk.workshop(ctx)
    profile = workshop.service.take_reference(
        component,
        start,
        end,
        version=version,
        actor=desk.person(name),
        importance=_weigher(workshop, component, start, end) if importance else None,
    )
    if as_json:
        screen.emit(_document(profile))
        return
    whose = f"{component} version {profile.model_version}" if profile.model_version else component
    figures = ", ".join(f"{k} {screen.figure(v)}" for k, v in profile.metrics.items())
    screen.line(f"The reference profile of {whose} is saved, from {profile.rows} rows.", "green")
    screen.line(f"features: {', '.join(profile.features) or 'none that is a number'}")
    if profile.categories:
        screen.line(f"categories: {', '.join(profile.categories)}")
    screen.line(f"baseline: {figures or 'none, as too few rows have a label'}")
    if importance:
        weights = [f"{k} {v:.0%}" for k, v in list(profile.importance.items())[:WEIGHTS_SHOWN]]
        screen.line(f"importance: {', '.join(weights) or 'no feature matters on these rows'}")


def _weigher(
    workshop: "Workshop", component: str, start: datetime, end: datetime
) -> Callable[[str], dict[str, float]]:
    def weigh(version: str) -> dict[str, float]:
        from agentops_graph.jobs.registered import importance_of_version

        watched = workshop.components[component]
        return importance_of_version(
            workshop.store, workshop.warehouse, watched, version, start, end
        )

    return weigh


def _time(text: str, option: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{text!r} is no date such as 2026-03-01", field=option) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _document(profile: "ReferenceProfile") -> dict[str, object]:
    return {
        "component": profile.model_name,
        "version": profile.model_version,
        "rows": profile.rows,
        "features": list(profile.features),
        "categories": list(profile.categories),
        "metrics": profile.metrics,
        "importance": profile.importance,
        "recorded_at": profile.recorded_at.isoformat(),
    }
