"""Vectors for text: the protocol, the corpus they make, and the default that needs no download."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from agentops_graph.diagnosis.features import FeatureRows
from agentops_graph.diagnosis.nearest import Outline, nearest_places, outline_of

Vectors = NDArray[np.float32]


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
    def outline(self) -> Outline | None:
        """What a search of very many vectors begins with; made at the first one."""
        return outline_of(self.vectors)

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
    """Hashed words, word pairs and word parts with sublinear counts, as they are."""

    def __init__(self, dimensions: int = 1024) -> None:
        self._rows = FeatureRows(dimensions)
        self._dimensions = dimensions

    @property
    def name(self) -> str:
        return f"lexical-1-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._rows.of(texts)


def nearest_exactly(corpus: Corpus, vector: Vectors, *, kind: str | None, limit: int) -> list[int]:
    """Keys by cosine over the vectors of the corpus, nearest first, without an index."""
    among = None if kind is None else corpus.of_kind(kind)
    places = nearest_places(
        corpus.vectors, vector, among=among, limit=limit, outline=corpus.outline
    )
    return [corpus.keys[place] for place in places]
