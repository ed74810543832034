"""How the evaluations are shown: a line while each runs, and the table at the end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from agentops_graph.cli import screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agentops_graph.evaluation.baseline import Comparison
    from agentops_graph.evaluation.running import Outcome, Ticks

FIGURES_SHOWN = 8
SAID_EACH_S = 30.0  # where no line can be written over


@contextmanager
def progress(name: str) -> Iterator[Ticks]:
    """Says on standard error for how long it runs: one line that changes on a terminal, one each
    half minute elsewhere."""
    console = screen.err()
    if console.is_terminal:
        with console.status(screen.said(f"{name} ...")) as shown:
            yield lambda seconds: shown.update(screen.said(f"{name} ... {seconds:.0f} s"))
        return
    screen.aside(f"{name} ...")
    said = 0.0

    def tick(seconds: float) -> None:
        nonlocal said
        if seconds - said >= SAID_EACH_S:
            said = seconds
            screen.aside(f"{name} ... {seconds:.0f} s")

    yield tick


def listed(*, as_json: bool) -> None:
    """The evaluations that there are, for somebody who named none."""
    from agentops_graph.evaluation.suites import SUITES

    if as_json:
        screen.emit({"suites": [{"name": s.name, "about": s.about} for s in SUITES]})
    else:
        screen.out().print(
            screen.table(("evaluation", "asks"), [(s.name, s.about) for s in SUITES])
        )
    screen.complain("name those to run, or --all for every one; it may take long")


def ended(outcome: Outcome) -> None:
    screen.aside(f"{outcome.suite}: {outcome.state} after {outcome.seconds:.0f} s")


def printed(
    outcomes: Sequence[Outcome],
    absent: Sequence[str],
    beside: Mapping[str, Comparison],
    *,
    accepting: bool,
) -> None:
    """The table, then what fell behind, what was not measured and what has no accepted figures."""
    rows = [_row(one) for one in outcomes]
    rows += [(name, "absent", "-", "", "it is not part of this checkout") for name in absent]
    headings = ("evaluation", "state", "took", "figures", "missed")
    screen.out().print(screen.table(headings, rows))
    for one in outcomes:
        for part, why in one.skipped.items():
            screen.line(f"skipped: {one.suite}: {part}: {why}", "yellow")
    for name, each in beside.items():
        for line in each.fell:
            screen.line(f"fell behind: {line}", "bold red")
        for line in each.unmeasured:
            screen.line(f"not measured: {line}", "bold yellow")
        if each.is_new:
            now = "; accepted now" if accepting else f" (`agentops eval {name} --accept`)"
            screen.line(f"{name}: nothing accepted yet{now}")


def _row(one: Outcome) -> tuple[str, ...]:
    shown = list(one.figures.items())[:FIGURES_SHOWN]
    told = ", ".join(f"{name} {value:.3f}" for name, value in shown)
    left = len(one.figures) - len(shown)
    more = f" and {left} more (--json)" if left > 0 else ""
    return (one.suite, one.state, f"{one.seconds:.0f} s", told + more, "; ".join(one.said))
