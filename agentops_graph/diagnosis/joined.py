"""Joins what a language model says of a cause with the diagnosis of the evidence weights."""

from agentops_graph.diagnosis.claims import claims_of
from agentops_graph.diagnosis.draft import Draft, known_causes
from agentops_graph.diagnosis.scoring import (
    CONFIDENCE_LIMIT,
    MIN_SIGNALS,
    SETTLED,
    SIMILAR,
    Weighed,
)
from agentops_graph.diagnosis.weights import alike, ranking, recommended, sentence
from agentops_graph.domain.diagnosis import (
    UNKNOWN_CAUSE,
    Brief,
    Diagnosis,
    Hypothesis,
    ModelOpinion,
)
from agentops_graph.domain.knowledge import Cause
from agentops_graph.domain.redaction import redacted

ALLOWANCE = 0.1  # how far a model may lift a cause above what the evidence weights give it
# What is left of the weights' confidence when a model that saw the same evidence names another
# cause, and when it finds that nothing is settled.
CONTRADICTED, DOUBTED = 0.8, 0.9


def opinion_of(model: str, draft: Draft, final: Draft, base: Diagnosis) -> ModelOpinion:
    """What the model said in the end, with what its answer does not show.

    The draft was made from all of the brief, the final one from the measured signals alone. A
    model that names another cause once no outside text stands before it has none that counts.
    """
    steady = draft.cause == final.cause
    cause = final.cause if steady else UNKNOWN_CAUSE
    doubts = [] if steady else [f"it said {draft.cause} first and {final.cause} of the signals"]
    chosen = _hypothesis(base, cause)
    if chosen is not None and not {*final.evidence, *draft.evidence} & {*chosen.evidence_for}:
        doubts.append(f"none of the evidence it names carries a signal for {cause}")
    return ModelOpinion(
        model=model,
        cause=cause,
        confidence=round(min(draft.confidence, final.confidence), 3),
        words=_one_line(final.explanation) if steady else "",
        evidence=tuple(dict.fromkeys((*final.evidence, *draft.evidence))),
        agrees=steady and cause == base.cause,
        doubts=tuple(doubts),
    )


def joined(
    base: Diagnosis, draft: Draft, final: Draft, opinion: ModelOpinion, brief: Brief
) -> Diagnosis:
    """The diagnosis of both.

    A model is not believed about certainty: its confidence counts only downwards, to at most the
    weights' figure for the cause plus `ALLOWANCE`. It never puts its cause in the place of one
    that the weights name; that disagreement is shown and lowers the confidence. Where the weights
    settle nothing it may choose between their hypotheses, if enough signals speak for its choice.
    Actions come from the cause's runbook, never from the model.
    """
    base = base.model_copy(update={"opinion": opinion})
    cause = known_causes(brief).get(opinion.cause)
    if opinion.agrees and cause is not None:
        limit = min(CONFIDENCE_LIMIT, (base.confidence or 0.0) + ALLOWANCE / 2)
        return _worded(base, draft, cause, min(opinion.confidence, limit))
    if base.cause != UNKNOWN_CAUSE:
        return base.model_copy(update={"confidence": _lowered(base, draft, final)})
    chosen = next((one for one in ranking(brief) if one.cause.cause == opinion.cause), None)
    if chosen is None or not _supported(chosen, opinion):
        return base
    return _worded(_chosen(base, chosen, brief), draft, chosen.cause, _sure_of(chosen, opinion))


def doubted(base: Diagnosis, final: Draft) -> Diagnosis:
    """For a model whose draft can't be used: what it says of the signals alone can only lower."""
    if base.cause == UNKNOWN_CAUSE:
        return base
    return base.model_copy(update={"confidence": _lowered(base, final, final)})


def _lowered(base: Diagnosis, draft: Draft, final: Draft) -> float:
    """By what the model says of the measured signals: text from outside that turns its draft must
    not take away what it would have doubted without that text."""
    sure = base.confidence or 0.0
    if final.cause == base.cause:
        return round(min(sure, final.confidence), 3)
    if final.cause in base.also and draft.cause == final.cause:
        return sure  # the weights say so as well
    return round(sure * (DOUBTED if final.cause == UNKNOWN_CAUSE else CONTRADICTED), 3)


def _chosen(base: Diagnosis, chosen: Weighed, brief: Brief) -> Diagnosis:
    """What the weights would have told of this cause, had they settled on it."""
    told = next(h for h in base.hypotheses if h.cause == chosen.cause.cause)
    return base.model_copy(
        update={
            "cause": chosen.cause.cause,
            "root_cause": sentence(chosen.cause, brief),
            "recommended_actions": recommended(chosen.cause),
            "runbook_reference": chosen.cause.reference,
            "similar_incidents": alike(chosen.cause, brief),
            "evidence": tuple(dict.fromkeys((*told.evidence_for, *told.evidence_against))),
            "claims": claims_of(chosen, brief.evidence),
            "missing": (),
        }
    )


def _worded(base: Diagnosis, draft: Draft, cause: Cause, confidence: float) -> Diagnosis:
    opinion = base.opinion
    words = f". {opinion.words}" if opinion is not None and opinion.words else ""
    more = opinion.evidence if opinion is not None else ()
    return base.model_copy(
        update={
            "root_cause": f"{base.root_cause}{words}",
            "confidence": round(confidence, 3),
            "evidence": tuple(dict.fromkeys((*base.evidence, *more))),
            "citations": tuple(dict.fromkeys((cause.reference, *draft.citations, *base.citations))),
        }
    )


def _supported(chosen: Weighed, opinion: ModelOpinion) -> bool:
    measured = [signal for signal in chosen.signals_for if signal != SIMILAR]
    enough = len(measured) >= MIN_SIGNALS and not opinion.doubts
    return enough and _sure_of(chosen, opinion) >= SETTLED


def _sure_of(chosen: Weighed, opinion: ModelOpinion) -> float:
    """The lower of the probability and what came true of such: the calibration was fitted on first
    places, and of two causes that fit alike it would make both likely."""
    weighed = min(chosen.probability, chosen.confidence)
    return min(opinion.confidence, weighed + ALLOWANCE, CONFIDENCE_LIMIT)


def _hypothesis(base: Diagnosis, cause: str) -> Hypothesis | None:
    return next((h for h in base.hypotheses if h.cause == cause), None)


def _one_line(text: str) -> str:
    return "".join(c for c in redacted(" ".join(text.split())) if c.isprintable())
