"""Document files of a folder or a git checkout, each with the name it goes by."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agentops_graph.adapters.sqlite_shelf.schema import LAYOUT
from agentops_graph.diagnosis.runbook import Document, parse_document
from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import RunbookError

MAX_BYTES = 1_000_000  # a longer document is a log or a dump, not a runbook
SUFFIXES = (".md", ".markdown")
NOT_READ = {"node_modules", "__pycache__", "site-packages"}  # and whatever begins with a dot
# Every folder has one of these: alone they name nothing.
NAMELESS = {"skill.md", "readme.md", "index.md", "runbook.md", "_index.md"}
LONGEST_NAME = 120
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class Folder:
    """A folder of documents; files of a `layered` one replace earlier ones of the same name."""

    path: Path
    layered: bool = True
    label: str = ""


@dataclass(frozen=True)
class Draft:
    """A document file as found, before it is known to be readable."""

    path: str  # below its folder
    file: Path
    name: str
    folder: Path
    sha256: str
    content: bytes
    vouched: bool = True  # False in a folder added by hand: its reports are nobody's word

    def parsed(self) -> Document:
        """Raises RunbookError."""
        document = parse_document(self.path, self._text(), name=self.name)
        doubtful = document.kind == "incident" and not self.vouched
        return replace(document, confirmed=False) if doubtful else document

    def _text(self) -> str:
        binary = self.content.find(b"\0")
        if binary >= 0:
            line = self.content.count(b"\n", 0, binary) + 1
            raise RunbookError(self.path, line, "holds NUL bytes: it is no text; move it away")
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self.content.count(b"\n", 0, error.start) + 1
            raise RunbookError(
                self.file.name, line, "is not UTF-8 text; save it as UTF-8"
            ) from None


@dataclass
class Listing:
    """Which file stands for which name, in the order they are tried, and what was refused."""

    candidates: dict[str, list[tuple[Folder, str]]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def listed(folders: Sequence[Folder]) -> Listing:
    """Every document file by its name; a later layered folder's file comes before an earlier
    one's of the same name."""
    listing = Listing()
    for folder in folders:
        if not folder.path.is_dir():
            listing.refused.append(f"{folder.path}: is no folder")
        own: set[str] = set()
        for path in _paths(folder.path):
            name = _name(path, own, folder, listing.candidates)
            own.add(name)
            listing.candidates.setdefault(name, []).insert(0, (folder, path))
    return listing


def drafts(
    name: str, candidates: Iterable[tuple[Folder, str]], refused: list[str]
) -> Iterator[Draft]:
    """The files of one name, read one after the other; `refused` takes those that can't be."""
    for folder, path in candidates:
        file = folder.path / path
        try:
            content = _content(file, folder.path)
        except (RunbookError, ValueError, TypeError) as error:
            refused.append(said_of(file, error))
            continue
        sha256 = hashlib.sha256(LAYOUT.encode() + content).hexdigest()
        yield Draft(path, file, name, folder.path, sha256, content, folder.layered)


def said_of(file: Path, error: Exception) -> str:
    """`file:line: reason`, the file with its whole path: many folders have one of that name."""
    if isinstance(error, RunbookError):
        return f"{file}:{error.line}: {error.reason}"
    fault = redacted(f"{type(error).__name__}: {error}")[:200]
    return f"{file}:1: can't be read ({fault}); mend or remove it"


def glance(folders: Sequence[Folder]) -> tuple[tuple[str, int, int], ...]:
    """Path, time and size of every document file; equal glances need no sync."""
    seen = []
    for folder in folders:
        for path in _paths(folder.path):
            try:
                status = (folder.path / path).stat()
            except OSError:  # deleted since it was listed
                continue
            seen.append((f"{folder.path}/{path}", status.st_mtime_ns, status.st_size))
    return tuple(seen)


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out where a folder stands; None outside of a checkout or when it
    can't be told. Only files are read: no program runs, no configuration of the checkout counts."""
    for place in (folder, *folder.parents):
        mark = place / ".git"
        if mark.exists():
            try:
                return _head(mark)
            except (OSError, UnicodeDecodeError):
                return None
    return None


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
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            commit, _, named = line.strip().partition(" ")
            if named == reference and COMMIT.fullmatch(commit):
                return commit
    return None


def _small(file: Path) -> str:
    with file.open(encoding="utf-8") as text:
        return text.read(4096).strip()


def _name(
    path: str, own: set[str], folder: Folder, known: dict[str, list[tuple[Folder, str]]]
) -> str:
    """The bare file name where that is enough, else the path, else the path below a label."""
    bare = path.rpartition("/")[2]
    named = [path] if bare.lower() in NAMELESS else [bare, path]
    if not folder.layered and folder.label:
        named.append(f"{folder.label}/{path}")
    for name in named:
        if name not in own and (folder.layered or name not in known):
            return _short(name)
    return _short(f"{hashlib.sha256(str(folder.path).encode()).hexdigest()[:8]}/{path}")


def _short(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    return f"{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:12]}-{name[-80:]}"


def _paths(folder: Path) -> list[str]:
    """Paths of document files below a folder, sorted; nothing hidden, and no folder by a link."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in NOT_READ)
        below = Path(place).relative_to(folder)
        found += [(below / file).as_posix() for file in files if _is_document(file)]
    # A file nearer the top has its bare name before one of a subfolder.
    return sorted(found, key=lambda path: (path.count("/"), path))


def _is_document(file: str) -> bool:
    return file.lower().endswith(SUFFIXES) and not file.startswith(".") and file.isprintable()


def _content(file: Path, folder: Path) -> bytes:
    """Raises RunbookError for what must not or can't be read."""
    path = file.relative_to(folder).as_posix()
    try:
        if file.is_symlink() and not file.resolve().is_relative_to(folder.resolve()):
            reason = "is a link that leads out of its folder; copy the file instead"
            raise RunbookError(path, 1, reason)
        if not file.is_file():
            raise RunbookError(path, 1, "is no plain file; move it away or rename it")
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except RuntimeError:  # what `resolve` makes of links that lead to each other
        raise RunbookError(path, 1, "is a link that leads back to itself; remove it") from None
    except OSError as error:
        raise RunbookError(path, 1, f"can't be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise RunbookError(path, 1, f"is longer than {MAX_BYTES} bytes; split it")
    return content
