"""Reciprocal-rank fusion of several rankings into one."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

K = 60  # Cormack, Clarke and Buettcher, SIGIR 2009: damps the lead of first places
Key = TypeVar("Key", bound=Hashable)


def fused(rankings: Iterable[Sequence[Key]], *, k: int = K) -> list[tuple[Key, float]]:
    """Every key with its share of the best possible score, best first.

    Each ranking lists keys, best first; a key repeated in one counts at its first place. The score
    is the sum of 1 / (k + rank), divided by what a key first in every ranking would get, so it
    lies in (0, 1] and speaks of order, not of likeness. Ties keep the order of first appearance.
    """
    scores: dict[Key, float] = {}
    number = 0
    for ranking in rankings:
        number += 1
        for rank, key in enumerate(dict.fromkeys(ranking), start=1):
            scores[key] = scores.get(key, 0.0) + 1.0 / (k + rank)
    best = number / (k + 1)
    ordered = sorted(scores.items(), key=lambda pair: -pair[1])
    return [(key, min(1.0, score / best)) for key, score in ordered]
