"""Commands on where knowledge comes from: runbooks add, remove, sync, list."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.cli.knowledge import runbook_commands
from agentops_graph.errors import RunbookError

if TYPE_CHECKING:
    from agentops_graph.cli.counter import Counter

__all__ = ["runbook_commands"]

Progress = Callable[[int, int], None]


@runbook_commands.command("add")
def add(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Any folder or git checkout of Markdown.")],
    label: Annotated[str, typer.Option(help="Its name where file names clash.")] = "",
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Read a folder of Markdown from now on, with or without front matter.

    Example: agentops runbooks add ./runbooks
    """
    counter, actor = desk.workshop(ctx), desk.person(as_name)

    def noted(place: str) -> None:
        counter.write_down("runbooks.added", actor, folder=place)

    counter.kept_shelf.add_folder(folder, label=label, noted=noted)
    _synced(counter, as_json)


@runbook_commands.command("remove")
def remove(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="One that was added.")],
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Read an added folder no longer; what came from it is forgotten.

    Example: agentops runbooks remove ./runbooks
    """
    counter, actor = desk.workshop(ctx), desk.person(as_name)

    def noted(place: str) -> None:
        counter.write_down("runbooks.removed", actor, folder=place)

    counter.kept_shelf.remove_folder(folder, noted=noted)
    _synced(counter, as_json)


@runbook_commands.command("sync")
def sync(ctx: typer.Context, as_name: desk.As = None, as_json: desk.AsJson = False) -> None:
    """Take what is new, changed or deleted, and make the vectors that are missing.

    Reports that people confirmed and that the shelf misses come back. It can be stopped at any
    time and goes on where it was.

    Example: agentops runbooks sync
    """
    counter, actor = desk.workshop(ctx), desk.person(as_name)
    counter.service.needs("administer", everywhere=True)
    counter.write_down("runbooks.synced", actor)
    counter.service.shelve_confirmed()
    _synced(counter, as_json)


@runbook_commands.command("list")
def list_documents(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """List every document with where it came from.

    Example: agentops runbooks list
    """
    from agentops_graph.cli import screen

    counter = desk.workshop(ctx)
    counter.service.needs("read")  # before the shelf is even opened
    rows = counter.service.documents(counter.shelf.documents())
    if as_json:
        screen.emit(rows)
        return
    source = object()
    for row in rows:
        if row["source"] != source:
            source = row["source"]
            commit = f" at commit {str(row['git_commit'])[:12]}" if row["git_commit"] else ""
            screen.line(f"{source or 'kept here only'}{commit}", "bold")
        guessed = "  (alert types guessed)" if row["guessed"] else ""
        screen.line(f"  {row['document']}  {row['kind']}, {row['sections']} sections{guessed}")


def _synced(counter: "Counter", as_json: bool) -> None:
    from agentops_graph.cli import screen

    shelf = counter.kept_shelf
    with _progress(as_json) as (documents, vectors):
        shelf.sync(progress=documents, vector_progress=vectors)
    condition = shelf.condition()
    refused = shelf.refused()
    if as_json:
        keys = ("documents", "sections", "incidents", "embedding", "vectors_missing")
        screen.emit({**{key: condition[key] for key in keys}, "refused": refused})
    else:
        for row in refused:
            screen.line(row, "bold red")
        screen.line(
            f"{condition['documents']} documents with {condition['sections']} sections are read, "
            f"{len(refused)} refused.",
            "red" if refused else "green",
        )
    if refused:
        raise typer.Exit(RunbookError.exit_code)


@contextmanager
def _progress(as_json: bool) -> Iterator[tuple[Progress | None, Progress | None]]:
    """Two bars on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        yield None, None
        return
    with Bars(console=console, transient=True) as bars:
        tasks = [bars.add_task(name, total=None) for name in ("documents", "vectors")]
        moves = [_mover(bars.update, task) for task in tasks]
        yield moves[0], moves[1]


def _mover(update: Callable[..., None], task: int) -> Progress:
    return lambda done, total: update(task, completed=done, total=total)
