"""A column looked at value by value: what is stored of each, or why it can't be."""

from collections.abc import Callable, Sequence
from typing import Any

from agentops_graph.domain.rows import ABSENT, SEEN
from agentops_graph.warehouse.features import NOTHING

SEEN_CHARACTERS = 40  # of a wrong value
INFINITE = frozenset({"inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"})
Faults = dict[int, str]  # by place in the column
Checked = tuple[list[Any], Faults]


class WrongError(ValueError):
    """A value that can't be stored; says why."""


def each(name: str, values: Sequence[Any], one: Callable[[Any], Any]) -> Checked:
    """Of values that come again and again each is looked at once."""
    if set(map(type, values)) == {str}:
        return _each_text(name, values, one)
    stored: list[Any] = []
    faults: Faults = {}
    for place, value in enumerate(values):
        try:
            stored.append(one(None if value is ABSENT else value))
        except WrongError as error:
            stored.append(None)
            faults[place] = told(name, error, value)
    return stored, faults


def _each_text(name: str, values: Sequence[str], one: Callable[[Any], Any]) -> Checked:
    held: dict[str, Any] = {}
    wrong: dict[str, WrongError] = {}
    for value in set(values):
        try:
            held[value] = one(value)
        except WrongError as error:
            held[value], wrong[value] = None, error
    stored = list(map(held.__getitem__, values))
    if not wrong:
        return stored, {}
    places = [(place, value) for place, value in enumerate(values) if value in wrong]
    return stored, {place: told(name, wrong[value], value) for place, value in places}


def is_nothing(value: Any) -> bool:
    if isinstance(value, str):
        text = value.strip().casefold()
        return text in NOTHING and text not in INFINITE
    return value is None or value is ABSENT or (isinstance(value, float) and value != value)


def told(name: str, error: Exception, value: Any) -> str:
    """The reason of a refusal, with a little of what was seen."""
    why = str(error) if isinstance(error, WrongError) else "can't be stored"
    if value is None or value is ABSENT or value == "":
        return f"{name} {why}"
    return f"{name} {why}{SEEN}{str(value)[:SEEN_CHARACTERS]})"
