"""Keeps long evidence as files of the data folder that only their owner may read."""

import os
import re
import shutil
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from agentops_graph.encryption import Ring
from agentops_graph.errors import UnavailableError

HALF = 4_000_000  # characters that are kept of the head, and as many of the tail
DAYS = 30
MOST_BYTES = 500_000_000  # of all files; the oldest incidents go first
PLACE = "evidence"  # what sealed files are bound to
_SAFE = re.compile(r"[^A-Za-z0-9._-]")


class EvidenceFiles:
    """`evidence/INCIDENT/NAME.log` in the data folder, kept for 30 days and up to 500 MB.

    Where the data folder is encrypted so are they, with the ending `.enc`.
    """

    def __init__(self, home: Path, ring: Ring) -> None:
        self._home, self._folder, self._ring = home, home / "evidence", ring

    def keep(self, incident_id: str, name: str, lines: Iterable[str]) -> str | None:
        folder = self._folder / _safe(incident_id)
        sealed = self._ring.key_id is not None
        path = folder / f"{_safe(name)}.log{'.enc' if sealed else ''}"
        try:
            for each in (self._folder, folder):
                each.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._tidy(spared=folder)
            text = _head_and_tail(lines)
            _write(path, self._ring.seal(text, PLACE) if sealed else text)
        except OSError as error:
            raise UnavailableError(f"{path} can't be written: {error.strerror}") from None
        return path.relative_to(self._home).as_posix()

    def read(self, reference: str) -> str:
        """What was kept there. Raises UnavailableError when it is gone."""
        path = (self._home / reference).resolve()
        try:
            if not path.is_relative_to(self._folder.resolve()):
                raise FileNotFoundError
            text = path.read_text(encoding="utf-8")
        except OSError:
            raise UnavailableError(
                f"{reference} is not there; evidence is kept for {DAYS} days"
            ) from None
        return self._ring.unseal(text, PLACE) if path.suffix == ".enc" else text

    def _tidy(self, spared: Path) -> None:
        """Drops what is too old, then the oldest while all of it is too much."""
        held = sorted(
            ((f.stat().st_mtime, f) for f in self._folder.iterdir() if f.is_dir() and f != spared),
            reverse=True,
        )
        size = _size(spared)
        for written_at, folder in held:
            size += _size(folder)
            if size > MOST_BYTES or written_at < time.time() - DAYS * 86_400:
                shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    """Whole or not at all; a plan that is made anew replaces its own file."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    part.replace(path)


def _head_and_tail(lines: Iterable[str]) -> str:
    head: list[str] = []
    tail: deque[str] = deque()
    head_size = tail_size = dropped = 0
    for line in lines:
        if not tail and head_size + len(line) <= HALF:
            head.append(line)
            head_size += len(line) + 1
            continue
        tail.append(line)
        tail_size += len(line) + 1
        while tail_size > HALF and len(tail) > 1:
            tail_size -= len(tail.popleft()) + 1
            dropped += 1
    gap = [f"[{dropped} lines left out]"] if dropped else []
    return "\n".join([*head, *gap, *tail, ""])


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def _safe(name: str) -> str:
    """One plain step of a path; a leading dot could climb or hide."""
    return _SAFE.sub("_", name).lstrip(".")[:150] or "_"
