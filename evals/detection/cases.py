"""What one simulated stretch of watching is, and the rows that it writes hour by hour."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.component import Component

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
Row = Sequence[object]


class Stream(Protocol):
    """Rows of one component, hour by hour from a Monday on."""

    table: str
    columns: tuple[str, ...]

    def rows(self, hour: int) -> Iterable[Row]:
        """What arrives in that hour."""
        ...

    def begin(self, warehouse: SqliteWarehouse, hour: int) -> None:
        """What is set up at the beginning of that hour, before its rows."""
        ...


@dataclass(frozen=True)
class Plan:
    """How long a case is lived through, in hours from its Monday."""

    history: int  # not looked at
    healthy: int  # looked at, and nothing is wrong
    after: int = 24  # looked at from then on, until the fault is found

    @property
    def fault(self) -> int:
        return self.history + self.healthy


@dataclass(frozen=True)
class Case:
    """One component over one stretch; `onset` is None on a control."""

    kind: str
    seed: int
    component: Component
    stream: Stream
    plan: Plan
    onset: datetime | None
    expected: frozenset[str]  # alert types that tell of this fault

    def at(self, hour: int) -> datetime:
        return MONDAY + hour * HOUR


Maker = Callable[[int, int], Case]  # seed, healthy hours


@dataclass(frozen=True)
class Kind:
    """One kind of fault, or one control that has to stay silent."""

    name: str
    make: Maker
    trunk: str  # kinds of one trunk have the same healthy time, which is lived through once
    control: bool = False
    slow: bool = False  # it grows over hours, so its beginning has no sharp moment
