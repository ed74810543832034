"""Checks that what a diagnosis says stands in what was read: every id, section and figure."""

import re
from collections.abc import Iterator, Sequence

from agentops_graph.diagnosis.claims import in_words
from agentops_graph.diagnosis.weights import quoted
from agentops_graph.domain.diagnosis import Claim
from agentops_graph.errors import NotFoundError
from agentops_graph.ports import Shelf
from evals.diagnosis.asked import told_by_model
from evals.diagnosis.world import Lived, Told, shelf_of

FIGURES = re.compile(r": (?:yes|no) \((.*)\)$")
FEATURE = re.compile(r"(«[^»]*»|\S+) \((-?\d+\.\d\d)\)")


def unfounded(cases: Sequence[Lived]) -> tuple[int, list[str]]:
    """How many claims and citations were checked, and those that do not hold; of a model's
    diagnoses, too, where one was asked. That it could not be heard at all holds nothing."""
    checked, wrong = 0, []
    by_model = {id(case): told_by_model(case) for case in cases}
    if any(case.asked for case in cases) and not any(by_model.values()):
        wrong.append("no diagnosis of the model could be checked")
    for case in cases:
        for told in (*case.told, *by_model[id(case)]):
            for what, holds in checks(told, shelf_of(told.precedent)):
                checked += 1
                if not holds:
                    wrong.append(f"{case.scenario}, seed {case.seed}: {what}")
    return checked, wrong


def checks(told: Told, shelf: Shelf) -> Iterator[tuple[str, bool]]:
    """Everything that can be looked up, each with whether it holds."""
    diagnosis, known = told.diagnosis, {e.evidence_id for e in told.brief.evidence}
    named = {*diagnosis.evidence}
    for one in diagnosis.hypotheses:
        named |= {*one.evidence_for, *one.evidence_against}
        yield f"section {one.reference}", _is_there(shelf, one.reference)
    for evidence_id in sorted(named):
        yield f"evidence {evidence_id}", evidence_id in known
    for reference in diagnosis.citations:
        yield f"citation {reference}", _is_there(shelf, reference)
    if diagnosis.runbook_reference is not None:
        yield "runbook_reference", _is_there(shelf, diagnosis.runbook_reference)
    for claim in diagnosis.claims:
        yield f"claim {claim.text}", holds(claim, told)
    yield "features of the root cause", _features_hold(told)


def holds(claim: Claim, told: Told) -> bool:
    """The cited evidence carries the signal with this sign, and every figure in the sentence is the
    evidence's own, as it is written."""
    piece = next((e for e in told.brief.evidence if e.evidence_id == claim.evidence_id), None)
    if piece is None or (piece.signals.get(claim.signal, 0.0) > 0) is not claim.seen:
        return False
    inside = FIGURES.search(claim.text)
    written = [part.rsplit(" = ", 1) for part in inside[1].split(", ")] if inside else []
    if len(written) != len(claim.figures):
        return False
    return all(name in piece.values and in_words(piece.values[name]) == v for name, v in written)


def _features_hold(told: Told) -> bool:
    figures: dict[str, float] = {}
    for finding in told.brief.alert.findings:
        figures |= {quoted(name): value for name, value in finding.features.items()}
    opinion = told.diagnosis.opinion
    # A model's words were held against the measured figures when they came.
    ours = told.diagnosis.root_cause.removesuffix(opinion.words if opinion else "")
    written = FEATURE.findall(ours.partition(": ")[2])
    return all(n in figures and f"{figures[n]:.2f}" == v for n, v in written)


def _is_there(shelf: Shelf, reference: str) -> bool:
    try:
        return shelf.page(reference).reference == reference
    except NotFoundError:
        return False
