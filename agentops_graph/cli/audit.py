"""Commands over the record of who did what: audit verify, audit export."""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import AgentOpsError, InputError, UnavailableError

if TYPE_CHECKING:
    from agentops_graph.domain.ledger import Anchor
    from agentops_graph.domain.record import Scalar

audit_commands = typer.Typer(
    cls=desk.Commands, no_args_is_help=True, help="The record of who did what."
)
COLUMNS = ("seq", "at", "what", "actor", "via", "incident_id", "fields", "previous", "hash")
TELL_EVERY = 5000  # rows


class BrokenAuditError(AgentOpsError):
    """The chain of audit rows does not hold."""


@audit_commands.command("verify")
def audit_verify(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """Check that no row of the audit was changed, put in, moved or taken out.

    Ends with 1 and the first bad row when the chain does not hold, and says which row the anchor
    outside the table holds, without which a cut tail can't be seen.

    Example: agentops audit verify
    """
    from agentops_graph.cli import screen

    audit = desk.workshop(ctx).audit
    anchor = audit.anchored()
    with progress("checking", audit.last_row()) as told:
        fault = audit.verify(told)
    if as_json:
        problem, row = (None, None) if fault is None else (fault.problem, fault.row)
        seen = {"intact": fault is None, "problem": problem, "row": row, "rows": audit.last_row()}
        screen.emit({**seen, "anchored": anchor.row if anchor else None})
    if fault is not None:
        raise BrokenAuditError(f"the audit does not hold: {fault}")
    if not as_json:
        screen.line("The audit holds: every row is as it was written.", "green")
        screen.line(compared(anchor), "yellow" if anchor is None or anchor.row is None else "green")


def compared(anchor: "Anchor | None") -> str:
    """What a verified chain was held against."""
    if anchor is not None and anchor.row is not None:
        return f"Row {anchor.row} is the one that is anchored in {anchor.place}."
    return f"No anchor at {anchor.place if anchor else 'all'}: a cut tail can't be seen."


@audit_commands.command("export")
def audit_export(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="By default standard output.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="The first day, or an ISO-8601 time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="The end; itself not included.")
    ] = None,
    incident: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what concerns this incident.")
    ] = None,
    shape: Annotated[
        Literal["jsonl", "csv"] | None,
        typer.Option("--format", help="By default as FILE is called, otherwise JSON lines."),
    ] = None,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Write audit rows out, one a line, with what it takes to check them elsewhere.

    Who exported what is a row of the audit, too. Times without an offset are UTC. With --json and a
    FILE, what was written is told as JSON.

    Example: agentops audit export march.jsonl --since 2026-03-01 --until 2026-04-01
    """
    from agentops_graph.cli import screen

    workshop, start, end = desk.workshop(ctx), _time(since, "--since"), _time(until, "--until")
    audit, incident_id = workshop.audit, incident.upper() if incident else None
    if file is not None and file.exists():
        raise InputError(f"{file} is there already; name another", field="FILE")
    audit.write(
        "audit.exported",
        actor=workshop.service.called(desk.person(as_name)),
        via="cli",
        at=workshop.ports.clock.now(),
        incident_id=incident_id,
        since=since,
        until=until,
        file=str(file) if file else None,
    )
    chosen = shape or ("csv" if file and file.suffix.lower() == ".csv" else "jsonl")
    with progress("exporting", audit.last_row()) as told, _opened(file) as stream:
        rows = audit.exported(since=start, until=end, incident_id=incident_id)
        count = _WRITERS[chosen](_told(rows, told), stream)
    if file is None:
        return
    if as_json:
        screen.emit({"file": str(file), "format": chosen, "rows": count})
    else:
        screen.line(f"{count} rows are in {file}.", "green")


def _write_lines(rows: "Iterator[dict[str, Scalar]]", stream: IO[str]) -> int:
    count = 0
    for row in rows:
        stream.write(json.dumps({name: row[name] for name in COLUMNS}) + "\n")
        count += 1
    return count


def _write_table(rows: "Iterator[dict[str, Scalar]]", stream: IO[str]) -> int:
    table, count = csv.writer(stream, lineterminator="\n"), 0
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow(["" if row[name] is None else row[name] for name in COLUMNS])
        count += 1
    return count


_WRITERS = {"jsonl": _write_lines, "csv": _write_table}


def _told(
    rows: "Iterator[dict[str, Scalar]]", told: Callable[[int], None]
) -> "Iterator[dict[str, Scalar]]":
    for number, row in enumerate(rows):
        if number % TELL_EVERY == 0:
            told(int(row["seq"] or 0))
        yield row


@contextmanager
def _opened(file: Path | None) -> Iterator[IO[str]]:
    """The file appears when it is whole; one that is there is never written over."""
    if file is None:
        yield sys.stdout
        return
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with unfinished.open("x", encoding="utf-8", newline="") as stream:
            yield stream
        os.link(unfinished, file)
    except OSError as error:
        raise UnavailableError(f"{file} can't be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from agentops_graph.cli import screen

    console = screen.err()
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.completed:,.0f} rows"))
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda rows: bar.update(task, completed=rows)


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the ends of the calendar have no date in UTC
        raise InputError(f"{text!r} is no date such as 2026-03-01", field=option) from None
