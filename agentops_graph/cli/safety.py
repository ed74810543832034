"""Commands for doubt and danger: reconcile, pause-actions, resume-actions."""

from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.domain.effect import Effect


def reconcile(
    ctx: typer.Context,
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="Such as A-12:do; without one, list.")
    ] = None,
    happened: Annotated[
        bool | None, typer.Option("--happened/--did-not", help="What you found at the target.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="How you know.")] = None,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Say what became of an effect whose outcome is not known.

    Example: agentops reconcile A-12:do --happened --note "v3 is live in the registry"
    """
    from agentops_graph.cli import screen

    service = desk.workshop(ctx).service
    if key is None:
        _list_unknown(service.to_reconcile(), as_json)
        return
    if happened is None:
        raise InputError("say --happened or --did-not", field="reconcile")
    text = desk.sentence(note, "--note", "say how you know, for the next person")
    effect = service.reconcile(key, happened, actor=desk.person(as_name), note=text)
    if as_json:
        screen.emit(effect.model_dump(mode="json"))
        return
    screen.line(f"{effect.key} is {effect.state} now.", screen.STATUS_STYLES.get(effect.state, ""))
    screen.line(f"Go on: agentops retry {effect.incident_id}   or   agentops close ...", "dim")


def _list_unknown(effects: "list[Effect]", as_json: bool) -> None:
    from agentops_graph.cli import screen

    if as_json:
        screen.emit([effect.model_dump(mode="json") for effect in effects])
        return
    if not effects:
        screen.line("Every effect's outcome is known.", "green")
        return
    rows = [
        (screen.said(e.key, "bold"), e.incident_id, e.target, screen.clock(e.intent_at), e.error)
        for e in effects
    ]
    screen.out().print(screen.table(("key", "incident", "target", "begun", "what is known"), rows))
    screen.line('agentops reconcile KEY --happened (or --did-not) --note "how you know"', "dim")


def pause_actions(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the undos that an approval bound to its guard.")
    ] = False,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Stop every action, in every runner, at once.

    Example: agentops pause-actions
    """
    service = desk.workshop(ctx).service
    service.pause_actions(everything=everything, actor=desk.person(as_name))
    _say_paused(service.paused(), as_json)


def resume_actions(
    ctx: typer.Context, as_name: desk.As = None, as_json: desk.AsJson = False
) -> None:
    """Allow approved actions again.

    Example: agentops resume-actions
    """
    service = desk.workshop(ctx).service
    service.resume_actions(actor=desk.person(as_name))
    _say_paused(service.paused(), as_json)


def _say_paused(paused: str | None, as_json: bool) -> None:
    from agentops_graph.cli import screen

    if as_json:
        screen.emit({"paused": paused})
    elif paused is None:
        screen.line("Approved actions are carried out again.", "green")
    else:
        undos = "and bound undos" if paused == "all" else "but not bound undos"
        screen.line(f"Actions are paused, {undos}; agentops resume-actions ends it.", "bold yellow")
