"""Whose turn it is to look at a component, and how well each can be seen, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger, seconds_now
from agentops_graph.domain.redaction import redacted_within
from agentops_graph.domain.schedule import is_due
from agentops_graph.domain.sight import Sight, Turn


@dataclass
class Seat:
    """A component's row and whose turn it is."""

    sight: Sight
    token: int = 0
    until: float = 0.0


class MemoryRounds:
    """Implements `Rounds` for the threads of this process."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self._seats: dict[str, Seat] = {}

    def take(
        self, every_s: Mapping[str, float], *, seconds: float, at: datetime, limit: int = 10_000
    ) -> list[Turn]:
        with self._ledger.lock:
            now, due = seconds_now(), list[Seat]()
            for name, each_s in every_s.items():
                seat = self._seat(name)
                if seat.until <= now and is_due(seat.sight.due_at, each_s, at):
                    due.append(seat)
            due.sort(key=lambda seat: (str(seat.sight.due_at or ""), seat.sight.component))
            for seat in due[:limit]:
                seat.token, seat.until = seat.token + 1, now + seconds
            return [Turn(sight=seat.sight, token=seat.token) for seat in due[:limit]]

    def settle(self, turns: Sequence[Turn]) -> None:
        with self._ledger.lock:
            for turn in turns:
                seat, seen = self._seat(turn.sight.component), redacted_within(turn.sight)
                if turn.token is None:
                    due_at = seat.sight.due_at
                    seat.sight = seen.model_copy(update={"due_at": due_at})
                elif turn.token == seat.token:
                    seat.sight, seat.until = seen, 0.0

    def sights(self) -> list[Sight]:
        with self._ledger.lock:
            return [seat.sight for _, seat in sorted(self._seats.items())]

    def _seat(self, name: str) -> Seat:
        return self._seats.setdefault(name, Seat(Sight(component=name)))
