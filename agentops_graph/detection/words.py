"""Words, numbers and sentences of a text, as the scorers of text output compare them."""

import re
from functools import lru_cache

from agentops_graph.domain.outputs import TEXT_LIMIT

WORD = re.compile(r"\d+(?:[.,:]\d+)*%?|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\W_]+")
NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?!\w)")
SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+|(?<=[。！？])")
# Scripts that put no space between words are compared by pairs of characters.
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
STOP = frozenset(
    WORD.findall(
        "a about after all also an and any are as at be because been before but by can could did "
        "do does for from had has have he her him his how i if in into is it its just may me might "
        "more most must my of on one or our out please s shall she should so some such t tell than "
        "that the their them then there these they this those through to up us was we were what "
        "when where which who whom whose why will with would you your"
    )
)
DENIALS = frozenset(
    WORD.findall(
        "no not never none nobody nothing neither nor cannot can't don't doesn't didn't isn't "
        "aren't wasn't weren't won't wouldn't couldn't shouldn't hasn't haven't hadn't without"
    )
)
_ENDINGS = ("ingly", "edly", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s")
_SHORTEST_STEM = 3


def words(text: str) -> list[str]:
    """All words in small letters, in their order; runs of unspaced scripts as pairs."""
    lowered = text[:TEXT_LIMIT].casefold()
    if lowered.isascii():
        return WORD.findall(lowered)
    found: list[str] = []
    for each in WORD.findall(lowered):
        word = each.replace("’", "'")
        if UNSPACED.search(word):
            found += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        else:
            found.append(word)
    return found


@lru_cache(maxsize=64)  # one exchange is looked at by several scorers, then never again
def content(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning; numbers and denials are told apart from them."""
    return frozenset(
        stem(word)
        for word in words(text)
        if word not in STOP and word not in DENIALS and not word[0].isdigit()
    )


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The word without its commonest English endings, so that `failed` and `fails` are one."""
    word = word.removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) > _SHORTEST_STEM and word[-1] in "ey" else word


def numbers(text: str) -> set[float]:
    """The numbers of a text by value: 1,000 and 1000.0 are the same."""
    found = set()
    for match in NUMBER.finditer(text[:TEXT_LIMIT]):
        digits = match.group().replace(",", "")
        if len(digits) <= 40:
            found.add(float(digits))
    return found


def sentences(text: str) -> list[str]:
    """The parts that end with a stop or a line; empty ones left out."""
    return [part for part in SENTENCE.split(text[:TEXT_LIMIT]) if part.strip()]


def denies(text: str) -> bool:
    """Whether a denial stands in it."""
    return any(word in DENIALS for word in words(text))
