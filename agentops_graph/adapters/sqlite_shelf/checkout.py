"""Tells which commit a folder is checked out at, from git's own files and nothing else."""

import os
import re
import stat
from pathlib import Path
from typing import TextIO

COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
LONGEST_LINE = 4096
MOST_PACKED = 16_000_000  # characters; a list of a quarter of a million references


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out where a folder stands; None outside of a checkout or when it
    can't be told. Only files are read: no program runs, no configuration of the checkout counts."""
    for place in (folder, *folder.parents):
        mark = place / ".git"
        try:
            if mark.exists():
                return _head(mark)
        except (OSError, ValueError, RuntimeError):  # no text, a NUL in a path, links in a circle
            return None
    return None


def opened_plain(file: Path) -> int:
    """A descriptor of a plain file; OSError for a pipe or a device, which could be waited for for
    ever."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(f"{file} is no plain file")


def _head(mark: Path) -> str | None:
    home = mark
    if mark.is_file():  # a worktree or a submodule says where its own part lies
        home = (mark.parent / _small(mark).removeprefix("gitdir:").strip()).resolve()
    head = _small(home / "HEAD")
    if not head.startswith("ref:"):
        return head if COMMIT.fullmatch(head) else None
    reference = head.removeprefix("ref:").strip()
    if not reference.startswith("refs/") or ".." in reference:
        return None
    shared = home
    if (home / "commondir").is_file():
        shared = (home / _small(home / "commondir")).resolve()
    for place in (home, shared):
        if (place / reference).is_file():
            found = _small(place / reference)
            return found if COMMIT.fullmatch(found) else None
    return _packed(shared / "packed-refs", reference)


def _packed(file: Path, reference: str) -> str | None:
    if not file.is_file():
        return None
    left = MOST_PACKED
    with _text(file) as text:
        while left > 0 and (line := text.readline(LONGEST_LINE)):
            left -= len(line)
            commit, _, named = line.strip().partition(" ")
            if named == reference and COMMIT.fullmatch(commit):
                return commit
    return None


def _small(file: Path) -> str:
    with _text(file) as text:
        return text.read(LONGEST_LINE).strip()


def _text(file: Path) -> TextIO:
    return os.fdopen(opened_plain(file), encoding="utf-8")
