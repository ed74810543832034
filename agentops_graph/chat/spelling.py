"""Mends slips of the keyboard in the words that a question is understood by."""

import difflib
import re
from collections.abc import Iterable, Mapping

NEAR = 0.8  # as difflib counts it; one slip in a word of five letters
SHORTEST = 4
LONG = 8  # letters; two of them may be missing
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
VOWELS = frozenset("aeiouy")
MOST_STRANGE = 40  # words of one question that are looked at; each is held against every name
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
KNOWN = frozenset(
    """
    accuracy actions alert alerts approval approvals approve because broken cause caused
    change changed changes check component components confident cost costs deploy deployed
    diagnosis drift drifted evidence expensive explain happen happened happening happens health
    healthy incident incidents investigate latency model models open pending pipeline problem
    quality reject rollback roll runbook similar started status steps there these
    think urgent version waiting watching what when where which would wrong
    about before again after from safe should back does did this
    that with have been them they much sure could were prove
    proved else whose here also just some more most time last
    next list show tell long high take taken done was will
    only over such very make need
    """.split()  # noqa: SIM905 - a list of a word a line is no easier to read
)


def mended(question: str, names: Iterable[str]) -> str:
    """The question with each word that is nearly a component's name or a word we know written as
    that; what is known, an id or short stays as it is."""
    known = {name.lower(): name for name in names if name} | {word: word for word in KNOWN}
    parts = _parts(known)
    mends: dict[str, str] = {}

    def mend(found: re.Match[str]) -> str:
        word = found[0].lower()
        if len(word) < SHORTEST or word in known or word in parts or word.rstrip("s") in parts:
            return found[0]
        if word not in mends and len(mends) < MOST_STRANGE:
            mends[word] = _nearest(word, known)
        return mends.get(word) or found[0]

    return _WORD.sub(mend, question)


def is_slip(typed: str, meant: str) -> bool:
    """False for two words that differ in letters nobody takes for each other, or in too many:
    "world" is not a slip of "would", nor "Munich" of "much"."""
    apart = abs(len(typed) - len(meant))
    if apart or sorted(typed) == sorted(meant):
        return apart <= (1 if len(meant) < LONG else 2)
    differ = [(a, b) for a, b in zip(typed, meant, strict=True) if a != b]
    return all(_beside(a, b) or {a, b} <= VOWELS for a, b in differ)


def _beside(one: str, other: str) -> bool:
    """Keys that touch."""
    at = {key: (row, col) for row, keys in enumerate(KEYS) for col, key in enumerate(keys)}
    if one not in at or other not in at:
        return False
    (row, col), (row2, col2) = at[one], at[other]
    return abs(row - row2) <= 1 and abs(col - col2) <= 1


def _parts(known: Iterable[str]) -> set[str]:
    """Each without its plural's s, and the pieces of names, such as "fraud" of "fraud-detector"."""
    return {part for each in known for part in (each.rstrip("s"), *re.split(r"[-_]", each))}


def _nearest(word: str, known: Mapping[str, str]) -> str:
    """What the word is a slip of, or nothing."""
    # Slips hardly ever hit the first letter, and other words often differ in it.
    alike = [each for each in known if each[0] == word[0]]
    turned = [each for each in alike if sorted(each) == sorted(word)]
    near = turned or difflib.get_close_matches(word, alike, n=1, cutoff=NEAR)
    return known[near[0]] if near and is_slip(word, near[0]) else ""
