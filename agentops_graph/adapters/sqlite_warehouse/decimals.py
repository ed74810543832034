"""Numbers with a decimal comma, as spreadsheets of much of the world write them."""

import re
from collections.abc import Sequence
from typing import Any

from agentops_graph.adapters.sqlite_warehouse.values import Checked, WrongError, told

WHOLE = r"[+-]?(?:\d{1,3}(?:[.\s]\d{3})+|\d+)"
COMMA = re.compile(rf"(?:{WHOLE})?,\d+(?:[eE][+-]?\d+)?")
GROUPED = re.compile(r"[+-]?\d{1,3}(?:[.\s]\d{3})+")
SEPARATORS = re.compile(r"[.\s]")


def with_points(name: str, values: Sequence[Any], decimal: str | None) -> Checked:
    """The values with each number in text as Python reads it; what could be read two ways is a
    fault. `decimal` is what the person said, and None when nothing was said."""
    if decimal == ".":
        return list(values), {}
    one = _pointed if decimal else _refused
    held: dict[str, str] = {}
    wrong: dict[str, WrongError] = {}
    for value in {v for v in values if isinstance(v, str) and (decimal or "," in v)}:
        try:
            held[value] = one(value)
        except WrongError as error:
            wrong[value] = error
    if not held and not wrong:
        return list(values), {}
    read = [held.get(v, v) if isinstance(v, str) else v for v in values]
    faults = {
        place: told(name, wrong[value], value)
        for place, value in (enumerate(values) if wrong else ())
        if isinstance(value, str) and value in wrong
    }
    return read, faults


def _refused(text: str) -> str:
    if COMMA.fullmatch(text.strip()):
        raise WrongError(
            "looks like a number with a decimal comma; `--decimal ,` reads it so, and "
            "`--decimal .` says it is none"
        )
    return text


def _pointed(text: str) -> str:
    bare = text.strip()
    if COMMA.fullmatch(bare) or GROUPED.fullmatch(bare):
        return SEPARATORS.sub("", bare).replace(",", ".")
    if "." in bare and _is_number(bare):
        raise WrongError("has a decimal point where `--decimal ,` says a comma")
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
