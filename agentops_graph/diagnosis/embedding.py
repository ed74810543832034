"""Vectors for text: the protocol, the corpus they make, and the default that needs no download."""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
WORD = re.compile(r"[^\W_]+")
NGRAM_WEIGHT = 0.25  # word parts help with spelling and inflection, and must not drown words
COMMON = frozenset(
    WORD.findall(
        "a an and are as at be by for from had has have if in into is it its of on or that the "
        "their then there this to was we were when which with within not no per after before each"
    )
)
COMMON_WEIGHT = 0.05


class Embedding(Protocol):
    """Turns texts into vectors; the name changes whenever the vectors would."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dimensions) float32, rows of length 1 (0 for a text without words)."""
        ...


@runtime_checkable
class Learner(Protocol):
    """Makes an embedding out of the corpus it is for; what it learnt can be kept as bytes."""

    def learnt(self, texts: Sequence[str]) -> tuple[Embedding, bytes]: ...

    def recalled(self, basis: bytes) -> Embedding: ...


@dataclass(frozen=True)
class Corpus:
    """All vectors of a shelf at one moment, as an index is given them."""

    corpus_id: str
    generation: str  # changes whenever a section does
    embedding: str
    keys: tuple[int, ...]
    kinds: tuple[str, ...]
    vectors: Vectors  # (len(keys), dimensions)

    def likeness(self, keys: Sequence[int], vector: Vectors) -> dict[int, float]:
        """Cosine of each of these keys that has a vector."""
        places = {key: self._places[key] for key in keys if key in self._places}
        scores = self.vectors[list(places.values())] @ vector
        return {key: float(score) for key, score in zip(places, scores, strict=True)}

    def of_kind(self, kind: str) -> NDArray[np.bool_]:
        if kind not in self._kinds:
            self._kinds[kind] = np.array([one == kind for one in self.kinds], dtype=np.bool_)
        return self._kinds[kind]

    @cached_property
    def _places(self) -> dict[int, int]:
        return {key: place for place, key in enumerate(self.keys)}

    @cached_property
    def _kinds(self) -> dict[str, NDArray[np.bool_]]:
        return {}


class VectorIndex(Protocol):
    """A derived index over a corpus; it may decline, and the shelf then searches exactly."""

    def nearest(
        self, corpus: Corpus, vector: Vectors, *, kind: str | None, limit: int
    ) -> list[int] | None:
        """Keys, nearest first; None when this process can't use the index now."""
        ...

    def condition(self) -> str:
        """`chroma`, or `exact` with the reason."""
        ...

    def close(self) -> None: ...


class LexicalEmbedding:
    """Hashed words, word pairs and word parts with sublinear counts.

    Feature hashing with signs (Weinberger et al., ICML 2009) over words, neighbouring word pairs
    and character trigrams to pentagrams; counts enter as 1 + ln(count), common words almost
    not. CRC-32 places features, so the same text has the same vector in every process.
    """

    def __init__(self, dimensions: int = 1024) -> None:
        self._dimensions = dimensions

    @property
    def name(self) -> str:
        return f"lexical-1-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self._dimensions), dtype=np.float32)
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Vectors:
        places, weights = [], []
        for feature, count in _counted(_features(text)).items():
            hashes, strength = _hashed(feature)
            places.append(hashes)
            weights.append(strength * (1.0 + np.log(count)))
        if not places:
            return np.zeros(self._dimensions, dtype=np.float32)
        where = np.concatenate(places)
        signs = np.where(where & 0x80000000, -1.0, 1.0)
        values = signs * np.concatenate(weights)
        vector = np.bincount(where % self._dimensions, values, minlength=self._dimensions)
        length = np.linalg.norm(vector)
        return (vector / length if length else vector).astype(np.float32)


def nearest_exactly(corpus: Corpus, vector: Vectors, *, kind: str | None, limit: int) -> list[int]:
    """Keys by cosine over every vector of the corpus, nearest first; vectors at a right angle or
    beyond have nothing in common with the query and are left out."""
    scores = corpus.vectors @ vector
    if kind is not None:
        scores = np.where(corpus.of_kind(kind), scores, -1.0)
    first = np.arange(len(scores))
    if len(scores) > limit:
        # Ties at the edge are settled by the order below only among those that are taken.
        first = np.sort(np.argpartition(-scores, limit - 1)[:limit])
    order = first[np.argsort(-scores[first], kind="stable")]
    return [corpus.keys[i] for i in order if scores[i] > 0]


def _features(text: str) -> Iterator[str]:
    words = [_stem(word) for word in WORD.findall(text.lower())]
    yield from words
    for first, second in pairwise(words):
        if first not in COMMON and second not in COMMON:
            yield f"{first} {second}"


def _stem(word: str) -> str:
    """Plural and third person folded onto the bare word, as "versions" onto "version"."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _counted(features: Iterator[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for feature in features:
        counts[feature] = counts.get(feature, 0) + 1
    return counts


@lru_cache(maxsize=65536)
def _hashed(feature: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Hashes and weights of a word (with its parts) or of a word pair."""
    if " " in feature:
        return np.array([zlib.crc32(feature.encode())]), np.array([0.5])
    if feature in COMMON:
        return np.array([zlib.crc32(feature.encode())]), np.array([COMMON_WEIGHT])
    parts = _ngrams(feature)
    hashes = [zlib.crc32(part.encode("utf-8", "replace")) for part in (feature, *parts)]
    weights = [1.0] + [NGRAM_WEIGHT / np.sqrt(len(parts) or 1)] * len(parts)
    return np.array(hashes), np.array(weights)


def _ngrams(word: str) -> list[str]:
    framed = f"<{word[:40]}>"
    return [framed[i : i + n] for n in (3, 4, 5) for i in range(len(framed) - n + 1)]
