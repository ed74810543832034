"""What the loop needs of its audit, as a small protocol."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from agentops_graph.domain.approval import Door
from agentops_graph.domain.ledger import Anchor, AuditFault
from agentops_graph.domain.record import Scalar


def silent(_rows: int) -> None:
    """Nobody listens to the progress."""


class AuditLog(Protocol):
    """Who did what; rows form a keyed hash chain."""

    def write(
        self, what: str, *, actor: str, via: Door, at: datetime, **fields: Scalar
    ) -> None: ...

    def rows(
        self, incident_id: str | None = None, limit: int = 1000
    ) -> list[dict[str, Scalar]]: ...

    def last_row(self) -> int:
        """Its number; 0 when there is none."""
        ...

    def anchor(self) -> None:
        """Writes the last link down outside the table, now and again; never over one that the
        table does not hold any more."""
        ...

    def anchored(self) -> Anchor | None:
        """The anchor, compared with its row; None where none is kept."""
        ...

    def verify(self, told: Callable[[int], None] = silent) -> AuditFault | None:
        """None when the chain holds, else the first bad row; `told` hears how far it has come."""
        ...

    def exported(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        incident_id: str | None = None,
    ) -> Iterator[dict[str, Scalar]]:
        """Rows in order, each with `previous`: the hash it follows. `until` is exclusive."""
        ...
