"""What an identity may load into the warehouse."""

from agentops_graph.access.reads import Reads
from agentops_graph.domain.approval import Door
from agentops_graph.domain.row_kinds import RowKind
from agentops_graph.domain.rows import Reading, Taken
from agentops_graph.loading import OnChunk
from agentops_graph.ports import Intake, RowSource


class Loads(Reads):
    """Loading, as one identity may use it."""

    def ingest(
        self,
        source: RowSource,
        kind: RowKind,
        reading: Reading,
        *,
        actor: str,
        via: Door = "cli",
        dry_run: bool = False,
        again: bool = False,
        key: str | None = None,
        owner: str = "",
        only: frozenset[str] | None = None,
        on_chunk: OnChunk | None = None,
    ) -> Taken:
        """A tenant's rows are those of its own components, whatever `owner` and `only` are given;
        two tenants' loads never meet."""
        self.needs("report")
        if self.identity.tenant is not None:
            owner, only = self.identity.tenant, frozenset(self._service.components)
        return self._service.ingest(
            source,
            kind,
            reading,
            actor=self.called(actor),
            via=self.via,
            dry_run=dry_run,
            again=again,
            key=key,
            owner=owner,
            only=only,
            on_chunk=on_chunk,
        )

    @property
    def intake(self) -> Intake:
        """Rows of every tenant lie in the quarantine."""
        self.needs("operate", everywhere=True)
        return self._service.intake
