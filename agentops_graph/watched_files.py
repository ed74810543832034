"""Files that others write and that are read again when they changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from agentops_graph.errors import InputError

Stamp = tuple[str, int, int, int]
TAIL = 256  # bytes before the unread ones by which a file is known again


@dataclass(frozen=True)
class Unread:
    """The whole lines of a file that were not read before, and where the next ones begin."""

    content: bytes = b""
    offset: int = 0  # just behind them
    tail: bytes = b""  # what stands just before the offset
    inode: int = 0
    is_anew: bool = True  # they are the file's first, or it is another file now
    is_cut: bool = False  # its beginning was left out

    def without_content(self) -> Unread:
        return replace(self, content=b"")


def stamp_of(paths: Iterable[Path]) -> tuple[Stamp | str, ...]:
    """Another value when one of them was written, replaced, or came and went."""
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> Stamp | str:
    try:
        seen = path.stat()
    except OSError:
        return str(path)
    return str(path), seen.st_mtime_ns, seen.st_size, seen.st_ino


def bytes_of(path: Path, most: int) -> bytes:
    """What stands in it. Raises InputError for one that can't be read or is larger than `most`
    bytes."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > most:
        mib = most / 1024**2
        raise InputError(f"{path} is larger than {mib:.0f} MiB", field=path.name)
    return content


def unread_of(path: Path, before: Unread, most: int) -> Unread:
    """What was added to a file of lines, at most its last `most` bytes. A last line without its end
    is still being written and is left for the next time, unless it is the only one. Raises
    InputError for a file that can't be read."""
    try:
        with path.open("rb") as file:
            inode, size = _inode_and_size(path)
            file.seek(before.offset - len(before.tail))
            same = file.read(len(before.tail)) == before.tail
            goes_on = before.offset > 0 and before.inode == inode and same
            start = before.offset if goes_on else 0
            first = max(start, size - most)
            file.seek(first)
            content = file.read(most)
    except OSError as error:
        raise _unreadable(path, error) from None
    left_out = 0
    if first > start:  # in the middle of a line
        left_out = content.find(b"\n") + 1
    kept = content[left_out:]
    end = kept.rfind(b"\n") + 1
    if not end and not goes_on:  # one line alone is whole without an end
        end = len(kept)
    offset = first + left_out + end
    return Unread(
        content=kept[:end],
        offset=offset,
        tail=((before.tail if goes_on else b"") + kept[:end])[-TAIL:],
        inode=inode,
        is_anew=not goes_on,
        is_cut=first > start,
    )


def _inode_and_size(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return seen.st_ino, seen.st_size


def _unreadable(path: Path, error: OSError) -> InputError:
    why = error.strerror or type(error).__name__
    return InputError(f"{path} can't be read: {why}", field=path.name)
