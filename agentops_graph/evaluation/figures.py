"""The figures in what an evaluation printed: their names, which way is better, what was skipped."""

import re
from typing import Any

LOW_IS_BETTER = (
    "wrong",
    "error",
    "false",
    "ece",
    "brier",
    "delay",
    "missed",
    "unsafe",
    "leak",
    "worst",
    "a_month",
    "ungrounded",
    "could_not_run",
)
# Counts of what was asked, and times of a machine that others use, are no merit.
NO_MERIT = frozenset(
    "seconds s ms memory questions outcomes seeds n of cases claims runs looks seen count "  # noqa: SIM905
    "healthy interval right".split()
)
SAYS_NOTHING = frozenset({"value"})  # the word before it has the meaning
NAMING = 4  # words; more are no name
SKIPPED = "skipped"  # the key under which a suite says why a part of it was not measured


def figures_of(document: Any) -> dict[str, float]:
    """Every number in what a suite printed, under the words that lead to it. A list of bare
    numbers is none: an interval, or the seeds that something was missed with."""
    found: dict[str, float] = {}
    _collect(document, (), found)
    return found


def skipped_of(document: Any, way: tuple[str, ...] = ()) -> dict[str, str]:
    """Why what lies under these words was not measured."""
    if not isinstance(document, dict):
        return {}
    why = document.get(SKIPPED)
    if isinstance(why, str):
        return {"/".join(way): why}
    return {
        name: why
        for key, held in document.items()
        for name, why in skipped_of(held, (*way, str(key))).items()
    }


def merit(name: str) -> int:
    """1 where more is better, -1 where less is, 0 where the figure is no merit."""
    parts = [part.lower() for part in name.split("/")]
    last = parts[-1]
    if last in SAYS_NOTHING and len(parts) > 1:
        last = parts[-2]
    words = set(re.split(r"[^a-z0-9]+", last))
    if last not in LOW_IS_BETTER and (NO_MERIT & words or last.isdigit()):
        return 0
    return -1 if any(word in last.replace(" ", "_") for word in LOW_IS_BETTER) else 1


def _collect(value: Any, way: tuple[str, ...], found: dict[str, float]) -> None:
    if isinstance(value, dict):
        own = (*way, *_words(value.values())) if _is_row(value) else way
        for key, held in value.items():
            if _is_number(held):
                found["/".join((*own, str(key)))] = float(held)
            else:
                _collect(held, (*way, str(key)), found)
    elif isinstance(value, list):
        for held in value:
            _collect_line(held, way, found)


def _collect_line(line: Any, way: tuple[str, ...], found: dict[str, float]) -> None:
    """Of a list; one that begins with a word is a row whose numbers are known by their place."""
    if not (isinstance(line, list) and line and isinstance(line[0], str)):
        _collect(line, way, found)
        return
    for place, held in enumerate(line[1:], 1):
        if _is_number(held):
            found["/".join((*way, line[0], str(place)))] = float(held)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _words(values: Any) -> list[str]:
    words = [value for value in values if isinstance(value, str)]
    return words if len(words) <= NAMING else []


def _is_row(value: dict[str, Any]) -> bool:
    """A row of a table: words that name it beside its numbers, and nothing deeper but lists."""
    return any(isinstance(v, str) for v in value.values()) and not any(
        isinstance(v, dict) for v in value.values()
    )
