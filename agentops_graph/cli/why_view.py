"""How one diagnosis was reached: each cause from its prior over every signal to its probability."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.panel import Panel

from agentops_graph.cli import screen

if TYPE_CHECKING:
    from agentops_graph.domain.diagnosis import Diagnosis, Hypothesis, ModelOpinion

SHOWN = 3


def why(diagnosis: "Diagnosis") -> Iterator[Panel]:
    """The claims of the named cause with their figures, then the sums of the first causes, then
    what each action may do."""
    if diagnosis.claims:
        rows = [(c.evidence_id, f"{c.weight:+.2f}", c.text) for c in diagnosis.claims]
        yield screen.panel("because", screen.table(("evidence", "log-odds", "what it shows"), rows))
    if diagnosis.opinion is not None:
        yield _opinion(diagnosis.opinion, diagnosis)
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


def _opinion(opinion: "ModelOpinion", diagnosis: "Diagnosis") -> Panel:
    """What a language model said beside the weights, also where both are of one mind."""
    sure = "unknown" if diagnosis.told_confidence is None else f"{diagnosis.told_confidence:.0%}"
    weights = next((h.probability for h in diagnosis.hypotheses if h.cause == opinion.cause), None)
    rows: list[tuple[str, object]] = [
        ("it says", f"{opinion.cause} ({opinion.confidence:.0%})"),
        ("the weights", "the same" if opinion.agrees else _of_another_mind(diagnosis, weights)),
        ("in its words", opinion.words or "-"),
        ("rests on", ", ".join(opinion.evidence) or "-"),
        *(("but", doubt) for doubt in opinion.doubts),
        ("confidence of both", sure),
    ]
    style = "" if opinion.agrees else "yellow"
    return screen.panel(f"what {opinion.model} says", screen.grid(rows), style=style)


def _of_another_mind(diagnosis: "Diagnosis", weights: float | None) -> str:
    gave = "" if weights is None else f"; they give its cause {weights:.2f}"
    first = diagnosis.hypotheses[0].cause if diagnosis.hypotheses else "nothing"
    return f"put {first} first{gave}"


def _sum(hypothesis: "Hypothesis") -> Panel:
    heaviest = sorted(hypothesis.weights.items(), key=lambda entry: -abs(entry[1]))
    rows = [("prior", f"{hypothesis.prior or 0.0:+.2f}")]
    rows += [(signal, f"{effect:+.2f}") for signal, effect in heaviest if effect]
    rows.append(("sum", f"{hypothesis.score or 0.0:+.2f}"))
    rows.append(("probability", f"{hypothesis.probability:.2f}"))
    return screen.panel(
        f"{hypothesis.cause}: {hypothesis.title}", screen.table(("signal", "log-odds"), rows)
    )
