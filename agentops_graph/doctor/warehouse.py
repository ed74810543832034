"""Check of a warehouse in a database server: does it answer, and what does it hold."""

import time
from typing import TYPE_CHECKING

from agentops_graph.doctor.check import Check
from agentops_graph.errors import NotEnoughDataError, UnavailableError

if TYPE_CHECKING:
    from agentops_graph.adapters.sql_warehouse import SqlWarehouse

SLOW_S = 5.0


def sql_warehouse(held: "SqlWarehouse", needed: list[str]) -> Check:
    """Tables are asked for a single row: to count a billion would cost more than it tells."""
    began = time.monotonic()
    seen, empty = [], []
    try:
        for table in needed:
            try:
                held.must_hold(table)
                seen.append(table)
            except NotEnoughDataError as error:
                empty.append((table, str(error)))
    except UnavailableError as error:
        mend = "what it says; the monitor looks again at its next tick and raises nothing meanwhile"
        return Check(name="warehouse", state="broken", seen=str(error), mend=mend)
    lasted = time.monotonic() - began
    told = (
        f"{held.session.place} answers in {lasted:.1f} s; rows in {', '.join(seen) or 'no table'}"
    )
    if empty:
        missing = ", ".join(table for table, _ in empty)
        told += f"; nothing in {missing}"
        return Check(name="warehouse", state="degraded", seen=told, mend=empty[0][1])
    state = "degraded" if lasted > SLOW_S * max(len(needed), 1) else "ok"
    return Check(name="warehouse", state=state, seen=told)


def has_rows(held: "SqlWarehouse", table: str) -> bool:
    try:
        held.must_hold(table)
    except NotEnoughDataError:
        return False
    return True
