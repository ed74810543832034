"""Document files of a folder or a git checkout, each with the name it goes by."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentops_graph.adapters.sqlite_shelf.checkout import opened_plain
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
    folder: Folder
    sha256: str
    content: bytes

    def parsed(self) -> Document:
        """Raises RunbookError."""
        return parse_document(self.path, self._text(), name=self.name)

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
            listing.refused.append(f"{_shown(folder.path)}: is no folder")
        own: set[str] = set()
        for path in _paths(folder.path, listing.refused):
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
        yield Draft(path, file, name, folder, sha256, content)


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


def _paths(folder: Path, refused: list[str] | None = None) -> list[str]:
    """Paths of document files below a folder, sorted; nothing hidden, and no folder by a link.
    `refused` takes those whose names can't be written down or shown."""
    found = []
    if not str(folder).isprintable():
        _refuse_name([] if refused is None else refused, folder)
        return []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in NOT_READ)
        files = [file for file in files if _is_document(file)]
        if refused is not None:
            for name in sorted((*folders, *files)):
                if not name.isprintable():
                    _refuse_name(refused, Path(place) / name)
        folders[:] = [f for f in folders if f.isprintable()]
        below = Path(place).relative_to(folder)
        found += [(below / file).as_posix() for file in files if file.isprintable()]
    # A file nearer the top has its bare name before one of a subfolder.
    return sorted(found, key=lambda path: (path.count("/"), path))


def _is_document(file: str) -> bool:
    return file.lower().endswith(SUFFIXES) and not file.startswith(".")


def _refuse_name(refused: list[str], path: Path) -> None:
    refused.append(f"{_shown(path)}: its name is no printable UTF-8 text; rename it")


def _shown(path: Path) -> str:
    return str(path) if str(path).isprintable() else ascii(str(path))


def _content(file: Path, folder: Path) -> bytes:
    """Raises RunbookError for what must not or can't be read."""
    path = file.relative_to(folder).as_posix()
    # `resolve` fails for links in a circle; these are no plain files.
    if file.is_symlink() and not Path(os.path.realpath(file)).is_relative_to(folder.resolve()):
        reason = "is a link that leads out of its folder; copy the file instead"
        raise RunbookError(path, 1, reason)
    try:
        if not file.is_file():
            leads = "a link that leads nowhere or back to itself; remove it"
            plain = "no plain file; move it away or rename it"
            raise RunbookError(path, 1, f"is {leads if file.is_symlink() else plain}")
        with os.fdopen(opened_plain(file), "rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise RunbookError(path, 1, f"can't be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise RunbookError(path, 1, f"is longer than {MAX_BYTES} bytes; split it")
    return content
