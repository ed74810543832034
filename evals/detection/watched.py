"""Lives through a case: rows into a real warehouse, and one real look an hour."""

import sqlite3
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.alert import AlertClaim
from agentops_graph.gathering.measure import measure
from evals.detection import agent_world, feed_world, model_world  # noqa: F401
from evals.detection.agent_world import KINDS as AGENT_KINDS
from evals.detection.cases import HOUR, Case, Kind, Row
from evals.detection.feed_world import KINDS as FEED_KINDS
from evals.detection.model_faults import KINDS as MODEL_KINDS

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (*MODEL_KINDS, *FEED_KINDS, *AGENT_KINDS)
}
REST = 6  # quiet looks after which the same story would be told as a new one


@dataclass
class Outcome:
    """What watching one case gave."""

    kind: str
    seed: int
    quiet_looks: int = 0
    false_alarms: list[str] = field(default_factory=list)
    delay: float | None = None  # hours from the onset to the look that found it
    onset_error: float | None = None  # hours between the stated and the true beginning
    found: str = ""


class Writer:
    """One open connection that adds rows in bulk, in the stored form."""

    def __init__(self, path: Path, case: Case) -> None:
        names = ", ".join(case.stream.columns)
        marks = ", ".join("?" for _ in case.stream.columns)
        self._insert = f"INSERT INTO {case.stream.table} ({names}) VALUES ({marks})"
        self._connection = sqlite3.connect(path)
        # The file is thrown away, so nothing has to outlive a crash.
        self._connection.execute("PRAGMA synchronous=OFF")

    def add(self, rows: Iterable[Row]) -> None:
        with self._connection:
            self._connection.executemany(self._insert, rows)

    def close(self) -> None:
        self._connection.close()


def watched(kind: str, seed: int, healthy: int) -> Outcome:
    """One case of that kind, looked at every hour until the fault is found."""
    case = KINDS[kind].make(seed, healthy)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.db"
        warehouse = SqliteWarehouse(path)
        warehouse.create_tables()
        writer = Writer(path, case)
        try:
            return _lived(case, warehouse, writer)
        finally:
            writer.close()


def _lived(case: Case, warehouse: SqliteWarehouse, writer: Writer) -> Outcome:
    outcome = Outcome(case.kind, case.seed)
    told: dict[tuple[str | None, str], int] = {}  # the look at which a story was last seen
    plan, stream = case.plan, case.stream
    writer.add(row for hour in range(plan.history) for row in stream.rows(hour))
    for hour in range(plan.history, plan.fault + plan.after):
        stream.begin(warehouse, hour)
        writer.add(stream.rows(hour))
        now = case.at(hour + 1)
        claims = measure(warehouse, case.component, now).grouped()
        if case.onset is not None and now > case.onset:
            if _found(case, claims, outcome, now):
                break
            continue
        outcome.quiet_looks += 1
        for claim in claims:
            story = (claim.segment, claim.alert_type)
            if hour - told.get(story, -REST - 1) > REST:
                outcome.false_alarms.append(f"{now:%d %H:%M} {claim.summary}")
            told[story] = hour
    return outcome


def _found(case: Case, claims: list[AlertClaim], outcome: Outcome, now: object) -> bool:
    """Whether a claim tells of the fault; then when it was found, and how well it was dated."""
    assert case.onset is not None
    kinds = {f.alert_type for claim in claims for f in claim.findings}
    if not kinds & case.expected:
        return False
    claim = next(c for c in claims if {f.alert_type for f in c.findings} & case.expected)
    outcome.delay = (claim.timestamp - case.onset) / HOUR
    stated = claim.onset_at or min(f.window_start for f in claim.findings)
    outcome.onset_error = abs(stated - case.onset) / HOUR
    outcome.found = claim.summary
    return True
