"""Lineage from files of OpenLineage events, one JSON document a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from agentops_graph.domain.lineage.fragment import Edge, Fragment, Node, together
from agentops_graph.domain.lineage.openlineage import ORIGIN, LineageEvent, fragment_of
from agentops_graph.errors import InputError
from agentops_graph.watched_files import Unread, stamp_of, unread_of

ENDS = (".ndjson", ".jsonl", ".json")
MOST_BYTES = 256 * 1024**2  # of one file at once; of a longer one the newest are read
MOST_FILES = 5000  # of one folder; the newest are read
MOST_EDGES = 100_000  # of one file; more than that is no lineage but names that never come again
BAD_LINES_TOLD = 3


@dataclass
class _Log:
    """One file, and what was read of it so far."""

    path: Path
    stamp: object = None
    read: Unread = field(default_factory=Unread)
    nodes: set[Node] = field(default_factory=set)
    edges: set[Edge] = field(default_factory=set)
    lines: int = 0
    bad: list[int] = field(default_factory=list)
    is_cut: bool = False  # its beginning was left out
    is_broken: bool = False  # no line of it is an event, and what it told before stands

    def go_on(self) -> None:
        """Reads what was added since; a file that is another one now is read from its start."""
        stamp = stamp_of([self.path])
        if stamp == self.stamp:
            return
        unread = unread_of(self.path, self.read, MOST_BYTES)
        good = self.nodes, self.edges
        if unread.is_anew:
            self.nodes, self.edges, self.bad, self.lines = set(), set(), [], 0
            self.is_cut = unread.is_cut
        for number, line in self._lines(unread):
            self._take(number, line)
        self.read, self.stamp = unread.without_content(), stamp
        self.is_broken = bool(self.bad) and not self.nodes
        if self.is_broken:
            self.read = Unread()  # it is read from its start when it is mended
            self.nodes, self.edges = good

    def _lines(self, unread: Unread) -> Iterator[tuple[int, bytes]]:
        for line in unread.content.split(b"\n"):
            self.lines += 1
            if line.strip():
                yield self.lines, line
        self.lines -= unread.content.endswith(b"\n")

    def _take(self, number: int, line: bytes) -> None:
        try:
            told = fragment_of(LineageEvent.model_validate_json(line))
        except ValidationError:
            self.bad.append(number)
            return
        if len(self.edges) + len(told.edges) <= MOST_EDGES:
            self.nodes |= told.nodes
            self.edges |= told.edges

    def fragment(self) -> Fragment:
        return Fragment(frozenset(self.nodes), frozenset(self.edges), frozenset(self._notes()))

    def _notes(self) -> Iterator[str]:
        name = self.path.name
        if self.bad:
            first = ", ".join(str(number) for number in self.bad[:BAD_LINES_TOLD])
            rest = len(self.bad) - BAD_LINES_TOLD
            more = f" and {rest} more" if rest > 0 else ""
            yield f"{name}: no OpenLineage event in line {first}{more}"
        if self.is_cut:
            yield f"{name}: only its newest {MOST_BYTES / 1024**2:.0f} MiB are read"
        if len(self.edges) > MOST_EDGES * 0.99:
            yield f"{name}: names more than {MOST_EDGES} edges; no more are taken"


class OpenLineageFiles:
    """A file of events or a folder of them; of a file that grew only what is new is read."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = f"{ORIGIN} {name}"
        self._logs: dict[Path, _Log] = {}

    def stamp(self) -> object:
        return stamp_of([self._path, *self._files()])

    def read(self) -> Fragment:
        """Raises InputError when nothing is there, or no line of a file is an event."""
        if not self._path.exists():
            raise InputError(f"{self._path} is not there", field=self._path.name)
        self._logs = {path: self._logs.get(path) or _Log(path) for path in self._files()}
        for log in self._logs.values():
            log.go_on()
            if log.is_broken and log.path == self._path:
                place = f"{log.path.name}:{log.bad[0]}"
                raise InputError(f"{log.path} holds no OpenLineage event", field=place)
        return together(log.fragment() for log in self._logs.values())

    def _files(self) -> list[Path]:
        if not self._path.is_dir():
            return [self._path]
        try:
            found = [f for f in self._path.iterdir() if f.suffix in ENDS and f.is_file()]
            newest = sorted(found, key=lambda f: f.stat().st_mtime_ns, reverse=True)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise InputError(f"{self._path} can't be read: {why}", field=self._path.name) from None
        return sorted(newest[:MOST_FILES])
