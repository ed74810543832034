"""Commands with which a person decides: approvals, approve, reject, edit, ask."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from pydantic import JsonValue

    from agentops_graph.bootstrap import Workshop
    from agentops_graph.domain.approval import Approval

SHORTEST_DIGEST = 12
ON_ITS_WAY = ("detected", "investigating", "acting", "verifying")
ApprovalId = Annotated[str, typer.Argument(metavar="ID", help="Such as A-12.")]
Digest = Annotated[
    str | None,
    typer.Option(help="Decide only if this is still what is asked; 12 characters are enough."),
]


def approvals(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were decided or expired.")
    ] = False,
    as_json: desk.AsJson = False,
) -> None:
    """List what waits for a decision.

    Example: agentops approvals --all
    """
    from agentops_graph.cli import approval_view, screen

    found = desk.workshop(ctx).service.approvals(status=None if everything else "pending")
    if as_json:
        screen.emit([approval_view.document_of(a) for a in found])
        return
    approval_view.print_approvals(found, everything=everything)


def approve(
    ctx: typer.Context,
    approval_id: ApprovalId,
    digest: Digest = None,
    no_run: desk.NoRun = False,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Approve one action, exactly as it is shown.

    A live runner carries it out. When there is none, it is carried out here.

    Example: agentops approve A-12
    """
    workshop, actor = desk.workshop(ctx), desk.person(as_name)
    _decide(workshop, approval_id, "approve", actor, digest, None, no_run, as_json)


def reject(
    ctx: typer.Context,
    approval_id: ApprovalId,
    reason: Annotated[
        str | None, typer.Option(help="Why; the next person and the next plan read it.")
    ] = None,
    digest: Digest = None,
    no_run: desk.NoRun = False,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Reject one action, with a reason.

    The plan's next action is proposed, or a person gets the incident.

    Example: agentops reject A-12 --reason "release in progress"
    """
    why = desk.sentence(reason, "--reason", "a rejection needs a reason, for the next person")
    workshop, actor = desk.workshop(ctx), desk.person(as_name)
    _decide(workshop, approval_id, "reject", actor, digest, why, no_run, as_json)


def edit(
    ctx: typer.Context,
    approval_id: ApprovalId,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="What changes; may be given again."),
    ] = None,
    digest: Digest = None,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Ask for the same action with other arguments.

    The approval is replaced by a new one, which somebody else has to approve. What can be set:
    replicas; percent (of traffic); window_from and window_until (of a pipeline's run, in ISO 8601
    with a time zone); to_version (of a rollback).

    Example: agentops edit A-12 --set replicas=3
    """
    from agentops_graph.cli import approval_view, screen

    arguments = _arguments(change)
    service, actor = desk.workshop(ctx).service, desk.person(as_name)
    whole = _whole(digest, service.approval(approval_id)) if digest else None
    edited = service.edit(approval_id, arguments, actor=actor, via="cli", digest=whole)
    if as_json:
        screen.emit({"approval": approval_view.document_of(edited.approval), "hint": edited.hint})
        return
    approval_view.print_approval(edited.approval)
    screen.line(f"{approval_id.upper()} is replaced: {edited.hint}.", "yellow")


def _arguments(changes: list[str] | None) -> dict[str, "JsonValue"]:
    found: dict[str, JsonValue] = {}
    for change in changes or ():
        name, equals, value = change.partition("=")
        if not name.strip() or not equals:
            raise InputError(f"{change!r} is not NAME=VALUE, such as replicas=3", field="--set")
        found[name.strip()] = value.strip()
    return found


def ask(
    ctx: typer.Context,
    approval_id: ApprovalId,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In plain words.")],
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Ask about an approval that waits; it goes on waiting.

    The question and the answer are kept beside it, for whoever decides.

    Example: agentops ask A-12 "why not the version before?"
    """
    from agentops_graph.chat import Asker, remark
    from agentops_graph.cli import approval_view, screen

    text = desk.sentence(question, "QUESTION", "ask something")
    service, who = desk.workshop(ctx).service, Asker(name=desk.person(as_name), via="cli")
    kept, answer = remark(service, approval_id, text, who)
    if as_json:
        screen.emit({"approval": approval_view.document_of(kept), "answer": answer})
        return
    for line in answer.splitlines():
        screen.line(line)
    screen.line(f"Kept beside {kept.approval_id}, which still waits.", "dim")


def _decide(
    workshop: "Workshop",
    approval_id: str,
    verdict: Literal["approve", "reject"],
    actor: str,
    digest: str | None,
    reason: str | None,
    no_run: bool,
    as_json: bool,
) -> None:
    from agentops_graph.cli import approval_view, screen

    service = workshop.service
    approval = service.approval(approval_id)
    if approval.status == "pending" and not as_json:
        approval_view.print_approval(approval)
    decided = service.decide(
        approval_id, verdict, actor=actor, via="cli", digest=_whole(digest, approval), reason=reason
    )
    made = decided.approval
    if made.status == "pending":
        _still_waits(made, decided.hint, as_json)
        return
    if not as_json:
        style = screen.STATUS_STYLES.get(made.status, "")
        screen.line(f"{made.approval_id} {made.status} by {made.decided_by}", style)
    ended = go_on(workshop, made.proposal.incident_id, verdict, no_run=no_run, as_json=as_json)
    if as_json:
        screen.emit({"approval": approval_view.document_of(made), **ended})


def _still_waits(approval: "Approval", hint: str | None, as_json: bool) -> None:
    """One of several approvals is written down; nothing is carried out yet."""
    from agentops_graph.cli import approval_view, screen

    if as_json:
        screen.emit({"approval": approval_view.document_of(approval), "hint": hint})
        return
    screen.line(f"{approval.approval_id} still waits: {hint}.", "yellow")


def _whole(given: str | None, approval: "Approval") -> str:
    """The digest to decide on: that of what was shown, or the one the person names."""
    if given is None:
        return approval.digest
    short = given.strip().lower()
    enough = len(short) >= SHORTEST_DIGEST and approval.digest.startswith(short)
    return approval.digest if enough else short


def go_on(
    workshop: "Workshop", incident_id: str, kind: str, *, no_run: bool, as_json: bool
) -> dict[str, object]:
    """Lets a live runner go on with an incident, or does it here; says which."""
    from agentops_graph.cli import foreground, screen

    alive = workshop.service.runners_alive()
    ran_here = not alive and not no_run
    if alive:
        _remark(f"{incident_id} goes on in {', '.join(alive)}.", as_json)
    elif no_run:
        _remark("No runner is alive: start one with `agentops work` or `agentops serve`.", as_json)
    else:
        _remark("No runner is alive, so it is carried out here.", as_json)
        foreground.carry(workshop, incident_id, kind, as_json=as_json)
    incident = workshop.ports.incidents.get(incident_id)
    pending = workshop.ports.approval_log.listed(status="pending", incident_id=incident_id)
    if ran_here and not as_json:
        screen.out().print(screen.said(f"{incident_id} is"), screen.status(incident.status))
        for approval in pending:
            screen.line(f"Waits for you: agentops approve {approval.approval_id}", "bold yellow")
        if incident.status in ON_ITS_WAY:
            screen.line("Any runner goes on with it: agentops work", "yellow")
    return {
        "incident": incident.model_dump(mode="json"),
        "pending": [a.approval_id for a in pending],
        "runners": alive,
        "ran_here": ran_here,
    }


def _remark(text: str, as_json: bool) -> None:
    from agentops_graph.cli import screen

    (screen.aside if as_json else screen.line)(text)
