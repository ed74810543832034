"""Commands that load rows of files into the warehouse, one for each kind."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk, quarantine
from agentops_graph.domain.row_kinds import ROW_KINDS, RowKind
from agentops_graph.errors import AgentOpsError, InputError

if TYPE_CHECKING:
    from agentops_graph.access import Access
    from agentops_graph.domain.rows import Reading, Taken

ingest_commands = typer.Typer(
    cls=desk.Commands, no_args_is_help=True, help="Rows of yours into the warehouse."
)
WORDS: dict[RowKind, str] = {
    "predictions": "what models predicted, one row each (PREDICTION_LOGS)",
    "labels": "what was true, by prediction_id (PREDICTION_LOGS.actual_label)",
    "metrics": "metrics of models (MODEL_METRICS)",
    "quality": "batches of pipelines (DATA_QUALITY)",
    "agents": "metrics of agents (AGENT_METRICS)",
    "outputs": "requests to agents and text models (AGENT_OUTPUTS)",
    "changes": "what somebody changed (CHANGES)",
}
SHOWN = 20  # different reasons

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="CSV, JSON or Parquet; `-` is stdin.")
]
Rename = Annotated[
    list[str] | None, typer.Option("--rename", metavar="THEIRS=OURS", help="A column.")
]
Fixed = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="The same value in every row."),
]
Features = Annotated[
    str | None,
    typer.Option(metavar="A,B,V*", help="Columns that become `features`; V* is a prefix."),
]
LeftOut = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="A column to pass over.")]
Own = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN", help="A metric of your own (metrics).")
]
Format = Annotated[str | None, typer.Option("--format", help="csv, tsv, jsonl, json or parquet.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the rows and write nothing.")]
Decimal = Annotated[
    str | None, typer.Option(metavar=",", help="What numbers in text have before their fraction.")
]
Again = Annotated[
    bool, typer.Option("--again", help="Load content once more; predictions still count once.")
]


class QuarantinedError(AgentOpsError):
    """Some rows could not be loaded."""


def _command(kind: RowKind) -> Callable[..., None]:
    def load(
        ctx: typer.Context,
        files: Files,
        features: Features = None,
        rename: Rename = None,
        fixed: Fixed = None,
        leave_out: LeftOut = None,
        own: Own = None,
        form: Format = None,
        decimal: Decimal = None,
        dry_run: DryRun = False,
        again: Again = False,
        name: desk.As = None,
        as_json: desk.AsJson = False,
    ) -> None:
        reading = _reading(features, rename, fixed, leave_out, own, decimal)
        service = desk.workshop(ctx).service
        person = desk.person(name)
        taken: list[Taken] = []
        try:
            for path in files:
                with _shown(path, as_json) as on_chunk:
                    taken.append(
                        _load(service, kind, path, form, reading, person, on_chunk, dry_run, again)
                    )
        finally:  # a later file that is refused takes nothing back of the earlier ones
            _tell(taken, as_json, dry_run)
        _complain_of(taken, dry_run)

    load.__doc__ = f"""Load {WORDS[kind]}.

    Rows that can't go in are kept in quarantine. What was loaded is not loaded twice, and a load
    that was broken off goes on where it had come to.

    Example: agentops ingest {kind} {kind}.csv
    """
    return load


for _kind in ROW_KINDS:
    ingest_commands.command(_kind)(_command(_kind))
ingest_commands.command("quarantine")(quarantine.quarantine)


def _reading(
    features: str | None,
    rename: list[str] | None,
    fixed: list[str] | None,
    leave_out: list[str] | None,
    own: list[str] | None,
    decimal: str | None,
) -> "Reading":
    from agentops_graph.domain.rows import Reading

    if decimal is not None and decimal not in (",", "."):
        raise InputError("is neither `,` nor `.`", field="--decimal")
    return Reading(
        renamed=_pairs(rename, "--rename"),
        fixed=_pairs(fixed, "--set"),
        features=tuple(part.strip() for part in (features or "").split(",") if part.strip()),
        left_out=tuple(leave_out or ()),
        own=tuple(own or ()),
        decimal=decimal,
    )


def _complain_of(taken: "list[Taken]", dry_run: bool) -> None:
    refused = sum(one.refused for one in taken)
    if refused and dry_run:
        raise QuarantinedError(f"{refused} rows would be refused")
    if refused and all(one.is_known for one in taken if one.refused):
        raise QuarantinedError(
            f"{refused} rows were refused before; what is still in quarantine is listed by "
            "`agentops ingest quarantine`"
        )
    if refused:
        raise QuarantinedError(
            f"{refused} rows are in quarantine; see them with `agentops ingest quarantine`"
        )


def _load(
    service: "Access",
    kind: RowKind,
    path: Path,
    form: str | None,
    reading: "Reading",
    person: str,
    on_chunk: "Callable[[Taken, float], None]",
    dry_run: bool,
    again: bool,
) -> "Taken":
    from agentops_graph.adapters.row_files import FORMATS, open_rows

    if form is not None and form not in FORMATS:
        raise InputError(f"is none of {', '.join(FORMATS)}", field="--format")
    service.needs("report")  # before a long look at the file
    with open_rows(path, form, sys.stdin.buffer) as source:
        return service.ingest(
            source,
            kind,
            reading,
            actor=person,
            dry_run=dry_run,
            again=again,
            on_chunk=on_chunk,
        )


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise InputError(f"{text!r} is not of the form NAME=VALUE", field=option)
        pairs[name.strip()] = value.strip()
    return pairs


@contextmanager
def _shown(path: Path, as_json: bool) -> "Iterator[Callable[[Taken, float], None]]":
    """A bar on a terminal, nothing elsewhere."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from agentops_graph.cli import screen

    console = screen.err()
    columns = (
        TextColumn("{task.fields[what]}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
    )
    is_shown = console.is_terminal and not as_json
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as bar:
        task = bar.add_task("", total=1.0, what=screen.clean(path.name), rows="")
        yield lambda taken, done: bar.update(
            task, completed=done, rows=f"{taken.read:,} rows, {taken.refused:,} refused"
        )


def _tell(taken: "list[Taken]", as_json: bool, dry_run: bool) -> None:
    from agentops_graph.cli import screen

    if as_json:
        files = [one.model_dump(mode="json") for one in taken]
        names = ("read", "loaded", "repeated", "refused")
        totals = {name: sum(getattr(one, name) for one in taken) for name in names}
        screen.emit(totals | {"dry_run": dry_run, "files": files})
        return
    for one in taken:
        screen.line(_words(one, dry_run), "yellow" if one.refused else "green")
        for reason, count in sorted(one.reasons.items(), key=lambda pair: -pair[1])[:SHOWN]:
            first = next((r for r in one.shown if r.reason.startswith(reason)), None)
            where = f"; first in line {first.line}{first.reason[len(reason) :]}" if first else ""
            screen.line(f"  {count:,} x {reason}{where}")


def _words(taken: "Taken", dry_run: bool) -> str:
    if taken.is_known:
        begun = "was loaded before and is not loaded again"
    elif not taken.read:
        return f"{taken.source}: holds no rows, only its header"
    else:
        begun = "checked, nothing written" if dry_run else "done"
        if taken.resumed_at:
            begun += f", gone on after row {taken.resumed_at:,}"
    loaded = "good" if dry_run else "loaded"
    repeated = f", {taken.repeated:,} were there already" if taken.repeated else ""
    return (
        f"{taken.source}: {begun}: {taken.read:,} rows read, {taken.loaded:,} {loaded}{repeated}, "
        f"{taken.refused:,} refused"
    )
