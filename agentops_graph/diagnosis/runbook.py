"""Markdown documents as sections with references, and the causes that runbooks declare."""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from agentops_graph.diagnosis.front_matter import (
    CauseEntry,
    FrontMatter,
    IncidentFront,
    RunbookFront,
    split,
)
from agentops_graph.diagnosis.wording import nearest
from agentops_graph.domain.knowledge import Cause, DocumentKind, SignalWeight
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import RunbookError

HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
NUMBERED = re.compile(r"^(?:section\s+)?(\d{1,2}(?:\.\d{1,2})*)[.):]?\s+(\S.*)$", re.IGNORECASE)
CODE_FENCE = re.compile(r"^\s*(```|~~~)")
INCIDENTS_FOLDER = "incidents"


@dataclass(frozen=True)
class Section:
    """One heading of a document with the text under it."""

    reference: str  # "model_drift.md#section-3-2-usual-causes"
    number: str  # "3.2", or "" for a heading without one
    title: str
    text: str

    @property
    def slug(self) -> str:
        return self.reference.partition("#")[2]

    @property
    def heading(self) -> str:
        return f"{self.number} {self.title}".strip()


@dataclass(frozen=True)
class Document:
    """A runbook or an incident report, ready for the shelf."""

    name: str  # file name for a runbook, incident id for a report
    kind: DocumentKind
    title: str
    sections: tuple[Section, ...]
    alert_types: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    confirmed: bool = True
    metadata: dict[str, Scalar] = field(default_factory=dict)


def parse_document(path: str, text: str) -> Document:
    """A document from its path below the runbook folder and its text; RunbookError names the
    line. A document without front matter is a plain searchable runbook."""
    file = PurePosixPath(path).name
    front, body, first_line = split(file, text.lstrip("\ufeff").replace("\r\n", "\n"))
    sections = sections_of(file, body)
    if not sections:
        raise RunbookError(file, first_line, "the document has no text")
    if front is None:
        return Document(file, "runbook", sections[0].title, sections)
    if INCIDENTS_FOLDER in PurePosixPath(path).parts[:-1] or "incident_id" in front.values:
        return _report(front.incident(), sections)
    return _runbook(file, front, sections)


def sections_of(file: str, body: str) -> tuple[Section, ...]:
    """The sections of a Markdown text in order; text before any heading takes the file's name.
    A reference is unique within its file: a repeated heading gets `-2`, `-3` ..."""
    sections: list[Section] = []
    taken: dict[str, int] = {}
    for heading, text in _blocks(file, body):
        number, title = _numbered(heading)
        slug = section_slug(number, title)
        taken[slug] = taken.get(slug, 0) + 1
        if taken[slug] > 1:
            slug = f"{slug}-{taken[slug]}"
        sections.append(Section(f"{file}#{slug}"[:200], number, title[:180], text))
    return tuple(sections)


def section_slug(number: str, title: str) -> str:
    """`section-3-2-usual-causes` for 3.2 "Usual causes"; the bare slug without a number."""
    words = re.sub(r"[\W_]+", "-", title.lower()).strip("-") or "untitled"
    return f"section-{number.replace('.', '-')}-{words}" if number else words


def _blocks(file: str, body: str) -> list[tuple[str, str]]:
    """(heading, text under it) pairs; a `#` inside a code fence is no heading."""
    first_name = PurePosixPath(file).stem
    blocks: list[tuple[str, list[str]]] = [(first_name, [])]
    fence: str | None = None
    for line in body.split("\n"):
        mark = CODE_FENCE.match(line)
        if mark and fence in (None, mark[1]):
            fence = None if fence else mark[1]
        heading = None if fence else HEADING.match(line)
        if heading:
            blocks.append((heading[2], []))
        else:
            blocks[-1][1].append(line)
    joined = [(heading, "\n".join(lines).strip()) for heading, lines in blocks]
    # The file's name and a bare document title say nothing that every section does not.
    while len(joined) > 1 and not joined[0][1] and joined[0][0] in (first_name, _title(body)):
        joined.pop(0)
    return joined


def _title(body: str) -> str | None:
    match = re.search(r"^#\s+(.+?)\s*#*\s*$", body, re.MULTILINE)
    return match[1] if match else None


def _numbered(heading: str) -> tuple[str, str]:
    match = NUMBERED.match(heading)
    return (match[1], match[2]) if match else ("", heading)


def _report(front: IncidentFront, sections: tuple[Section, ...]) -> Document:
    return Document(
        name=front.incident_id,
        kind="incident",
        title=front.title,
        sections=sections,
        alert_types=(front.alert_type,),
        confirmed=front.confirmed,
        metadata={"root_cause": front.root_cause, "severity": front.severity, "date": front.date},
    )


def _runbook(file: str, front: FrontMatter, sections: tuple[Section, ...]) -> Document:
    fields = front.runbook()
    names: set[str] = set()
    causes = []
    for position, entry in enumerate(fields.causes):
        if entry.cause in names:
            line = front.line(("causes", position, "cause"))
            raise RunbookError(file, line, f"cause {entry.cause!r} stands twice")
        names.add(entry.cause)
        section = _section_of(entry, position, front, sections)
        causes.append(_cause(file, fields, entry, section))
    return Document(file, "runbook", fields.title, sections, fields.serves, tuple(causes))


def _section_of(
    entry: CauseEntry, position: int, front: FrontMatter, sections: tuple[Section, ...]
) -> Section:
    for section in sections:
        if entry.section in (section.number, section.slug, section.title):
            return section
    known = [section.number or section.slug for section in sections]
    reason = f"section {entry.section!r} is no heading of this document"
    line = front.line(("causes", position, "section"))
    raise RunbookError(front.file, line, f"{reason}{nearest(entry.section, known)}")


def _cause(file: str, front: RunbookFront, entry: CauseEntry, section: Section) -> Cause:
    return Cause(
        cause=entry.cause,
        title=entry.title,
        runbook=file,
        section=section.number or section.slug,
        reference=section.reference,
        serves=entry.serves or front.serves,
        prior=entry.prior,
        signals=tuple(SignalWeight(**dict(signal)) for signal in entry.signals),
        actions=entry.actions,
    )
