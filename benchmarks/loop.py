"""What safety costs: one incident on a bare graph, on our nodes in memory, and on the ledger.

    python benchmarks/loop.py [--incidents N] [--json]

Three roads take the same incident from its alert to its end, in one run and in turn, each with a
checkpoint saver of its own on a file and `durability="sync"`:

- bare: a LangGraph graph with as many nodes, edges and pauses that do nothing
- nodes: our graph on ports in memory, without ledger, lease, audit and runner
- safe: our graph on the SQLite ledger through the runner

Medians per incident in milliseconds; the ratios are what counts, as times differ by machine.
"""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from agentops_graph.adapters.langgraph_checkpoints import open_checkpoints
from agentops_graph.adapters.sqlalchemy_ledger import Database, ledger_ports
from agentops_graph.domain.approval import Decision
from agentops_graph.graph import build_graph
from agentops_graph.ports import Ports
from agentops_graph.runner import Runner
from benchmarks import parts
from benchmarks.bare import build_bare_graph
from benchmarks.story import LOOK_S, START, claim, memory_ports, story_rows

MODEL = "fraud-detector"
WARM_UP = 3
Road = Callable[[int], None]


def bare_road(folder: Path) -> Road:
    from langgraph.types import Command

    graph = build_bare_graph(open_checkpoints(folder / "bare.db"))

    def run(number: int) -> None:
        config = {"configurable": {"thread_id": f"INC-{number}"}}
        begin = {"incident_id": f"INC-{number}", "plan_number": 0}
        for entry in (begin, Command(resume="knock"), Command(resume="knock")):
            graph.invoke(entry, config, durability="sync")
        assert graph.get_state(config).values["status"] == "resolved"

    return run


def begin_story(ports: Ports, number: int) -> str:
    """A quiet day later the drift comes; returns the incident's id."""
    at = START + timedelta(days=number)
    ports.clock.move((at - ports.clock.now()).total_seconds())
    ports.warehouse.give(MODEL, story_rows(at))
    return ports.incidents.admit(claim(MODEL, at), opened_by="monitor", at=at).incident_id


def approve(ports: Ports, incident_id: str) -> None:
    (asked,) = ports.approval_log.listed(status="pending", incident_id=incident_id)
    decision = Decision(
        approval_id=asked.approval_id,
        verdict="approve",
        actor="mia",
        via="python",
        digest=asked.digest,
    )
    ports.approvals.decide(decision, at=ports.clock.now())


def nodes_road(folder: Path) -> Road:
    from langgraph.types import Command

    ports = memory_ports(MODEL)
    graph = build_graph(open_checkpoints(folder / "nodes.db"))

    def run(number: int) -> None:
        incident_id = begin_story(ports, number)
        config = {"configurable": {"thread_id": incident_id}}
        # The executor acts under a lease only; here it is taken once and nobody else wants it.
        held = replace(ports, lease=ports.leases.acquire(incident_id, "benchmark", 600))
        begin = {"incident_id": incident_id, "plan_number": 0}
        graph.invoke(begin, config, context=held, durability="sync")
        approve(ports, incident_id)
        graph.invoke(Command(resume="knock"), config, context=held, durability="sync")
        ports.clock.move(LOOK_S)
        graph.invoke(Command(resume="knock"), config, context=held, durability="sync")
        assert ports.incidents.get(incident_id).status == "resolved"

    return run


def safe_road(folder: Path) -> Road:
    database = Database(f"sqlite:///{folder}/ledger.db", audit_key=b"benchmark")
    ports = replace(memory_ports(MODEL), **ledger_ports(database))
    graph = build_graph(open_checkpoints(folder / "safe.db"))
    runner = Runner(ports, graph, kind="benchmark", lease_s=15, public_url="http://127.0.0.1")

    def run(number: int) -> None:
        incident_id = begin_story(ports, number)
        runner.run_once(incident_id)
        approve(ports, incident_id)
        runner.run_once(incident_id)
        ports.clock.move(LOOK_S)
        runner.run_once(incident_id)
        assert ports.incidents.get(incident_id).status == "resolved"

    return run


def measured(folder: Path, incidents: int) -> dict[str, float]:
    """Median milliseconds per incident of each road; they take turns, so that noise hits all."""
    roads = {"bare": bare_road(folder), "nodes": nodes_road(folder), "safe": safe_road(folder)}
    times: dict[str, list[float]] = {name: [] for name in roads}
    for number in range(incidents + WARM_UP):
        for name, road in roads.items():
            gc.collect()
            began = time.perf_counter()
            road(number)
            if number >= WARM_UP:
                times[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--incidents", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        medians = measured(folder, options.incidents)
        figures = {
            "incidents": options.incidents,
            "bare_ms": medians["bare"],
            "nodes_ms": medians["nodes"],
            "safe_ms": medians["safe"],
            "nodes_to_bare": medians["nodes"] / medians["bare"],
            "safe_to_bare": medians["safe"] / medians["bare"],
            **parts.measured(folder),
        }
    figures = {key: round(value, 2) for key, value in figures.items()}
    print(json.dumps(figures) if options.json else shown(figures))


def shown(figures: dict[str, float]) -> str:
    rows = [
        ("bare LangGraph graph", figures["bare_ms"], 1.0),
        ("our nodes, ports in memory", figures["nodes_ms"], figures["nodes_to_bare"]),
        ("our nodes, ledger and runner", figures["safe_ms"], figures["safe_to_bare"]),
    ]
    lines = [f"{'an incident, alert to resolved':<34}{'ms':>10}{'ratio':>8}"]
    lines += [f"{label:<34}{ms:>10.1f}{ratio:>8.2f}" for label, ms, ratio in rows]
    lines += ["", f"{'parts of their own':<34}{'ms':>10}"]
    lines += [f"{label:<34}{figures[key]:>10.1f}" for key, label in parts.LABELS.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
