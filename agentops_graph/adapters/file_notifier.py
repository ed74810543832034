"""Writes notices into a local outbox folder when no Slack or GitHub is configured."""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from agentops_graph.domain.action import CreateGithubIssue, Notice
from agentops_graph.errors import UnavailableError

LISTING = "NOTICES.jsonl"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FileNotifier:
    """A folder with one JSON line per notice and a Markdown file to read each."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = _utc_now) -> None:
        self._folder = folder
        self._now = now

    def send(self, notice: Notice, *, marker: str, earlier: str | None) -> str:
        """Returns the Markdown file's path from the outbox's parent; a marker that was sent before
        returns the same path and writes nothing."""
        try:
            return self._written(notice, marker, earlier)
        except OSError as error:
            raise UnavailableError(
                f"the outbox {self._folder} can't be written ({error.strerror or error}); "
                "check its free space and rights, or set AGENTOPS_HOME to another folder"
            ) from error

    def _written(self, notice: Notice, marker: str, earlier: str | None) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / LISTING).open("a+b") as listing:
            fcntl.flock(listing, fcntl.LOCK_EX)  # released when the file closes
            known = _reference_of(listing, marker)
            if known is not None:
                return known
            at = self._now()
            page = self._folder / f"{at:%Y%m%dT%H%M%SZ}-{_file_stem(marker)}.md"
            reference = f"{self._folder.name}/{page.name}"
            _write_durably(page, _markdown(notice, at, marker, earlier))
            line = {
                "at": at.isoformat(),
                "marker": marker,
                "reference": reference,
                "earlier": earlier,
                "notice": notice.model_dump(mode="json"),
            }
            _append(listing, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        return reference


def _reference_of(listing: BinaryIO, marker: str) -> str | None:
    listing.seek(0)
    for line in listing:
        try:
            row = json.loads(line)
        except ValueError:  # a line torn by a crash was never acknowledged: it counts as unsent
            continue
        if row["marker"] == marker:
            return str(row["reference"])
    return None


def _append(listing: BinaryIO, line: bytes) -> None:
    end = listing.seek(0, os.SEEK_END)
    if end:
        listing.seek(end - 1)
        if listing.read(1) != b"\n":
            line = b"\n" + line
    listing.write(line)
    listing.flush()
    os.fsync(listing.fileno())


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as page:
        page.write(text)
        page.flush()
        os.fsync(page.fileno())


def _file_stem(marker: str) -> str:
    """Readable, safe as a file name, and different for markers that differ."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", marker).strip("-")[:60]
    return f"{readable or 'notice'}-{hashlib.sha256(marker.encode()).hexdigest()[:8]}"


def _markdown(notice: Notice, at: datetime, marker: str, earlier: str | None) -> str:
    title = notice.title if isinstance(notice, CreateGithubIssue) else notice.action
    lines = [
        f"# {' '.join(title.split())}",
        "",
        f"- notice: {notice.action}",
        f"- written: {at.isoformat(timespec='seconds')}",
        f"- marker: {marker}",
    ]
    if earlier:
        lines.append(f"- follows: {earlier}")
    return "\n".join([*lines, "", notice.text, ""])
