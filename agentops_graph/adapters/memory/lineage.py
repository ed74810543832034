"""Lineage that was sent to us, in memory."""

from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.lineage.fragment import (
    KEPT_FOR,
    MOST_KEPT,
    TOLD_AGAIN_AFTER,
    Edge,
    Fragment,
    Node,
)
from agentops_graph.domain.lineage.openlineage import JobFailure


class MemoryLineage:
    """Implements `LineageLog`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self._edges: dict[Edge, tuple[Node, Node, datetime]] = {}
        self._claimed: dict[tuple[str, str], datetime] = {}

    def keep(self, fragment: Fragment, at: datetime) -> None:
        if not fragment.edges:
            return
        nodes = {(node.origin, node.name): node for node in fragment.nodes}
        with self._ledger.lock:
            self._ledger.stop_at_fence()
            before = set(self._edges)
            for edge in fragment.edges:
                held = self._edges.get(edge)
                if held is None:
                    source = _end(nodes, edge.origin, edge.source)
                    self._edges[edge] = (source, _end(nodes, edge.origin, edge.target), at)
                elif held[2] < at - TOLD_AGAIN_AFTER:
                    self._edges[edge] = (held[0], held[1], at)
            self._let_go(at)
            if set(self._edges) != before:
                self._ledger.number("lineage")

    def _let_go(self, at: datetime) -> None:
        fresh = {e: held for e, held in self._edges.items() if held[2] >= at - KEPT_FOR}
        newest = sorted(fresh, key=lambda edge: fresh[edge][2], reverse=True)[:MOST_KEPT]
        self._edges = {edge: fresh[edge] for edge in newest}

    def kept(self) -> Fragment:
        with self._ledger.lock:
            held = dict(self._edges)
        nodes = {node for *ends, _ in held.values() for node in ends}
        return Fragment(frozenset(nodes), frozenset(held))

    def edition(self) -> str:
        return str(self._ledger.counted("lineage"))

    def claim(self, failure: JobFailure, at: datetime) -> bool:
        with self._ledger.lock:
            self._ledger.stop_at_fence()
            claimed = {k: then for k, then in self._claimed.items() if then >= at - KEPT_FOR}
            self._claimed = claimed
            is_new = (failure.job, failure.run_id) not in claimed
            claimed.setdefault((failure.job, failure.run_id), at)
            return is_new

    def release(self, failure: JobFailure) -> None:
        with self._ledger.lock:
            self._ledger.stop_at_fence()
            self._claimed.pop((failure.job, failure.run_id), None)


def _end(nodes: dict[tuple[str, str], Node], origin: str, name: str) -> Node:
    held = nodes.get((origin, name))
    return Node(origin, name, held.kind if held is not None else None)
