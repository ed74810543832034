"""The time and the bytes that one read of log files may take."""

from time import monotonic
from typing import IO

from agentops_graph.domain.sources.logs import FileLogs

SHOWN = 3  # troubles that are told


class Budget:
    """Of one read over all its files."""

    def __init__(self, declared: FileLogs) -> None:
        self._ends_at = monotonic() + declared.timeout_s
        self._timeout_s, self._bytes, self._most = declared.timeout_s, 0, declared.max_bytes
        self.cut = ""
        self.troubles: list[str] = []

    @property
    def told(self) -> str:
        """Why there may be more lines than were read."""
        return "; ".join(filter(None, [self.cut, *self.troubles[:SHOWN]]))

    def is_spent(self, count: int = 0) -> bool:
        """After so many more bytes, unpacked ones."""
        self._bytes += count
        if not self.cut and self._bytes > self._most:
            self.cut = f"cut after {self._most} bytes"
        if not self.cut and monotonic() > self._ends_at:
            self.cut = f"stopped after {self._timeout_s:g} s"
        return bool(self.cut)


class Metered:
    """A stream of which every piece is paid for; it ends where the budget does."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self._stream, self._budget = stream, budget
        self.seek, self.tell = stream.seek, stream.tell

    def readline(self, most: int) -> bytes:
        if self._budget.is_spent():
            return b""
        piece = self._stream.readline(most)
        return b"" if self._budget.is_spent(len(piece)) else piece
