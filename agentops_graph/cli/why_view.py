"""How one diagnosis was reached: each cause from its prior over every signal to its probability."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.text import Text

from agentops_graph.cli import screen

if TYPE_CHECKING:
    from agentops_graph.domain.diagnosis import Claim, Diagnosis, Hypothesis
    from agentops_graph.domain.evidence import Evidence

SHOWN = 3


def why(diagnosis: "Diagnosis", evidence: "Sequence[Evidence]") -> Iterator[Panel]:
    """The claims of the named cause with their figures, then the sums of the first causes, then
    what each action may do."""
    if diagnosis.claims:
        yield _because(diagnosis.claims)
    absent = absent_in(evidence)
    for hypothesis in diagnosis.hypotheses[:SHOWN]:
        if hypothesis.score is not None:
            yield _sum(hypothesis, absent)
    actions = [
        (
            f"{r.priority}. {r.action}",
            r.condition or "-",
            r.effect,
            r.risk or "-",
            {None: "-", True: "yes", False: "no"}[r.reversible],
            r.cost,
        )
        for r in diagnosis.recommended_actions
    ]
    headings = ("action", "if", "effect", "risk", "reversible", "cost")
    yield screen.panel("what to do", screen.table(headings, actions))


def absent_in(evidence: "Sequence[Evidence]") -> frozenset[str]:
    """Signals that were looked for and not seen: they count, too, and must not read as seen."""
    from agentops_graph.domain.evidence import merged_signals

    merged = merged_signals(tuple(evidence))
    return frozenset(name for name, strength in merged.items() if strength < 0)


def named(signal: str, absent: frozenset[str]) -> str:
    return f"{signal} (not seen)" if signal in absent else signal


def _because(claims: "Sequence[Claim]") -> Panel:
    """What weighs, each by itself; what was looked for in vain and weighs nothing, in one line."""
    rows = [(c.evidence_id, f"{c.weight:+.2f}", c.text) for c in claims if c.weight or c.seen]
    table = screen.table(("evidence", "log-odds", "what it shows"), rows)
    idle = [c.text.partition(": no")[0] for c in claims if not c.weight and not c.seen]
    if not idle:
        return screen.panel("because", table)
    line = Text(screen.clean(f"looked for and not there: {'; '.join(idle)}"), style="dim")
    return screen.panel("because", table, line)


def _sum(hypothesis: "Hypothesis", absent: frozenset[str]) -> Panel:
    heaviest = sorted(hypothesis.weights.items(), key=lambda entry: -abs(entry[1]))
    rows = [("prior", f"{hypothesis.prior or 0.0:+.2f}")]
    rows += [(named(signal, absent), f"{effect:+.2f}") for signal, effect in heaviest if effect]
    rows.append(("sum", f"{hypothesis.score or 0.0:+.2f}"))
    rows.append(("probability", f"{hypothesis.probability:.2f}"))
    return screen.panel(
        f"{hypothesis.cause}: {hypothesis.title}", screen.table(("signal", "log-odds"), rows)
    )
