"""Finds the files of a pattern with those they were rotated to, and opens their raw lines."""

import glob
import gzip
import math
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from agentops_graph.adapters.file_logs.budget import Budget, Metered
from agentops_graph.errors import UnavailableError

ROTATED = (".[0-9]*", "-[0-9]*", ".gz")
MOST_FILES = 200
RAW_LIMIT = 64_000  # bytes of one line that are kept
SEEK_BELOW = 65_536  # bytes; a search for a moment ends at a stretch this long


@dataclass(frozen=True)
class Found:
    """A regular file and when it was last written."""

    path: Path  # as the pattern has it
    real: str  # without links
    size: int
    written_at: float

    @property
    def is_packed(self) -> bool:
        return self.path.suffix == ".gz"


def found_files(pattern: str, since: float, *, follow_links: bool = False) -> list[Found]:
    """Files of the pattern and what they were rotated to, that were written since; oldest first.

    Only regular files, each once: a pipe or a device could keep a reader for ever. Those that a
    link leads to elsewhere only with `follow_links`: whoever writes into a folder of logs could
    name any file of the machine.
    """
    paths = {p for end in ("", *ROTATED) for p in glob.iglob(pattern + end, recursive=True)}
    root = os.path.realpath(_fixed_part(pattern))
    found: dict[tuple[int, int], Found] = {}
    for path in sorted(paths):
        real = os.path.realpath(path)
        if not follow_links and os.path.commonpath([root, real]) != root:
            continue
        try:
            seen = os.lstat(real)
        except OSError:  # rotated away between the two looks
            continue
        if stat.S_ISREG(seen.st_mode) and seen.st_mtime >= since:
            found[seen.st_dev, seen.st_ino] = Found(Path(path), real, seen.st_size, seen.st_mtime)
    newest = sorted(found.values(), key=lambda f: f.written_at)
    return newest[-MOST_FILES:]


def _fixed_part(pattern: str) -> str:
    """The folder above the first part that stands for several."""
    folder = Path(pattern).parent
    while glob.has_magic(str(folder)):
        folder = folder.parent
    return str(folder)


def raw_lines(file: Found, budget: Budget, start: int = 0) -> Iterator[str]:
    """Its lines from that byte on, each cut at `RAW_LIMIT`, as far as the budget goes;
    UnavailableError when it can't be read."""
    try:
        with _opened(file) as stream:
            if start and not file.is_packed:
                stream.seek(start)
            yield from _lines(Metered(stream, budget))
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise UnavailableError(f"{file.path} can't be read: {why}") from None


def _lines(stream: Metered) -> Iterator[str]:
    is_rest = False
    while piece := stream.readline(RAW_LIMIT):
        if not is_rest:
            yield piece.decode("utf-8", "replace").rstrip("\r\n").replace("\x00", "")
        is_rest = not piece.endswith(b"\n")


@contextmanager
def _opened(file: Found) -> Iterator[IO[bytes]]:
    # Not to wait at a pipe, nor to follow a link, that took the file's name in the meantime.
    handle = os.open(file.real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnavailableError(f"{file.path} is no regular file")
    with os.fdopen(handle, "rb") as raw:
        if not file.is_packed:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as unpacked:
            yield cast(IO[bytes], unpacked)


def byte_of(
    file: Found, moment: float, time_of: Callable[[str], float | None], budget: Budget
) -> int:
    """A byte at the start of a line, not after the first line of that moment: large files are
    searched and not read. 0 for packed files, and where no line says its time."""
    if file.is_packed:
        return 0
    low, high = 0, file.size
    with _opened(file) as opened:
        stream = Metered(opened, budget)
        while high - low > SEEK_BELOW:
            middle = (low + high) // 2
            told = _time_after(stream, middle, time_of)
            if told is None or told >= moment:
                high = middle
            else:
                low = middle
        return _line_start(stream, low)


def _line_start(stream: Metered, place: int) -> int:
    if place == 0:
        return 0
    stream.seek(place)
    _skip_line(stream)
    return stream.tell()


def _time_after(
    stream: Metered, place: int, time_of: Callable[[str], float | None]
) -> float | None:
    """The first time that is said after that byte, within a stretch."""
    stream.seek(place)
    _skip_line(stream, place + SEEK_BELOW)
    while stream.tell() < place + SEEK_BELOW and (piece := stream.readline(RAW_LIMIT)):
        told = time_of(piece.decode("utf-8", "replace").rstrip())
        if told is not None:
            return told
    return None


def _skip_line(stream: Metered, end: float = math.inf) -> None:
    """To its end, or behind that byte."""
    while (piece := stream.readline(RAW_LIMIT)) and not piece.endswith(b"\n"):
        if stream.tell() >= end:
            return
