"""Commands on what the agent has read: runbooks search, show, check."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import InputError, NotFoundError, RunbookError

if TYPE_CHECKING:
    from agentops_graph.cli.counter import Counter
    from agentops_graph.domain.knowledge import Origin, Page
    from agentops_graph.domain.record import Scalar

runbook_commands = typer.Typer(
    cls=desk.Commands, no_args_is_help=True, help="Runbooks and incident reports."
)
EXCERPT = 160
# Measured on alert texts of others: 96% of those that have a runbook match better, and 44% of
# those that have none.
ANSWERS = 0.65


@runbook_commands.command("search")
def search(
    ctx: typer.Context,
    query: Annotated[list[str], typer.Argument(help="What you would type into a search box.")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="At most so many sections.")] = 5,
    as_json: desk.AsJson = False,
) -> None:
    """Find sections of runbooks and incident reports.

    Example: agentops runbooks search "V14 drifted after a vendor change"
    """
    from agentops_graph.cli import screen

    pages = desk.workshop(ctx).service.search(" ".join(query), limit=limit)
    if as_json:
        screen.emit([page.model_dump(mode="json") for page in pages])
        return
    if not pages:
        screen.line("Nothing was found.")
    elif max(page.match for page in pages) < ANSWERS:
        screen.line("None of these may answer it: no runbook matches well.", "yellow")
    for page in pages:
        screen.line(page.reference, "bold cyan")
        doubt = "" if page.confirmed else "  (not confirmed by a person)"
        screen.line(f"  {page.title}{doubt}")
        excerpt = " ".join(page.text.split())
        if excerpt:
            screen.line(f"  {excerpt[:EXCERPT]}{'…' if len(excerpt) > EXCERPT else ''}", "dim")


@runbook_commands.command("show")
def show(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(help="As search and citations give it.")],
    as_json: desk.AsJson = False,
) -> None:
    """Show one section, or with a document's name all of its sections.

    Example: agentops runbooks show "model_drift.md#section-3-2-usual-causes"
    """
    from agentops_graph.cli import screen

    counter = desk.workshop(ctx)
    if "#" not in reference:
        pages = _pages_of(reference, counter)
        if as_json:
            screen.emit([page.model_dump(mode="json") for page in pages])
        for page in () if as_json else pages:
            _show(page)
        return
    page = counter.service.page(reference)
    if as_json:
        screen.emit(page.model_dump(mode="json"))
    else:
        _show(page)


def _pages_of(document: str, counter: "Counter") -> "list[Page]":
    from agentops_graph.diagnosis.wording import nearest

    counter.service.needs("read")  # before the shelf is even opened
    rows = counter.service.documents(counter.shelf.documents())
    names = [str(row["document"]) for row in rows]
    if document not in names:
        hint = nearest(document, names)
        raise NotFoundError(f"no document {document!r}{hint}; `agentops runbooks list` shows all")
    return [counter.service.page(one) for one in counter.shelf.sections(document)]


def _show(page: "Page") -> None:
    from agentops_graph.cli import screen

    screen.line(page.reference, "bold cyan")
    screen.line(page.title, "bold")
    if page.origin is not None:
        screen.line(_told(page.origin), "dim")
    for row in screen.clean_lines(page.text).split("\n"):
        screen.line(row)


@runbook_commands.command("check")
def check(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="Yours; it is read on top of those that ship.")
    ] = None,
    as_json: desk.AsJson = False,
) -> None:
    """Read all runbooks as the agent would; name file, line and reason of each refused one.

    Added folders are read, too. Ends with 2 when a document was refused or a folder is gone.

    Example: agentops runbooks check ./runbooks
    """
    from agentops_graph.bootstrap.trial import trial

    settings = desk.settings(ctx)
    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder} is no folder", field="FOLDER")
    condition = trial(settings, folder and folder.absolute())
    refused = [row for row in str(condition["refused"]).split("\n") if row]
    missing = [row for row in str(condition["missing_folders"]).split("\n") if row]
    _tell_check(condition, refused, missing, as_json)
    if refused or missing:
        raise typer.Exit(RunbookError.exit_code)


def _told(origin: "Origin") -> str:
    commit = f", commit {origin.git_commit[:12]}" if origin.git_commit else ""
    copies = f", {len(origin.copies)} copies" if origin.copies else ""
    lines = f"lines {origin.first_line} to {origin.last_line}"
    return f"{origin.path}, {lines}, version {origin.version}{commit}{copies}"


def _tell_check(
    condition: "dict[str, Scalar]", refused: list[str], missing: list[str], as_json: bool
) -> None:
    from agentops_graph.cli import screen
    from agentops_graph.cli.knowledge_told import tell_read

    if as_json:
        counts = {k: condition[k] for k in ("documents", "sections", "incidents")}
        screen.emit({**counts, "refused": refused, "missing_folders": missing})
    else:
        tell_read(condition, refused, missing)
