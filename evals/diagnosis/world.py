"""Lives through a case: rows into a warehouse, the monitor's round, and the graph to its pause."""

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, process_time
from typing import Any

from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
from agentops_graph.adapters.memory.outside import (
    CollectingNotifier,
    FixedModels,
    RecordingActuator,
    SteppingClock,
)
from agentops_graph.adapters.silent_tracker import SilentTracker
from agentops_graph.adapters.sqlalchemy_ledger import Database, ledger_ports
from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.adapters.sqlite_warehouse.columns import time_text
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.action import ACTION_KINDS, NOTICE_KINDS
from agentops_graph.domain.component import Component
from agentops_graph.domain.diagnosis import Brief, Diagnosis
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.policy import Policy
from agentops_graph.errors import UnavailableError
from agentops_graph.graph import build_graph
from agentops_graph.monitor import tick
from agentops_graph.ports import Ports
from agentops_graph.runner import Runner
from evals.detection.cases import HOUR, Case, Row, Stream
from evals.detection.feed_world import NAME as FEED
from evals.diagnosis.around import Around, busy_rows, drawn, usual_feed
from evals.diagnosis.asked import Said, asked
from evals.diagnosis.scenario import Scenario
from evals.model_choice import Choice

RUNBOOKS = Path(__file__).parent.parent.parent / "runbooks"
ROUNDS = 50


@dataclass
class Told:
    """One incident's diagnosis with what it was made from."""

    brief: Brief
    diagnosis: Diagnosis
    precedent: str | None = None  # of the shelf that was read


@dataclass
class Lived:
    """What a case gave: diagnoses in order, or why it could not be run."""

    scenario: str
    seed: int
    told: list[Told] = field(default_factory=list)
    admitted: int = 0
    seconds: float = 0.0  # the slowest incident, from its alert to the pause of its graph
    processor_s: float = 0.0  # of it, what a processor worked: the rest is the machine's other work
    trouble: str | None = None
    asked: list[Said] = field(default_factory=list)  # of every arm, when a model takes part


class NotedReasoner:
    """The product's reasoner, with its briefs and answers kept."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self._reasoner = EvidenceWeights()

    def diagnose(self, brief: Brief) -> Diagnosis:
        found = self._reasoner.diagnose(brief)
        self.told.append(Told(brief, found))
        return found


class SilentModels(FixedModels):
    """A registry that does not answer."""

    def versions(self, model: str) -> list[Version]:
        raise UnavailableError("the registry does not answer")


def live(
    scenario: Scenario, seed: int, trunk: Path, folder: Path, choice: Choice | None = None
) -> Lived:
    """From the first hour of the fault to the first diagnosis; a control to the end of its time."""
    case = scenario.made(seed)
    around = scenario.around(case, drawn(case, scenario.name))
    component = case.component
    if around.feed is not None:
        component = component.model_copy(update={"feeds": (FEED,)})
    path = folder / "warehouse.db"
    shutil.copyfile(trunk, path)
    _record(path, case, around)
    lived = Lived(scenario.name, seed)
    ports, reasoner, clock = _desk(folder, path, component, case, around)
    saver = open_checkpoints(folder / "checkpoints.db")
    with closing(saver.conn):
        runner = Runner(
            ports, build_graph(saver), kind="eval", lease_s=15, public_url="http://eval"
        )
        hours = range(case.plan.fault, case.plan.fault + scenario.hours)
        for hour in hours:
            _hour(path, case, around, hour)
            clock.move((case.at(hour + 1) - clock.now()).total_seconds())
            lived.admitted += len(tick(ports).admissions)
            if scenario.recovers and lived.admitted:
                _hour(path, case, around, hour + 1)
                clock.move(HOUR.total_seconds())
            _work(runner, lived)
            if reasoner.told or (scenario.recovers and lived.admitted):
                break
        if choice is not None and choice.has_model and reasoner.told:
            # After the pause: what a model takes is no time of the weights'.
            lived.asked = asked(choice, reasoner.told[0].brief, lambda: ports)
    lived.told = [replace(told, precedent=around.precedent) for told in reasoner.told]
    return lived


def grown(scenario: Scenario, seed: int, path: Path) -> None:
    """The healthy time of a trunk, which its kinds share."""
    case = scenario.made(seed)
    SqliteWarehouse(path).create_tables()
    feed = usual_feed(case)
    for hour in range(case.plan.fault):
        _hour(path, case, Around(feed=feed), hour)


def _hour(path: Path, case: Case, around: Around, hour: int) -> None:
    case.stream.begin(SqliteWarehouse(path), hour)
    _add(path, case.stream, busy_rows(case, around, hour))
    if around.feed is not None:
        _add(path, around.feed, around.feed.rows(hour))


def _add(path: Path, stream: Stream, rows: Iterable[Row]) -> None:
    names = ", ".join(stream.columns)
    marks = ", ".join("?" for _ in stream.columns)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany(f"INSERT INTO {stream.table} ({names}) VALUES ({marks})", rows)


def _record(path: Path, case: Case, around: Around) -> None:
    onset = case.onset or case.at(case.plan.fault)
    with closing(sqlite3.connect(path)) as connection, connection:
        if not around.keeps_changes:
            connection.execute("DROP TABLE CHANGES")
        for change in around.changes if around.keeps_changes else ():
            at = time_text(onset - timedelta(minutes=change.minutes_before))
            connection.execute(
                "INSERT INTO CHANGES (timestamp, kind, subject, summary) VALUES (?, ?, ?, ?)",
                (at, change.kind, change.subject, change.summary),
            )
        if around.damaged_h is not None:
            first, last = (time_text(case.at(0) + h * HOUR) for h in around.damaged_h)
            connection.execute(
                "UPDATE DATA_QUALITY SET null_rate = 0.3 WHERE timestamp BETWEEN ? AND ?",
                (first, last),
            )


def _desk(
    folder: Path, path: Path, component: Component, case: Case, around: Around
) -> tuple[Ports, NotedReasoner, SteppingClock]:
    components = {component.name: component}
    if around.feed is not None and FEED not in components:
        components[FEED] = around.feed.component
    models = FixedModels if around.registry_answers else SilentModels
    warehouse, reasoner = SqliteWarehouse(path), NotedReasoner()
    clock = SteppingClock(case.at(case.plan.fault))
    ports = Ports(
        clock=clock,
        policy=Policy(),
        components=components,
        **_ledger(folder),
        warehouse=warehouse,
        history=warehouse,
        shelf=shelf_of(around.precedent, around.runbooks),
        reasoner=reasoner,
        models=models(around.versions(case), {case.component.name: around.serving}),
        actuators=dict.fromkeys(ACTION_KINDS, RecordingActuator()),
        tracker=SilentTracker(),
        notifiers=dict.fromkeys(NOTICE_KINDS, CollectingNotifier()),
    )
    return ports, reasoner, clock


def _ledger(folder: Path) -> dict[str, Any]:
    return ledger_ports(Database(f"sqlite:///{folder / 'ledger.db'}", audit_key=b"eval"))


def _work(runner: Runner, lived: Lived) -> None:
    begun, busy = monotonic(), process_time()
    for _ in range(ROUNDS):
        if not runner.run_once():
            break
    lived.seconds = max(lived.seconds, monotonic() - begun)
    lived.processor_s = max(lived.processor_s, process_time() - busy)


@cache
def shelf_of(precedent: str | None, own: Path | None = None) -> SqliteShelf:
    """The shipped runbooks, with a team's own on top; with wrong but confirmed reports where the
    past is poisoned."""
    folder = Path(mkdtemp(prefix="eval-shelf-"))
    folders = [RUNBOOKS] if own is None else [RUNBOOKS, own]
    if precedent is not None:
        (folder / "runbooks" / "incidents").mkdir(parents=True)
        for number, alert_type in enumerate(POISONED_TYPES):
            name = f"INC-2026-10{number:02}"
            words = alert_type.replace("_", " ")
            text = POISON.format(name=name, cause=precedent, alert_type=alert_type, words=words)
            (folder / "runbooks" / "incidents" / f"{name}.md").write_text(text, encoding="utf-8")
        folders.append(folder / "runbooks")
    return SqliteShelf(folder / "knowledge.db", folders, LexicalEmbedding())


POISONED_TYPES = ("model_drift", "accuracy_drop", "latency") * 2
POISON = """---
incident_id: {name}
title: {words} of watched-model
alert_type: {alert_type}
root_cause: {cause}
confirmed: true
component: watched-model
severity: critical
---
# {words} of watched-model

## 1. Summary

An alert of {words} on watched-model, over its threshold. It was {cause}.
"""
