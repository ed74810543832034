"""Reads of one gathering: each question asked once, counted by who asked, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast

from agentops_graph.domain.evidence import Got
from agentops_graph.errors import UnavailableError

if TYPE_CHECKING:
    from agentops_graph.evidence_ports import AnswersKept
    from agentops_graph.ports import Ports

T = TypeVar("T")
MOST_READS = 200  # of one gatherer; the widest, over thirty neighbours, asks about sixty times
# What lies so far back is not written to any more, except labels, which come days later.
SETTLED = timedelta(minutes=15)
SETTLES = frozenset({"series", "changes"})
READS = frozenset(
    {
        "predictions",
        "tally",
        "series",
        "changes",
        "reference",
        "latest",
        "calls",
        "exchanges",
        "batch_reports",
        "known_batches",
        "batches_since",
        "production",
        "version",
        "versions",
        "search",
        "page",
        "lines",
        "facts",
        "figure",
    }
)
METERED = ("warehouse", "models", "shelf")
Key = tuple[object, ...]


@dataclass
class Meter:
    """What one gatherer's questions came to."""

    begun: float = field(default_factory=monotonic)
    reads: int = 0
    reused: int = 0
    rows: int = 0
    ended: float | None = None

    @property
    def ms(self) -> float:
        return ((self.ended or monotonic()) - self.begun) * 1000

    @property
    def got(self) -> Got:
        return Got(ms=round(self.ms, 1), reads=self.reads, reused=self.reused, rows=self.rows)

    def stop(self) -> None:
        self.ended = monotonic()


class Memory:
    """The answers of one gathering, and those of earlier ones of the incident that can't have
    changed since."""

    def __init__(
        self, incident_id: str, now: datetime | None = None, kept: AnswersKept | None = None
    ) -> None:
        self._incident_id, self._now, self._kept = incident_id, now, kept
        self._lock = Lock()
        self._answers: dict[Key, Future[Any]] = {}

    def answer(self, key: Key, ask: Callable[[], Any]) -> tuple[Any, bool]:
        """The answer, and whether an earlier question had it. Who asks first asks for all; a
        failure is an answer too."""
        with self._lock:
            held = self._answers.get(key)
            if held is None:
                own = self._answers[key] = Future[Any]()
        if held is not None:
            return held.result(), True
        try:
            answered, was_known = self._asked(key, ask)
        except BaseException as error:
            own.set_exception(error)
            raise
        own.set_result(answered)
        return answered, was_known

    def _asked(self, key: Key, ask: Callable[[], Any]) -> tuple[Any, bool]:
        if self._kept is None or not self._is_settled(key):
            return ask(), False
        known = self._kept.recall(self._incident_id, key)
        if known is not None:
            return known[0], True
        answered = ask()
        self._kept.keep(self._incident_id, key, answered)
        return answered, False

    def _is_settled(self, key: Key) -> bool:
        times = [part for part in key if isinstance(part, datetime)]
        return (
            key[1] in SETTLES
            and self._now is not None
            and len(times) > 1
            and max(times) <= self._now - SETTLED
        )


@dataclass
class Asking:
    """One gatherer's way to the sources."""

    memory: Memory
    meter: Meter = field(default_factory=Meter)
    deadline: float | None = None  # a gatherer that was left behind asks no further

    def of(self, source: T, name: str) -> T:
        """The source, with every read remembered and counted."""
        return cast("T", _Metered(source, name, self))

    def ports(self, ports: Ports) -> Ports:
        return cast("Ports", _MeteredPorts(ports, self))

    def read(self, name: str, method: str, ask: Callable[..., Any], *a: Any, **k: Any) -> Any:
        self._check_budget(name)
        key = (name, method, *map(_part, a), *((n, _part(v)) for n, v in sorted(k.items())))
        times = tuple(v for v in k.values() if isinstance(v, datetime))
        answered, was_known = self.memory.answer((*key, *times), partial(ask, *a, **k))
        if was_known:
            self.meter.reused += 1
        else:
            self.meter.reads += 1
        self.meter.rows += _rows(answered)
        return answered

    def _check_budget(self, name: str) -> None:
        if self.meter.reads >= MOST_READS:
            raise UnavailableError(f"its budget of {MOST_READS} reads is spent", source=name)
        if self.deadline is not None and monotonic() > self.deadline:
            raise UnavailableError("its time is up", source=name)


class _Metered:
    """Stands for one source."""

    def __init__(self, source: object, name: str, asking: Asking) -> None:
        self._source, self._name, self._asking = source, name, asking

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        return partial(self._asking.read, self._name, name, found) if name in READS else found


class _MeteredPorts:
    """Stands for the ports, with the sources that gatherers read metered."""

    def __init__(self, ports: object, asking: Asking) -> None:
        self._ports, self._asking = ports, asking

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ports, name)
        return self._asking.of(found, name) if name in METERED else found


class _Same:
    """One object and no other; held, so that no other gets its place in memory."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._value is self._value

    def __hash__(self) -> int:
        return id(self._value)


def _part(value: object) -> object:
    """An argument as a part of a key; what can't be one is itself and nothing else."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        try:
            hash(value)
        except TypeError:
            return _Same(value)
        return value
    return tuple(map(_part, value))


def _rows(answered: object) -> int:
    if answered is None or isinstance(answered, str | tuple):
        return int(answered is not None)
    lines = getattr(answered, "lines", answered)
    return len(lines) if isinstance(lines, Sized) else 1
