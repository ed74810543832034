"""Draws the map of lineage from what the origins tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from agentops_graph.domain.component import Component
from agentops_graph.domain.lineage.chart import (
    HUB_OVER,
    MAX_HOPS,
    Chart,
    Neighbours,
    Origin,
    Thing,
)
from agentops_graph.domain.lineage.fragment import COMPONENTS, Edge, Fragment, Node, NodeKind
from agentops_graph.domain.lineage.same import Known, grouped

CYCLES_TOLD = 20
STARTS_TRIED = 1000  # each walks the map once; a map with more of them is one knot


def watched(components: Mapping[str, Component]) -> Fragment:
    """What is configured: the components and their feeds."""
    nodes = {Node(COMPONENTS, name, one.kind) for name, one in components.items()}
    edges = {Edge(COMPONENTS, feed, one.name) for one in components.values() for feed in one.feeds}
    unseen = {edge.source for edge in edges} - set(components)
    return Fragment(
        frozenset(nodes | {Node(COMPONENTS, name, "pipeline") for name in unseen}),
        frozenset(edges),
    )


def drawn(
    fragment: Fragment,
    *,
    watched_names: Iterable[str] = (),
    aliases: Mapping[str, Sequence[str]] | None = None,
    origins: tuple[Origin, ...] = (),
    max_hops: int = MAX_HOPS,
    hub_over: int = HUB_OVER,
) -> Chart:
    """One map of all that was told. The same fragments give the same map in any order."""
    grouping = grouped(fragment, aliases or {})
    own = frozenset(watched_names)
    things, place = _things(grouping.groups, own)
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for edge in fragment.edges:
        ends = place.get((edge.origin, edge.source)), place.get((edge.origin, edge.target))
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            told[ends[0], ends[1]].add(edge.origin)
    above, below = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for source, target in sorted(told):
        above[target].append(source)
        below[source].append(target)
    return Chart(
        things=things,
        above=dict(above),
        below=dict(below),
        told_by={edge: tuple(sorted(names)) for edge, names in told.items()},
        origins=origins,
        doubts=tuple(grouping.notes),
        cycles=tuple(_cycles(above, below)),
        max_hops=max_hops,
        hub_over=hub_over,
    )


def _things(
    groups: Sequence[Sequence[Known]], own: frozenset[str]
) -> tuple[dict[str, Thing], dict[tuple[str, str], str]]:
    """Things by name, and the thing that each node is."""
    things: dict[str, Thing] = {}
    place: dict[tuple[str, str], str] = {}
    named = sorted(((_name(group), group) for group in groups), key=_watched_first)
    for wanted, group in named:
        name = _free(wanted, group, things)
        # What is watched is what it was said to be; else the first that says so.
        kinds: list[NodeKind] = [one.kind for one in group if one.kind is not None]
        things[name] = Thing(
            name=name,
            kind=kinds[0] if kinds else "table",
            origins=tuple(sorted({one.origin for one in group})),
            names=tuple(sorted({one.name for one in group})),
            is_watched=name in own and any(one.origin == COMPONENTS for one in group),
        )
        place |= {(one.origin, one.name): name for one in group}
    return things, place


def _watched_first(named: tuple[str, Sequence[Known]]) -> tuple[bool, str, str, str]:
    name, group = named
    return group[0].origin != COMPONENTS, name, group[0].origin, group[0].name


def _name(group: Sequence[Known]) -> str:
    """The name in components.yaml, else the shortest."""
    own = [one.name for one in group if one.origin == COMPONENTS]
    return own[0] if own else min((one.name for one in group), key=lambda n: (len(n), n))


def _free(wanted: str, group: Sequence[Known], taken: Mapping[str, Thing]) -> str:
    """Two things may have one name, a model and its table say; then the kind or origin is added."""
    first = group[0]
    tries = (wanted, f"{wanted} ({first.kind})", f"{wanted} ({first.origin})")
    free = next((name for name in tries if name not in taken), None)
    return free or f"{wanted} ({first.origin}: {first.name})"


def _cycles(above: Neighbours, below: Neighbours) -> list[tuple[str, ...]]:
    """Rounds of things that are made from one another, at most `CYCLES_TOLD`; none of their parts
    begins another round."""
    knotted = sorted(_peeled(set(below), above, below) & _peeled(set(above), below, above))
    found: list[tuple[str, ...]] = []
    told: set[str] = set()
    for name in knotted[:STARTS_TRIED]:
        way = () if name in told else _round(name, below)
        if way:
            found.append(way)
            told |= set(way)
        if len(found) == CYCLES_TOLD:
            break
    return found


def _peeled(names: set[str], before: Neighbours, after: Neighbours) -> set[str]:
    """Without whatever nothing leads to, again and again: rounds stay, and what hangs on them."""
    leads = {name: len(before.get(name, ())) for name in names}
    loose = [name for name, number in leads.items() if number == 0]
    left = names.difference(loose)
    for name in loose:
        for following in after.get(name, ()):
            if following in left:
                leads[following] -= 1
                if leads[following] == 0:
                    left.discard(following)
                    loose.append(following)
    return left


def _round(first: str, below: Neighbours) -> tuple[str, ...]:
    """A shortest way from a thing back to it; empty when there is none."""
    before: dict[str, str] = {}
    waiting = [first]
    for name in waiting:
        for following in below.get(name, ()):
            if following == first:
                way = [first, name]
                while way[-1] != first:
                    way.append(before[way[-1]])
                return tuple(way[::-1])
            if following not in before:
                before[following] = name
                waiting.append(following)
    return ()
