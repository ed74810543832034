"""One order out of two searches: by words and by likeness, of sections and of their documents."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from agentops_graph.diagnosis.fusion import fused

Key = TypeVar("Key", int, str)

LIKENESS = 0.5  # of the weight of words: names and figures decide more than subjects do
RANKS = 0.5  # reciprocal ranks hold when the scores of one search lie close together
DOCUMENT = 0.5  # a section of the right document before the same words elsewhere


@dataclass(frozen=True)
class Found:
    """What both searches say of one section."""

    document: str
    words: float  # BM25 of the section and of its document's title; 0 when not found by words
    likeness: float  # cosine; 0 when nothing is in common


@dataclass(frozen=True)
class Parts:
    """Which parts of the search take part; an ablation leaves some out."""

    words: bool = True
    likeness: bool = True
    ranks: bool = True
    expansion: bool = True
    titles: bool = True


ALL_PARTS = Parts()


def ordered(found: Mapping[int, Found], parts: Parts = ALL_PARTS) -> dict[int, float]:
    """Section ids with scores in (0, 1], best first.

    The score is the sum of relative scores (each divided by the best one) and of reciprocal ranks,
    first of sections and then of documents, whose score is their best section's. Relative scores
    keep how far ahead the first one is, which ranks alone lose; ranks keep a search with close
    scores in the game.
    """
    words = {key: one.words for key, one in found.items() if parts.words and one.words > 0}
    likeness = {
        key: one.likeness for key, one in found.items() if parts.likeness and one.likeness > 0
    }
    of_sections = _combined(words, likeness, parts)
    owner = {key: one.document for key, one in found.items()}
    of_documents = _combined(_best(words, owner), _best(likeness, owner), parts)
    scores = {
        key: (score + DOCUMENT * of_documents[owner[key]]) / (1 + DOCUMENT)
        for key, score in of_sections.items()
    }
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


def answer_strength(words: float, likeness: float, information: float) -> float:
    """Between 0 and 1: whether a section answers at all, comparable from query to query.

    `information` is the sum of the query words' inverse document frequencies. BM25 grows with it,
    and its root measured better than the sum itself: long alert texts are never matched whole.
    """
    if information <= 0 or words <= 0:
        return 0.0
    strength = words / math.sqrt(information) * max(likeness, 0.0)
    return strength / (1.0 + strength)


def _combined(
    words: Mapping[Key, float], likeness: Mapping[Key, float], parts: Parts
) -> dict[Key, float]:
    rankings = [_ranked(scores) for scores in (words, likeness) if scores]
    ranks = dict(fused(rankings)) if parts.ranks else {}
    weighed = ((1.0, words), (LIKENESS, likeness), (RANKS, ranks))
    total = sum(weight for weight, scores in weighed if scores) or 1.0
    combined: dict[Key, float] = {}
    for weight, scores in weighed:
        best = max(scores.values(), default=1.0)
        for key, score in scores.items():
            combined[key] = combined.get(key, 0.0) + weight * score / best / total
    return combined


def _ranked(scores: Mapping[Key, float]) -> list[Key]:
    return sorted(scores, key=lambda key: -scores[key])


def _best(scores: Mapping[int, float], owner: Mapping[int, str]) -> dict[str, float]:
    """The best score of each document's sections."""
    best: dict[str, float] = {}
    for key, score in scores.items():
        best[owner[key]] = max(best.get(owner[key], 0.0), score)
    return best
