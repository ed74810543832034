"""Words for what is wrong with a document, with the nearest right word."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic_core import ErrorDetails

from agentops_graph.domain.action import ACTION_KINDS, NOTICE_KINDS
from agentops_graph.domain.alert import AlertType
from agentops_graph.domain.knowledge import Outcome

LONGEST_SEEN = 80
AS_LIST = {
    "serves": "serves: [latency]",
    "causes": "causes:` and below it `- cause: ...",
    "signals": "signals:` and below it `- {signal: ..., seen: 1.0}",
    "actions": "actions:` and below it `- {action: ..., priority: 1}",
}
BOUNDS = {
    "less_than_equal": "at most",
    "less_than": "less than",
    "greater_than_equal": "at least",
    "greater_than": "more than",
}
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
    if kind == "model_type":
        form = f"{FIELDS_IN.get(field, ('key',))[0]}: ..."
        return where, f"an entry of `{field}` is made of `key: value`, such as `{form}`"
    # pydantic adds a step of its own for each branch of a union of names.
    field = "action" if "action" in where else field
    said = _said(field, kind, seen) or _plainly(field, kind, seen, problem.get("ctx", {}))
    return where, said or f"{_path(where)}: {problem['msg']} (seen: {_short(seen)})"


def _plainly(field: str, kind: str, seen: object, bounds: Mapping[str, Any]) -> str | None:
    """What pydantic says of forms and bounds, for people who never met it."""
    if kind in ("tuple_type", "list_type") or (kind == "too_short" and field in AS_LIST):
        return f"`{field}` is a list; write `{AS_LIST.get(field, f'{field}: [...]')}`"
    if kind in ("string_type", "string_too_short"):
        return f"`{field}` is one line of text (seen: {_short(seen)})"
    if kind == "string_too_long":
        return f"`{field}` is longer than {bounds.get('max_length')} characters; shorten it"
    if kind == "string_pattern_mismatch":
        form = "a name in small letters, digits and _, such as feed_changed"
        return f"{field} {_short(seen)} is not {form}"
    if kind.endswith(("_type", "_parsing", "_number")):
        form = "true or false" if kind.startswith("bool") else "a number"
        return f"`{field}` is {form} (seen: {_short(seen)})"
    if kind in BOUNDS:
        edge = next(iter(bounds.values()), "")
        return f"{field} {_short(seen)} is out of range; it is {BOUNDS[kind]} {edge}"
    return None


def _short(seen: object) -> str:
    return repr(seen)[:LONGEST_SEEN]


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
