"""Lineage from files of OpenLineage events, one JSON document a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from agentops_graph.domain.lineage.fragment import NOTHING, Fragment, together
from agentops_graph.domain.lineage.openlineage import ORIGIN, LineageEvent, fragment_of
from agentops_graph.errors import InputError
from agentops_graph.watched_files import bytes_of, stamp_of

ENDS = (".ndjson", ".jsonl", ".json")
MOST_BYTES = 256 * 1024**2  # of one file
MOST_FILES = 5000  # of one folder; the newest are read
BAD_LINES_TOLD = 3


class OpenLineageFiles:
    """A file of events or a folder of them; each file is read anew when it grew or changed."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = f"{ORIGIN} {name}"
        self._read: dict[Path, tuple[object, Fragment]] = {}

    def stamp(self) -> object:
        return stamp_of([self._path, *self._files()])

    def read(self) -> Fragment:
        """Raises InputError when nothing is there, or no line of a file is an event."""
        if not self._path.exists():
            raise InputError(f"{self._path} is not there", field=self._path.name)
        kept = {path: self._of(path) for path in self._files()}
        self._read = kept
        return together(fragment for _, fragment in kept.values())

    def _of(self, path: Path) -> tuple[object, Fragment]:
        stamp = stamp_of([path])
        held = self._read.get(path)
        return held if held is not None and held[0] == stamp else (stamp, _fragment(path))

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


def _fragment(path: Path) -> Fragment:
    bad: list[int] = []
    found = set[Fragment]()
    for number, line in _lines(bytes_of(path, MOST_BYTES)):
        try:
            found.add(fragment_of(LineageEvent.model_validate_json(line)))
        except ValidationError:
            bad.append(number)
    if bad and not found:
        raise InputError(f"{path} holds no OpenLineage event", field=f"{path.name}:{bad[0]}")
    return together(found) | (_note(path, bad) if bad else NOTHING)


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """A last line without its end is still being written, unless it is the only one."""
    lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        is_cut = number == len(lines) > 1 and not line.rstrip().endswith(b"}")
        if line.strip() and not is_cut:
            yield number, line


def _note(path: Path, bad: list[int]) -> Fragment:
    first = ", ".join(str(number) for number in bad[:BAD_LINES_TOLD])
    more = f" and {len(bad) - BAD_LINES_TOLD} more" if len(bad) > BAD_LINES_TOLD else ""
    note = f"{path.name}: no OpenLineage event in line {first}{more}"
    return Fragment(notes=frozenset({note}))
