"""Which names of several origins are one thing; what could be two is said and not guessed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agentops_graph.domain.lineage.fragment import COMPONENTS, Fragment, Node, NodeKind
from agentops_graph.domain.lineage.names import parts_of

Parts = tuple[str, ...]
_SORTS: dict[NodeKind, str] = {
    "pipeline": "pipeline",
    "table": "data",
    "feature": "data",
    "model": "model",
    "agent": "user",
    "service": "user",
}
_ANY = frozenset(_SORTS.values())
SHOWN = 4  # of the things that a name may mean
MOST_ALIKE = 100  # things of one name; more could be anything, and cost their square to compare


@dataclass(frozen=True)
class Known:
    """A node with all that its origin told of it."""

    origin: str
    name: str
    kind: NodeKind | None
    spellings: tuple[Parts, ...]

    @property
    def sorts(self) -> frozenset[str]:
        """What it may be one with. A watched pipeline may be a job, or the table it fills."""
        if self.kind is None:
            return _ANY
        if self.origin == COMPONENTS and self.kind == "pipeline":
            return frozenset({"pipeline", "data"})
        return frozenset({_SORTS[self.kind]})


@dataclass
class Grouping:
    """Nodes in groups of one thing each, and what was not clear."""

    groups: list[list[Known]]
    notes: list[str] = field(default_factory=list)


def grouped(fragment: Fragment, aliases: Mapping[str, Sequence[str]]) -> Grouping:
    """Joins nodes of different origins whose names are the same, or of which one is the end of the
    other, when there is only one it can be. `aliases` tells more names of a thing and always
    counts. An origin has one name for each thing, so two of its names are never joined otherwise.
    """
    known = _known(fragment.nodes)
    sets = _Sets(known)
    equal, ends = _indexed(known)
    notes = _join_aliases(sets, known, aliases, equal, ends)
    notes += _join_equal(sets, known, equal)
    notes += _join_ends(sets, known, ends)
    return Grouping(sets.groups(), notes)


def _known(nodes: Iterable[Node]) -> list[Known]:
    """In an order of its own, so that the outcome does not depend on who told first."""
    held: dict[tuple[str, str], list[Node]] = defaultdict(list)
    for node in nodes:
        held[node.origin, node.name].append(node)
    found = []
    for (origin, name), told in held.items():
        kinds = sorted({node.kind for node in told if node.kind is not None})
        names = {name, *(other for node in told for other in node.also)}
        spellings = tuple(sorted({parts_of(one) for one in names} - {()}))
        found.append(Known(origin, name, kinds[0] if kinds else None, spellings))
    return sorted(found, key=_rank)


def _rank(one: Known) -> tuple[bool, bool, str, str]:
    """What is watched comes first, and what is told without a kind last."""
    return one.origin != COMPONENTS, one.kind is None, one.origin, one.name


class _Sets:
    """Disjoint sets of nodes, by their place in the list."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._known = known
        self._above = list(range(len(known)))
        self._sorts = [one.sorts for one in known]
        self._origins = [frozenset({one.origin}) for one in known]

    def root(self, number: int) -> int:
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.root(one), self.root(other)))
        if first == second:
            return
        self._above[second] = first
        # An alias may join what does not fit: then the first, the watched one, says what it is.
        self._sorts[first] = self._sorts[first] & self._sorts[second] or self._sorts[first]
        self._origins[first] |= self._origins[second]

    def fitting(self, number: int, others: Iterable[int]) -> list[int]:
        """The sets among `others` that the node may belong to; those of its own kind alone, when
        there are any."""
        own = self.root(number)
        roots = sorted({self.root(other) for other in others} - {own})
        fits = [
            root
            for root in roots
            if self._sorts[root] & self._sorts[own] and not self._origins[root] & self._origins[own]
        ]
        kind = self._known[number].kind
        return [root for root in fits if self._known[root].kind == kind] or fits

    def groups(self) -> list[list[Known]]:
        held: dict[int, list[Known]] = defaultdict(list)
        for number, one in enumerate(self._known):
            held[self.root(number)].append(one)
        return list(held.values())


Index = Mapping[Parts, Sequence[int]]


def _indexed(known: Sequence[Known]) -> tuple[Index, Index]:
    """Nodes by their whole names, and by the ends of their names."""
    equal: dict[Parts, list[int]] = defaultdict(list)
    ends: dict[Parts, list[int]] = defaultdict(list)
    for number, one in enumerate(known):
        for spelling in one.spellings:
            equal[spelling].append(number)
            for first in range(1, len(spelling)):
                ends[spelling[first:]].append(number)
    return dict(equal), dict(ends)


def _join_aliases(
    sets: _Sets,
    known: Sequence[Known],
    aliases: Mapping[str, Sequence[str]],
    equal: Index,
    ends: Index,
) -> list[str]:
    notes = []
    for name, others in sorted(aliases.items()):
        own = equal.get(parts_of(name), ())
        if not own:
            notes.append(f"aliases: nothing is called {name}")
            continue
        for other in others:
            exact = equal.get(parts_of(other), ())
            meant = exact or ends.get(parts_of(other), ())
            if not exact and len({sets.root(each) for each in meant}) > 1:
                notes.append(_doubt(other, known, meant))
            elif not meant:
                notes.append(f"aliases: nothing is called {other}, which is to be {name}")
            else:
                notes += _joined(sets, known, own[0], meant)
    return notes


def _joined(sets: _Sets, known: Sequence[Known], own: int, meant: Collection[int]) -> list[str]:
    """Two components stay two."""
    watched = [each for each in meant if known[each].origin == COMPONENTS and each != own]
    for each in set(meant).difference(watched):
        sets.join(own, each)
    names = known[own].name
    return [f"aliases: {known[each].name} is watched itself and is not {names}" for each in watched]


def _join_equal(sets: _Sets, known: Sequence[Known], equal: Index) -> list[str]:
    notes = []
    for spelling in sorted(equal):
        numbers = equal[spelling]
        if len(numbers) > MOST_ALIKE:
            notes.append(_too_many(spelling, numbers))
            continue
        for place, number in enumerate(numbers[1:], 1):
            notes += _settled(sets, known, number, numbers[:place])
    return notes


def _join_ends(sets: _Sets, known: Sequence[Known], ends: Index) -> list[str]:
    """The longest names first: what they join leaves less to doubt about the short ones."""
    wanted = [
        (-len(spelling), number, spelling)
        for number, one in enumerate(known)
        for spelling in one.spellings
        if spelling in ends
    ]
    notes = []
    for _, number, spelling in sorted(wanted):
        if len(ends[spelling]) > MOST_ALIKE:
            notes.append(_too_many(spelling, ends[spelling]))
        else:
            notes += _settled(sets, known, number, ends[spelling])
    return list(dict.fromkeys(notes))


def _settled(
    sets: _Sets, known: Sequence[Known], number: int, others: Collection[int]
) -> list[str]:
    fits = sets.fitting(number, others)
    if len(fits) > 1:
        return [_doubt(known[number].name, known, fits)]
    for root in fits:
        sets.join(number, root)
    return []


def _too_many(spelling: Parts, meant: Collection[int]) -> str:
    return f"{'.'.join(spelling)} is what {len(meant)} things are called; `aliases` alone join them"


def _doubt(name: str, known: Sequence[Known], meant: Collection[int]) -> str:
    names = sorted({known[each].name for each in meant})
    more = f" or {len(names) - SHOWN} others" if len(names) > SHOWN else ""
    return f"{name} may be {' or '.join(names[:SHOWN])}{more}; say which under `aliases`"
