"""What the loop reads of the warehouse, and the little that it writes there."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from agentops_graph.domain.contract import BatchReport, KeptBatch
from agentops_graph.domain.frames import Change, PastIncident, Predictions, Series, SeriesTable
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.metric import Metric
from agentops_graph.domain.outputs import Calls, Exchange
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.domain.row_kinds import RowKind
from agentops_graph.domain.rows import Chunk, Quarantine, Quarantined, Reading, Taken
from agentops_graph.domain.tally import Tally


class BatchLog(Protocol):
    """What the checks of batch files found, each file's content once."""

    def record_batch(self, kept: KeptBatch) -> bool:
        """Keeps the report and its row of DATA_QUALITY together; False, and nothing is written,
        when that content of that pipeline is there already."""
        ...

    def batch_reports(self, pipeline: str, since: datetime, until: datetime) -> list[BatchReport]:
        """By time of arrival."""
        ...

    def known_batches(self, pipeline: str) -> set[str]:
        """The stamps of the files that were recorded."""
        ...

    def batches_since(self, pipeline: str) -> datetime | None:
        """When the first batch of the pipeline was checked; None before that."""
        ...


class AgentLog(Protocol):
    """What agents and text models were asked and answered; reads only."""

    def calls(self, agent: str, since: datetime, until: datetime) -> Calls: ...

    def exchanges(
        self, agent: str, since: datetime, until: datetime, ids: Sequence[str]
    ) -> dict[str, Exchange]:
        """The texts of those requests, each cut at `TEXT_LIMIT` characters."""
        ...


class Warehouse(BatchLog, AgentLog, Protocol):
    """Metrics, predictions and data batches; reads only. Times are aware, `until` is exclusive."""

    def predictions(
        self,
        model: str,
        since: datetime,
        until: datetime,
        *,
        version: str | None = None,
        labelled: bool = False,
    ) -> Predictions:
        """All rows; of too many to travel a sample, which says how many there are."""
        ...

    def tally(
        self,
        model: str,
        since: datetime,
        until: datetime,
        *,
        version: str | None,
        reference: ReferenceProfile | None,
        metric: Metric,
    ) -> Tally | None:
        """The whole window in counts, where `predictions` gives a sample of it; None where it gives
        every row."""
        ...

    def series(
        self, table: SeriesTable, subject: str, since: datetime, until: datetime
    ) -> Series: ...

    def changes(
        self, subjects: Sequence[str], since: datetime, until: datetime
    ) -> list[Change]: ...

    def reference(
        self, model: str, version: str | None, *, any_version: bool = False
    ) -> ReferenceProfile | None:
        """The profile stored with a version; with None, of the version that predicted last. With
        `any_version` the one recorded last, whatever its version."""
        ...

    def latest(self, model: str) -> tuple[datetime, str] | None:
        """Time and version of the newest prediction; None when there is none."""
        ...


class SeriesSource(Protocol):
    """Measures of components that another system keeps; reads only."""

    def columns(self, table: SeriesTable, subject: str) -> frozenset[str]:
        """Those it is declared to give; none when it says nothing of that subject."""
        ...

    def asked_for(self, subject: str) -> str:
        """The name of the system that is asked for it, as people know it."""
        ...

    def series(self, table: SeriesTable, subject: str, since: datetime, until: datetime) -> Series:
        """Those columns, in order of time. Raises UnavailableError when they can't be read;
        without rows only where the system answered that it has none."""
        ...


class CallSource(AgentLog, Protocol):
    """Requests to agents that another system keeps; reads only."""

    def knows(self, agent: str) -> bool:
        """Whether it is declared to keep that agent's requests."""
        ...

    def asked_for(self, subject: str) -> str:
        """The name of the system that is asked for it, as people know it."""
        ...


class Surroundings(Protocol):
    """Figures of the machines around components, for evidence; reads only."""

    def figures(self, component: str) -> Sequence[str]:
        """The names of those declared for it."""
        ...

    def figure(self, component: str, name: str, since: datetime, until: datetime) -> Series:
        """One of them, as the column of that name. Raises UnavailableError."""
        ...


class History(Protocol):
    """Writes to the warehouse that the loop and its jobs make, and its history of incidents."""

    def record_incident(
        self, incident: Incident, resolution: Resolution, root_cause: str
    ) -> None: ...

    def past_incidents(self, since: datetime, until: datetime) -> list[PastIncident]:
        """The incidents that began in that time, also ones the ledger never saw, in order."""
        ...

    def save_reference(self, profile: ReferenceProfile) -> None: ...

    def record_change(self, change: Change) -> None: ...


class RowSource(Protocol):
    """Rows to take in: a file, standard input, or a request's body."""

    name: str  # for people
    stamp: str  # of its content

    def chunks(self) -> Iterator[Chunk]:
        """All rows from the beginning, in the same chunks each time; InputError for what is no
        such source, or changed while it was read."""
        ...


class Intake(Protocol):
    """Takes rows in, each checked and each once; what can't go in is kept in quarantine.

    InputError refuses a source whose columns are wrong, before anything of it is written.
    """

    def take(
        self,
        source: RowSource,
        kind: RowKind,
        reading: Reading,
        *,
        at: datetime,
        owner: str = "",
        only: frozenset[str] | None = None,
        key: str | None = None,
        again: bool = False,
        most_aside: int | None = None,
        on_chunk: Callable[[Taken, float], None] | None = None,
    ) -> Taken:
        """Content that was taken before, of the same owner or under the same `key`, is not taken
        twice, unless `again`. A run that was broken off goes on where it had come to. `only` rows
        of these components go in. Of its refused rows the first `most_aside` go to quarantine.
        ConflictError: the key came with other content, or another process is at it."""
        ...

    def check(
        self,
        source: RowSource,
        kind: RowKind,
        reading: Reading,
        *,
        at: datetime,
        only: frozenset[str] | None = None,
        on_chunk: Callable[[Taken, float], None] | None = None,
    ) -> Taken:
        """The same checks; nothing is written, and doubles are not looked for."""
        ...

    def condition(self, kind: str | None = None) -> Quarantine:
        """Rows are those of the kind, when one is named."""
        ...

    def quarantined(
        self, kind: str | None = None, limit: int | None = None
    ) -> Iterator[Quarantined]:
        """In order of arrival."""
        ...

    def remove(self, numbers: Sequence[int]) -> None:
        """Out of the quarantine."""
        ...
