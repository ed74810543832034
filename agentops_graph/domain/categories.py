"""The word that stands for a number where a feature is read as categories."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats, Words


def word_of(value: float) -> str | None:
    """`3` for 3.0, `0.5` for 0.5; None for what is not a finite number."""
    return format(value, ".15g") if math.isfinite(value) else None


def worded(values: Floats) -> Words:
    """Numbers as words, so that a column of numbers can be held against categories."""
    words = values.astype(object)
    known: dict[float, str | None] = {}
    for place, value in enumerate(values.tolist()):
        if value == value and value not in known:  # no NaN equals another
            known[value] = word_of(value)
        words[place] = known.get(value)
    return words
