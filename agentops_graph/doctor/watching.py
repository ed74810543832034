"""Checks of what is watched and by what it is judged: components, warehouse, knowledge."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agentops_graph.adapters.sqlite_warehouse.tables import nothing_in
from agentops_graph.doctor.check import Check, State, Visit
from agentops_graph.doctor.warehouse import has_rows, sql_warehouse
from agentops_graph.domain.component import Component
from agentops_graph.errors import InputError, NotEnoughDataError, UnavailableError
from agentops_graph.warehouse.tables import TABLES

if TYPE_CHECKING:
    from agentops_graph.adapters.sql_warehouse import SqlWarehouse

OLD_DATA_S = 3600.0
NEEDS = {
    "model": ("PREDICTION_LOGS", "MODEL_METRICS", "MODEL_REFERENCE"),
    "pipeline": ("DATA_QUALITY",),
    "agent": ("AGENT_METRICS",),
}


def components(visit: Visit) -> list[Check]:
    watched = visit.ports.components
    if watched:
        seen = ", ".join(f"{c.name} ({c.kind})" for c in watched.values())
        return [Check(name="components", state="ok", seen=seen)]
    file = visit.settings.components_file or visit.settings.home / "components.yaml"
    mend = f"describe what to watch in {file}, or see one at work with `agentops demo`"
    return [Check(name="components", state="degraded", seen="none is configured", mend=mend)]


def warehouse(visit: Visit) -> list[Check]:
    watched = list(visit.ports.components.values())
    elsewhere = _elsewhere(visit)
    here = [component for component in watched if component.name not in elsewhere]
    if getattr(visit.ports.history, "session", None) is not None:
        return _on_a_server(visit, here)
    rows = _row_counts(visit.places.warehouse)
    counted = ", ".join(f"{name} {count}" for name, count in rows.items() if count) or "no rows"
    needed = list(dict.fromkeys(_needed(here, rows)))
    needed = needed if watched else ["PREDICTION_LOGS"]
    empty = [table for table in needed if not rows.get(table)]
    if empty:
        mend = str(nothing_in(visit.places.warehouse, empty[0], "has no rows"))
        seen = f"{counted}; nothing in {', '.join(empty)}"
        return [Check(name="warehouse", state="degraded", seen=seen, mend=mend)]
    return [Check(name="warehouse", state="ok", seen=counted), *_freshness(visit, here)]


def _elsewhere(visit: Visit) -> frozenset[str]:
    """Components that a declared source measures; what is wrong with the file is told there."""
    try:
        declared = visit.ports.sources()
    except InputError:
        return frozenset()
    return frozenset[str]().union(*(source.components for source in declared))


def _on_a_server(visit: Visit, watched: list[Component]) -> list[Check]:
    held = cast("SqlWarehouse", visit.ports.history)
    needed = _needed(watched, {"AGENT_OUTPUTS": int(has_rows(held, "AGENT_OUTPUTS"))})
    check = sql_warehouse(held, list(dict.fromkeys(needed)) or ["PREDICTION_LOGS"])
    return [check] if check.state == "broken" else [check, *_freshness(visit, watched)]


def _needed(watched: list[Component], rows: dict[str, int]) -> list[str]:
    """What is said by an agent's or a text model's outputs needs no other table."""
    pipelines = [table for c in watched if c.feeds for table in NEEDS["pipeline"]]
    silent = [
        c for c in watched if not (rows.get("AGENT_OUTPUTS") and (c.kind == "agent" or c.speaks))
    ]
    return [table for c in silent for table in NEEDS[c.kind]] + pipelines


def _row_counts(file: Path) -> dict[str, int]:
    """Rows by table; a file or a table that is not there has none. Nothing is made."""
    if not file.exists():
        return {}
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    try:
        held = {row[0].upper() for row in connection.execute("SELECT name FROM sqlite_master")}
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in TABLES
            if table in held
        }
    except sqlite3.Error as error:
        raise UnavailableError(f"{file} can't be read: {error}") from error
    finally:
        connection.close()


def _freshness(visit: Visit, watched: list[Component]) -> list[Check]:
    """How old each model's newest prediction is."""
    checks = []
    for component in watched:
        if component.kind != "model" or component.speaks:
            continue
        name = f"data of {component.name}"
        try:
            newest = visit.ports.warehouse.latest(component.name)
        except NotEnoughDataError as error:
            checks.append(Check(name=name, state="degraded", seen=str(error)))
            continue
        if newest is None:
            checks.append(Check(name=name, state="degraded", seen="it has no prediction"))
            continue
        age = (datetime.now(UTC) - newest[0]).total_seconds()
        state: State = "degraded" if age > OLD_DATA_S else "ok"
        seen = f"newest prediction {age / 60:.0f} min old, version {newest[1] or 'not said'}"
        checks.append(Check(name=name, state=state, seen=seen))
    return checks


def knowledge(visit: Visit) -> list[Check]:
    condition = visit.ports.shelf.condition()
    seen = (
        f"{condition['sections']} sections of {condition['documents']} documents, "
        f"embedding {condition['embedding']}, index: {condition['index']}"
    )
    rerank = str(condition.get("rerank", "none"))
    if rerank != "none":
        seen += f", rerank: {rerank}"
    refused = str(condition.get("refused") or "")
    gone = str(condition.get("missing_folders") or "")
    if gone:
        rows = ", ".join(gone.split("\n"))
        seen += f"; gone, with what was read from it kept: {rows}"
    if refused:
        rows = "; ".join(refused.split("\n"))
        seen += f"; refused: {rows}"
    missing = condition.get("vectors_missing")
    if missing:
        seen += f"; {missing} sections wait for a vector and are found by their words only"
    unread = rerank.startswith("fails")
    mend = "agentops runbooks check" if refused or gone else "agentops runbooks sync"
    if unread:
        mend = "set AGENTOPS_RERANK to a folder that can be read, or to none"
    if refused or gone or missing or unread:
        return [Check(name="knowledge", state="degraded", seen=seen, mend=mend)]
    return [Check(name="knowledge", state="ok", seen=seen)]
