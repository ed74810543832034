"""What the logs of a component and its feeds say: new lines first, quoted and never obeyed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from agentops_graph.detection.logs.masks import headline
from agentops_graph.detection.logs.ranking import Ranked, Spans, ranked, signals
from agentops_graph.detection.logs.templates import TemplateTree
from agentops_graph.domain.log import EVENT_LIMIT
from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import PortError
from agentops_graph.gathering.case import SLACK, Case, Observed, typed_read

if TYPE_CHECKING:
    from agentops_graph.domain.log import LogLine, LogRead
    from agentops_graph.domain.record import Scalar
    from agentops_graph.evidence_ports import LogSource

BEFORE = timedelta(hours=2)  # what is usual; a job that runs hourly has run
SHOWN = 10  # templates in the evidence
NAMED = 3  # of them in its summary
ENDS = 3  # lines of the head, and of the tail
SAMPLE = 500  # characters of one sample
QUOTED = 160  # of a line in the summary, which the reasoner and the notices may be shown
_INNER = str.maketrans("«»", "‹›")  # a line can't end its own quotation
SPILL_ABOVE = 2 * ENDS
SPILL_HALF = 1_000_000  # characters that are kept of the head, and as many of the tail


def told_by_log(case: Case, source: LogSource, target: str) -> Observed:
    """One source's lines since the onset, held against those before it."""
    # The onset may lie a little late; what led to it stands just before.
    onset = case.window.start - SLACK
    source = case.counted(source, f"log:{source.name}")
    query = typed_read("lines", onset - BEFORE, case.window.end, of=target)
    since = source.lines(target, onset, case.window.end)
    before = source.lines(target, onset - BEFORE, onset, newest=True)
    tree = TemplateTree(onset.timestamp())
    tree.add(before.lines)
    tree.add(since.lines)
    spans = Spans(_span(before, BEFORE), _span(since, case.window.end - onset))
    found = ranked(tree.templates, spans)
    kept, trouble = _kept(case, source.name, target, since.lines)
    return Observed(
        source=f"log {source.name} ({since.place})",
        query=f"{query} {since.query}".strip(),
        summary=_summary(source.name, found, since, before, onset) + trouble,
        values=_counts(since, before, found) | _ends(since.lines) | _templates(found),
        signals=signals(found),
        references=(kept,) if kept else (),
        found=bool(since.lines),
    )


def _span(read: LogRead, asked: timedelta) -> float:
    """The seconds that the lines stand for: a read that was cut did not see all of its time."""
    if read.cut and read.lines:
        return max(1.0, read.lines[-1].at - read.lines[0].at)
    return asked.total_seconds()


def _summary(
    name: str, found: Sequence[Ranked], since: LogRead, before: LogRead, onset: datetime
) -> str:
    """The newest faults quoted, so that nobody takes a line's words for ours."""
    if not since.lines:
        silent = f"{len(before.lines)} in the two hours before it"
        return f"{name}: no line since {onset:%H:%M}, {silent}"
    news = [one for one in found if one.is_news]
    faults = [one for one in news if one.is_fault]
    told = "; ".join(_quoted(one) for one in (faults or news)[:NAMED])
    counted = f"{len(since.lines)} lines, {len(news)} new or risen forms of {len(found)}"
    unsure = "" if before.lines else "; nothing before it to compare with"
    cut = f"; {since.cut}" if since.cut else ""
    return f"{name}: {counted} since {onset:%H:%M}{unsure}{cut}{': ' if told else ''}{told}"


def _quoted(one: Ranked) -> str:
    line = shown(headline(one.template.sample), QUOTED).translate(_INNER)
    return (
        f"{one.standing} {one.template.severity} {one.template.since} times from "
        f"{_clock(one.template.first)}: «{line}»"
    )


def _counts(since: LogRead, before: LogRead, found: Sequence[Ranked]) -> dict[str, Scalar]:
    counted: dict[str, Scalar] = {
        "lines": len(since.lines),
        "lines_before": len(before.lines),
        "errors": sum(line.severity == "error" for line in since.lines),
        "errors_before": sum(line.severity == "error" for line in before.lines),
        "templates": len(found),
        "new": sum(one.standing == "new" for one in found),
        "risen": sum(one.standing == "risen" for one in found),
    }
    cut = {"cut": since.cut, "cut_before": before.cut}
    return counted | {name: shown(why, SAMPLE) for name, why in cut.items() if why}


def _ends(lines: Sequence[LogLine]) -> dict[str, Scalar]:
    head, tail = lines[:ENDS], lines[ENDS:][-ENDS:]
    return {
        f"{end}_{number}": f"{_clock(line.at)} {shown(line.text, SAMPLE)}"
        for end, kept in (("head", head), ("tail", tail))
        for number, line in enumerate(kept, 1)
    }


def _templates(found: Sequence[Ranked]) -> dict[str, Scalar]:
    values: dict[str, Scalar] = {}
    for number, one in enumerate(found[:SHOWN], 1):
        template, name = one.template, f"template_{number}"
        values |= {
            name: shown(template.text, SAMPLE),
            f"{name}.standing": one.standing,
            f"{name}.severity": template.severity,
            f"{name}.count": template.since,
            f"{name}.count_before": template.before,
            f"{name}.first": _moment(template.first),
            f"{name}.last": _moment(template.last),
            f"{name}.sample": shown(template.sample, SAMPLE),
        }
    return values


def _kept(case: Case, name: str, target: str, lines: Sequence[LogLine]) -> tuple[str | None, str]:
    """Where all lines since the onset lie, and a word when they could not be kept."""
    folder = case.ports.evidence_folder
    if folder is None or len(lines) <= SPILL_ABOVE:
        return None, ""
    named = f"p{case.incident.plan_number}-{name}-{target}"
    try:
        return folder.keep(case.incident.incident_id, named, _whole(lines)), ""
    except PortError as error:
        return None, f"; the lines were not kept: {error}"


def _whole(lines: Sequence[LogLine]) -> Iterator[str]:
    """Head and tail, cleared only after they were chosen: clearing takes longer than reading."""
    head = _within(lines)
    tail = _within(lines[:head:-1] if head < len(lines) else ())
    last = max(head, len(lines) - tail)
    for line in lines[:head]:
        yield _cleared(line)
    if last > head:
        yield f"[{last - head} lines left out]"
    for line in lines[last:]:
        yield _cleared(line)


def _within(lines: Sequence[LogLine]) -> int:
    """How many of them fit."""
    left = SPILL_HALF
    for number, line in enumerate(lines):
        left -= len(line.text)
        if left < 0:
            return number
    return len(lines)


def _cleared(line: LogLine) -> str:
    text = "\n".join(_visible(part) for part in redacted(line.text).split("\n"))
    return f"{_moment(line.at)} {line.severity} {text}"


def shown(text: str, limit: int) -> str:
    """One line without credentials or characters that could move a cursor, cut at its middle: the
    end of a traceback names the error."""
    plain = _visible(redacted(" | ".join(text[:EVENT_LIMIT].split("\n"))))
    if len(plain) <= limit:
        return plain
    return f"{plain[: limit * 2 // 3]} … {plain[-(limit // 3 - 3) :]}"


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c == "\t" else f"\\u{ord(c):04x}" for c in text)


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
