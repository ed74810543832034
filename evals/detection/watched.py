"""Lives through cases: rows into a real warehouse, and one real look an hour."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.alert import AlertClaim
from agentops_graph.gathering.measure import measure
from evals.detection.agent_world import KINDS as AGENT_KINDS
from evals.detection.cases import HOUR, Case, Kind, Row
from evals.detection.feed_world import KINDS as FEED_KINDS
from evals.detection.model_faults import KINDS as MODEL_KINDS

KINDS: dict[str, Kind] = {k.name: k for k in (*MODEL_KINDS, *FEED_KINDS, *AGENT_KINDS)}
TRUNKS = tuple(dict.fromkeys(kind.trunk for kind in KINDS.values()))
REST = 6  # quiet looks after which the same story would be told as a new one


@dataclass
class Outcome:
    """What watching gave, over a healthy time or from a fault on."""

    kind: str
    seed: int
    quiet_looks: int = 0
    false_alarms: list[str] = field(default_factory=list)
    delay: float | None = None  # hours from the onset to the look that found it
    onset_error: float | None = None  # hours between the stated and the true beginning
    summary: str = ""  # of the claim that found it


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


def lived(trunk: str, seed: int, healthy: int) -> list[Outcome]:
    """The healthy time of a trunk, and from its end on every kind that branches off it."""
    kinds = [kind for kind in KINDS.values() if kind.trunk == trunk]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trunk.db"
        SqliteWarehouse(path).create_tables()
        cases = [kind.make(seed, healthy) for kind in kinds]
        # A control without a branch is the trunk itself.
        named = [case.kind for case in cases if not case.plan.after]
        outcomes = [_healthy(cases[0], path, *named or [f"nothing ({trunk})"])]
        for case in cases:
            if case.plan.after:
                branch = Path(folder) / "branch.db"
                shutil.copyfile(path, branch)
                outcomes.append(_branch(case, branch))
    return outcomes


@contextmanager
def _written(path: Path, case: Case) -> Iterator[Writer]:
    writer = Writer(path, case)
    try:
        yield writer
    finally:
        writer.close()


def _healthy(case: Case, path: Path, named: str) -> Outcome:
    outcome, plan = Outcome(named, case.seed), case.plan
    with _written(path, case) as writer:
        writer.add(row for hour in range(plan.history) for row in case.stream.rows(hour))
        _quiet(case, path, writer, outcome, range(plan.history, plan.fault))
    return outcome


def _branch(case: Case, path: Path) -> Outcome:
    outcome = Outcome(case.kind, case.seed)
    hours = range(case.plan.fault, case.plan.fault + case.plan.after)
    with _written(path, case) as writer:
        if case.onset is None:
            _quiet(case, path, writer, outcome, hours)
            return outcome
        for hour in hours:
            if _found(case, case.onset, _look(case, path, writer, hour), outcome):
                break
    return outcome


def _quiet(case: Case, path: Path, writer: Writer, outcome: Outcome, hours: range) -> None:
    """Looks at a time when nothing is wrong; each story that is told anew is a false alarm."""
    told: dict[tuple[str | None, str], int] = {}
    for hour in hours:
        outcome.quiet_looks += 1
        for claim in _look(case, path, writer, hour):
            story = (claim.segment, claim.alert_type)
            if hour - told.get(story, -REST - 1) > REST:
                outcome.false_alarms.append(f"{case.at(hour + 1):%d %H:%M} {claim.summary}")
            told[story] = hour


def _look(case: Case, path: Path, writer: Writer, hour: int) -> list[AlertClaim]:
    warehouse = SqliteWarehouse(path)
    case.stream.begin(warehouse, hour)
    writer.add(case.stream.rows(hour))
    return measure(warehouse, case.component, case.at(hour + 1)).grouped()


def _found(case: Case, onset: datetime, claims: list[AlertClaim], outcome: Outcome) -> bool:
    """Whether a claim tells of the fault; then when it was found, and how well it was dated."""
    telling = [c for c in claims if case.expected & {f.alert_type for f in c.findings}]
    if not telling:
        return False
    claim = telling[0]
    # Without an onset people are shown the window.
    stated = claim.onset_at or min(f.window_start for f in claim.findings)
    outcome.delay = (claim.timestamp - onset) / HOUR
    outcome.onset_error = abs(stated - onset) / HOUR
    outcome.summary = claim.summary
    return True
