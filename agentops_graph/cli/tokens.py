"""Commands on who may come in: token create, token list, token revoke, link."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.domain.identity import Credential

token_commands = typer.Typer(
    cls=desk.Commands, no_args_is_help=True, help="Who may do what: tokens and their roles."
)


@token_commands.command("create")
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose it is; what is done with it is theirs.")],
    role: Annotated[str, typer.Option(help="viewer, operator, approver or admin.")],
    tenant: Annotated[
        str | None, typer.Option(help="Only for components of this tenant; all by default.")
    ] = None,
    expires_days: Annotated[
        float | None, typer.Option(min=0.01, max=3650, help="By default it does not expire.")
    ] = None,
    as_json: desk.AsJson = False,
) -> None:
    """Make a token. It is shown this once, and only its hash is kept.

    The first one must be an admin's; from then on every door asks for one.

    Example: agentops token create mia --role approver --expires-days 90
    """
    from agentops_graph.cli import screen
    from agentops_graph.domain.identity import ROLES

    known = {each: each for each in ROLES}
    if role not in known:
        raise InputError(f"must be one of {', '.join(known)}", field="--role")
    lasts = None if expires_days is None else timedelta(days=expires_days)
    keys = desk.workshop(ctx).first_keys
    given = keys.create(name, known[role], tenant=tenant, lasts=lasts)
    held = given.credential
    if as_json:
        screen.emit({"token": given.secret, **_document(held)})
        return
    until = f" until {screen.clock(held.expires_at)}" if held.expires_at else ""
    screen.line(f"{held.credential_id}: {held.name} is {held.role}{until}.", "green")
    screen.line(given.secret, "bold")
    screen.line("It is shown this once. Use it as AGENTOPS_TOKEN, or with --token-file.", "dim")


@token_commands.command("list")
def list_tokens(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Also sessions and links, and those that ended.")
    ] = False,
    as_json: desk.AsJson = False,
) -> None:
    """List the tokens that count, never their secrets.

    Example: agentops token list --all
    """
    from agentops_graph.cli import screen

    workshop = desk.workshop(ctx)
    found, now = workshop.keys.listed(), workshop.ports.clock.now()
    shown = [c for c in found if everything or (c.kind == "token" and c.counts(now))]
    if as_json:
        screen.emit([_document(held) for held in shown])
        return
    if not shown:
        screen.line("There is no token: every door of this machine is open.", "yellow")
        return
    rows = [
        (
            screen.said(c.credential_id, "bold"),
            c.name,
            c.role if c.approval_id is None else f"decides {c.approval_id}",
            c.tenant or "every tenant",
            screen.clock(c.created_at),
            screen.clock(c.expires_at) if c.expires_at else "never",
            screen.clock(c.revoked_at) if c.revoked_at else "",
        )
        for c in shown
    ]
    titles = ("id", "name", "role", "tenant", "made", "expires", "ended")
    screen.out().print(screen.table(titles, rows))


@token_commands.command("revoke")
def revoke(
    ctx: typer.Context,
    credential_id: Annotated[str, typer.Argument(metavar="ID", help="Such as T-2.")],
    as_json: desk.AsJson = False,
) -> None:
    """End a token now, with every session and link made with it.

    Example: agentops token revoke T-2
    """
    from agentops_graph.cli import screen

    held = desk.workshop(ctx).keys.revoke(credential_id)
    if as_json:
        screen.emit(_document(held))
        return
    screen.line(f"{held.credential_id} of {held.name} counts no more.", "green")


def link(
    ctx: typer.Context,
    approval_id: Annotated[str, typer.Argument(metavar="APPROVAL", help="Such as A-12.")],
    name: Annotated[str, typer.Option("--for", metavar="NAME", help="Who decides with it.")],
    as_json: desk.AsJson = False,
) -> None:
    """Make a link with which somebody decides on one approval, once.

    Whoever has the link may decide, so give it to that person only. It ends with the approval.

    Example: agentops link A-12 --for ben
    """
    from agentops_graph.cli import screen

    workshop = desk.workshop(ctx)
    given = workshop.keys.link(approval_id, name)
    held = given.credential
    url = f"{workshop.settings.url.rstrip('/')}/a/{given.secret}"
    if as_json:
        screen.emit({"url": url, **_document(held)})
        return
    screen.line(f"{held.credential_id}: {held.name} decides on {held.approval_id}, once:", "green")
    screen.line(url, "bold")


def _document(held: "Credential") -> dict[str, Any]:
    return held.model_dump(mode="json")
