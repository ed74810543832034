"""Commands on the sources that sources.yaml declares: sources check."""

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.cli.health import MARKS, STYLES
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.domain.sources.trial import Trial
    from agentops_graph.ports import Source

source_commands = typer.Typer(
    cls=desk.Commands, no_args_is_help=True, help="Where else data are read from."
)


@source_commands.callback()
def sources() -> None:
    """Where else data are read from."""
    # What was tried twice is in the answer; that it was is nothing to read beside it.
    logging.getLogger("stamina").setLevel(logging.ERROR)


@source_commands.command("check")
def check(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="One of them, or a component; by default all.")
    ] = None,
    as_json: desk.AsJson = False,
) -> None:
    """Try each declared source: does it answer, how many points, how new, what is wrong where.

    Reads only. Ends with 1 when something can't be read.

    Example: agentops sources check prometheus
    """
    from agentops_graph.cli import screen

    workshop = desk.workshop(ctx)
    # It shows figures of every tenant, as the file of sources does.
    workshop.service.needs("operate", everywhere=True)
    declared = workshop.ports.sources()
    trials = _tried(list(declared), name)
    if as_json:
        screen.emit([trial.model_dump(mode="json") for trial in trials])
    elif not declared:
        screen.line("No source is declared; docs/sources.md says how.")
    else:
        _print(trials)
    if any(trial.state == "broken" for trial in trials):
        raise typer.Exit(1)


def _tried(declared: "list[Source]", name: str | None) -> "list[Trial]":
    chosen = [source for source in declared if name in (None, source.name)]
    if chosen:
        return [trial for source in chosen for trial in source.trials()]
    holding = [source for source in declared if name in source.components]
    if name is not None and not holding:
        known = ", ".join(source.name for source in declared) or "none"
        raise InputError(f"no source has that name; declared: {known}", field=name)
    found: list[Trial] = []
    for source in holding:
        for trial in source.trials():
            about = trial.what.split(" ")[0]
            of_source = about not in source.components and trial.state == "broken"
            if about == name or of_source:
                found.append(trial)
    return found


def _print(trials: "list[Trial]") -> None:
    from rich.text import Text

    from agentops_graph.cli import screen

    rows = []
    for trial in trials:
        words = Text(screen.clean(trial.seen))
        if trial.place and trial.state != "ok" and trial.place not in trial.seen:
            words.append(f" ({screen.clean(trial.place)})")
        if trial.mend:
            words.append(f"\n-> {screen.clean(trial.mend)}", style="cyan")
        mark = screen.said(MARKS[trial.state], STYLES[trial.state])
        rows.append((mark, trial.source, screen.clean(trial.what), words))
    screen.out().print(screen.table(("", "source", "what", "what was seen"), rows))
    wrong = sum(trial.state == "broken" for trial in trials)
    said = f"{wrong} of {len(trials)} can't be read." if wrong else "All of it can be read."
    screen.line(said, "bold red" if wrong else "green")
