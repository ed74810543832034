"""What a language model may say in a diagnosis, and how it is checked."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from agentops_graph.diagnosis.json_reply import SHOWN, BadReplyError, json_in
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Brief
from agentops_graph.domain.knowledge import Cause

LINK = re.compile(r"https?:|www\.|\]\(", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
LONGEST_LIST = 50
SMALL = 20  # a count such as "two of the 12 signals" need not stand there


def _listed(value: object) -> object:
    """Models write a single id where a list is asked for, or null for none."""
    return [] if value is None else [value] if isinstance(value, str) else value


Ids = Annotated[
    list[str], BeforeValidator(_listed), Field(default_factory=list, max_length=LONGEST_LIST)
]


class Draft(BaseModel):
    """A model's answer; every name in it must come from the brief."""

    cause: str
    confidence: float = Field(ge=0, le=1)
    explanation: str = Field(min_length=1, max_length=1000)
    evidence: Ids
    citations: Ids


def schema(brief: Brief, *, cites: bool = True) -> dict[str, Any]:
    """JSON schema of a draft whose names are limited to those of the brief."""
    properties: dict[str, Any] = {
        "cause": {"type": "string", "enum": [*known_causes(brief), UNKNOWN_CAUSE]},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "explanation": {"type": "string"},
        "evidence": _list_of(_evidence(brief)),
    }
    if cites:
        properties["citations"] = _list_of(_references(brief))
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_draft(reply: str, brief: Brief) -> Draft:
    """The draft in a reply; BadReplyError says what is wrong with it."""
    try:
        draft = Draft.model_validate(json_in(reply, "cause"))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(step) for step in problem["loc"]) or "answer"
        raise BadReplyError(f"{place}: {problem['msg']}") from None
    _check(draft, brief)
    return draft


def read_conclusion(reply: str, brief: Brief, measured: str) -> Draft:
    """The same for an answer that was given from `measured` alone: what it says in numbers must
    stand there."""
    draft = read_draft(reply, brief)
    known = {float(number) for number in NUMBER.findall(measured)}
    percents = {round(100 * number, 6) for number in known}
    for number in NUMBER.findall(draft.explanation):
        if float(number) not in known | percents and float(number) > SMALL:
            raise BadReplyError(f"explanation: {number} is no figure that was measured")
    return draft


def known_causes(brief: Brief) -> dict[str, Cause]:
    return {cause.cause: cause for cause in brief.causes if cause.cause != UNKNOWN_CAUSE}


def _check(draft: Draft, brief: Brief) -> None:
    known = known_causes(brief)
    if draft.cause not in known and draft.cause != UNKNOWN_CAUSE:
        names = ", ".join([*known, UNKNOWN_CAUSE])
        raise BadReplyError(f"cause: {draft.cause[:SHOWN]!r} is none of {names}")
    for field, named, allowed in (
        ("evidence", draft.evidence, _evidence(brief)),
        ("citations", draft.citations, _references(brief)),
    ):
        strange = [name for name in named if name not in allowed]
        if strange:
            raise BadReplyError(f"{field}: {strange[0][:SHOWN]!r} is not in the brief")
    if draft.cause != UNKNOWN_CAUSE and not draft.evidence:
        raise BadReplyError("evidence: name at least one evidence id that shows the cause")
    if LINK.search(draft.explanation):
        raise BadReplyError("explanation: must not hold links")


def _list_of(names: list[str]) -> dict[str, Any]:
    """An empty enum is no valid schema, so a brief without names asks for an empty list."""
    if not names:
        return {"type": "array", "items": {"type": "string"}, "maxItems": 0}
    return {"type": "array", "items": {"type": "string", "enum": names}}


def _evidence(brief: Brief) -> list[str]:
    return [piece.evidence_id for piece in brief.evidence]


def _references(brief: Brief) -> list[str]:
    pages = [page.reference for page in (*brief.pages, *brief.precedents)]
    return list(dict.fromkeys([*(cause.reference for cause in brief.causes), *pages]))
