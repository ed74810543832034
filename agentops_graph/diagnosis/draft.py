"""What a language model may say in a diagnosis, how it is checked, and how far it is believed."""

import json
import re
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from agentops_graph.diagnosis.scoring import CONFIDENCE_LIMIT, MIN_SIGNALS, SETTLED, SIMILAR
from agentops_graph.diagnosis.weights import recommended, sentence
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Brief, Diagnosis, Hypothesis
from agentops_graph.domain.knowledge import Cause

ALLOWANCE = 0.1  # how far a model may lift a cause above what the evidence weights give it
THINKING = re.compile(r"^.*</think(?:ing)?>|<think(?:ing)?>.*$", re.DOTALL | re.IGNORECASE)
LINK = re.compile(r"https?:|www\.|\]\(", re.IGNORECASE)
SHOWN = 300


class Draft(BaseModel):
    """A model's answer; every name in it must come from the brief."""

    cause: str
    confidence: float = Field(ge=0, le=1)
    explanation: str = Field(min_length=1, max_length=1000)
    evidence: list[str] = Field(default_factory=list, max_length=50)
    citations: list[str] = Field(default_factory=list, max_length=50)


class BadDraftError(ValueError):
    """An answer that can't be used; the message is what the model is told to mend."""


def schema(brief: Brief) -> dict[str, Any]:
    """JSON schema of a draft whose names are limited to those of the brief."""
    return {
        "type": "object",
        "properties": {
            "cause": {"type": "string", "enum": [*_causes(brief), UNKNOWN_CAUSE]},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "explanation": {"type": "string"},
            "evidence": _list_of(_evidence(brief)),
            "citations": _list_of(_references(brief)),
        },
        "required": ["cause", "confidence", "explanation", "evidence", "citations"],
    }


def read_draft(reply: str, brief: Brief) -> Draft:
    """The draft in a reply, with thinking and code fences taken off; BadDraftError says what is
    wrong with it."""
    try:
        draft = Draft.model_validate(_json_in(reply))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(step) for step in problem["loc"]) or "answer"
        raise BadDraftError(f"{place}: {problem['msg']}") from None
    _check(draft, brief)
    return draft


def combined(base: Diagnosis, draft: Draft, brief: Brief, reasoner: str) -> Diagnosis:
    """A model's draft joined with the diagnosis of the evidence weights.

    The model chooses between hypotheses and words the finding; it is not believed about
    certainty. Its confidence counts only downwards: the result is the lower of its own and the
    weights' figure for that cause plus `ALLOWANCE`. A choice that stays under `SETTLED` that
    way, or that too few signals speak for, leaves the weights' diagnosis standing, and every
    disagreement is shown. Actions come from the cause's runbook, never from the model.
    """
    cause = _causes(brief).get(draft.cause)
    chosen = next((h for h in base.hypotheses if h.cause == draft.cause), None)
    if cause is not None and draft.cause == base.cause:
        limit = min(CONFIDENCE_LIMIT, (base.confidence or 0.0) + ALLOWANCE / 2)
        return _worded(base, draft, cause, min(draft.confidence, limit), reasoner)
    note = f"ollama: would say {draft.cause}; the evidence weights say {base.cause}"
    if cause is None or chosen is None or not _supported(chosen, draft):
        noted = (*base.degraded, note if draft.cause != base.cause else "")
        return base.model_copy(
            update={"reasoner": reasoner, "degraded": tuple(line for line in noted if line)}
        )
    confidence = min(draft.confidence, chosen.probability + ALLOWANCE, CONFIDENCE_LIMIT)
    switched = base.model_copy(
        update={
            "cause": cause.cause,
            "root_cause": sentence(cause, brief),
            "recommended_actions": recommended(cause),
            "runbook_reference": cause.reference,
            "evidence": tuple(dict.fromkeys((*chosen.evidence_for, *chosen.evidence_against))),
            "missing": (),
            "degraded": (*base.degraded, note),
        }
    )
    return _worded(switched, draft, cause, confidence, reasoner)


def _worded(
    base: Diagnosis, draft: Draft, cause: Cause, confidence: float, reasoner: str
) -> Diagnosis:
    explanation = " ".join(draft.explanation.split())
    words = "".join(c for c in explanation if c.isprintable())
    return base.model_copy(
        update={
            "root_cause": f"{base.root_cause}. {words}",
            "confidence": round(confidence, 3),
            "evidence": tuple(dict.fromkeys((*base.evidence, *draft.evidence))),
            "citations": tuple(dict.fromkeys((cause.reference, *draft.citations, *base.citations))),
            "reasoner": reasoner,
        }
    )


def _supported(chosen: Hypothesis, draft: Draft) -> bool:
    measured = [signal for signal in chosen.signals_for if signal != SIMILAR]
    sure = min(draft.confidence, chosen.probability + ALLOWANCE)
    return len(measured) >= MIN_SIGNALS and sure >= SETTLED


def _check(draft: Draft, brief: Brief) -> None:
    known = _causes(brief)
    if draft.cause not in known and draft.cause != UNKNOWN_CAUSE:
        names = ", ".join([*known, UNKNOWN_CAUSE])
        raise BadDraftError(f"cause: {draft.cause[:SHOWN]!r} is none of {names}")
    for field, named, allowed in (
        ("evidence", draft.evidence, _evidence(brief)),
        ("citations", draft.citations, _references(brief)),
    ):
        strange = [name for name in named if name not in allowed]
        if strange:
            raise BadDraftError(f"{field}: {strange[0][:SHOWN]!r} is not in the brief")
    if draft.cause != UNKNOWN_CAUSE and not draft.evidence:
        raise BadDraftError("evidence: name at least one evidence id that shows the cause")
    if LINK.search(draft.explanation):
        raise BadDraftError("explanation: must not hold links")


def _json_in(reply: str) -> object:
    text = THINKING.sub("", reply)
    start = text.find("{")
    if start < 0:
        raise BadDraftError("the answer holds no JSON object")
    try:
        found, _ = json.JSONDecoder().raw_decode(text[start:])
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadDraftError(f"the answer is not valid JSON: {str(error)[:SHOWN]}") from None
    return found


def _list_of(names: list[str]) -> dict[str, Any]:
    """An empty enum is no valid schema, so a brief without names asks for an empty list."""
    if not names:
        return {"type": "array", "items": {"type": "string"}, "maxItems": 0}
    return {"type": "array", "items": {"type": "string", "enum": names}}


def _causes(brief: Brief) -> dict[str, Cause]:
    return {cause.cause: cause for cause in brief.causes if cause.cause != UNKNOWN_CAUSE}


def _evidence(brief: Brief) -> list[str]:
    return [piece.evidence_id for piece in brief.evidence]


def _references(brief: Brief) -> list[str]:
    pages = [page.reference for page in (*brief.pages, *brief.precedents)]
    return list(dict.fromkeys([*(cause.reference for cause in brief.causes), *pages]))
