"""What the monitor needs to remember: whose turn it is to look, and how well each can be seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from agentops_graph.domain.sight import Sight, Turn


class Rounds(Protocol):
    """A row per component: when it is due, who looks at it now, since when it can't be seen."""

    def take(
        self, every_s: Mapping[str, float], *, seconds: float, at: datetime, limit: int = 10_000
    ) -> list[Turn]:
        """The components that are due and that nobody looks at, the longest due first, each for
        this process alone until it is settled. A turn ends after so many seconds, or when its
        process is proved dead; what was not settled is due still."""
        ...

    def settle(self, turns: Sequence[Turn]) -> None:
        """Keeps what the looks saw and ends the turns, all in one transaction; a turn that went to
        another process meanwhile is left out. One without a token keeps only what was seen."""
        ...

    def sights(self) -> list[Sight]:
        """By name."""
        ...
