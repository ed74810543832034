"""The command that shows rows that could not go in, and writes them out to be mended."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.domain.row_kinds import REFUSED_COLUMN, ROW_KINDS, TEXT_COLUMN
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.access import Access
    from agentops_graph.domain.rows import Quarantined

SHOWN = 20
SHOWN_RAW = 120  # characters


def quarantine(
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Only rows of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many are listed.")] = SHOWN,
    export: Annotated[
        Path | None, typer.Option(help="Write all of them to a file of JSON lines.")
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="With --export: take them out of the quarantine.")
    ] = False,
    as_json: desk.AsJson = False,
) -> None:
    """List the rows that could not go in, or write them to a file, to be mended and loaded again.

    Example: agentops ingest quarantine --kind predictions --export bad.jsonl --remove
    """
    from agentops_graph.cli import screen

    if kind is not None and kind not in ROW_KINDS:
        raise InputError(f"is none of {', '.join(ROW_KINDS)}", field="--kind")
    if remove and export is None:
        raise InputError("takes out only what --export has written", field="--remove")
    service = desk.workshop(ctx).service
    if export is not None:
        count = _export(service, kind, export, remove)
        if as_json:
            screen.emit({"exported": count, "file": str(export), "removed": remove})
            return
        screen.line(f"{count:,} rows are in {export}. Mend them, then load that file.", "green")
        return
    _list(service, kind, limit, as_json)


def _list(service: "Access", kind: str | None, limit: int, as_json: bool) -> None:
    from agentops_graph.cli import screen
    from agentops_graph.domain.redaction import redacted

    intake = service.intake
    held, rows = intake.condition(kind), list(intake.quarantined(kind, limit))
    if as_json:
        listed = [{**vars(row), "raw": redacted(row.raw)} for row in rows]
        screen.emit(held.model_dump(mode="json") | {"listed": listed})
        return
    cells = [
        (row.number, row.kind, f"{row.source}:{row.line}", row.reason,
         redacted(row.raw)[:SHOWN_RAW])
        for row in rows
    ]  # fmt: skip
    if cells:
        screen.out().print(screen.table(("no.", "kind", "where", "why", "row"), cells))
    shown = f"{len(rows):,} of " if len(rows) < held.rows else ""
    of_kind = f" of {kind}" if kind else ""
    screen.line(f"{shown}{held.rows:,} rows{of_kind} in quarantine, {held.loads:,} loads", "bold")
    for source in held.unfinished:
        screen.line(f"broken off: {source}; load it again and it goes on", "yellow")


def _export(service: "Access", kind: str | None, path: Path, remove: bool) -> int:
    """The rows as they came, each with what is wrong; on the disk before one is removed."""
    intake = service.intake
    numbers: list[int] = []
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            for row in intake.quarantined(kind):
                file.write(json.dumps(_exported(row)) + "\n")
                numbers.append(row.number)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise InputError("is there already; name another file", field=str(path)) from None
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", field=str(path)) from None
    if remove:
        intake.remove(numbers)
    return len(numbers)


def _exported(row: "Quarantined") -> dict[str, object]:
    try:
        held = json.loads(row.raw)
    except ValueError:
        held = None
    fields = held if isinstance(held, dict) else {TEXT_COLUMN: row.raw}
    return {REFUSED_COLUMN: f"{row.kind}, {row.source}:{row.line}: {row.reason}", **fields}
