"""Vectors learnt from the corpus itself: latent semantic analysis over hashed words, no download.

Deerwester et al. 1990, "Indexing by latent semantic analysis": the strongest directions of a
sample of the corpus become the dimensions, so that words which stand together come near each
other. Features are those of `LexicalEmbedding`, so the memory it takes is fixed beforehand.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from agentops_graph.diagnosis.embedding import Embedding, LexicalEmbedding, Vectors

FEATURES = 4096
DIMENSIONS = 256
PART = 256  # texts embedded at a time, so that features don't pile up


class LsaEmbedding:
    """Features projected onto directions that were learnt; the name tells these directions."""

    def __init__(self, directions: Vectors) -> None:
        self._directions = directions
        stamp = hashlib.sha256(directions.tobytes()).hexdigest()[:10]
        self._name = f"lsa-1-{directions.shape[1]}-{stamp}"
        self._features = LexicalEmbedding(directions.shape[0])

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        return int(self._directions.shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        parts = [
            self._features.embed(texts[start : start + PART]) @ self._directions
            for start in range(0, len(texts), PART)
        ]
        if not parts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return _of_length_one(np.concatenate(parts))


class LsaLearner:
    """Learns an `LsaEmbedding`; implements `diagnosis.embedding.Learner`."""

    def learnt(self, texts: Sequence[str]) -> tuple[Embedding, bytes]:
        """Directions of the sample by the eigenvectors of its likenesses; a small or empty corpus
        gives fewer of them, and always one."""
        features = LexicalEmbedding(FEATURES).embed(texts)
        values, vectors = np.linalg.eigh((features @ features.T).astype(np.float64))
        strongest = np.argsort(-values, kind="stable")[:DIMENSIONS]
        strongest = strongest[values[strongest] > 1e-6]
        directions = features.T @ (vectors[:, strongest] / np.sqrt(values[strongest]))
        if not directions.shape[1]:
            directions = np.zeros((FEATURES, 1))
        basis = directions.astype(np.float32)
        return LsaEmbedding(basis), basis.tobytes()

    def recalled(self, basis: bytes) -> Embedding:
        return LsaEmbedding(np.frombuffer(basis, dtype=np.float32).reshape(FEATURES, -1))


def _of_length_one(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-6)
    return np.asarray(scaled, dtype=np.float32)
