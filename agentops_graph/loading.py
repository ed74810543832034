"""The use case of loading: rows of outside go into the warehouse, and what can't is looked at."""

from collections.abc import Callable
from datetime import datetime

from agentops_graph.domain.approval import Door
from agentops_graph.domain.row_kinds import RowKind
from agentops_graph.domain.rows import Reading, Taken
from agentops_graph.errors import InputError
from agentops_graph.ports import Intake, Ports, RowSource

MOST_ASIDE = 1000  # refused rows of one request that are kept: its sender has them all
OnChunk = Callable[[Taken, float], None]


class Loading:
    """The part of the service that takes rows in."""

    _ports: Ports

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
        """Takes rows into the warehouse as `Intake.take` has it; with `dry_run` they are only
        checked."""
        now = self._ports.clock.now()
        if dry_run:
            return self.intake.check(source, kind, reading, at=now, only=only, on_chunk=on_chunk)
        taken = self.intake.take(
            source,
            kind,
            reading,
            at=now,
            owner=owner,
            only=only,
            key=key,
            again=again,
            most_aside=None if via == "cli" else MOST_ASIDE,
            on_chunk=on_chunk,
        )
        if not taken.is_known:
            self._note(taken, actor, via, now)
        return taken

    def _note(self, taken: Taken, actor: str, via: Door, at: datetime) -> None:
        self._ports.audit.write(
            "rows.ingested",
            actor=actor,
            via=via,
            at=at,
            kind=taken.kind,
            source=taken.source[:200],
            loaded=taken.loaded,
            repeated=taken.repeated,
            refused=taken.refused,
        )

    @property
    def intake(self) -> Intake:
        """What is in quarantine, to be read, mended and loaded again."""
        if self._ports.intake is None:
            raise InputError("this service takes in no rows", field="ingest")
        return self._ports.intake
