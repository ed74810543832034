"""Markdown documents as sections with references, and the causes that runbooks declare."""

import re
from dataclasses import dataclass, field
from itertools import takewhile
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

NUMBERED = re.compile(r"^(?:section\s+)?(\d{1,2}(?:\.\d{1,2})*)[.):]?\s+(\S.*)$", re.IGNORECASE)
CODE_FENCE = re.compile(r"^\s*(```|~~~)")
INCIDENTS_FOLDER = "incidents"
# Keys that only a front matter written for this product has.
OUR_KEYS = {"serves", "causes", "incident_id", "root_cause", "alert_type"}
DEEPEST_HEADING = 6
LONGEST_REFERENCE = 200
MOST_COMPARED = 200  # sections that a wrong name is compared with, for the nearest
MOST_SECTIONS = 5000  # more is an accident or an attack, and costs a search its time
LONGEST_PLAIN = 4000  # characters; longer sections of plain documents are cut between paragraphs


@dataclass(frozen=True)
class Section:
    """One heading of a document with the text under it."""

    reference: str  # "model_drift.md#section-3-2-usual-causes"
    number: str  # "3.2", or "" for a heading without one
    title: str
    text: str
    lines: tuple[int, int] = (1, 1)  # in the file, first and last

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
    guessed: bool = False  # alert types and causes were read out of plain text


def parse_document(path: str, text: str, *, name: str | None = None) -> Document:
    """A document from its path below the runbook folder and its text; RunbookError names the
    line. One whose front matter is not ours (of a site generator, a skill) or that has none is a
    plain searchable runbook. `name` stands for the file where its own name is not enough."""
    file = PurePosixPath(path).name
    plain = text.lstrip("\ufeff").replace("\r\n", "\n")
    front, body, first_line = split(file, plain)
    foreign = front is not None and not OUR_KEYS & set(front.values)
    name = name or file
    longest = LONGEST_PLAIN if front is None or foreign else None
    sections = sections_of(name, body, first_line=first_line, longest=longest)
    if not sections:
        raise RunbookError(file, first_line, "the document has no text")
    if len(sections) > MOST_SECTIONS:
        line = sections[MOST_SECTIONS].lines[0]
        raise RunbookError(file, line, f"has more than {MOST_SECTIONS} sections; split the file")
    if front is None:
        return Document(name, "runbook", title_of(body) or sections[0].title, sections)
    in_incidents = INCIDENTS_FOLDER in PurePosixPath(path).parts[:-1]
    if "incident_id" in front.values or (in_incidents and not foreign):
        return _report(front.incident(), sections)
    if foreign:
        return Document(name, "runbook", _foreign_title(front, body, sections), sections)
    return _runbook(name, front, sections)


def _foreign_title(front: FrontMatter, body: str, sections: tuple[Section, ...]) -> str:
    stated = (front.values.get(key) for key in ("title", "name"))
    titles = (value.strip() for value in stated if isinstance(value, str) and value.strip())
    return next(titles, title_of(body) or sections[0].title)[:180]


def sections_of(
    file: str, body: str, *, first_line: int = 1, longest: int | None = None
) -> tuple[Section, ...]:
    """The sections of a Markdown text in order; text before any heading takes the file's name.
    A reference is unique within its file: a repeated heading gets the next free of `-2`, `-3` ...
    """
    sections: list[Section] = []
    references = _References()
    for block in _blocks(file, body):
        number, title = _numbered(block.heading)
        for text, (first, last) in block.parts(longest):
            reference = references.free(f"{file}#{section_slug(number, title)}")
            lines = (first_line + first, first_line + last)
            sections.append(Section(reference, number, title[:180], text, lines))
    return tuple(sections)


class _References:
    """The references of one file, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counted: dict[str, int] = {}

    def free(self, wanted: str) -> str:
        """`wanted`, cut to its length; with the next number when it is taken."""
        wanted = reference = wanted[:LONGEST_REFERENCE]
        stem = wanted[: LONGEST_REFERENCE - 8]  # what is cut alike is counted together
        while reference in self._taken:
            self._counted[stem] = self._counted.get(stem, 1) + 1
            reference = f"{stem}-{self._counted[stem]}"
        self._taken.add(reference)
        return reference


def section_slug(number: str, title: str) -> str:
    """`section-3-2-usual-causes` for 3.2 "Usual causes"; the bare slug without a number."""
    words = re.sub(r"[\W_]+", "-", title.lower()).strip("-") or "untitled"
    return f"section-{number.replace('.', '-')}-{words}" if number else words


@dataclass
class _Block:
    """A heading with the lines under it, numbered from 0 within the body."""

    heading: str
    level: int
    first: int
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()

    def parts(self, longest: int | None) -> list[tuple[str, tuple[int, int]]]:
        """The text with its line span; cut at blank lines outside code when it is too long."""
        last = self.first + len(self.lines)
        if longest is None or len(self.text) <= longest:
            return [(self.text, (self.first, last if self.level else max(self.first, last - 1)))]
        cuts, size, start, fenced = [0], 0, 0, False
        for number, line in enumerate(self.lines):
            fenced ^= bool(CODE_FENCE.match(line))
            size += len(line) + 1
            if size > longest and (not fenced or size > 4 * longest) and number > start:
                cuts.append(number)
                start, size = number, len(line)
        spans = zip(cuts, [*cuts[1:], len(self.lines)], strict=True)
        offset = self.first + bool(self.level)
        found = [
            ("\n".join(self.lines[a:b]).strip(), (offset + a, offset + b - 1)) for a, b in spans
        ]
        return [(text, span) for text, span in found if text] or [("", (self.first, last))]


def _blocks(file: str, body: str) -> list[_Block]:
    """Headings with the text under them; a `#` inside a code fence is no heading."""
    first_name = PurePosixPath(file).stem
    blocks = [_Block(first_name, 0, 0, [])]
    fence: str | None = None
    for number, line in enumerate(body.split("\n")):
        mark = CODE_FENCE.match(line)
        if mark and fence in (None, mark[1]):
            fence = None if fence else mark[1]
        heading = None if fence else heading_of(line)
        if heading:
            blocks.append(_Block(heading[1], heading[0], number, []))
        else:
            blocks[-1].lines.append(line)
    title = next((block.heading for block in blocks if block.level == 1), None)
    # The file's name and a bare document title say nothing that every section does not.
    empty = takewhile(lambda b: not b.text and b.heading in (first_name, title), blocks[:-1])
    return blocks[len(list(empty)) :]


def heading_of(line: str) -> tuple[int, str] | None:
    """Level and title of a line that is a heading. In steps, not by one pattern: a line of nothing
    but spaces and `#` must cost no more than its length."""
    bare = line.lstrip("#")
    level, title = len(line) - len(bare), bare.strip()
    if not (0 < level <= DEEPEST_HEADING and bare[:1].isspace() and title):
        return None
    return level, title.rstrip("#").rstrip() or title


def title_of(body: str) -> str | None:
    """The first heading of the first level outside code."""
    fenced = False
    for line in body.split("\n"):
        fenced ^= bool(CODE_FENCE.match(line))
        heading = None if fenced else heading_of(line)
        if heading and heading[0] == 1:
            return heading[1][:180]
    return None


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
        metadata={
            "root_cause": front.root_cause,
            "severity": front.severity,
            "date": front.date,
            "component": front.component,
        },
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
    known = [section.number or section.slug for section in sections[:MOST_COMPARED]]
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
