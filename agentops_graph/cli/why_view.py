"""How one diagnosis was reached: each cause from its prior over every signal to its probability."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.panel import Panel

from agentops_graph.cli import screen

if TYPE_CHECKING:
    from agentops_graph.domain.diagnosis import Claim, Diagnosis, Hypothesis, ModelOpinion
    from agentops_graph.domain.evidence import Evidence

SHOWN = 3


def why(diagnosis: "Diagnosis", evidence: "Sequence[Evidence]") -> Iterator[Panel]:
    """The claims of the named cause with their figures, then the sums of the first causes, then
    what each action may do."""
    if diagnosis.claims:
        yield _because(diagnosis.claims)
    if diagnosis.opinion is not None:
        yield _opinion(diagnosis.opinion, diagnosis)
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


def absent_in(evidence: "Sequence[Evidence]") -> frozenset[str]:
    """Signals that were looked for and not seen: they count, too, and must not read as seen."""
    from agentops_graph.domain.evidence import merged_signals

    merged = merged_signals(tuple(evidence))
    return frozenset(name for name, strength in merged.items() if strength < 0)


def named(signal: str, absent: frozenset[str]) -> str:
    return f"{signal} (not seen)" if signal in absent else signal


def _because(claims: "Sequence[Claim]") -> Panel:
    rows = [(c.evidence_id, f"{c.weight:+.2f}", c.text) for c in claims]
    return screen.panel("because", screen.table(("evidence", "log-odds", "what it shows"), rows))


def _sum(hypothesis: "Hypothesis", absent: frozenset[str]) -> Panel:
    heaviest = sorted(hypothesis.weights.items(), key=lambda entry: -abs(entry[1]))
    rows = [("prior", f"{hypothesis.prior or 0.0:+.2f}")]
    rows += [(named(signal, absent), f"{effect:+.2f}") for signal, effect in heaviest if effect]
    rows.append(("sum", f"{hypothesis.score or 0.0:+.2f}"))
    rows.append(("probability", f"{hypothesis.probability:.2f}"))
    return screen.panel(
        f"{hypothesis.cause}: {hypothesis.title}", screen.table(("signal", "log-odds"), rows)
    )
