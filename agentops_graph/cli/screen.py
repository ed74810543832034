"""What reaches the terminal: text made harmless, tables, errors on one line, and JSON."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

# Rich would fold tables at 80 columns when they go into a file or a pipe.
PIPE_COLUMNS = 160
SEVERITY_STYLES = {"critical": "bold red", "warning": "yellow", "info": "dim"}
STATUS_STYLES = {
    "awaiting_approval": "bold yellow",
    "escalated": "bold red",
    "resolved": "green",
    "closed": "green",
    "suppressed": "dim",
    "pending": "bold yellow",
    "approved": "green",
    "rejected": "red",
    "done": "green",
    "passed": "green",
    "sent": "green",
    "failed": "red",
    "unknown": "bold red",
}
AGENT_STYLES = {"Monitor": "cyan", "Investigator": "magenta", "Remediator": "green"}


def clean(text: object) -> str:
    """Text of unknown origin on one line: control, bidirectional and zero-width characters are
    made visible, so that they can neither move the cursor nor hide anything."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(text))


def clean_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(clean(line.replace("\t", "    ")) for line in text.split("\n"))


def said(text: object, style: str = "") -> Text:
    """One line as Rich text, which is never read as markup."""
    return Text(clean(text), style=style)


def out() -> Console:
    """Standard output as it is now; nothing printed is read as markup."""
    return _console(stderr=False)


def err() -> Console:
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_COLUMNS
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def line(text: object, style: str = "") -> None:
    out().print(said(text, style), soft_wrap=True)


def aside(text: object, style: str = "dim") -> None:
    """A remark that is not the answer: to standard error."""
    err().print(said(text, style), soft_wrap=True)


def complain(text: object) -> None:
    """An error as one clear line, which holds no credential."""
    from agentops_graph.domain.redaction import redacted

    err().print(said(redacted(f"agentops: {text}"), "bold red"), soft_wrap=True)


def emit(document: object) -> None:
    """The machine-readable answer: ASCII only, so that no terminal acts on it."""
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")


def grid(rows: Iterable[tuple[object, object]]) -> Table:
    """Label and text in two columns."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(said(label), text if isinstance(text, Text) else said(text))
    return table


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table; cells that are not Rich text are made so."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*[cell if isinstance(cell, Text) else said(cell) for cell in row])
    return made


def panel(title: str, *parts: Table | Text, style: str = "dim") -> Panel:
    return Panel(Group(*parts), title=said(title, "bold"), title_align="left", border_style=style)


def severity(word: str) -> Text:
    return said(word, SEVERITY_STYLES.get(word, ""))


def status(word: str) -> Text:
    return said(word.replace("_", " "), STATUS_STYLES.get(word, "cyan"))


def duration(seconds: float | None) -> str:
    """Seconds as people say them: 42 s, 3 min 5 s, 2 h 10 min, 3 d 4 h."""
    if seconds is None:
        return "-"
    if seconds <= 0:
        return "0 s"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = int(seconds)
    for unit, name, below, part in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // below
            return f"{whole // unit} {name} {rest} {part}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def clock(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def ago(at: datetime, now: datetime) -> str:
    return f"{duration(max(1.0, (now - at).total_seconds()))} ago"


def figure(value: float) -> str:
    return f"{value:.4g}"


class PlainLines(logging.Formatter):
    """Log records as one harmless line each."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(f"agentops: {record.getMessage()}")
