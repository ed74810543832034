"""Words for what is wrong with a document, with the nearest right word."""

import difflib
from collections.abc import Iterable
from typing import get_args

from pydantic_core import ErrorDetails

from agentops_graph.domain.action import ACTION_KINDS, NOTICE_KINDS
from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.knowledge import Outcome

Location = tuple[int | str, ...]
CONDITION_FORM = f"ACTION OUTCOME [or OUTCOME]; outcomes are {', '.join(get_args(Outcome))}"
CAUSE_FIELDS = ("cause", "title", "section", "serves", "prior", "signals", "actions")
FIELDS_IN = {
    "causes": CAUSE_FIELDS,
    "signals": ("signal", "seen", "absent"),
    "actions": ("action", "priority", "condition", "effect"),
}


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def refusal(problem: ErrorDetails, top_fields: tuple[str, ...]) -> tuple[Location, str]:
    """Where a fault is and what to write instead."""
    where, seen = problem["loc"], problem["input"]
    field = next((str(step) for step in reversed(where) if isinstance(step, str)), "front matter")
    kind = problem["type"]
    if kind == "extra_forbidden":
        return where, f"unknown key {field!r}{nearest(field, _fields_beside(where, top_fields))}"
    if kind == "missing":
        return where[:-1], f"{_path(where)}: is missing"
    if kind == "value_error":  # a rule of our own; it names its field
        message = problem["msg"].removeprefix("Value error, ")
        own = message.split(":", 1)[0]
        return (*where, own), message.split(": ", 1)[-1]
    # pydantic adds a step of its own for each branch of a union of names.
    field = "action" if "action" in where else field
    return where, _said(field, kind, seen) or f"{_path(where)}: {problem['msg']} (seen: {seen!r})"


def _said(field: str, kind: str, seen: object) -> str | None:
    if kind == "literal_error" and field == "action":
        return f"unknown action {seen!r}{nearest(str(seen), (*ACTION_KINDS, *NOTICE_KINDS))}"
    if kind == "literal_error" and field in ("serves", "alert_type"):
        return f"unknown alert type {seen!r}{nearest(str(seen), get_args(AlertType))}"
    if field == "condition":
        return f"bad condition {seen!r}; it reads {CONDITION_FORM}"
    if field == "prior":
        return f"prior {seen!r} is out of range; it is a probability between 0 and 1"
    return None


def _fields_beside(where: Location, top_fields: tuple[str, ...]) -> tuple[str, ...]:
    parents = [step for step in where[:-1] if isinstance(step, str)]
    return FIELDS_IN.get(parents[-1], ()) if parents else top_fields


def _path(where: Location) -> str:
    return ".".join(str(step) for step in where)
