"""Commands with which people teach: postmortem, and what the reasoner learns of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.cli.incidents import IncidentId

if TYPE_CHECKING:
    from agentops_graph.diagnosis.learning import Figures, LessonReport

reasoner_commands = typer.Typer(
    cls=desk.Commands,
    no_args_is_help=True,
    help="How sure the reasoner is, and how often it was right.",
)


def postmortem(
    ctx: typer.Context,
    incident_id: IncidentId,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="It is right; it counts as precedent from now on.")
    ] = False,
    cause: Annotated[
        str | None, typer.Option(help="The true cause, where another one was named.")
    ] = None,
    is_new: Annotated[
        bool, typer.Option("--new-cause", help="No runbook knows the cause yet, and it is right.")
    ] = False,
    lessons: Annotated[
        str | None, typer.Option(help="What would have caught it earlier; goes into the report.")
    ] = None,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Print the report of an incident that ended, or confirm it.

    Example: agentops postmortem INC-2026-1001 --confirm
    """
    from agentops_graph.cli import screen
    from agentops_graph.errors import InputError
    from agentops_graph.post_mortem import cause_in, is_confirmed

    service = desk.workshop(ctx).service
    incident_id = incident_id.upper()
    if not confirm and (cause is not None or lessons is not None):
        raise InputError("these go into the report with --confirm", field="--cause, --lessons")
    if is_new and cause is None:
        raise InputError("it goes with --cause NAME", field="--new-cause")
    actor = service.called(desk.person(as_name))
    text = service.postmortem(incident_id)
    before = cause_in(text)
    if confirm:
        text = service.confirm(
            incident_id, actor=actor, lessons=lessons, cause=cause, is_new=is_new
        )
    now = cause_in(text)
    told = {"incident_id": incident_id, "confirmed": is_confirmed(text), "cause": now}
    if as_json:
        replaced = before if before != now else None
        screen.emit({**told, "replaces": replaced, "markdown": text})
        return
    for line in text.splitlines():
        screen.line(line)
    if before != now:
        screen.aside(f"The cause {now} replaces {before}.")
    if confirm:
        screen.aside(f"{incident_id} counts as precedent from now on, says {actor}.")


@reasoner_commands.command()
def report(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """Show how right past diagnoses were, and how sure they should have been.

    Example: agentops reasoner report
    """
    from agentops_graph.cli import screen

    found = desk.workshop(ctx).service.lessons_report()
    if as_json:
        screen.emit(found.model_dump(mode="json") | {"is_better": found.is_better})
        return
    _print_report(found)


@reasoner_commands.command()
def accept(ctx: typer.Context, as_name: desk.As = None, as_json: desk.AsJson = False) -> None:
    """Put the calibration that the report offers in force.

    Example: agentops reasoner accept
    """
    from agentops_graph.cli import screen

    service = desk.workshop(ctx).service
    kept = service.accept_lessons(actor=service.called(desk.person(as_name)))
    if as_json:
        screen.emit(kept.model_dump(mode="json"))
        return
    screen.line(
        f"Calibration {kept.calibration_id} of {kept.outcomes} outcomes is in force, says "
        f"{kept.actor}.",
        "green",
    )


def _print_report(found: "LessonReport") -> None:
    from agentops_graph.cli import screen

    screen.line(
        f"{found.outcomes} diagnoses were confirmed or corrected by people, {found.right} were "
        f"right; {found.abstained} more named no cause."
    )
    bins = [
        (f"{b.low:.0%} to {b.high:.0%}", str(b.outcomes), f"{b.confidence:.0%}", f"{b.right:.0%}")
        for b in found.bins
    ]
    if bins:
        screen.out().print(screen.table(("told", "outcomes", "mean told", "right"), bins))
    if found.before is None:
        return
    rows = [_row("before, as told", found.before)]
    rows += [_row("after, each left out in turn", found.after)] if found.after else []
    headings = ("confidence", "Brier", "log loss", "calibration error", "sure and wrong")
    screen.out().print(screen.table(headings, rows))
    screen.line(_offered(found))


def _offered(found: "LessonReport") -> str:
    if found.after is None:
        return f"{found.needed} outcomes are needed before a calibration is offered."
    if not found.is_better:
        return "What could be offered is not better; nothing is to be done."
    return (
        f"Offered: shift {found.shift:+.2f}, slope {found.slope:.2f}. `agentops reasoner accept` "
        "puts it in force; until then nothing changes."
    )


def _row(name: str, figures: "Figures") -> tuple[str, ...]:
    return (
        name,
        f"{figures.brier:.3f}",
        f"{figures.log_loss:.3f}",
        f"{figures.calibration_error:.3f}",
        str(figures.confidently_wrong),
    )
