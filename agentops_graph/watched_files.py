"""Files that others write and that are read again when they changed."""

from collections.abc import Iterable
from pathlib import Path

from agentops_graph.errors import InputError

Stamp = tuple[str, int, int, int]


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
        why = error.strerror or type(error).__name__
        raise InputError(f"{path} can't be read: {why}", field=path.name) from None
    if len(content) > most:
        mib = most / 1024**2
        raise InputError(f"{path} is larger than {mib:.0f} MiB", field=path.name)
    return content
