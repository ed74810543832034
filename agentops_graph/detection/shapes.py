"""What the texts of a column look like: patterns learnt from a reference, as expressions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Formats that people know by name; a shape learnt from examples can't know that 61 is no minute.
KNOWN: dict[str, str] = {
    "time, 12 hours": r"(0?[1-9]|1[0-2]):[0-5][0-9](:[0-5][0-9])? ?([ap]\.m\.|[AaPp][Mm])",
    "time, 24 hours": r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?",
    "date, ISO 8601": r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "date and time, ISO 8601": r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]"
    r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?",
    "date, day first or month first": r"(0?[1-9]|[12][0-9]|3[01])([/.])(0?[1-9]|[12][0-9]|3[01])"
    r"\2([0-9]{4}|[0-9]{2})",
    "UUID": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "e-mail address": r"[^@\s\"(),:;<>\[\]\\]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
    "IPv4 address": r"((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}"
    r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])",
    "web address": r"https?://[^\s/]+(/\S*)?",
}
PIECES = re.compile(r"[0-9]+|[A-Z]+|[a-z]+|[^\W\d_]+|.", re.DOTALL)
FEWEST = 30  # values that make a pattern
SURELY = 0.95  # of the values that a known format or a set of shapes has to cover
SUPPORT = 0.005  # of the values; a rarer shape is more often a slip than a pattern
MOST_SHAPES = 8
MOST_WORDS = 12
SAMPLE = 20_000  # distinct values; more of them show no other shape
MOST_PIECES = 24  # a longer text is prose


@dataclass(frozen=True)
class Formats:
    """Expressions of which every usual value is one, and the share of values that are none."""

    expressions: tuple[str, ...]
    off: float


def learnt(counts: Mapping[str, int]) -> Formats | None:
    """The formats of a column, from its distinct values and how often each stands there.

    None for too few values, and for text that has no form, such as prose. Tried in turn: formats
    known by name, the shapes of the values (runs of digits, capitals and small letters between
    literal signs; Raman and Hellerstein, VLDB 2001), and the set of characters in use.
    """
    if len(counts) > SAMPLE:
        counts = dict(islice(counts.items(), 0, None, len(counts) // SAMPLE))
    total = sum(counts.values())
    if total < FEWEST:
        return None
    found = known_format(counts) or _shaped(counts, total) or _spelt(counts, total)
    if found is None:
        return None
    return Formats(found, 1 - sum(matching(found, counts).values()) / total)


def matching(expressions: Sequence[str], counts: Mapping[str, int]) -> dict[str, int]:
    """The values that are, as a whole, one of the expressions."""
    whole = re.compile("|".join(f"(?:{text})" for text in renumbered(expressions)))
    return {value: count for value, count in counts.items() if whole.fullmatch(value)}


def renumbered(expressions: Sequence[str]) -> list[str]:
    """The expressions with their back references counted through, so that they can be joined."""
    shifted, groups = [], 0
    for text in expressions:
        before = groups
        shifted.append(re.sub(r"\\([1-9])", lambda m: f"\\{int(m[1]) + before}", text))  # noqa: B023 - used at once
        groups += re.compile(text).groups
    return shifted


def format_name(expression: str) -> str | None:
    """What people call the format, when it is one known by name."""
    return next((name for name, text in KNOWN.items() if text == expression), None)


def known_format(counts: Mapping[str, int]) -> tuple[str, ...] | None:
    """The format known by name that nearly all values have; None for too few values or none."""
    total = sum(counts.values())
    if total < FEWEST:
        return None
    for expression in KNOWN.values():
        if sum(matching((expression,), counts).values()) >= SURELY * total:
            return (expression,)
    return None


def _shaped(counts: Mapping[str, int], total: int) -> tuple[str, ...] | None:
    shapes: dict[str, list[str]] = {}
    weights: Counter[str] = Counter()
    for value, count in counts.items():
        pieces = PIECES.findall(value)
        shape = "".join(map(_sign, pieces[: MOST_PIECES + 1]))
        shapes.setdefault(shape, []).append(value)
        weights[shape] += count
    usual = [(s, n) for s, n in weights.most_common() if n >= max(3, SUPPORT * total)]
    covered = sum(n for _, n in usual)
    if len(usual) > MOST_SHAPES or covered < SURELY * total:
        return None
    if any(len(PIECES.findall(shapes[shape][0])) > MOST_PIECES for shape, _ in usual):
        return None
    return tuple(_expression(shapes[shape], counts) for shape, _ in usual)


def _sign(piece: str) -> str:
    """One sign for a run of the same kind of character; other characters stand for themselves."""
    first = piece[0]
    if first.isascii():
        if first.isdigit():
            return "9"
        if first.isalpha():
            return "A" if first.isupper() else "a"
        return first
    return "L" if first.isalpha() else first


CLASSES = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]", "L": r"[^\W\d_]"}


def _expression(values: list[str], counts: Mapping[str, int]) -> str:
    """The expression of values that share a shape."""
    rows = sum(counts[value] for value in values)
    columns = zip(*(PIECES.findall(value) for value in values), strict=True)
    weights = [counts[value] for value in values]
    return "".join(_piece(column, weights, rows) for column in columns)


def _piece(pieces: tuple[str, ...], weights: list[int], rows: int) -> str:
    sign = _sign(pieces[0])
    if sign not in CLASSES:
        return re.escape(pieces[0])
    tally: Counter[str] = Counter()
    for piece, weight in zip(pieces, weights, strict=True):
        tally[piece] += weight
    # A closed set of words: each of them often enough that another one is no chance.
    if sign != "9" and len(tally) <= MOST_WORDS and min(tally.values()) >= max(5, 0.01 * rows):
        words = "|".join(re.escape(word) for word in sorted(tally))
        return words if len(tally) == 1 else f"({words})"
    short, long = min(map(len, pieces)), max(map(len, pieces))
    if short != long:
        # Lengths that vary will vary further: 998 is followed by 1002, and 7 is as good as 70.
        short, long = 1 if sign == "9" else max(1, short - 1), long + 1
    return CLASSES[sign] + (f"{{{short}}}" if short == long else f"{{{short},{long}}}")


def _spelt(counts: Mapping[str, int], total: int) -> tuple[str, ...] | None:
    """Any text of the characters in use; None when there are too many kinds of them."""
    uses: Counter[str] = Counter()
    for value, count in counts.items():
        for sign in {_sign(character) for character in value}:
            uses[sign] += count
    usual = {sign for sign, count in uses.items() if count >= max(3, SUPPORT * total)}
    if not usual or len(usual) > len(CLASSES) + 16:
        return None
    longest = 2 * max(map(len, counts))
    inside = "".join(sorted(_inside(sign) for sign in usual))
    one = f"[{inside}]"
    if "L" in usual:  # letters of any script can't stand inside a class without their complement
        # The two must not match the same letter: a value that fits neither would be tried in as
        # many ways as there are letters in it, doubled each time.
        one = f"(?:{one}|(?!{one}){CLASSES['L']})" if inside else CLASSES["L"]
    expression = f"{one}{{1,{longest}}}"
    held = sum(matching((expression,), counts).values())
    return (expression,) if held >= SURELY * total else None


def _inside(sign: str) -> str:
    if sign == "L":
        return ""
    return CLASSES[sign][1:-1] if sign in CLASSES else re.escape(sign)
