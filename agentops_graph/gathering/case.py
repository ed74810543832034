"""What every gatherer is given, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from agentops_graph.detection.triggers import Window
from agentops_graph.domain.component import Component
from agentops_graph.domain.lineage.chart import way_in_words
from agentops_graph.domain.story import upstream_of
from agentops_graph.domain.tenancy import comparable
from agentops_graph.gathering.asked_once import Asking, Memory

if TYPE_CHECKING:
    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.evidence import EvidenceKind
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.incident import Incident
    from agentops_graph.domain.record import Scalar
    from agentops_graph.gathering.rows import Mask
    from agentops_graph.ports import Ports

T = TypeVar("T")
LOOK_BACK = timedelta(hours=6)
WIDER = 4  # times as far back, once, where nothing was found
BEFORE = timedelta(hours=1)  # enough to see the level that was left
LONG_BEFORE = timedelta(hours=8)
BUSY = 50_000  # rows in the hour before the onset and since: eight hours of more are dear to read
# An onset found in noisy rows may lie a little late or early.
SLACK = timedelta(minutes=15)
FEEDS_BY_LINEAGE = 5  # each costs two reads
SUBJECTS_BY_LINEAGE = 12
LONGEST_SUBJECT = 200
LONGEST_WAY = 300


@dataclass(frozen=True)
class Case:
    """One incident's component, its alert, and the times that matter."""

    ports: Ports
    incident: Incident
    alert: Alert
    component: Component
    now: datetime
    look_back: timedelta = LOOK_BACK
    asking: Asking = field(
        default_factory=lambda: Asking(Memory("none")), repr=False, compare=False
    )

    def asked_by(self, asking: Asking) -> Case:
        """The same case for one gatherer, whose reads are remembered and counted."""
        return replace(self, ports=asking.ports(self.ports), asking=asking)

    def wider(self) -> Case:
        """The same case, looking further back."""
        return replace(self, look_back=WIDER * self.look_back)

    def counted(self, source: T, name: str) -> T:
        """A source of its own, with its reads counted as those of the ports are."""
        return self.asking.of(source, name)

    def rows(self) -> tuple[Predictions, Mask]:
        """The component's predictions from an hour before the window, and which are inside it."""
        start, end = self.window.start - BEFORE, self.window.end
        rows = self.ports.warehouse.predictions(self.component.name, start, end)
        return rows, rows.timestamps >= self.window.start.timestamp()

    def hours_before(self) -> Predictions:
        """The component's predictions from eight hours before the window to its end, to tell slow
        changes from sudden ones; of a busy model only what `rows` holds."""
        rows, _ = self.rows()
        if rows.rows > BUSY:
            return rows
        start, end = self.window.start - LONG_BEFORE, self.window.end
        return self.ports.warehouse.predictions(self.component.name, start, end)

    @property
    def onset(self) -> datetime:
        """The known onset, else one drift window before the alert."""
        known = self.alert.onset_at or self.incident.onset_at
        length = timedelta(seconds=self.component.thresholds.drift_window_s)
        return known or self.alert.timestamp - length

    @property
    def latest_onset(self) -> datetime:
        """The last moment at which it may have begun: what came later did not cause it."""
        known = self.alert.onset_at or self.incident.onset_at
        return self.alert.timestamp if known is None else known + SLACK

    @property
    def window(self) -> Window:
        """From the onset to now, at least a minute and at most the last six hours."""
        start = max(min(self.onset, self.now - timedelta(minutes=1)), self.now - self.look_back)
        return Window(self.component, start, self.now)

    @property
    def comparable(self) -> frozenset[str] | None:
        """The components whose incident reports may be read for this case; None: everybody's."""
        return comparable(self.component.name, self.ports.components)

    @property
    def subjects(self) -> tuple[str, ...]:
        return (self.component.name, *self.feeds, *self._unwatched)

    @property
    def feeds(self) -> tuple[str, ...]:
        """The configured feeds, and the watched pipelines that lineage knows of upstream, nearest
        first and at most so many."""
        watched, chart = self.ports.components, self.ports.lineage.current()
        more = [
            name
            for name in upstream_of(self.component.name, watched, chart)
            if name not in self.component.feeds
            and name in watched
            and watched[name].kind == "pipeline"
            and watched[name].tenant == self.component.tenant
        ]
        return (*self.component.feeds, *more[:FEEDS_BY_LINEAGE])

    @property
    def _unwatched(self) -> list[str]:
        """What lies nearest upstream and is watched by nobody; its changes may be recorded."""
        near = (one.name for one in self.ports.lineage.current().causes(self.component.name))
        known = self.ports.components
        names = [n for n in near if n not in known and len(n) <= LONGEST_SUBJECT]
        return [name for name in names if name not in self.component.feeds][:SUBJECTS_BY_LINEAGE]

    def way_from(self, name: str) -> str:
        """A feed with the way by which lineage found it; the name alone when it is configured."""
        chart = self.ports.lineage.current()
        way = [] if name in self.component.feeds else chart.way(name, self.component.name)
        words = way_in_words(way)
        return f"{name} ({words})" if len(way) > 1 and len(words) <= LONGEST_WAY else name

    def feed(self, name: str) -> Component:
        """The component of a feed; one with default thresholds when it is not configured."""
        return self.ports.components.get(name) or Component(name=name, kind="pipeline")


@dataclass(frozen=True)
class Observed:
    """What a gatherer saw, before it gets an evidence id."""

    source: str
    query: str
    summary: str
    values: dict[str, Scalar] = field(default_factory=dict)
    signals: dict[str, float] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    found: bool = True  # False: it was looked for and is not there
    whole: tuple[str, ...] = ()  # every line, where the summary tells only some of them


@dataclass(frozen=True)
class Gatherer:
    """One kind of evidence and the function that gathers it."""

    kind: EvidenceKind
    source: str
    observe: Callable[[Case], Observed]
    looks_before: bool = False  # it reads from the look-back before the onset


def typed_read(read: str, start: datetime, end: datetime, **parameters: str) -> str:
    """The read in words, such as `predictions(model=fraud, 2026-02-28 13:00..14:00)`."""
    first = f"{start:%Y-%m-%d %H:%M}"
    last = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    named = "".join(f"{name}={value}, " for name, value in parameters.items())
    return f"{read}({named}{first}..{last})"


def seen(condition: bool) -> float:
    """A signal's strength: 1 seen, -1 looked for and absent."""
    return 1.0 if condition else -1.0
