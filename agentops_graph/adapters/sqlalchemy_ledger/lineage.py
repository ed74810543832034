"""Lineage that was sent to us: its edges, each once, and which failed runs were heard of."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from agentops_graph.adapters.sqlalchemy_ledger import tables as t
from agentops_graph.adapters.sqlalchemy_ledger.database import (
    Database,
    insert_new,
    iso,
    next_number,
)
from agentops_graph.domain.lineage.fragment import (
    KEPT_FOR,
    MOST_KEPT,
    TOLD_AGAIN_AFTER,
    Edge,
    Fragment,
    Node,
)
from agentops_graph.domain.lineage.openlineage import JobFailure

_EDITION = "lineage"
_AT_ONCE = 500  # SQLite takes no more than a thousand parameters everywhere


class LedgerLineage:
    """Implements `LineageLog`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def keep(self, fragment: Fragment, at: datetime) -> None:
        rows = {_key(edge.origin, edge.source, edge.target): edge for edge in fragment.edges}
        if not rows:
            return
        kinds = {(node.origin, node.name): node.kind for node in fragment.nodes}
        with self._db.write() as c:
            known = _told_at(c, list(rows))
            new = [key for key in sorted(rows) if key not in known]
            for key in new:
                insert_new(c, t.lineage_edges, **_values(key, rows[key], kinds, at))
            long_ago = iso(at - TOLD_AGAIN_AFTER)
            _tell_again(c, [key for key, told_at in known.items() if told_at < long_ago], at)
            if _let_go(c, at) or new:
                next_number(c, _EDITION)

    def kept(self) -> Fragment:
        nodes, edges = set[Node](), set[Edge]()
        with self._db.read() as c:
            for row in c.execute(select(t.lineage_edges)).mappings():
                nodes.add(Node(row["origin"], row["source"], row["source_kind"]))
                nodes.add(Node(row["origin"], row["target"], row["target_kind"]))
                edges.add(Edge(row["origin"], row["source"], row["target"]))
        return Fragment(frozenset(nodes), frozenset(edges))

    def edition(self) -> str:
        query = select(t.counters.c.value).where(t.counters.c.name == _EDITION)
        with self._db.read() as c:
            return str(c.execute(query).scalar_one_or_none() or 0)

    def claim(self, failure: JobFailure, at: datetime) -> bool:
        with self._db.write() as c:
            old = t.lineage_failures.c.claimed_at < iso(at - KEPT_FOR)
            c.execute(delete(t.lineage_failures).where(old))
            key = _key(failure.job, failure.run_id)
            return insert_new(c, t.lineage_failures, failure_sha256=key, claimed_at=iso(at))

    def release(self, failure: JobFailure) -> None:
        is_it = t.lineage_failures.c.failure_sha256 == _key(failure.job, failure.run_id)
        with self._db.write() as c:
            c.execute(delete(t.lineage_failures).where(is_it))


def _key(*names: str) -> str:
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def _values(
    key: str, edge: Edge, kinds: dict[tuple[str, str], Any], at: datetime
) -> dict[str, object]:
    return {
        "edge_sha256": key,
        "origin": edge.origin,
        "source": edge.source,
        "source_kind": kinds.get((edge.origin, edge.source)),
        "target": edge.target,
        "target_kind": kinds.get((edge.origin, edge.target)),
        "told_at": iso(at),
    }


def _told_at(c: Connection, keys: Sequence[str]) -> dict[str, str]:
    """When each edge that is known was told of."""
    key, told_at = t.lineage_edges.c.edge_sha256, t.lineage_edges.c.told_at
    found: dict[str, str] = {}
    for some in _in_parts(keys):
        for row in c.execute(select(key, told_at).where(key.in_(some))):
            found[row[0]] = row[1]
    return found


def _tell_again(c: Connection, keys: Sequence[str], at: datetime) -> None:
    for some in _in_parts(keys):
        is_one = t.lineage_edges.c.edge_sha256.in_(some)
        c.execute(update(t.lineage_edges).where(is_one).values(told_at=iso(at)))


def _let_go(c: Connection, at: datetime) -> int:
    """Deletes what was not told of for long, and the oldest beyond the limit; how many."""
    is_old = t.lineage_edges.c.told_at < iso(at - KEPT_FOR)
    gone = [row[0] for row in c.execute(select(t.lineage_edges.c.edge_sha256).where(is_old))]
    number = c.execute(select(func.count()).select_from(t.lineage_edges)).scalar_one()
    surplus = number - len(gone) - MOST_KEPT
    if surplus > 0:
        oldest = (t.lineage_edges.c.told_at, t.lineage_edges.c.edge_sha256)
        query = select(t.lineage_edges.c.edge_sha256).where(~is_old).order_by(*oldest)
        gone += [row[0] for row in c.execute(query.limit(surplus))]
    for some in _in_parts(gone):
        c.execute(delete(t.lineage_edges).where(t.lineage_edges.c.edge_sha256.in_(some)))
    return len(gone)


def _in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[first : first + _AT_ONCE] for first in range(0, len(keys), _AT_ONCE))
