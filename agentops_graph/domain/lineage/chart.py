"""The map of lineage: what is upstream, what is downstream, how far and by which way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agentops_graph.domain.lineage.fragment import NodeKind
from agentops_graph.domain.lineage.names import parts_of

MAX_HOPS = 10
HUB_OVER = 50
Neighbours = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Thing:
    """One thing, under one name, whoever told of it."""

    name: str
    kind: NodeKind
    origins: tuple[str, ...]
    names: tuple[str, ...]  # all its full names
    is_watched: bool = False


@dataclass(frozen=True)
class Reached:
    """A thing and how many steps away it is."""

    name: str
    hops: int


@dataclass(frozen=True)
class Origin:
    """What an origin gave, and why it could not be read, when it could not."""

    name: str
    nodes: int = 0
    edges: int = 0
    trouble: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """Everything that is known of lineage at one time; it holds no cycle to be lost in."""

    things: Mapping[str, Thing] = field(default_factory=dict)
    above: Neighbours = field(default_factory=dict)  # what each is made from
    below: Neighbours = field(default_factory=dict)  # what is made from each
    told_by: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # each edge
    origins: tuple[Origin, ...] = ()
    doubts: tuple[str, ...] = ()  # names that may mean several things, or none
    cycles: tuple[tuple[str, ...], ...] = ()
    max_hops: int = MAX_HOPS  # of what one alert may have to do with another
    hub_over: int = HUB_OVER

    def upstream(self, name: str) -> list[Reached]:
        """All that it is made from, nearest first."""
        return list(_walked(name, self._above))

    def downstream(self, name: str) -> list[Reached]:
        """All that is made from it, nearest first."""
        return list(_walked(name, self._below))

    def causes(self, name: str) -> list[Reached]:
        """What upstream may explain an alert on it: within `max_hops`, and not by way of a hub,
        because what half the company reads explains nothing."""
        return list(_walked(name, self._above, self.max_hops, self.is_hub))

    def effects(self, name: str) -> list[Reached]:
        """What an alert on it may explain; it is of the `effects` of each of its `causes`."""
        return list(_walked(name, self._below, self.max_hops, self.is_hub))

    def is_hub(self, name: str) -> bool:
        """True when more than `hub_over` things are made from it directly."""
        return len(self._below(name)) > self.hub_over

    def distance(self, source: str, target: str) -> int | None:
        """Steps from one down to the other; None when no way leads there."""
        way = self.way(source, target)
        return len(way) - 1 if way else None

    def way(self, source: str, target: str) -> list[str]:
        """The names on a shortest way down from one to the other, both included."""
        if source not in self.things or target not in self.things:
            return []
        before: dict[str, str] = {}
        waiting = [source]
        for name in waiting:
            if name == target:
                break
            for below in self._below(name):
                if below != source and below not in before:
                    before[below] = name
                    waiting.append(below)
        return _back(before, source, target)

    def called(self, text: str) -> Thing | None:
        """The one thing of this name, or of which this is the name or its end elsewhere."""
        if text in self.things:
            return self.things[text]
        wanted = parts_of(text)
        spelled = [(thing, [parts_of(n) for n in thing.names]) for thing in self.things.values()]
        exact = [thing for thing, names in spelled if wanted in names]
        close = exact or [
            thing for thing, names in spelled if any(n[-len(wanted) :] == wanted for n in names)
        ]
        return close[0] if wanted and len(close) == 1 else None

    @property
    def troubles(self) -> list[str]:
        """What people should know: origins that could not be read, and are as they last were."""
        return [f"{one.name}: {one.trouble}" for one in self.origins if one.trouble]

    def _above(self, name: str) -> Sequence[str]:
        return self.above.get(name, ())

    def _below(self, name: str) -> Sequence[str]:
        return self.below.get(name, ())


EMPTY = Chart()


def _walked(
    start: str,
    step: Callable[[str], Iterable[str]],
    most: int | None = None,
    ends_at: Callable[[str], bool] = lambda _: False,
) -> Iterator[Reached]:
    seen, waiting = {start}, [Reached(start, 0)]
    for here in waiting:
        is_end = here.hops == most or (here.name != start and ends_at(here.name))
        for name in () if is_end else step(here.name):
            if name not in seen:
                seen.add(name)
                reached = Reached(name, here.hops + 1)
                waiting.append(reached)
                yield reached


def _back(before: Mapping[str, str], source: str, target: str) -> list[str]:
    if source != target and target not in before:
        return []
    way = [target]
    while way[-1] != source:
        way.append(before[way[-1]])
    return way[::-1]


def way_in_words(way: Sequence[str]) -> str:
    return " -> ".join(way)
