"""Brings the shelf in step with its folders: new, changed, doubled and deleted documents."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from sqlite3 import Connection

from agentops_graph.adapters.sqlite_shelf.checkout import git_commit
from agentops_graph.adapters.sqlite_shelf.files import Draft, Folder, drafts, listed, said_of
from agentops_graph.adapters.sqlite_shelf.schema import (
    new_generation,
    read_state,
    write_state,
    writing,
)
from agentops_graph.adapters.sqlite_shelf.storing import Provenance, Vectorised, remove, store
from agentops_graph.diagnosis.guessing import with_guesses
from agentops_graph.diagnosis.runbook import Document
from agentops_graph.errors import RunbookError

FROM_FOLDER, FROM_INCIDENT = "folder", "incident"
KEPT = "is an incident of this ledger, whose own report is kept; rename or remove the file"
# Documents of one transaction: a killed ingest goes on behind the last of them, and a sync of
# less is all or nothing.
BATCH = 200
POST_MORTEMS = "select name from documents where origin = ?"
Fresh = tuple[Draft, Document]
Progress = Callable[[int, int], None]  # documents done, documents in all


@dataclass
class Survey:
    """What a sync meets: names that stay, copies of what is there, and refusals."""

    kept: set[str] = field(default_factory=set)
    copies: dict[str, list[str]] = field(default_factory=dict)  # name -> other paths
    refused: list[str] = field(default_factory=list)
    looked_at: int = 0
    files: int = 0


def bring_in_step(
    database: Connection,
    folders: Sequence[Folder],
    vectorised: Vectorised,
    progress: Progress | None = None,
) -> bool:
    """Writes what changed in batches, and last what is gone; True when the corpus is a new one.

    What a batch wrote stays, so an ingest that was cut off goes on where it was.
    """
    survey = Survey()
    commit = cache(git_commit)
    fresh = _fresh(database, folders, survey)
    changed = False
    while True:
        batch = list(islice(fresh, BATCH))
        last = len(batch) < BATCH
        # Slow, so before the lock is had.
        rows = vectorised([document for _, document in batch])
        found = [_provenance(draft, commit(draft.file.parent)) for draft, _ in batch]
        if batch or last:
            with writing(database):
                changed |= _write(database, batch, found, rows, survey, last)
        if progress is not None:
            progress(survey.looked_at, survey.files)
        if last:
            return changed


def _write(
    database: Connection, batch: list[Fresh], found: list[Provenance],
    rows: list[dict[str, bytes]], survey: Survey, last: bool,
) -> bool:  # fmt: skip
    gone = _gone(database, survey) if last else []
    for name in gone:
        remove(database, name)
    kept = _kept_reports(database)  # under the lock: one may have come since
    for (draft, document), provenance, vectors in zip(batch, found, rows, strict=True):
        if not {document.name, draft.name} & kept:
            store(database, document, provenance, vectors)
    if last:
        _note(database, survey)
    if not (gone or batch):
        return False
    new_generation(database)
    return True


def _provenance(draft: Draft, commit: str | None) -> Provenance:
    return Provenance(
        path=draft.path,
        sha256=draft.sha256,
        origin=FROM_FOLDER,
        source=str(draft.folder.path),
        git_commit=commit,
        read_at=datetime.now(UTC).isoformat(timespec="seconds"),
        added=not draft.folder.layered,
    )


def _note(database: Connection, survey: Survey) -> None:
    refused = json.dumps(survey.refused)
    if refused != read_state(database, "refused"):
        write_state(database, "refused", refused)
    for name, also in database.execute("select name, also from documents").fetchall():
        copies = "\n".join(survey.copies.get(name, ()))
        if copies != (also or ""):
            database.execute("update documents set also = ? where name = ?", [copies, name])


def _fresh(database: Connection, folders: Sequence[Folder], survey: Survey) -> Iterator[Fresh]:
    """New and changed documents. Of several files for one name the first that can be read counts;
    a file with the same content as another is that other's copy."""
    rows = database.execute(
        "select path, sha256, source, added, name from documents where origin = ?", [FROM_FOLDER]
    ).fetchall()
    kept = _kept_reports(database)
    known = {tuple(row[:4]): str(row[4]) for row in rows}
    listing = listed(folders)
    survey.refused += listing.refused
    survey.files = len(listing.candidates)
    taken: dict[str, str] = {}  # document name -> path
    contents: dict[str, str] = {}  # content -> document name
    for name, candidates in listing.candidates.items():
        survey.looked_at += 1
        for draft in drafts(name, candidates, survey.refused):
            if draft.sha256 in contents:
                survey.copies.setdefault(contents[draft.sha256], []).append(str(draft.file))
                break
            stands = known.get(
                (draft.path, draft.sha256, str(draft.folder.path), int(not draft.folder.layered))
            )
            if stands is not None and not {stands, draft.name} & kept:
                survey.kept.add(stands)
                contents[draft.sha256], taken[stands] = stands, draft.path
                break
            document = _accepted(draft, taken, kept, survey)
            if document is not None:
                contents[draft.sha256], taken[document.name] = document.name, draft.path
                survey.kept.add(document.name)
                yield draft, document
                break


def _accepted(
    draft: Draft, taken: dict[str, str], kept: set[str], survey: Survey
) -> Document | None:
    try:
        document = with_guesses(draft.parsed())
        if document.name in taken:
            other = taken[document.name]
            raise RunbookError(draft.path, 1, f"{document.name} is already told by {other}")
        if {document.name, draft.name} & kept:
            raise RunbookError(draft.path, 1, f"{document.name} {KEPT}")
    except (RunbookError, ValueError, TypeError) as error:  # the fault of one file ends no sync
        survey.refused.append(said_of(draft.file, error))
        return None
    # Nobody answerable vouches for what an added folder says of itself.
    vouched = draft.folder.layered or document.kind != "incident"
    return replace(document, confirmed=document.confirmed and vouched)


def _kept_reports(database: Connection) -> set[str]:
    """The names of incidents' own reports, and of their files, by which sections are cited."""
    rows = database.execute("select name, path from documents where origin = ?", [FROM_INCIDENT])
    return {str(name) for row in rows for name in row}


def _gone(database: Connection, survey: Survey) -> list[str]:
    rows = database.execute("select name from documents where origin = ?", [FROM_FOLDER])
    return [str(row[0]) for row in rows if row[0] not in survey.kept]


def folders_of(given: Sequence[Path], database: Connection) -> list[Folder]:
    """The folders that came with the settings, then those that were added by hand."""
    added = database.execute("select path, label from sources order by added_at, path")
    layered = [Folder(path) for path in given]
    return layered + [Folder(Path(path), layered=False, label=label) for path, label in added]
