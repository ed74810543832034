"""Turns texts into rows of hashed features: words, neighbouring words and parts of words."""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"[^\W_]+")
NGRAM_WEIGHT = 0.25  # word parts help with spelling and inflection, and must not drown words
PAIR_WEIGHT = 0.5
COMMON = frozenset(
    WORD.findall(
        "a an and are as at be by for from had has have if in into is it its of on or that the "
        "their then there this to was we were when which with within not no per after before each"
    )
)
COMMON_WEIGHT = 0.05
MOST_WORDS = 50_000  # whose parts are kept; beyond it they are forgotten and made again
SIGN = 0x80000000
# Where a word and its parts fall, their signed weights, and the word's own hash.
Parts = tuple[NDArray[np.int64], NDArray[np.float64], int]


class FeatureRows:
    """Makes rows of a fixed width; remembers the places of the words it has met.

    Feature hashing with signs (Weinberger et al., ICML 2009) over words, neighbouring word pairs
    and character trigrams to pentagrams; counts enter as 1 + ln(count), common words almost
    not. CRC-32 places features, so the same text has the same row in every process.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._known: dict[str, Parts] = {}

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(len(texts), width), rows of length 1, or of 0 for a text without words."""
        rows = np.zeros((len(texts), self._width), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[:] = self._row([stem(word) for word in WORD.findall(text.lower())])
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows

    def _row(self, words: list[str]) -> NDArray[np.float64]:
        if not words:
            return np.zeros(self._width)
        if len(self._known) > MOST_WORDS:
            self._known = {}
        known = self._known  # held here: another thread may begin anew meanwhile
        counts = Counter(words)
        for word in counts:
            if word not in known:
                known[word] = _parts(word)
        places, weights, _ = zip(*[known[word] for word in counts], strict=True)
        spread = np.repeat(_sublinear(counts.values()), [len(place) for place in places])
        where, weigh = _pairs(words, known)
        placed = np.concatenate([*places, where]) % self._width
        weighed = np.concatenate([np.concatenate(weights) * spread, weigh])
        return np.bincount(placed, weighed, minlength=self._width).astype(np.float64)


def _parts(word: str) -> Parts:
    common = word in COMMON
    parts = [] if common else _ngrams(word)
    hashes = np.array([_hash(part) for part in (word, *parts)], dtype=np.int64)
    each = [NGRAM_WEIGHT / np.sqrt(len(parts) or 1)] * len(parts)
    weights = np.array([COMMON_WEIGHT if common else 1.0, *each])
    return hashes, np.where(hashes & SIGN, -weights, weights), int(hashes[0])


def _pairs(
    words: list[str], known: Mapping[str, Parts]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where neighbouring words fall; a pair's hash goes on from that of its first word."""
    pairs = Counter(
        (first, second)
        for first, second in pairwise(words)
        if first not in COMMON and second not in COMMON
    )
    hashes = np.array(
        [zlib.crc32(f" {b}".encode("utf-8", "replace"), known[a][2]) for a, b in pairs],
        dtype=np.int64,
    )
    weights = PAIR_WEIGHT * _sublinear(pairs.values())
    return hashes, np.where(hashes & SIGN, -weights, weights)


def stem(word: str) -> str:
    """Plural and third person folded onto the bare word, as "versions" onto "version"."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _sublinear(counts: Iterable[int]) -> NDArray[np.float64]:
    return 1.0 + np.log(np.fromiter(counts, dtype=np.float64))


def _hash(feature: str) -> int:
    return zlib.crc32(feature.encode("utf-8", "replace"))


def _ngrams(word: str) -> list[str]:
    framed = f"<{word[:40]}>"
    return [framed[i : i + n] for n in (3, 4, 5) for i in range(len(framed) - n + 1)]
