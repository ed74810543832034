"""Commands on the sources that sources.yaml declares: sources check."""

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.cli.health import MARKS, STYLES
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.doctor.declared import Sections
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
    from agentops_graph.doctor.check import Visit
    from agentops_graph.doctor.declared import Sections

    workshop = desk.workshop(ctx)
    # It shows figures of every tenant, as the file of sources does.
    workshop.service.needs("operate", everywhere=True)
    sections = Sections(workshop.sources, Visit(workshop.settings, lambda: workshop.ports))
    declared = list(workshop.ports.sources())
    trials = _tried(declared, sections, name)
    if as_json:
        screen.emit([trial.model_dump(mode="json") for trial in trials])
    elif not (declared or sections.names):
        screen.line("No source is declared; docs/sources.md says how.")
    else:
        _print(trials)
    if any(trial.state == "broken" for trial in trials):
        raise typer.Exit(1)


def _tried(declared: "list[Source]", sections: "Sections", name: str | None) -> "list[Trial]":
    """Of the sources and sections that have that name or speak of that component, or of all."""
    holding = [source for source in declared if name in source.components]
    chosen = [source for source in declared if name in (None, source.name)]
    found = [trial for source in chosen for trial in source.trials()]
    if not chosen:
        found = [trial for source in holding for trial in _about(str(name), source)]
    found += sections.trials(name)
    if name is not None and not (chosen or holding or found):
        known = [*(source.name for source in declared), *sections.all_names]
        raise InputError(
            f"no source has that name; declared: {', '.join(known) or 'none'}", field=name
        )
    return found


def _about(name: str, source: "Source") -> "list[Trial]":
    """The source's trials of that component, and what is broken for all."""
    return [
        trial
        for trial in source.trials()
        if (about := trial.what.split(" ")[0]) == name
        or (about not in source.components and trial.state == "broken")
    ]


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
    weak = sum(trial.state == "degraded" for trial in trials)
    if wrong:
        screen.line(f"{wrong} of {len(trials)} can't be read.", "bold red")
    elif weak:
        screen.line(f"{weak} of {len(trials)} with a warning.", "yellow")
    else:
        screen.line("All of it can be read.", "green")
