"""Commands over the contracts of feeds: contract infer, contract check."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.domain.known import known_names
from agentops_graph.errors import AgentOpsError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_graph.domain.component import Component
    from agentops_graph.domain.contract import BatchReport, Contract

contract_commands = typer.Typer(
    cls=desk.Commands, no_args_is_help=True, help="What the batches of a feed have to look like."
)


class ViolatedError(AgentOpsError):
    """A batch that is not what its contract says."""


@contract_commands.command("infer")
def contract_infer(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A good batch: CSV, JSON lines, Parquet."),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Or a table of the warehouse, such as PREDICTION_LOGS.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the feed; by default the file's or table's name.")
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="One that not every batch has, such as a late label."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; by default it is shown.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
) -> None:
    """Write a first contract from a batch that is known to be good, for people to edit.

    Example: agentops contract infer monday.csv --name transactions --out transactions.yaml
    """
    from datetime import UTC, datetime

    from agentops_graph.adapters.pandas_batches import contract_text

    if (file is None) == (table is None):
        raise InputError("name one FILE, or a table with --table", field="contract infer")
    contract = _inferred(ctx, file, table, name, leave_out or [])
    source = str(file.name if file else f"table {table}")
    text = contract_text(contract, source=source, on=f"{datetime.now(UTC):%Y-%m-%d}")
    if out is None:
        typer.echo(text, nl=False)
        return
    if out.exists() and not force:
        raise InputError(f"{out} is there, and people may have edited it; --force replaces it")
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"can't be written: {error}", field=str(out)) from None
    _say_inferred(contract, out)


def _inferred(
    ctx: typer.Context, file: Path | None, table: str | None, name: str | None, left_out: list[str]
) -> "Contract":
    from agentops_graph.detection.contract_inference import inferred

    if file is not None:
        from agentops_graph.adapters.pandas_batches import arrival, read_batch

        batch, at = read_batch(file, as_text=None).table, arrival(file)
        name = name or file.name.split(".")[0]
    else:
        import pandas as pd

        columns, rows = desk.workshop(ctx).warehouse.rows_of(str(table))
        batch, at = pd.DataFrame(rows, columns=columns), None
        name = name or str(table).lower()
    unknown = [column for column in left_out if column not in batch.columns]
    if unknown:
        raise InputError(f"there is no column {unknown[0]}", field="--leave-out")
    return inferred(batch.drop(columns=left_out), name, arrived_at=at)


def _say_inferred(contract: "Contract", out: Path) -> None:
    from agentops_graph.cli import screen

    screen.line(
        f"The contract of {contract.name} is in {out}: {len(contract.columns)} columns, from "
        f"{contract.rows} rows.",
        "green",
    )
    screen.line("Read it, edit it, then name it in components.yaml: docs/contracts.md", "dim")


@contract_commands.command("check")
def contract_check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The batch: CSV, JSON lines or Parquet.")],
    contract: Annotated[
        Path | None, typer.Option(help="The contract's file; by default that of the pipeline.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The pipeline; by default the only one with a contract.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Also write a row of DATA_QUALITY, once per content.")
    ] = False,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Hold a batch against its contract; ends with 1 when it is violated.

    Example: agentops contract check tuesday.csv --contract transactions.yaml
    """
    from agentops_graph.adapters.pandas_batches import read_contract

    if record and contract is not None:
        raise InputError(
            "a batch is recorded under its pipeline's own contract; leave --contract out",
            field="--record",
        )
    is_new = False
    if record:
        workshop = desk.workshop(ctx)
        pipeline = _pipeline(workshop.components, name).name
        report, is_new = workshop.service.record_batch(pipeline, file, actor=desk.person(as_name))
    else:
        held = read_contract(contract) if contract else _own_contract(ctx, name)
        report = _checked(file, held)
    _tell(report, as_json, recorded=is_new if record else None)
    if report.is_violated:
        raise ViolatedError(f"{file.name} breaks the contract of {report.contract}")


def _checked(file: Path, contract: "Contract") -> "BatchReport":
    from agentops_graph.adapters.pandas_batches import arrival, read_batch
    from agentops_graph.detection.contract_check import checked

    text = [name for name, rule in contract.columns.items() if rule.dtype == "text"]
    batch = read_batch(file, as_text=text)
    return checked(
        batch.table,
        contract,
        batch=file.name,
        arrived_at=arrival(file),
        malformed=batch.malformed,
    ).report


def _own_contract(ctx: typer.Context, name: str | None) -> "Contract":
    workshop = desk.workshop(ctx)
    batches = workshop.ports.batches
    if batches is None:
        raise InputError("name the contract's file", field="--contract")
    return batches.contract(_pipeline(workshop.components, name))


def _pipeline(components: "Mapping[str, Component]", name: str | None) -> "Component":
    if name is not None:
        if name not in components:
            raise InputError(
                f"no component {name!r}; known: {known_names(components)}", field="--name"
            )
        return components[name]
    bound = [component for component in components.values() if component.contract]
    if len(bound) != 1:
        seen = ", ".join(component.name for component in bound) or "none"
        raise InputError(
            f"components.yaml gives a contract to: {seen}; say which with --name, or name the "
            "contract's file with --contract",
            field="contract check",
        )
    return bound[0]


def _tell(report: "BatchReport", as_json: bool, *, recorded: bool | None) -> None:
    from agentops_graph.cli import screen

    if as_json:
        document = report.model_dump(mode="json")
        document |= {"status": report.status, "violation_rate": report.violation_rate}
        screen.emit(document if recorded is None else document | {"recorded": recorded})
        return
    rows = [
        (
            screen.said(breach.kind.replace("_", " "), "red" if breach.counted else "dim"),
            breach.column or "",
            breach.rows,
            f"{breach.share:.1%}",
            breach.summary,
        )
        for breach in report.breaches
    ]
    if rows:
        screen.out().print(screen.table(("breach", "column", "rows", "share", "what"), rows))
    said = f"{report.batch}: {report.violations} of {report.rows} rows break the contract"
    said += f" ({report.violation_rate:.1%})"
    screen.line(said, "red" if report.is_violated else "green")
    if recorded is not None:
        screen.line(
            "Recorded in DATA_QUALITY." if recorded else "Its content was recorded before.", "dim"
        )
