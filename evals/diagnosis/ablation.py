"""What each kind of evidence adds: the same cases diagnosed again without it."""

from collections.abc import Sequence
from dataclasses import replace

from agentops_graph.diagnosis.weights import EvidenceWeights
from evals.diagnosis.judged import report
from evals.diagnosis.world import Lived, Told

Row = tuple[str, float, float, float]  # left out; top-1, top-3, surely wrong


def without(kind: str, case: Lived) -> Lived:
    """The case as it would have been diagnosed without that kind of evidence."""
    return replace(case, told=[_again(told, kind) for told in case.told])


def rows(cases: Sequence[Lived]) -> list[Row]:
    """Nothing left out first, then each kind, the dearest first."""
    kinds = dict.fromkeys(
        e.kind for case in cases for told in case.told for e in told.brief.evidence
    )
    found = [_row(kind, [without(kind, case) for case in cases]) for kind in kinds]
    return [_row("nothing", list(cases)), *sorted(found, key=lambda row: row[1])]


def _again(told: Told, kind: str) -> Told:
    kept = tuple(e for e in told.brief.evidence if e.kind != kind)
    brief = told.brief.model_copy(update={"evidence": kept})
    return Told(brief, EvidenceWeights().diagnose(brief))


def _row(left_out: str, cases: list[Lived]) -> Row:
    found = report(cases)
    top = [found.shares[name].value for name in ("top-1 cause", "top-3 causes")]
    return left_out, top[0], top[1], found.surely_wrong.value
