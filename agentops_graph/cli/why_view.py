"""How one diagnosis was reached: each cause from its prior over every signal to its probability."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.panel import Panel

from agentops_graph.cli import screen

if TYPE_CHECKING:
    from agentops_graph.domain.diagnosis import Diagnosis, Hypothesis

SHOWN = 3


def why(diagnosis: "Diagnosis") -> Iterator[Panel]:
    """The claims of the named cause with their figures, then the sums of the first causes, then
    what each action may do."""
    if diagnosis.claims:
        rows = [(c.evidence_id, f"{c.weight:+.2f}", c.text) for c in diagnosis.claims]
        yield screen.panel("because", screen.table(("evidence", "log-odds", "what it shows"), rows))
    for hypothesis in diagnosis.hypotheses[:SHOWN]:
        if hypothesis.score is not None:
            yield _sum(hypothesis)
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


def _sum(hypothesis: "Hypothesis") -> Panel:
    heaviest = sorted(hypothesis.weights.items(), key=lambda entry: -abs(entry[1]))
    rows = [("prior", f"{hypothesis.prior or 0.0:+.2f}")]
    rows += [(signal, f"{effect:+.2f}") for signal, effect in heaviest if effect]
    rows.append(("sum", f"{hypothesis.score or 0.0:+.2f}"))
    rows.append(("probability", f"{hypothesis.probability:.2f}"))
    return screen.panel(
        f"{hypothesis.cause}: {hypothesis.title}", screen.table(("signal", "log-odds"), rows)
    )
