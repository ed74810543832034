"""What the loop knows of lineage, and where what was told of it is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agentops_graph.domain.lineage.chart import EMPTY, Chart
from agentops_graph.domain.lineage.fragment import Fragment
from agentops_graph.domain.lineage.openlineage import JobFailure


class Lineage(Protocol):
    """Which thing is made from which."""

    def current(self) -> Chart:
        """What is known now. An origin that can't be read stands as it was last read, with its
        trouble told; nothing is raised."""
        ...


class LineageOrigin(Protocol):
    """One place that tells of lineage."""

    @property
    def name(self) -> str: ...

    def stamp(self) -> object:
        """Another value than last time when there is something new to read. Raises PortError."""
        ...

    def read(self) -> Fragment:
        """Raises PortError, or InputError for what can't be understood."""
        ...


class LineageLog(Protocol):
    """Lineage that was sent to us. It does not grow with the events, but with what they name, and
    that up to a limit: what was not told of for longest is let go."""

    def keep(self, fragment: Fragment, at: datetime) -> None:
        """Adds what is new, and notes that the rest was told again."""
        ...

    def kept(self) -> Fragment: ...

    def edition(self) -> str:
        """Another one as soon as `kept` would give something else."""
        ...

    def claim(self, failure: JobFailure, at: datetime) -> bool:
        """True for one caller alone, for each run of a job that failed."""
        ...

    def release(self, failure: JobFailure) -> None:
        """The next caller may claim it: what was to be done with it failed."""
        ...


@dataclass(frozen=True)
class FixedLineage:
    """A map that does not change; the empty one by default."""

    chart: Chart = EMPTY

    def current(self) -> Chart:
        return self.chart


NO_LINEAGE = FixedLineage()
