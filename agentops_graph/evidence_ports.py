"""What an investigation may read beside the warehouse, and where it leaves what is too long."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from agentops_graph.domain.fact import Facts
from agentops_graph.domain.log import LogRead


class Source(Protocol):
    """Something a team declared that speaks of some of its components."""

    @property
    def name(self) -> str: ...

    def targets(self, subjects: Sequence[str]) -> tuple[str, ...]:
        """What to ask it about: those of the subjects that have an answer of their own."""
        ...

    def check(self, now: datetime) -> str:
        """Asks it for little and says what was seen, for `doctor`. Raises PortError or
        InputError."""
        ...


class LogSource(Source, Protocol):
    """Lines that programs wrote; reads only, within the time and size that were declared."""

    def lines(
        self, target: str, since: datetime, until: datetime, *, newest: bool = False
    ) -> LogRead:
        """In time order. Where there are more than may be read: the first, or the `newest`.
        Raises PortError."""
        ...


class FactSource(Source, Protocol):
    """A system that answers with a document; reads only."""

    def facts(self, target: str, since: datetime, until: datetime) -> Facts:
        """Raises PortError."""
        ...


class EvidenceFolder(Protocol):
    """Keeps what is too long for a row, for a while, readable by the owner of the data only."""

    def keep(self, incident_id: str, name: str, lines: Iterable[str]) -> str | None:
        """Where it lies, as people find it from the data folder; None when it is not kept.
        Raises UnavailableError."""
        ...

    def read(self, reference: str) -> str:
        """What lies there. Raises UnavailableError when it is gone."""
        ...


class AnswersKept(Protocol):
    """Answers of sources that can't change any more, for the next diagnosis of the same incident;
    only so many, and gone with the process."""

    def recall(self, incident_id: str, key: Hashable) -> tuple[object] | None: ...

    def keep(self, incident_id: str, key: Hashable, answer: object) -> None: ...
