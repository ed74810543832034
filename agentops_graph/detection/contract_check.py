"""Checks a batch against its contract: what is wrong, in which rows, in which column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agentops_graph.detection.cell_checks import judge_column
from agentops_graph.detection.duplicates import misplaced, repeated
from agentops_graph.detection.likeness import renamed, swapped
from agentops_graph.detection.typed import typed
from agentops_graph.detection.violations import Violations, excess
from agentops_graph.domain.contract import BatchReport
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.detection.typed import Mask, Typed
    from agentops_graph.domain.contract import ColumnRule, Contract

WRONG_ALL_OVER = 0.5  # of the cells; then it is the column and not its cells
NAMED = 5  # columns in one sentence


@dataclass(frozen=True)
class Checked:
    """A report, and the rows it is about (in the order of the batch)."""

    report: BatchReport
    flagged: Mask  # rows with anything that is not usual


def checked(
    table: Any,
    contract: Contract,
    *,
    batch: str = "batch",
    arrived_at: datetime | None = None,
    malformed: int = 0,
) -> Checked:
    """Checks a pandas table; `malformed` rows could not be read into it and count as wrong.

    Cost: linear in cells. Raises InputError for a table in which two columns have the same name.
    """
    twice = sorted({str(n) for n in table.columns[table.columns.duplicated()]})
    if twice:
        raise InputError(f"the column {twice[0]} stands twice; rename one of them", field=batch)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # of absurd numbers
        return _checked(table, contract, batch, arrived_at, malformed)


def _checked(
    table: Any, contract: Contract, batch: str, arrived_at: datetime | None, malformed: int
) -> Checked:
    found = Violations(len(table))
    columns = _columns(table, contract, found)
    if not len(table):
        found.note("empty_batch", "the batch holds no row")
    null_cells = 0.0
    missing: dict[str, int] = {}
    unseen: dict[str, int] = {}
    for name, column in columns.items():
        seen = judge_column(found, contract, name, column)
        null_cells += seen.excess_missing
        missing |= {name: seen.missing} if seen.missing else {}
        unseen |= {name: seen.unseen} if seen.unseen else {}
    _swaps(found, contract, columns)
    _repeats(found, contract, columns)
    _age(found, contract, columns, arrived_at)
    cells = len(table) * max(len(contract.columns), 1)
    rows = len(table) + malformed
    if malformed:
        said = f"{malformed} rows have another number of cells than the header"
        found.breaches.append(_malformed(malformed, rows, said))
    report = BatchReport(
        contract=contract.name,
        batch=batch,
        rows=rows,
        violations=found.count + malformed,
        allowed_rate=contract.allowed_rate,
        null_rate=null_cells / cells if cells else 0.0,
        breaches=tuple(sorted(found.breaches, key=lambda b: (not b.counted, -b.rows))),
        missing=missing,
        unseen=unseen,
        arrived_at=arrived_at,
    )
    return Checked(report, found.flagged)


def _malformed(count: int, rows: int, summary: str) -> Any:
    from agentops_graph.domain.contract import Breach  # noqa: PLC0415 - only here

    return Breach(kind="malformed_rows", rows=count, share=count / rows, summary=summary)


def _columns(table: Any, contract: Contract, found: Violations) -> dict[str, Typed]:
    """The contract's columns as their types; those that are gone or retyped are written down."""
    there = {str(name): name for name in table.columns}
    gone = {name: rule for name, rule in contract.columns.items() if name not in there}
    new = [name for name in there if name not in contract.columns]
    _names(table, there, gone, new, contract, found)
    columns: dict[str, Typed] = {}
    for name, rule in contract.columns.items():
        if name in gone:
            continue
        column = typed(table[there[name]], rule.dtype)
        held = int((~column.missing).sum())
        if held and column.wrong.sum() > WRONG_ALL_OVER * held:
            share = column.wrong.sum() / held
            how = str(table[there[name]].dtype)
            found.keep_whole(
                "retyped_column",
                f"{name} was {rule.dtype} and is not now: {share:.0%} of its values are no "
                f"{rule.dtype} (read as {how})",
                name,
            )
            continue
        columns[name] = column
    return columns


def _names(
    table: Any,
    there: dict[str, Any],
    gone: dict[str, ColumnRule],
    new: list[str],
    contract: Contract,
    found: Violations,
) -> None:
    kinds = {rule.dtype for rule in gone.values()}
    added = {name: {kind: typed(table[there[name]], kind) for kind in kinds} for name in new}
    now_called = renamed(gone, added)
    for old, name in now_called.items():
        found.keep_whole("renamed_column", f"{old} is called {name} now", old)
    lost = [n for n, rule in gone.items() if n not in now_called and rule.required]
    for name in lost[:NAMED]:
        found.keep_whole("dropped_column", f"{name} is gone", name)
    if len(lost) > NAMED:
        found.keep_whole("dropped_column", f"{len(lost) - NAMED} more columns are gone")
    more = [name for name in new if name not in now_called.values()]
    if not more:
        return
    named = ", ".join(more[:NAMED]) + (
        f" and {len(more) - NAMED} more" if len(more) > NAMED else ""
    )
    said = f"not in the contract: {named}"
    if contract.more_columns:
        found.note("added_column", said, more[0])
    else:
        found.keep_whole("added_column", said, more[0])


def _swaps(found: Violations, contract: Contract, columns: dict[str, Typed]) -> None:
    for one, other in swapped(contract, columns):
        said = f"{one} and {other} have changed places: each holds what the other held"
        found.keep_whole("swapped_columns", said, one)


def _repeats(found: Violations, contract: Contract, columns: dict[str, Typed]) -> None:
    unique = False
    for key in contract.keys:
        if not set(key) <= columns.keys():
            continue
        parts = [columns[name] for name in key]
        known = ~np.logical_or.reduce([part.missing | part.wrong for part in parts])
        again = repeated(parts, found.rows) & known
        if len(parts) == 1 and len(parts[0].numbers):
            again = misplaced(parts[0].numbers, again)
        unique |= not again.any() and bool(known.all())
        name = ", ".join(key)
        said = f"{int(again.sum())} rows have a {name} that stands in the batch before"
        found.keep("duplicate_keys", again, said, column=name)
    if contract.duplicate_rate is None or unique or len(columns) < len(contract.columns):
        return
    again = repeated(columns.values(), found.rows)
    count = int(again.sum())
    # Of more rows more are alike by chance, in proportion.
    usual = min(1.0, contract.duplicate_rate * max(1.0, found.rows / max(contract.rows, 1)))
    weight = excess(count, found.rows, usual, contract.rows, len(contract.columns))
    said = f"{count} rows repeat an earlier row, usually {usual:.1%}"
    found.keep("duplicate_rows", again, said, weight=weight, usual=usual)


def _age(
    found: Violations, contract: Contract, columns: dict[str, Typed], arrived_at: datetime | None
) -> None:
    fresh = contract.freshness
    if fresh is None or arrived_at is None or fresh.column not in columns:
        return
    times = columns[fresh.column].numbers
    times = times[np.isfinite(times)]
    if not len(times):
        return
    age_h = (arrived_at.timestamp() - float(times.max())) / 3600
    if age_h * 3600 > fresh.max_age_s:
        said = (
            f"the newest {fresh.column} is {age_h:.1f} h old, at most {fresh.max_age_s / 3600:g} h"
        )
        found.keep_whole("late_data", said, fresh.column)
