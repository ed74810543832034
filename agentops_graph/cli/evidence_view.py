"""How the evidence of an incident is shown: what was seen, its figures, how it was got."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.text import Text

from agentops_graph.cli import screen

if TYPE_CHECKING:
    from agentops_graph.domain.evidence import Evidence

FIGURES_SHOWN = 12
A_TIME = 1e9  # seconds since 1970; figures of another kind that end in `_at` are far below
MARKS = {"ok": "green", "absent": "yellow", "failed": "red"}


def print_evidence(pieces: "tuple[Evidence, ...]") -> None:
    """One block for each piece, those of the last diagnosis at the end."""
    for piece in pieces:
        screen.out().print(_block(piece))


def _block(piece: "Evidence") -> Panel:
    rows: list[tuple[str, object]] = [
        ("seen", screen.said(piece.summary, MARKS[piece.status] if piece.status != "ok" else "")),
        *_figures(piece),
        *_signals(piece),
        ("read", f"{piece.source}: {piece.query}"),
        ("got", _got(piece)),
    ]
    if piece.references:
        rows.append(("see", ", ".join(piece.references)))
    if piece.file:
        rows.append(("all of it", f"{piece.file}  (agentops evidence {piece.incident_id})"))
    title = f"{piece.evidence_id}  {piece.kind}  {piece.status}"
    return screen.panel(title, screen.grid(rows), style=MARKS[piece.status])


def _figures(piece: "Evidence") -> list[tuple[str, object]]:
    known = [(name, value) for name, value in piece.values.items() if value is not None]
    shown = [f"{name} {_figure(name, value)}" for name, value in known[:FIGURES_SHOWN]]
    more = len(known) - FIGURES_SHOWN
    text = ", ".join(shown) + (f", and {more} more (--json)" if more > 0 else "")
    return [("values", text)] if text else []


def _figure(name: str, value: str | float) -> str:
    if isinstance(value, str):
        return value
    if name.endswith("_at") and value >= A_TIME:
        return screen.clock(datetime.fromtimestamp(value, tz=UTC))
    is_after = name.endswith("_before_onset") and value < 0
    return f"{screen.figure(value)} (after the onset)" if is_after else screen.figure(value)


def _signals(piece: "Evidence") -> list[tuple[str, object]]:
    if not piece.signals:
        return []
    text = Text()
    for name, strength in sorted(piece.signals.items(), key=lambda each: (-each[1], each[0])):
        mark, style = ("+", "green") if strength > 0 else ("-", "dim")
        text.append(f"{mark}{screen.clean(name)} ", style=style if strength else "")
    return [("signals", text)]


def _got(piece: "Evidence") -> str:
    when = screen.clock(piece.measured_at)
    how = f", {piece.got.in_words}" if piece.got else ""
    wider = f", looked from {screen.clock(piece.widened_to)}" if piece.widened_to else ""
    return f"{when}{how}{wider}"
