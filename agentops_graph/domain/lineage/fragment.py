"""What one origin tells of lineage: things, and which of them is made from which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

NodeKind = Literal["pipeline", "table", "feature", "model", "agent", "service"]
NODE_KINDS: tuple[NodeKind, ...] = get_args(NodeKind)
LONGEST_NAME = 500  # characters; a path in an object store is long, and no name is longer
# Of what was sent to us: job names with a date in them would fill any ledger.
MOST_KEPT = 20_000  # edges, those that were told of last
KEPT_FOR = timedelta(days=90)
TOLD_AGAIN_AFTER = timedelta(hours=1)  # sooner, hearing of it again is not written down
COMPONENTS = "components.yaml"  # the origin of what is watched and of its feeds


@dataclass(frozen=True, slots=True)
class Node:
    """A thing as one origin knows it."""

    origin: str
    name: str  # in full, as the origin has it
    kind: NodeKind | None = None  # None when the origin does not say
    also: tuple[str, ...] = ()  # its other full names


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` is made from `source`, or uses it; both are names of the same origin."""

    origin: str
    source: str
    target: str


@dataclass(frozen=True)
class Fragment:
    """A piece of the map. Pieces are laid together with `|`, in any order and as often as one
    likes."""

    nodes: frozenset[Node] = frozenset()
    edges: frozenset[Edge] = frozenset()
    notes: frozenset[str] = frozenset()  # what could not be read of it

    def __or__(self, other: Fragment) -> Fragment:
        return Fragment(
            self.nodes | other.nodes, self.edges | other.edges, self.notes | other.notes
        )


NOTHING = Fragment()


def together(fragments: Iterable[Fragment]) -> Fragment:
    """All of them as one."""
    held = list(fragments)
    return Fragment(
        frozenset[Node]().union(*(one.nodes for one in held)),
        frozenset[Edge]().union(*(one.edges for one in held)),
        frozenset[str]().union(*(one.notes for one in held)),
    )


def usable(name: str) -> str | None:
    """A name from outside with its spaces made even; None for one that is empty, too long, or holds
    what can't be shown."""
    even = " ".join(name.split())
    return even if even.isprintable() and 0 < len(even) <= LONGEST_NAME else None
