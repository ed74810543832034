"""Commands for quiet: silence, silences, unsilence, and withdraw for what is needed no more."""

from typing import Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import InputError


def silence(
    ctx: typer.Context,
    component: Annotated[str, typer.Argument(help="Whose alerts.")],
    reason: Annotated[str, typer.Option(help="Why, for the next person.")],
    hours: Annotated[float, typer.Option(help="For how long, two weeks at most.")] = 1.0,
    alert_type: Annotated[
        str | None, typer.Option("--type", help="Only this type of alert, such as latency.")
    ] = None,
    maintenance: Annotated[
        bool, typer.Option("--maintenance", help="Let nothing be done to it either.")
    ] = False,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Let a component's alerts open nothing for some hours.

    Example: agentops silence fraud-detector --hours 2 --reason "load test"
    """
    from agentops_graph.cli import screen
    from agentops_graph.domain.alert import ALERT_TYPES, AlertType

    if alert_type is not None and alert_type not in ALERT_TYPES:
        raise InputError(f"must be one of {', '.join(ALERT_TYPES)}", field="--type")
    kind: AlertType | None = alert_type  # type: ignore[assignment]  # checked in the line above
    held = desk.workshop(ctx).service.silence(
        component,
        hours=hours,
        reason=reason,
        actor=desk.person(as_name),
        alert_type=kind,
        maintenance=maintenance,
    )
    if as_json:
        screen.emit(held.model_dump(mode="json"))
        return
    screen.line(f"{held.silence_id}: {component} is quiet until {screen.clock(held.ends_at)}.")
    screen.line(f"End it sooner: agentops unsilence {held.silence_id}", "dim")


def silences(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """List the silences and maintenance windows in force.

    Example: agentops silences
    """
    from agentops_graph.cli import screen

    held = desk.workshop(ctx).service.silences()
    if as_json:
        screen.emit([one.model_dump(mode="json") for one in held])
        return
    if not held:
        screen.line("Nothing is silenced.", "green")
        return
    rows = [
        (
            screen.said(one.silence_id, "bold"),
            one.kind,
            one.component,
            one.alert_type or "every type",
            screen.clock(one.ends_at),
            one.by,
            one.reason,
        )
        for one in held
    ]
    titles = ("silence", "kind", "component", "type", "until", "by", "reason")
    screen.out().print(screen.table(titles, rows))


def unsilence(
    ctx: typer.Context,
    silence_id: Annotated[str, typer.Argument(help="Such as S-1.")],
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """End a silence or a maintenance window now.

    Example: agentops unsilence S-1
    """
    from agentops_graph.cli import screen

    service = desk.workshop(ctx).service
    held = service.end_silence(silence_id.upper(), actor=desk.person(as_name))
    if as_json:
        screen.emit(held.model_dump(mode="json"))
        return
    screen.line(f"{held.silence_id} ended; {held.component} is heard again.", "green")


def withdraw(
    ctx: typer.Context,
    approval_id: Annotated[str, typer.Argument(help="Such as A-12.")],
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Take back an approval whose alert recovered by itself; the incident closes.

    Example: agentops withdraw A-12
    """
    from agentops_graph.cli import screen
    from agentops_graph.service import NO_RUNNER

    service = desk.workshop(ctx).service
    held = service.withdraw(approval_id, actor=desk.person(as_name))
    hint = None if service.runners_alive() else NO_RUNNER
    if as_json:
        screen.emit({"approval": held.model_dump(mode="json"), "hint": hint})
        return
    screen.line(f"{held.approval_id} is withdrawn: {held.reason}.", "green")
    if hint:
        screen.line(hint, "yellow")
